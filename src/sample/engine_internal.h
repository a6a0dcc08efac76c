/* The engine's parts, shared by engine.c (requests, jobs, draws, steps) and engine_room.c (who may have blocks of the
 * cache). */
#ifndef RT_SAMPLE_ENGINE_INTERNAL_H
#define RT_SAMPLE_ENGINE_INTERNAL_H

#include "sample/choose.h"
#include "sample/engine.h"
#include "sample/rules.h"

typedef struct pending { /* a request under way */
    rt_request request;
    uint64_t ticket;
    int64_t given, done; /* samples in slots or finished; finished */
    struct pending *next;
} pending;

typedef enum slot_state {
    SLOT_IDLE,
    SLOT_PREFILL, /* feeds its prompt */
    SLOT_WAIT,    /* another slot feeds its prompt */
    SLOT_FIRST,   /* holds the prompt; its first draw is from the current prompt's logits */
    SLOT_DECODE,  /* its last token is to be fed */
    SLOT_PUT_OFF, /* holds no keys and values, and waits for room */
    SLOT_REFILL   /* feeds its prompt and its tokens again */
} slot_state;

typedef struct slot {
    slot_state state;
    pending *owner;
    int64_t sample;
    int64_t fed;       /* positions held, while feeding the prompt */
    int64_t count;     /* tokens sampled */
    uint64_t age;      /* rises from one job to the next */
    int64_t first_row; /* of the step: that of its last token; its guesses follow */
    int32_t num_guesses;
    const float *guessed; /* logits of those rows, its last token's first */
    uint64_t stream;
    int32_t ban_state;
    int32_t *ids;        /* [capacity] */
    float *logp, *drawn; /* [capacity] */
    int32_t stop_state[RT_MAX_STOPS];
} slot;

enum { NO_SCORE = -1 };
typedef struct draw {
    int32_t slot;
    int64_t scored; /* index of the prompt token that is scored, or NO_SCORE: a token is drawn */
    const float *logits;
    const uint64_t *banned; /* the ban's tokens; NULL: none */
    rt_choice choice;
    int32_t num_best;
    rt_candidate best[RT_MAX_CANDIDATES];
} draw;

struct rt_engine {
    rt_decoder *decoder;
    const rt_config *config;
    const rt_tokenizer *tokenizer;
    int64_t num_slots, capacity, max_rows;
    pending *first, *last; /* all unfinished requests, in order of submission */
    uint64_t tickets, ages;
    bool ample; /* the cache has room for every slot at its longest */
    rt_engine_counts counts;
    int64_t num_put_off;
    slot *slots;
    int32_t *token_block;
    float *logp_block, *drawn_block;
    uint64_t *mask_block; /* [slots][words of a mask] */
    int64_t mask_words;
    /* the prompt of the last job given */
    const pending *current;
    int32_t current_slot;
    bool current_ready;
    float *current_logits; /* [V] */
    /* one step */
    int32_t *row_slot, *row_position, *row_id;
    bool *row_wanted;
    int64_t max_wanted; /* rows of a step that have logits */
    float *logits;      /* [max_wanted][V] */
    draw *draws;        /* [max_wanted + slots]: rows with logits, and slots that share a prompt's */
    int64_t num_draws;
    /* one draw, a thread */
    int threads;
    float *scratch_p, *scratch_adjusted;
    int32_t *scratch_order;
    uint32_t *scratch_mark;
};

/* Tokens that a slot feeds before it draws: its prompt, and after it was put off its own ones too. */
static inline int64_t rt_slot_length(const slot *x) {
    return x->owner->request.prompt.count + x->count;
}

/* One of these tokens. */
static inline int32_t rt_slot_token(const slot *x, int64_t at) {
    const rt_prompt *prompt = &x->owner->request.prompt;
    return at < prompt->count ? prompt->ids[at] : x->ids[at - prompt->count];
}

/* Guesses what comes next from what came before (prompt lookup): the tokens behind the latest earlier place where the
 * last three (or two) tokens stood. Writes at most `most` of them; returns how many. (A. Saxena, "Prompt Lookup
 * Decoding", 2023.) */
int32_t rt_guess_tokens(const slot *x, int32_t most, int32_t *out);

/* Forgets the last prompt; an idle slot that still held it for jobs to come gives its blocks back. */
void rt_engine_forget_prompt(rt_engine *engine);
/* Whether the next job of a request may begin now. Where nothing is under way it may: the cache holds any one response.
 */
bool rt_engine_fits(rt_engine *engine, const pending *p);
/* Puts off responses until the others can all go on by a token; false if the oldest cannot, because the rest of the
 * cache is promised to responses that are still feeding. */
bool rt_engine_make_room(rt_engine *engine);
/* Those put off go on in the order in which they began, as soon as their tokens fit; with nothing else under way they
 * do. */
void rt_engine_resume(rt_engine *engine);

#endif
