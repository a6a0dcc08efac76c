/* Training byte-level BPE: the same vocabulary and merges as the `tokenizers` package's BpeTrainer gives for the same
 * words (min_frequency 2), which the tests check. Words are counted once; each merge visits only the words that hold
 * its pair. */
#include <string.h>

#include "core/file.h"
#include "text/bpe.h"
#include "text/bytes.h"
#include "text/split.h"
#include "text/trainer.h"

enum { MAX_VOCAB = 1 << 20 };

typedef struct counted_word {
    int64_t count;
    int64_t first; /* its symbols: symbols[first .. first + length - 1] */
    int32_t length;
    int32_t visited; /* the last merge that looked at it */
} counted_word;

struct rt_bpe_trainer {
    rt_splitter *splitter;
    rt_token_table words; /* text of each distinct word; its index is its place in counts */
    int64_t *counts;
    int64_t counts_capacity, model_max_length;
};

retort_status rt_bpe_trainer_create(rt_bpe_trainer **out, retort_error *err) {
    rt_bpe_trainer *trainer = rt_calloc(1, sizeof *trainer);
    RT_CHECK(trainer != NULL, err, RETORT_ERR_MEMORY, "out of memory: tokenizer trainer");
    retort_status st = rt_splitter_create(&trainer->splitter, err);
    if (st == RETORT_OK) st = rt_splitter_add(trainer->splitter, &(rt_split_stage){.pattern = RT_SPLIT_GPT2}, err);
    if (st != RETORT_OK) {
        rt_bpe_trainer_destroy(trainer);
        return st;
    }
    *out = trainer;
    return RETORT_OK;
}

void rt_bpe_trainer_destroy(rt_bpe_trainer *trainer) {
    if (trainer == NULL) return;
    rt_splitter_destroy(trainer->splitter);
    rt_token_table_free(&trainer->words);
    rt_free(trainer->counts);
    rt_free(trainer);
}

void rt_bpe_trainer_set_max_length(rt_bpe_trainer *trainer, int64_t model_max_length) {
    trainer->model_max_length = model_max_length;
}

static retort_status count_word(void *context, const char *word, size_t length, retort_error *err) {
    rt_bpe_trainer *trainer = context;
    int32_t id = rt_token_table_find(&trainer->words, word, length);
    if (id < 0) {
        RT_CHECK(length <= INT32_MAX && trainer->words.count < INT32_MAX, err, RETORT_ERR_UNSUPPORTED,
                 "too many words, or too long ones, to train a tokenizer on");
        if (trainer->words.count == trainer->counts_capacity) {
            int64_t capacity = trainer->counts_capacity == 0 ? 1024 : trainer->counts_capacity * 2;
            int64_t *counts = rt_realloc_array(trainer->counts, (size_t)capacity, sizeof *counts);
            RT_CHECK(counts != NULL, err, RETORT_ERR_MEMORY, "out of memory: counts of %lld words",
                     (long long)capacity);
            trainer->counts = counts;
            trainer->counts_capacity = capacity;
        }
        RT_TRY(rt_token_table_add(&trainer->words, word, length, false, err));
        id = (int32_t)(trainer->words.count - 1);
        trainer->counts[id] = 0;
    }
    trainer->counts[id]++;
    return RETORT_OK;
}

retort_status rt_bpe_trainer_add(rt_bpe_trainer *trainer, const char *text, size_t length, retort_error *err) {
    return rt_splitter_run(trainer->splitter, text, length, count_word, trainer, err);
}

/* ---- pairs ---- */

typedef struct pair_entry {
    int32_t left, right;
    int64_t count;
    int32_t *words; /* words that held the pair when it was entered; may repeat and go stale */
    int64_t num_words, capacity;
    bool merged; /* has its place among the merges */
} pair_entry;

/* A candidate for the next merge; stale when its pair's count has changed since it was pushed. */
typedef struct candidate {
    int64_t count;
    int32_t pair;
} candidate;

typedef struct learning {
    counted_word *words;
    int64_t num_words;
    int32_t *symbols;
    pair_entry *pairs;
    int64_t num_pairs, pairs_capacity;
    int32_t *buckets; /* (left, right) -> index into pairs, open addressing */
    uint64_t mask;
    candidate *heap;
    int64_t heap_count, heap_capacity;
    rt_bpe_vocabulary *out;
} learning;

