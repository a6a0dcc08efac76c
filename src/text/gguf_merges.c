#include <stdlib.h>
#include <string.h>

#include "text/bytes.h"
#include "text/gguf_tokenizer.h"

enum { MAX_PIECE = 1024 };

typedef struct way {
    int32_t left, right, token;
    int32_t left_chars, right_chars;
    int64_t order; /* place before sorting, to keep equals in it */
    double score;
} way;

typedef struct ways {
    way *list;
    int64_t count, capacity;
} ways;

static retort_status push_way(ways *w, const way *one, retort_error *err) {
    if (w->count == w->capacity) {
        const int64_t capacity = w->capacity == 0 ? 1024 : w->capacity * 2;
        way *list = rt_realloc_array(w->list, (size_t)capacity, sizeof *list);
        RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory for %lld merges", (long long)capacity);
        w->list = list;
        w->capacity = capacity;
    }
    w->list[w->count++] = *one;
    return RETORT_OK;
}

static int compare_ids(const void *left, const void *right) {
    const way *a = left, *b = right;
    if (a->left != b->left) return a->left < b->left ? -1 : 1;
    return (a->right > b->right) - (a->right < b->right);
}

static int compare_score(const void *left, const void *right) {
    const way *a = left, *b = right;
    if (a->score < b->score || a->score > b->score) return a->score > b->score ? -1 : 1;
    if (a->left_chars != b->left_chars) return a->left_chars > b->left_chars ? -1 : 1;
    if (a->right_chars != b->right_chars) return a->right_chars > b->right_chars ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static int32_t find_normal(const rt_token_table *tokens, const bool *normal, const char *text, size_t length) {
    const int32_t id = rt_token_table_find(tokens, text, length);
    return id >= 0 && normal[id] ? id : -1;
}

/* The ways to cut one token into two, in order of the parts' ids. */
static retort_status add_ways(ways *w, const rt_token_table *tokens, const bool *normal, int64_t id, double score,
                              retort_error *err) {
    size_t length;
    const char *text = rt_token_table_get(tokens, id, &length);
    const int64_t first = w->count;
    RT_CHECK(length <= MAX_PIECE, err, RETORT_ERR_UNSUPPORTED, "token %lld has %zu bytes, more than %d", (long long)id,
             length, MAX_PIECE); /* the work below grows with the square */
    int32_t total = 0, chars = 0;
    for (size_t at = 0; at < length; total++) {
        const int size = rt_utf8_char(text + at, length - at, NULL);
        at += size > 0 ? (size_t)size : 1;
    }
    for (size_t at = 0; at < length;) {
        const int size = rt_utf8_char(text + at, length - at, NULL);
        at += size > 0 ? (size_t)size : 1;
        chars++;
        if (at >= length) break;
        const int32_t left = find_normal(tokens, normal, text, at);
        const int32_t right = left < 0 ? -1 : find_normal(tokens, normal, text + at, length - at);
        if (right < 0) continue;
        const way one = {.left = left,
                         .right = right,
                         .token = (int32_t)id,
                         .left_chars = chars,
                         .right_chars = total - chars,
                         .score = score};
        RT_TRY(push_way(w, &one, err));
    }
    if (w->count > first) qsort(w->list + first, (size_t)(w->count - first), sizeof *w->list, compare_ids);
    for (int64_t i = first; i < w->count; i++) w->list[i].order = i;
    return RETORT_OK;
}

static retort_status all_ways(ways *w, const rt_token_table *tokens, const bool *normal, const double *scores,
                              retort_error *err) {
    for (int64_t id = 0; id < tokens->count; id++)
        if (normal[id]) RT_TRY(add_ways(w, tokens, normal, id, scores != NULL ? scores[id] : 0, err));
    return RETORT_OK;
}

retort_status rt_gguf_merges_of_scores(const rt_token_table *tokens, const bool *normal, const double *scores,
                                       rt_ids *pairs, retort_error *err) {
    ways w = {0};
    retort_status st = all_ways(&w, tokens, normal, scores, err);
    if (st == RETORT_OK && w.count > 0) qsort(w.list, (size_t)w.count, sizeof *w.list, compare_score);
    for (int64_t i = 0; i < w.count && st == RETORT_OK; i++) {
        st = rt_ids_push(pairs, w.list[i].left, err);
        if (st == RETORT_OK) st = rt_ids_push(pairs, w.list[i].right, err);
    }
    rt_free(w.list);
    return st;
}

/* Whether these pairs are the listed ways, in whatever order; sorts the list. */
static retort_status same_pairs(ways *w, const rt_ids *pairs, bool *same, retort_error *err) {
    ways given = {0};
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i + 1 < pairs->count && st == RETORT_OK; i += 2) {
        const way one = {.left = pairs->data[i], .right = pairs->data[i + 1]};
        st = push_way(&given, &one, err);
    }
    *same = given.count == w->count;
    if (st == RETORT_OK && *same && w->count > 0) {
        qsort(w->list, (size_t)w->count, sizeof *w->list, compare_ids);
        qsort(given.list, (size_t)given.count, sizeof *given.list, compare_ids);
        for (int64_t i = 0; i < w->count && *same; i++) *same = compare_ids(&w->list[i], &given.list[i]) == 0;
    }
    rt_free(given.list);
    return st;
}

static retort_status unfit(retort_error *err) {
    return rt_fail(err, RETORT_ERR_UNSUPPORTED,
                   "the tokenizer's merges are not those of SentencePiece scores, which llama.cpp goes by: it would "
                   "give other ids");
}

/* The token that a merge makes; -1 if there is none. */
static int32_t merged_of(const rt_token_table *tokens, const bool *normal, int32_t left, int32_t right,
                         rt_buffer *scratch, retort_error *err) {
    size_t length;
    rt_buffer_clear(scratch);
    const char *text = rt_token_table_get(tokens, left, &length);
    if (rt_buffer_append(scratch, text, length, err) != RETORT_OK) return -1;
    text = rt_token_table_get(tokens, right, &length);
    if (rt_buffer_append(scratch, text, length, err) != RETORT_OK) return -1;
    return find_normal(tokens, normal, scratch->data, scratch->length);
}

retort_status rt_gguf_scores_of_merges(const rt_token_table *tokens, const bool *normal, const rt_ids *pairs,
                                       float *scores, retort_error *err) {
    ways w = {0};
    rt_buffer scratch = {0};
    retort_status st = all_ways(&w, tokens, normal, NULL, err);
    bool same = false;
    if (st == RETORT_OK) st = same_pairs(&w, pairs, &same, err);
    if (st == RETORT_OK && !same) st = unfit(err);
    int32_t last = -1;
    int64_t rank = 0;
    for (int64_t id = 0; id < tokens->count; id++) scores[id] = 0;
    for (int64_t i = 0; i + 1 < pairs->count && st == RETORT_OK; i += 2) {
        const int32_t token = merged_of(tokens, normal, pairs->data[i], pairs->data[i + 1], &scratch, err);
        const bool again = token >= 0 && token != last && scores[token] < 0;
        if (token < 0 || again || rank >= 1 << 24) { /* beyond 2^24 a float does not tell two ranks apart */
            st = unfit(err);
        } else if (token != last) {
            scores[token] = -(float)++rank;
            last = token;
        }
    }
    rt_free(w.list);
    rt_buffer_free(&scratch);
    return st;
}
