#include "sample/bans.h"

#include <string.h>

typedef struct reach { /* what is known behind one byte of a piece */
    int32_t state;
    bool open;    /* a match ends in the piece, unless more letters follow */
    bool refused; /* a match has ended in the piece */
} reach;

struct rt_bans {
    rt_automaton *automaton;
    const rt_pieces *pieces;
    rt_pieces *own_pieces;
    uint64_t **masks; /* [states] NULL: not made yet; `nothing`: no bit is set */
    uint64_t nothing;
    int64_t words, kept;
    size_t most_bytes;
    reach *path; /* [longest piece + 1] */
};

/* ---- patterns with what stop strings make of them ---- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool rt_stop_cuts_words(const char *stop) {
    return is_letter(stop[0]) || stop[0] == '\'';
}

static retort_status build_automaton(rt_bans *bans, const rt_ban_terms *terms, retort_error *err) {
    int32_t cutting = 0, count = terms->count;
    for (int32_t i = 0; i < terms->num_stop; i++) cutting += rt_stop_cuts_words(terms->stop[i]);
    RT_CHECK(terms->count >= 0 && (int64_t)terms->count * (1 + cutting) <= RT_PATTERNS, err, RETORT_ERR_UNSUPPORTED,
             "%d banned words with %d stop strings, at most %d together are taken", terms->count, cutting, RT_PATTERNS);
    rt_pattern *all = rt_malloc_array((size_t)terms->count * (size_t)(1 + cutting), sizeof *all);
    RT_CHECK(all != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned words");
    for (int32_t i = 0; i < terms->count; i++) all[i] = terms->patterns[i];
    for (int32_t s = 0; s < terms->num_stop; s++) {
        for (int32_t i = 0; rt_stop_cuts_words(terms->stop[s]) && i < terms->count; i++) {
            all[count] = terms->patterns[i];
            all[count++].tail = terms->stop[s];
        }
    }
    const retort_status st = rt_automaton_create(all, count, &bans->automaton, err);
    rt_free(all);
    return st;
}

retort_status rt_bans_create(const rt_tokenizer *tokenizer, const rt_pieces *pieces, const rt_ban_terms *terms,
                             rt_bans **out, retort_error *err) {
    rt_bans *bans = rt_calloc(1, sizeof *bans);
    RT_CHECK(bans != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned words");
    retort_status st = build_automaton(bans, terms, err);
    if (st == RETORT_OK && pieces == NULL) st = rt_pieces_create(tokenizer, &bans->own_pieces, err);
    if (st == RETORT_OK) {
        bans->pieces = pieces != NULL ? pieces : bans->own_pieces;
        bans->words = rt_mask_words(bans->pieces->vocab);
        bans->most_bytes = RT_BAN_MASK_BYTES;
        bans->masks = rt_calloc((size_t)bans->automaton->states, sizeof *bans->masks);
        bans->path = rt_malloc_array((size_t)bans->pieces->longest + 1, sizeof *bans->path);
        if (bans->masks == NULL || bans->path == NULL)
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: banned words");
    }
    if (st != RETORT_OK) {
        rt_bans_destroy(bans);
        return st;
    }
    *out = bans;
    return RETORT_OK;
}

void rt_bans_destroy(rt_bans *bans) {
    if (bans == NULL) return;
    for (int32_t s = 0; bans->masks != NULL && s < bans->automaton->states; s++) {
        if (bans->masks[s] != &bans->nothing) rt_free(bans->masks[s]);
    }
    rt_free(bans->masks);
    rt_free(bans->path);
    rt_pieces_destroy(bans->own_pieces);
    rt_automaton_destroy(bans->automaton);
    rt_free(bans);
}

/* ---- the text so far ---- */

int32_t rt_bans_start(const rt_bans *bans) {
    (void)bans;
    return 0;
}

int32_t rt_bans_advance(const rt_bans *bans, int32_t state, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        state = rt_automaton_step(bans->automaton, state, (uint8_t)bytes[i]) & RT_BAN_STATE;
    return state;
}

/* ---- the ban's tokens in a state ---- */

static inline reach step(const rt_automaton *a, reach from, uint8_t byte) {
    const int32_t next = rt_automaton_step(a, from.state, byte);
    reach to = {.state = next & RT_BAN_STATE};
    const uint8_t flags = a->flags[to.state];
    to.refused = from.refused || (from.open && (next & RT_BAN_ENDS) != 0) || (flags & RT_BAN_CLOSED) != 0;
    to.open = rt_ban_open(flags, from.open);
    return to;
}

bool rt_bans_hold(const rt_bans *bans, const char *text, size_t length) {
    reach at = {.state = 0};
    for (size_t i = 0; i < length; i++) at = step(bans->automaton, at, (uint8_t)text[i]);
    return at.refused || at.open;
}

/* Walks all pieces as one tree; path[d] is what is known behind the first d bytes of the piece at hand. True if any
 * piece is the ban's. */
static bool fill_mask(const rt_bans *bans, int32_t state, uint64_t *mask) {
    const rt_pieces *pieces = bans->pieces;
    const uint8_t *rest = pieces->rest;
    bool any = false;
    memset(mask, 0, (size_t)bans->words * sizeof *mask);
    bans->path[0] = (reach){.state = state};
    for (int64_t i = 0; i < pieces->count; i++) {
        const rt_piece *piece = &pieces->items[i];
        reach at = bans->path[piece->shared];
        for (int32_t d = piece->shared; d < piece->length; d++) {
            at = step(bans->automaton, at, *rest++);
            bans->path[d + 1] = at;
        }
        if (!at.refused && !at.open) continue;
        mask[piece->id / 64] |= (uint64_t)1 << piece->id % 64;
        any = true;
    }
    return any;
}

retort_status rt_bans_refused(rt_bans *bans, int32_t state, uint64_t *scratch, const uint64_t **out,
                              retort_error *err) {
    const uint64_t *known = bans->masks[state];
    const size_t bytes = (size_t)bans->words * sizeof *scratch;
    if (known == NULL) {
        const bool any = fill_mask(bans, state, scratch);
        known = any ? scratch : &bans->nothing;
        if (!any) bans->masks[state] = &bans->nothing;
        if (any && (size_t)(bans->kept + 1) * bytes <= bans->most_bytes) {
            uint64_t *mask = rt_malloc(bytes);
            RT_CHECK(mask != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned tokens");
            memcpy(mask, scratch, bytes);
            known = bans->masks[state] = mask;
            bans->kept++;
        }
    }
    *out = known == &bans->nothing ? NULL : known;
    return RETORT_OK;
}

void rt_bans_memory(const rt_bans *bans, int64_t *masks, size_t *bytes) {
    *masks = bans->kept;
    *bytes = (size_t)(bans->kept * bans->words) * sizeof(uint64_t);
}

void rt_bans_limit(rt_bans *bans, size_t bytes) {
    bans->most_bytes = bytes;
}
