#include "analyze/substitution_terms.h"

#include <stdio.h>
#include <string.h>

#include "analyze/line_responses.h"
#include "core/mem.h"

enum { MAX_PHRASE = 5, MAX_TERM = 160, MAX_PROBLEMS = 1 << 24 };

static retort_status no_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: terms of the responses");
}

void rt_sub_free(rt_sub_table *t) {
    for (int64_t i = 0; i < t->num_terms; i++) {
        rt_free(t->terms[i].text);
        rt_free(t->terms[i].cells);
    }
    for (int64_t i = 0; i < t->num_problems; i++) rt_free(t->problems[i].id);
    rt_free(t->terms);
    rt_free(t->problems);
    rt_free(t->term_slots);
    rt_free(t->problem_slots);
    *t = (rt_sub_table){0};
}

static uint64_t hash_text(const char *text) {
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *text != '\0'; text++) h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h ^ h >> 29;
}

static const char *key_of(const rt_sub_table *t, bool term, int64_t index) {
    return term ? t->terms[index].text : t->problems[index].id;
}

/* Slots are twice the capacity, which is a power of two. */
static int32_t *slot_of(const rt_sub_table *t, bool term, const char *text) {
    int32_t *slots = term ? t->term_slots : t->problem_slots;
    const uint64_t mask = (uint64_t)(term ? t->term_capacity : t->problem_capacity) * 2 - 1;
    uint64_t at = hash_text(text) & mask;
    while (slots[at] != 0 && strcmp(key_of(t, term, slots[at] - 1), text) != 0) at = (at + 1) & mask;
    return &slots[at];
}

static retort_status grow(rt_sub_table *t, bool term, retort_error *err) {
    int64_t *capacity = term ? &t->term_capacity : &t->problem_capacity;
    int32_t **slots = term ? &t->term_slots : &t->problem_slots;
    const int64_t count = term ? t->num_terms : t->num_problems, wanted = *capacity == 0 ? 1024 : *capacity * 2;
    RT_CHECK(wanted <= MAX_PROBLEMS, err, RETORT_ERR_UNSUPPORTED, "more than %d problems", MAX_PROBLEMS);
    void *items = term ? (void *)t->terms : (void *)t->problems;
    items = rt_realloc_array(items, (size_t)wanted, term ? sizeof *t->terms : sizeof *t->problems);
    if (items == NULL) return no_memory(err);
    if (term)
        t->terms = items;
    else
        t->problems = items;
    int32_t *fresh = rt_calloc((size_t)wanted * 2, sizeof *fresh);
    if (fresh == NULL) return no_memory(err);
    rt_free(*slots);
    *slots = fresh;
    *capacity = wanted;
    for (int64_t i = 0; i < count; i++) *slot_of(t, term, key_of(t, term, i)) = (int32_t)(i + 1);
    return RETORT_OK;
}

static retort_status problem_index(rt_sub_table *t, const char *id, int32_t *index, retort_error *err) {
    if (t->num_problems == t->problem_capacity) RT_TRY(grow(t, false, err));
    int32_t *slot = slot_of(t, false, id);
    if (*slot == 0) {
        char *copy = rt_strdup(id);
        if (copy == NULL) return no_memory(err);
        t->problems[t->num_problems++] = (rt_sub_problem){.id = copy};
        *slot = (int32_t)t->num_problems;
    }
    *index = *slot - 1;
    return RETORT_OK;
}

static retort_status count_term(rt_sub_table *t, const char *text, int32_t words, int32_t problem, int32_t side,
                                retort_error *err) {
    if (t->num_terms == t->term_capacity && t->num_terms < RT_SUBSTITUTION_TERMS) RT_TRY(grow(t, true, err));
    int32_t *slot = slot_of(t, true, text);
    if (*slot == 0) {
        if (t->num_terms >= RT_SUBSTITUTION_TERMS) {
            t->left_out++;
            return RETORT_OK;
        }
        char *copy = rt_strdup(text);
        if (copy == NULL) return no_memory(err);
        t->terms[t->num_terms++] = (rt_sub_term){.text = copy, .words = words};
        *slot = (int32_t)t->num_terms;
    }
    rt_sub_term *term = &t->terms[*slot - 1];
    term->total[side]++;
    rt_sub_cell *last = term->num_cells > 0 ? &term->cells[term->num_cells - 1] : NULL;
    if (last != NULL && last->problem == problem && last->side == side) {
        last->count++;
        return RETORT_OK;
    }
    if (term->num_cells == term->capacity) {
        const int64_t capacity = term->capacity == 0 ? 4 : term->capacity * 2;
        rt_sub_cell *cells = rt_realloc_array(term->cells, (size_t)capacity, sizeof *cells);
        if (cells == NULL) return no_memory(err);
        term->cells = cells;
        term->capacity = capacity;
    }
    term->cells[term->num_cells++] = (rt_sub_cell){problem, side, 1};
    return RETORT_OK;
}

