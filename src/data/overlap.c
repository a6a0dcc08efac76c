#include "data/overlap.h"

#include <stdlib.h>
#include <string.h>

enum { RUN = 5, TELLING = 16, COMMON = 64 };
static const double SHARE = 0.45, SHARE_SHORT = 0.9;

/* ---- words ---- */

typedef struct word {
    uint64_t hash;
    size_t begin, end; /* bytes of the problem */
} word;

typedef struct words {
    word *items;
    int64_t count, capacity;
} words;

static bool is_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

/* End of the word that begins at text[i]; i itself where none does. Beyond ASCII each character is a word: scripts
 * without spaces have none to split at. */
static size_t word_end(const char *text, size_t i, size_t length) {
    const unsigned char first = (unsigned char)text[i];
    size_t end = i;
    if (first >= 0xC0) {
        for (end++; end < length && ((unsigned char)text[end] & 0xC0) == 0x80;) end++;
        return end;
    }
    if (is_letter(first))
        while (end < length && is_letter((unsigned char)text[end])) end++;
    else
        while (end < length && is_digit((unsigned char)text[end])) end++;
    return end;
}

static uint64_t mix(uint64_t h) {
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9u;
    h = (h ^ h >> 27) * 0x94D049BB133111EBu;
    return h ^ h >> 31;
}

static uint64_t hash_word(const char *text, size_t begin, size_t end) {
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = begin; i < end; i++) {
        const unsigned char c = (unsigned char)text[i];
        h = (h ^ (is_letter(c) ? c | 0x20u : c)) * 0x100000001B3u;
    }
    return mix(h);
}

static retort_status split_words(const char *text, words *out, retort_error *err) {
    const size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        const size_t end = word_end(text, i, length);
        if (end == i) {
            i++;
            continue;
        }
        if (out->count == out->capacity) {
            const int64_t capacity = out->capacity == 0 ? 64 : 2 * out->capacity;
            word *items = rt_realloc_array(out->items, (size_t)capacity, sizeof *items);
            RT_CHECK(items != NULL, err, RETORT_ERR_MEMORY, "out of memory: words of a problem");
            out->items = items;
            out->capacity = capacity;
        }
        out->items[out->count++] = (word){hash_word(text, i, end), i, end};
        i = end;
    }
    return RETORT_OK;
}

/* ---- runs of five words ---- */

typedef struct document {
    words words;
    uint64_t *runs; /* sorted, distinct */
    int64_t num_runs;
} document;

static uint64_t hash_run(const word *first) {
    uint64_t h = 0;
    for (int i = 0; i < RUN; i++) h = mix(h + first[i].hash + 0x9E3779B97F4A7C15u);
    return h;
}

static int by_value(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static retort_status make_document(const char *text, document *out, retort_error *err) {
    RT_TRY(split_words(text, &out->words, err));
    const int64_t count = out->words.count < RUN ? 0 : out->words.count - RUN + 1;
    out->runs = rt_malloc_array((size_t)count + 1, sizeof *out->runs);
    RT_CHECK(out->runs != NULL, err, RETORT_ERR_MEMORY, "out of memory: runs of a problem");
    for (int64_t i = 0; i < count; i++) out->runs[i] = hash_run(&out->words.items[i]);
    qsort(out->runs, (size_t)count, sizeof *out->runs, by_value);
    for (int64_t i = 0; i < count; i++)
        if (i == 0 || out->runs[i] != out->runs[i - 1]) out->runs[out->num_runs++] = out->runs[i];
    return RETORT_OK;
}

static void free_documents(document *documents, int64_t count) {
    for (int64_t i = 0; documents != NULL && i < count; i++) {
        rt_free(documents[i].words.items);
        rt_free(documents[i].runs);
    }
    rt_free(documents);
}

/* ---- where each run occurs ---- */

typedef struct posting {
    uint64_t run;
    int64_t document; /* a's first, then b's */
} posting;

static int by_run(const void *a, const void *b) {
    const posting *x = a, *y = b;
    if (x->run != y->run) return x->run < y->run ? -1 : 1;
    return (x->document > y->document) - (x->document < y->document);
}

typedef struct search {
    const rt_problems *a, *b;
    document *documents; /* [a + b] */
    posting *postings;
    int64_t num_postings;
    uint8_t *seen; /* [a]: candidates of the problem of b at hand */
    rt_overlaps *out;
} search;

static retort_status list_postings(search *s, retort_error *err) {
    const int64_t count = s->a->count + s->b->count;
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) total += s->documents[i].num_runs;
    s->postings = rt_malloc_array((size_t)total + 1, sizeof *s->postings);
    RT_CHECK(s->postings != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld runs of words", (long long)total);
    for (int64_t i = 0; i < count; i++)
        for (int64_t r = 0; r < s->documents[i].num_runs; r++)
            s->postings[s->num_postings++] = (posting){s->documents[i].runs[r], i};
    qsort(s->postings, (size_t)total, sizeof *s->postings, by_run);
    return RETORT_OK;
}

/* The postings of a run; *count of them. */
static const posting *find_run(const search *s, uint64_t run, int64_t *count) {
    int64_t low = 0, high = s->num_postings;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (s->postings[middle].run < run)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < s->num_postings && s->postings[low + *count].run == run) ++*count;
    return s->postings + low;
}

/* ---- pairs ---- */

