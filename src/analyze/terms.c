#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/token_stats.h"
#include "core/exactmath.h"

/* A counter is an open-addressing hash set of terms; its capacity is a power of two, at most half full. */

static uint64_t hash_bytes(const char *text, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return hash;
}

static rt_term *find_slot(rt_term *slots, size_t capacity, const char *text, size_t length) {
    size_t at = (size_t)hash_bytes(text, length) & (capacity - 1);
    while (slots[at].text != NULL && (strncmp(slots[at].text, text, length) != 0 || slots[at].text[length] != '\0'))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static retort_status grow(rt_term_counter *set, retort_error *err) {
    size_t capacity = set->capacity != 0 ? set->capacity * 2 : 1024;
    rt_term *slots = rt_calloc(capacity, sizeof *slots);
    RT_CHECK(slots != NULL, err, RETORT_ERR_MEMORY, "out of memory: table of %zu terms", capacity);
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i].text != NULL)
            *find_slot(slots, capacity, set->slots[i].text, strlen(set->slots[i].text)) = set->slots[i];
    rt_free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return RETORT_OK;
}

enum { TERM_MAXIMUM = 64 }; /* longer runs of letters or digits are cut: they are noise, not vocabulary */

static retort_status count_lexeme(rt_term_counter *set, const rt_lexeme *lexeme, retort_error *err) {
    char text[TERM_MAXIMUM + 1];
    size_t length = lexeme->length < TERM_MAXIMUM ? lexeme->length : TERM_MAXIMUM;
    for (size_t i = 0; i < length; i++) {
        char c = lexeme->text[i];
        if (c == '\0') c = ' ';
        text[i] = lexeme->kind == RT_LEXEME_WORD && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    text[length] = '\0';
    if ((size_t)set->count * 2 >= set->capacity) RT_TRY(grow(set, err));
    rt_term *slot = find_slot(set->slots, set->capacity, text, length);
    if (slot->text == NULL) {
        slot->text = rt_strndup(text, length);
        RT_CHECK(slot->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: term");
        slot->category = rt_lexeme_category(lexeme);
        set->count++;
    }
    slot->count++;
    return RETORT_OK;
}

static int by_text(const void *a, const void *b) {
    return strcmp(((const rt_term *)a)->text, ((const rt_term *)b)->text);
}

void rt_term_table_free(rt_term_table *table) {
    for (int64_t i = 0; i < table->count; i++) rt_free(table->terms[i].text);
    rt_free(table->terms);
    *table = (rt_term_table){0};
}

retort_status rt_term_counter_add(rt_term_counter *counter, const char *text, size_t length, retort_error *err) {
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(text, length, &at, &lexeme); counter->total++)
        RT_TRY(count_lexeme(counter, &lexeme, err));
    return RETORT_OK;
}

/* Compacts in place, then sorts, so that the order does not depend on the hash table. */
void rt_term_counter_finish(rt_term_counter *counter, rt_term_table *out) {
    int64_t n = 0;
    for (size_t i = 0; i < counter->capacity; i++)
        if (counter->slots[i].text != NULL) counter->slots[n++] = counter->slots[i];
    *out = (rt_term_table){counter->slots, n, counter->total};
    *counter = (rt_term_counter){0};
    if (n > 0) qsort(out->terms, (size_t)n, sizeof *out->terms, by_text);
}

void rt_term_counter_free(rt_term_counter *counter) {
    rt_term_table table;
    rt_term_counter_finish(counter, &table);
    rt_term_table_free(&table);
}

retort_status rt_terms_count(const rt_response_set *set, rt_term_table *out, retort_error *err) {
    rt_term_counter counter = {0};
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < set->count && st == RETORT_OK; i++)
        st = rt_term_counter_add(&counter, set->records[i].text, set->records[i].length, err);
    rt_term_counter_finish(&counter, out);
    if (st != RETORT_OK) rt_term_table_free(out);
    return st;
}

typedef struct scored_term {
    const rt_term *term; /* from whichever table has it */
    int64_t count_a, count_b;
    double z;
} scored_term;

static int by_z(const void *a, const void *b) {
    const scored_term *x = a, *y = b;
    if (x->z != y->z) return x->z < y->z ? 1 : -1;
    return strcmp(x->term->text, y->term->text);
}

/* Merges the two sorted tables and scores every term. */
static int64_t score_terms(const rt_term_table *a, const rt_term_table *b, scored_term *out) {
    double na = (double)a->total, nb = (double)b->total;
    double prior_total = 0.1 * fmin(na, nb), pooled = na + nb;
    int64_t i = 0, j = 0, n = 0;
    while (i < a->count || j < b->count) {
        int order = i == a->count ? 1 : j == b->count ? -1 : strcmp(a->terms[i].text, b->terms[j].text);
        scored_term *scored = &out[n++];
        scored->term = order <= 0 ? &a->terms[i] : &b->terms[j];
        scored->count_a = order <= 0 ? a->terms[i++].count : 0;
        scored->count_b = order >= 0 ? b->terms[j++].count : 0;
        double ya = (double)scored->count_a, yb = (double)scored->count_b;
        double prior = prior_total * (ya + yb) / pooled;
        /* A vocabulary of one term has no odds against anything. */
        double rest_a = na + prior_total - ya - prior, rest_b = nb + prior_total - yb - prior;
        scored->z = 0;
        if (!(rest_a > 0) || !(rest_b > 0)) continue;
        double odds_a = (ya + prior) / rest_a;
        double odds_b = (yb + prior) / rest_b;
        scored->z = (rt_log(odds_a) - rt_log(odds_b)) / sqrt(1 / (ya + prior) + 1 / (yb + prior));
    }
    return n;
}

retort_status rt_distinctive_json(const rt_term_table *a, const rt_term_table *b, int64_t top, json_t **out,
                                  retort_error *err) {
    json_t *list = json_array();
    *out = list;
    if (a->total == 0 || b->total == 0) return RETORT_OK;
    scored_term *scored = rt_malloc_array((size_t)(a->count + b->count), sizeof *scored);
    if (scored == NULL) {
        json_decref(list);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: comparison of %lld terms",
                       (long long)(a->count + b->count));
    }
    int64_t n = score_terms(a, b, scored);
    qsort(scored, (size_t)n, sizeof *scored, by_z);
    for (int64_t i = 0; i < n; i++) {
        if (i >= top && i < n - top) continue;
        json_t *token = json_object();
        json_object_set_new(token, "token", json_string(scored[i].term->text));
        json_object_set_new(token, "category", json_string(rt_category_name(scored[i].term->category)));
        rt_json_set_real(token, "z", scored[i].z);
        json_object_set_new(token, "count_a", json_integer(scored[i].count_a));
        json_object_set_new(token, "count_b", json_integer(scored[i].count_b));
        json_array_append_new(list, token);
    }
    rt_free(scored);
    return RETORT_OK;
}