static uint64_t place_of(const learning *l, int32_t left, int32_t right) {
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
    return (h ^ h >> 29) & l->mask;
}

static retort_status grow_pairs(learning *l, retort_error *err) {
    int64_t capacity = l->pairs_capacity == 0 ? 1024 : l->pairs_capacity * 2;
    RT_CHECK(capacity < INT32_MAX / 4, err, RETORT_ERR_UNSUPPORTED, "too many distinct pairs to train a tokenizer on");
    pair_entry *pairs = rt_realloc_array(l->pairs, (size_t)capacity, sizeof *pairs);
    if (pairs != NULL) l->pairs = pairs;
    int32_t *buckets = rt_realloc_array(l->buckets, (size_t)capacity * 2, sizeof *buckets);
    if (buckets != NULL) l->buckets = buckets;
    RT_CHECK(pairs != NULL && buckets != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld pairs",
             (long long)capacity);
    l->pairs_capacity = capacity;
    l->mask = (uint64_t)capacity * 2 - 1;
    memset(buckets, 0xFF, (size_t)capacity * 2 * sizeof *buckets);
    for (int64_t i = 0; i < l->num_pairs; i++) {
        uint64_t place = place_of(l, pairs[i].left, pairs[i].right);
        while (buckets[place] >= 0) place = (place + 1) & l->mask;
        buckets[place] = (int32_t)i;
    }
    return RETORT_OK;
}

static int32_t pair_find(const learning *l, int32_t left, int32_t right) {
    uint64_t place = place_of(l, left, right);
    for (; l->buckets[place] >= 0; place = (place + 1) & l->mask) {
        const pair_entry *p = &l->pairs[l->buckets[place]];
        if (p->left == left && p->right == right) return l->buckets[place];
    }
    return -1;
}

static retort_status pair_get(learning *l, int32_t left, int32_t right, int32_t *index, retort_error *err) {
    if (l->num_pairs == l->pairs_capacity) RT_TRY(grow_pairs(l, err));
    *index = pair_find(l, left, right);
    if (*index >= 0) return RETORT_OK;
    uint64_t place = place_of(l, left, right);
    while (l->buckets[place] >= 0) place = (place + 1) & l->mask;
    *index = (int32_t)l->num_pairs++;
    l->buckets[place] = *index;
    l->pairs[*index] = (pair_entry){.left = left, .right = right};
    return RETORT_OK;
}

static retort_status pair_note_word(pair_entry *pair, int32_t word, retort_error *err) {
    if (pair->num_words > 0 && pair->words[pair->num_words - 1] == word) return RETORT_OK;
    if (pair->num_words == pair->capacity) {
        int64_t capacity = pair->capacity == 0 ? 4 : pair->capacity * 2;
        int32_t *words = rt_realloc_array(pair->words, (size_t)capacity, sizeof *words);
        RT_CHECK(words != NULL, err, RETORT_ERR_MEMORY, "out of memory: words of a pair");
        pair->words = words;
        pair->capacity = capacity;
    }
    pair->words[pair->num_words++] = word;
    return RETORT_OK;
}

/* ---- candidates: greatest count first, then the pair of smallest ids ---- */