/* ---- texts ---- */

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'';
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The last words that stand together, each in lower case; the newest last. */
typedef struct window {
    char words[MAX_PHRASE][MAX_TERM / MAX_PHRASE];
    int32_t count;
} window;

static void push_word(window *w, const char *text, size_t length, bool joined, int64_t phrase) {
    const size_t most = sizeof w->words[0] - 1;
    if (!joined) w->count = 0;
    if (w->count == phrase) {
        memmove(w->words[0], w->words[1], (size_t)(w->count - 1) * sizeof w->words[0]);
        w->count--;
    }
    char *to = w->words[w->count++];
    if (length > most) length = most; /* longer ones are noise, not vocabulary */
    for (size_t i = 0; i < length; i++) to[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    to[length] = '\0';
}

/* The phrases that end with the newest word. */
static retort_status count_window(rt_sub_table *t, const window *w, int32_t problem, int32_t side, retort_error *err) {
    for (int32_t n = 1; n <= w->count; n++) {
        char text[MAX_TERM + MAX_PHRASE] = "";
        size_t used = 0;
        for (int32_t i = w->count - n; i < w->count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " " : "", w->words[i]);
        RT_TRY(count_term(t, text, n, problem, side, err));
    }
    return RETORT_OK;
}

static retort_status count_text(rt_sub_table *t, const char *text, size_t length, int32_t problem, int32_t side,
                                int64_t phrase, retort_error *err) {
    window w = {.count = 0};
    bool joined = false;
    for (size_t at = 0; at < length;) {
        if (!is_word_byte(text[at])) {
            joined = joined && is_space(text[at]);
            at++;
            continue;
        }
        const size_t begin = at;
        while (at < length && is_word_byte(text[at])) at++;
        push_word(&w, text + begin, at - begin, joined, phrase);
        RT_TRY(count_window(t, &w, problem, side, err));
        t->problems[problem].words[side]++;
        joined = true;
    }
    return RETORT_OK;
}

/* ---- files ---- */

typedef struct reading {
    rt_sub_table *table;
    const char *path;
    int32_t side, problem;
    int64_t phrase;
} reading;

static retort_status take_response(void *context, const rt_line_response *response, retort_error *err) {
    const reading *r = context;
    rt_sub_problem *p = &r->table->problems[r->problem];
    p->responses[r->side]++;
    if (response->correct >= 0) {
        p->graded[r->side]++;
        p->right[r->side] += response->correct;
    }
    if (response->thought != NULL)
        RT_TRY(count_text(r->table, response->thought, response->thought_length, r->problem, r->side, r->phrase, err));
    return count_text(r->table, response->text, response->length, r->problem, r->side, r->phrase, err);
}

static retort_status take_line(void *context, json_t *line, size_t number, retort_error *err) {
    reading *r = context;
    static const rt_line_keys KEYS = {0};
    char where[512];
    bool known = false;
    rt_buffer id = {0};
    snprintf(where, sizeof where, "'%.400s' line %zu", r->path, number);
    retort_status st = rt_line_problem(line, &KEYS, &known, &id, err);
    if (st == RETORT_OK && !known)
        st = rt_fail(err, RETORT_ERR_FORMAT, "%s: the response names no problem; it needs a 'problem_id'", where);
    if (st == RETORT_OK) st = problem_index(r->table, id.data != NULL ? id.data : "", &r->problem, err);
    if (st == RETORT_OK) st = rt_line_responses(line, &KEYS, where, take_response, r, err);
    rt_buffer_free(&id);
    return st;
}

retort_status rt_sub_read(rt_sub_table *table, const char *path, int side, int64_t phrase, retort_error *err) {
    RT_CHECK(phrase >= 1 && phrase <= MAX_PHRASE, err, RETORT_ERR_USAGE, "phrases of %lld words, must be 1 to %d",
             (long long)phrase, MAX_PHRASE);
    reading r = {.table = table, .path = path, .side = side, .phrase = phrase};
    return rt_jsonl_read(path, take_line, &r, err);
}
