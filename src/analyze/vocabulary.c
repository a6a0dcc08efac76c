#include "analyze/vocabulary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "core/exactmath.h"

void rt_vocabulary_free(rt_vocabulary *vocabulary) {
    rt_free(vocabulary->entries);
    rt_free(vocabulary->slots);
    rt_buffer_free(&vocabulary->bytes);
    *vocabulary = (rt_vocabulary){0};
}

static size_t hash_of(const char *term, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)term[i]) * 0x100000001b3u;
    return (size_t)(hash ^ (hash >> 29));
}

static int32_t *find(const rt_vocabulary *v, const char *term, size_t length) {
    size_t mask = (size_t)v->slot_capacity - 1, at = hash_of(term, length) & mask;
    for (; v->slots[at] != 0; at = (at + 1) & mask) {
        const rt_vocabulary_entry *entry = &v->entries[v->slots[at] - 1];
        if (entry->length == length && memcmp(v->bytes.data + entry->offset, term, length) == 0) break;
    }
    return &v->slots[at];
}

static retort_status grow(rt_vocabulary *v, retort_error *err) {
    int64_t capacity = v->capacity == 0 ? 512 : v->capacity * 2;
    rt_vocabulary_entry *entries = rt_realloc_array(v->entries, (size_t)capacity, sizeof *entries);
    RT_CHECK(entries != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld terms", (long long)capacity);
    v->entries = entries;
    v->capacity = capacity;
    rt_free(v->slots);
    v->slot_capacity = capacity * 2;
    v->slots = rt_calloc((size_t)v->slot_capacity, sizeof *v->slots);
    RT_CHECK(v->slots != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld terms", (long long)capacity);
    for (int64_t i = 0; i < v->count; i++)
        *find(v, v->bytes.data + v->entries[i].offset, v->entries[i].length) = (int32_t)i + 1;
    return RETORT_OK;
}

retort_status rt_vocabulary_add(rt_vocabulary *v, const char *term, size_t length, int64_t count, retort_error *err) {
    if (length > RT_VOCABULARY_TERM_MAX) length = RT_VOCABULARY_TERM_MAX;
    if (v->count == v->capacity) RT_TRY(grow(v, err));
    int32_t *slot = find(v, term, length);
    if (*slot == 0 && v->count == RT_VOCABULARY_MAX) {
        v->left_out += count;
        return RETORT_OK;
    }
    if (*slot == 0) {
        v->entries[v->count] = (rt_vocabulary_entry){(uint32_t)v->bytes.length, (uint32_t)length, 0};
        RT_TRY(rt_buffer_append(&v->bytes, term, length, err));
        *slot = (int32_t)++v->count;
    }
    v->entries[*slot - 1].count += count;
    v->total += count;
    return RETORT_OK;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Kinds of runs; a sign is a run of its own. */
static int kind_of(char c) {
    if (is_letter(c) || c == '\'') return 1;
    if (c >= '0' && c <= '9') return 2;
    return (unsigned char)c >= 0x80 ? 3 : 0;
}

retort_status rt_vocabulary_read(rt_vocabulary *v, const char *text, size_t length, retort_error *err) {
    for (size_t at = 0; at < length;) {
        if (is_space(text[at])) {
            at++;
            continue;
        }
        bool command = text[at] == '\\' && at + 1 < length && is_letter(text[at + 1]);
        int kind = kind_of(text[at + command]);
        size_t begin = at, end = at + command + 1;
        while (kind != 0 && end < length && kind_of(text[end]) == kind && !(command && text[end] == '\'')) end++;
        at = end;
        if (kind == 2) {
            RT_TRY(rt_vocabulary_add(v, "<number>", 8, 1, err));
            continue;
        }
        char lower[RT_VOCABULARY_TERM_MAX];
        size_t n = end - begin < sizeof lower ? end - begin : sizeof lower;
        for (size_t i = 0; i < n; i++) {
            char c = text[begin + i];
            lower[i] = !command && c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
        RT_TRY(rt_vocabulary_add(v, lower, n, 1, err));
    }
    return RETORT_OK;
}

retort_status rt_vocabulary_merge(rt_vocabulary *into, const rt_vocabulary *from, retort_error *err) {
    for (int64_t i = 0; i < from->count; i++)
        RT_TRY(rt_vocabulary_add(into, from->bytes.data + from->entries[i].offset, from->entries[i].length,
                                 from->entries[i].count, err));
    into->left_out += from->left_out;
    return RETORT_OK;
}

typedef struct scored {
    const char *term;
    size_t length;
    int64_t a, b;
    double z;
} scored;

static int by_z(const void *left, const void *right) {
    const scored *x = left, *y = right;
    if (x->z != y->z) return x->z < y->z ? 1 : -1;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->term, y->term, shorter);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static double z_score(double ya, double yb, double na, double nb) {
    double prior_total = 0.1 * fmin(na, nb), prior = prior_total * (ya + yb) / (na + nb);
    double rest_a = na + prior_total - ya - prior, rest_b = nb + prior_total - yb - prior;
    if (!(rest_a > 0) || !(rest_b > 0)) return 0; /* a vocabulary of one term has no odds against anything */
    double difference = rt_log((ya + prior) / rest_a) - rt_log((yb + prior) / rest_b);
    return difference / sqrt(1 / (ya + prior) + 1 / (yb + prior));
}

static int64_t count_in(const rt_vocabulary *v, const char *term, size_t length) {
    if (v->slot_capacity == 0) return 0;
    int32_t slot = *find(v, term, length);
    return slot == 0 ? 0 : v->entries[slot - 1].count;
}

/* All terms of a, then those that only b has. */
static int64_t score_all(const rt_vocabulary *a, const rt_vocabulary *b, scored *out) {
    int64_t n = 0;
    for (int side = 0; side < 2; side++) {
        const rt_vocabulary *own = side == 0 ? a : b, *other = side == 0 ? b : a;
        for (int64_t i = 0; i < own->count; i++) {
            const rt_vocabulary_entry *entry = &own->entries[i];
            const char *term = own->bytes.data + entry->offset;
            int64_t there = count_in(other, term, entry->length);
            if (side == 1 && there > 0) continue;
            scored *item = &out[n++];
            *item =
                (scored){term, entry->length, side == 0 ? entry->count : there, side == 0 ? there : entry->count, 0};
            item->z = z_score((double)item->a, (double)item->b, (double)a->total, (double)b->total);
        }
    }
    return n;
}

retort_status rt_vocabulary_distinctive(const rt_vocabulary *a, const rt_vocabulary *b, int64_t top, json_t **out,
                                        retort_error *err) {
    *out = json_array();
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: distinctive terms");
    if (a->total == 0 || b->total == 0) return RETORT_OK;
    scored *items = rt_malloc_array((size_t)(a->count + b->count), sizeof *items);
    if (items == NULL) {
        json_decref(*out);
        *out = NULL;
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld terms", (long long)(a->count + b->count));
    }
    int64_t n = score_all(a, b, items);
    qsort(items, (size_t)n, sizeof *items, by_z);
    for (int64_t i = 0; i < n; i++) {
        if (i >= top && i < n - top) continue;
        json_t *row = json_object();
        json_object_set_new(row, "term", rt_json_text(items[i].term, items[i].length));
        rt_json_set_real(row, "z", items[i].z);
        json_object_set_new(row, "count_a", json_integer(items[i].a));
        json_object_set_new(row, "count_b", json_integer(items[i].b));
        rt_json_set_real(row, "per_1000_a", 1000 * (double)items[i].a / (double)a->total);
        rt_json_set_real(row, "per_1000_b", 1000 * (double)items[i].b / (double)b->total);
        json_array_append_new(*out, row);
    }
    rt_free(items);
    return RETORT_OK;
}