static bool same_words(const document *x, const document *y) {
    if (x->words.count == 0 || x->words.count != y->words.count) return false;
    for (int64_t i = 0; i < x->words.count; i++)
        if (x->words.items[i].hash != y->words.items[i].hash) return false;
    return true;
}

static void count_shared(const search *s, const document *x, const document *y, rt_overlap *out) {
    for (int64_t i = 0, j = 0; i < x->num_runs && j < y->num_runs;) {
        if (x->runs[i] != y->runs[j]) {
            if (x->runs[i] < y->runs[j])
                i++;
            else
                j++;
            continue;
        }
        int64_t times;
        find_run(s, x->runs[i], &times);
        out->shared++;
        out->telling += times == 2;
        i++;
        j++;
    }
    const int64_t shorter = x->num_runs < y->num_runs ? x->num_runs : y->num_runs;
    out->share = shorter > 0 ? (double)out->shared / (double)shorter : 0;
}

/* The longest run of y's words that x has too (dynamic programming over the last words of both). */
static retort_status find_passage(const document *x, const document *y, rt_overlap *out, retort_error *err) {
    int64_t *length = rt_calloc((size_t)x->words.count + 1, sizeof *length), best = 0;
    RT_CHECK(length != NULL, err, RETORT_ERR_MEMORY, "out of memory: passage of two problems");
    for (int64_t j = 0; j < y->words.count; j++) {
        for (int64_t i = x->words.count; i > 0; i--) { /* falling, so that length[i - 1] is still that of j - 1 */
            const bool same = x->words.items[i - 1].hash == y->words.items[j].hash;
            length[i] = same ? length[i - 1] + 1 : 0;
            if (length[i] <= best) continue;
            best = length[i];
            out->begin = y->words.items[j - best + 1].begin;
            out->end = y->words.items[j].end;
        }
    }
    rt_free(length);
    return RETORT_OK;
}

static retort_status push(rt_overlaps *list, const rt_overlap *item, retort_error *err) {
    if (list->count == list->capacity) {
        const int64_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        rt_overlap *items = rt_realloc_array(list->items, (size_t)capacity, sizeof *items);
        RT_CHECK(items != NULL, err, RETORT_ERR_MEMORY, "out of memory: overlaps");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *item;
    return RETORT_OK;
}

static retort_status compare_pair(search *s, int64_t a, int64_t b, retort_error *err) {
    const document *x = &s->documents[a], *y = &s->documents[s->a->count + b];
    rt_overlap item = {.a = a, .b = b, .identical = same_words(x, y)};
    count_shared(s, x, y, &item);
    const bool near =
        (item.share >= SHARE && item.telling >= TELLING) || (item.share >= SHARE_SHORT && item.shared > 0);
    if (!near && !item.identical) return RETORT_OK;
    RT_TRY(find_passage(x, y, &item, err));
    return push(s->out, &item, err);
}

/* Candidates share a run that is not in everybody's mouth. */
static retort_status compare_with_all(search *s, int64_t b, retort_error *err) {
    const document *y = &s->documents[s->a->count + b];
    memset(s->seen, 0, (size_t)s->a->count);
    for (int64_t r = 0; r < y->num_runs; r++) {
        int64_t count;
        const posting *found = find_run(s, y->runs[r], &count);
        for (int64_t i = 0; count <= COMMON && i < count && found[i].document < s->a->count; i++)
            s->seen[found[i].document] = 1;
    }
    for (int64_t a = 0; a < s->a->count; a++) {
        /* Problems of fewer than five words have no runs; they are compared as wholes. */
        if (s->seen[a] || (y->num_runs == 0 && s->documents[a].num_runs == 0)) RT_TRY(compare_pair(s, a, b, err));
    }
    return RETORT_OK;
}

static int by_problem(const void *a, const void *b) {
    const rt_overlap *x = a, *y = b;
    if (x->b != y->b) return x->b < y->b ? -1 : 1;
    if (x->share != y->share) return x->share > y->share ? -1 : 1;
    return (x->a > y->a) - (x->a < y->a);
}

static retort_status run_search(search *s, retort_error *err) {
    const int64_t count = s->a->count + s->b->count;
    s->documents = rt_calloc((size_t)count, sizeof *s->documents);
    s->seen = rt_calloc((size_t)s->a->count, 1);
    RT_CHECK(s->documents != NULL && s->seen != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems",
             (long long)count);
    for (int64_t i = 0; i < count; i++) {
        const rt_problem *p = i < s->a->count ? &s->a->items[i] : &s->b->items[i - s->a->count];
        RT_TRY(make_document(p->problem, &s->documents[i], err));
    }
    RT_TRY(list_postings(s, err));
    for (int64_t b = 0; b < s->b->count; b++) RT_TRY(compare_with_all(s, b, err));
    return RETORT_OK;
}

retort_status rt_overlaps_find(const rt_problems *a, const rt_problems *b, rt_overlaps *out, retort_error *err) {
    *out = (rt_overlaps){0};
    search s = {.a = a, .b = b, .out = out};
    const retort_status st = run_search(&s, err);
    free_documents(s.documents, a->count + b->count);
    rt_free(s.postings);
    rt_free(s.seen);
    if (st != RETORT_OK) {
        rt_overlaps_free(out);
        return st;
    }
    if (out->count > 0) qsort(out->items, (size_t)out->count, sizeof *out->items, by_problem);
    return RETORT_OK;
}

void rt_overlaps_free(rt_overlaps *overlaps) {
    rt_free(overlaps->items);
    *overlaps = (rt_overlaps){0};
}