static bool before(const learning *l, candidate a, candidate b) {
    if (a.count != b.count) return a.count > b.count;
    const pair_entry *p = &l->pairs[a.pair], *q = &l->pairs[b.pair];
    return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static retort_status push(learning *l, candidate c, retort_error *err) {
    if (l->heap_count == l->heap_capacity) {
        int64_t capacity = l->heap_capacity == 0 ? 1024 : l->heap_capacity * 2;
        candidate *heap = rt_realloc_array(l->heap, (size_t)capacity, sizeof *heap);
        RT_CHECK(heap != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld merge candidates", (long long)capacity);
        l->heap = heap;
        l->heap_capacity = capacity;
    }
    int64_t i = l->heap_count++;
    for (; i > 0 && before(l, c, l->heap[(i - 1) / 2]); i = (i - 1) / 2) l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = c;
    return RETORT_OK;
}

static candidate pop(learning *l) {
    candidate top = l->heap[0], last = l->heap[--l->heap_count];
    int64_t i = 0;
    for (int64_t child; (child = 2 * i + 1) < l->heap_count; i = child) {
        if (child + 1 < l->heap_count && before(l, l->heap[child + 1], l->heap[child])) child++;
        if (!before(l, l->heap[child], last)) break;
        l->heap[i] = l->heap[child];
    }
    l->heap[i] = last;
    return top;
}

/* ---- learning ---- */

/* Adds sign * count of each pair of a word. Pairs entered by the current merge (those of its new symbol) also note the
 * word; note_all: every pair does (at the start). */
static retort_status count_pairs(learning *l, int32_t word, int sign, int32_t fresh, bool note_all, retort_error *err) {
    const counted_word *w = &l->words[word];
    const int32_t *s = l->symbols + w->first;
    for (int32_t i = 0; i + 1 < w->length; i++) {
        int32_t index;
        RT_TRY(pair_get(l, s[i], s[i + 1], &index, err));
        l->pairs[index].count += sign * w->count;
        if (note_all || (sign > 0 && (s[i] == fresh || s[i + 1] == fresh))) {
            RT_TRY(pair_note_word(&l->pairs[index], word, err));
        }
    }
    return RETORT_OK;
}

static bool replace_pair(learning *l, int32_t word, int32_t left, int32_t right, int32_t merged, bool write) {
    counted_word *w = &l->words[word];
    int32_t *s = l->symbols + w->first;
    int32_t kept = 0;
    bool found = false;
    for (int32_t i = 0; i < w->length; i++) {
        bool here = i + 1 < w->length && s[i] == left && s[i + 1] == right;
        found = found || here;
        if (!write) continue;
        s[kept++] = here ? merged : s[i];
        if (here) i++;
    }
    if (write) w->length = kept;
    return found;
}

/* known: the merged text was a token before, by other pieces, so that its pairs may be old ones that grow now. */
static retort_status apply_merge(learning *l, int32_t index, int32_t merged, bool known, int32_t stamp,
                                 retort_error *err) {
    int32_t left = l->pairs[index].left, right = l->pairs[index].right;
    int64_t first_new = l->num_pairs;
    for (int64_t i = 0; i < l->pairs[index].num_words; i++) {
        int32_t word = l->pairs[index].words[i];
        if (l->words[word].visited == stamp) continue;
        l->words[word].visited = stamp;
        if (!replace_pair(l, word, left, right, merged, false)) continue;
        RT_TRY(count_pairs(l, word, -1, -1, false, err));
        replace_pair(l, word, left, right, merged, true);
        RT_TRY(count_pairs(l, word, 1, merged, false, err));
    }
    for (int64_t i = known ? 0 : first_new; i < l->num_pairs; i++) {
        const pair_entry *p = &l->pairs[i];
        bool grown = i >= first_new || p->left == merged || p->right == merged;
        if (grown && p->count > 0) RT_TRY(push(l, (candidate){p->count, (int32_t)i}, err));
    }
    return RETORT_OK;
}

static retort_status merged_token(learning *l, pair_entry *pair, int32_t *merged, bool *known, retort_error *err) {
    rt_token_table *tokens = &l->out->tokens;
    rt_buffer bytes = {0};
    size_t length;
    const char *piece = rt_token_table_get(tokens, pair->left, &length);
    retort_status st;
    RT_GOTO(st, rt_buffer_append(&bytes, piece, length, err), done);
    piece = rt_token_table_get(tokens, pair->right, &length);
    RT_GOTO(st, rt_buffer_append(&bytes, piece, length, err), done);
    *merged = rt_token_table_find(tokens, bytes.data, bytes.length);
    *known = *merged >= 0;
    if (!*known) {
        RT_GOTO(st, rt_token_table_add(tokens, bytes.data, bytes.length, false, err), done);
        *merged = (int32_t)(tokens->count - 1);
    }
    if (pair->merged) goto done;
    pair->merged = true;
    RT_GOTO(st, rt_ids_push(&l->out->merges, pair->left, err), done);
    st = rt_ids_push(&l->out->merges, pair->right, err);
done:
    rt_buffer_free(&bytes);
    return st;
}

static retort_status learn(learning *l, int64_t vocab_size, retort_error *err) {
    for (int64_t i = 0; i < l->num_words; i++) RT_TRY(count_pairs(l, (int32_t)i, 1, -1, true, err));
    for (int64_t i = 0; i < l->num_pairs; i++) RT_TRY(push(l, (candidate){l->pairs[i].count, (int32_t)i}, err));
    for (int32_t stamp = 1; l->out->tokens.count < vocab_size && l->heap_count > 0;) {
        candidate best = pop(l);
        int64_t count = l->pairs[best.pair].count;
        if (count < 2) continue;
        if (count != best.count) {
            RT_TRY(push(l, (candidate){count, best.pair}, err));
            continue;
        }
        int32_t merged = -1;
        bool known = false;
        RT_TRY(merged_token(l, &l->pairs[best.pair], &merged, &known, err));
        RT_TRY(apply_merge(l, best.pair, merged, known, stamp++, err));
    }
    return RETORT_OK;
}

static retort_status take_words(learning *l, const rt_bpe_trainer *trainer, retort_error *err) {
    const rt_token_table *words = &trainer->words;
    l->num_words = words->count;
    l->words = rt_calloc((size_t)words->count, sizeof *l->words);
    l->symbols = rt_malloc_array(words->bytes.length, sizeof *l->symbols);
    RT_CHECK(l->words != NULL && l->symbols != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld words",
             (long long)words->count);
    for (int64_t i = 0; i < words->count; i++) {
        size_t length;
        const char *bytes = rt_token_table_get(words, i, &length);
        l->words[i] = (counted_word){.count = trainer->counts[i], .first = (int64_t)words->offset[i]};
        l->words[i].length = (int32_t)length;
        for (size_t j = 0; j < length; j++) {
            l->symbols[words->offset[i] + j] = rt_token_table_find(&l->out->tokens, bytes + j, 1);
        }
    }
    return RETORT_OK;
}

/* Id 0 is the end of text; then the 256 bytes in the order of their characters in the alphabet, as in GPT-2. */
static retort_status first_tokens(rt_token_table *tokens, retort_error *err) {
    RT_TRY(rt_token_table_add(tokens, RT_END_OF_TEXT, strlen(RT_END_OF_TEXT), true, err));
    for (uint32_t code = 0; code < 0x100 + 68; code++) {
        int byte = rt_code_to_byte(code);
        char c = (char)(uint8_t)byte;
        if (byte >= 0) RT_TRY(rt_token_table_add(tokens, &c, 1, false, err));
    }
    return RETORT_OK;
}

static void learning_free(learning *l) {
    for (int64_t i = 0; i < l->num_pairs; i++) rt_free(l->pairs[i].words);
    rt_free(l->pairs);
    rt_free(l->buckets);
    rt_free(l->heap);
    rt_free(l->words);
    rt_free(l->symbols);
}

static retort_status learn_vocabulary(const rt_bpe_trainer *trainer, int64_t vocab_size, rt_bpe_vocabulary *out,
                                      retort_error *err) {
    learning l = {.out = out};
    retort_status st;
    RT_GOTO(st, first_tokens(&out->tokens, err), done);
    RT_GOTO(st, take_words(&l, trainer, err), done);
    st = learn(&l, vocab_size, err);
done:
    learning_free(&l);
    return st;
}

retort_status rt_bpe_trainer_write(rt_bpe_trainer *trainer, int64_t vocab_size, const char *prompt_template,
                                   const char *dir, retort_error *err) {
    RT_CHECK(vocab_size >= 257 && vocab_size <= MAX_VOCAB, err, RETORT_ERR_USAGE,
             "vocabulary size %lld is not in 257 to %d (256 bytes and the end of text)", (long long)vocab_size,
             MAX_VOCAB);
    const char *mark = strstr(prompt_template, "{problem}");
    RT_CHECK(mark != NULL && strstr(mark + 1, "{problem}") == NULL, err, RETORT_ERR_USAGE,
             "prompt template '%.100s' does not have '{problem}' in it once", prompt_template);
    rt_bpe_vocabulary vocabulary = {.model_max_length = trainer->model_max_length};
    retort_status st = learn_vocabulary(trainer, vocab_size, &vocabulary, err);
    if (st == RETORT_OK) st = rt_bpe_write(&vocabulary, prompt_template, dir, err);
    rt_token_table_free(&vocabulary.tokens);
    rt_ids_free(&vocabulary.merges);
    return st;
}
