#include "analyze/substitution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/intervals.h"
#include "analyze/jsonout.h"
#include "analyze/substitution_terms.h"
#include "core/exactmath.h"
#include "core/mem.h"

enum { FREE, BANNED };

typedef struct scored {
    const rt_sub_term *term;
    double rate[2], difference, p, q;
    int64_t count[2];
    rt_interval interval;
} scored;

typedef struct work {
    rt_sub_table table;
    bool *shared;      /* [problems] both sides answered it */
    double *counts[2]; /* [problems] of the term at hand */
    double words[2];   /* of shared problems */
    int64_t problems;  /* shared ones */
    scored *terms;
    int64_t tested;
} work;

static void release(work *w) {
    rt_sub_free(&w->table);
    rt_free(w->shared);
    rt_free(w->counts[FREE]);
    rt_free(w->counts[BANNED]);
    rt_free(w->terms);
}

/* ---- one term ---- */

/* Two-sided p of Student's t, through Wallace's normal deviate (Ann. Math. Statist. 30, 1959; within a few per cent of
 * p from 3 degrees of freedom on). */
static double p_of_t(double t, int64_t freedom) {
    const double n = (double)freedom;
    const double z = (8 * n + 1) / (8 * n + 3) * sqrt(n * rt_log(1 + t * t / n));
    return rt_erfc(z / sqrt(2));
}

static void gather(work *w, const rt_sub_term *term, scored *s) {
    for (int64_t i = 0; i < w->table.num_problems; i++) w->counts[FREE][i] = w->counts[BANNED][i] = 0;
    s->count[FREE] = s->count[BANNED] = 0;
    for (int64_t i = 0; i < term->num_cells; i++) {
        const rt_sub_cell *c = &term->cells[i];
        if (!w->shared[c->problem]) continue;
        w->counts[c->side][c->problem] += (double)c->count;
        s->count[c->side] += c->count;
    }
}

static void score(work *w, const rt_sub_term *term, scored *s) {
    const double n = (double)w->problems;
    double squares = 0;
    gather(w, term, s);
    s->term = term;
    s->q = 1;
    for (int k = FREE; k <= BANNED; k++) s->rate[k] = w->words[k] > 0 ? (double)s->count[k] / w->words[k] : 0;
    for (int64_t i = 0; i < w->table.num_problems; i++) {
        if (!w->shared[i]) continue;
        double u = 0;
        for (int k = FREE; k <= BANNED; k++) {
            if (!(w->words[k] > 0)) continue;
            const double off = w->counts[k][i] - s->rate[k] * (double)w->table.problems[i].words[k];
            u += (k == BANNED ? off : -off) / (w->words[k] / n);
        }
        squares += u * u;
    }
    const double error = sqrt(squares / (n * (n - 1)));
    s->difference = s->rate[BANNED] - s->rate[FREE];
    const double half = error * rt_t_quantile(w->problems - 1);
    s->interval = (rt_interval){1000 * (s->difference - half), 1000 * (s->difference + half)};
    s->p = error > 0 ? p_of_t(s->difference / error, w->problems - 1) : 1;
}

/* ---- all terms ---- */

static int by_p(const void *a, const void *b) {
    const scored *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? -1 : 1;
    return strcmp(x->term->text, y->term->text);
}

static int by_difference(const void *a, const void *b) {
    const scored *x = a, *y = b;
    if (x->difference != y->difference) return x->difference > y->difference ? -1 : 1;
    return strcmp(x->term->text, y->term->text);
}

static retort_status score_all(work *w, int64_t least, retort_error *err) {
    w->terms = rt_malloc_array((size_t)w->table.num_terms + 1, sizeof *w->terms);
    RT_CHECK(w->terms != NULL, err, RETORT_ERR_MEMORY, "out of memory: comparison of terms");
    for (int64_t i = 0; i < w->table.num_terms; i++) {
        const rt_sub_term *term = &w->table.terms[i];
        if (term->total[FREE] + term->total[BANNED] < least) continue;
        scored *s = &w->terms[w->tested];
        score(w, term, s);
        w->tested += s->count[FREE] + s->count[BANNED] >= least;
    }
    if (w->tested > 0) qsort(w->terms, (size_t)w->tested, sizeof *w->terms, by_p);
    double lowest = 1;
    for (int64_t i = w->tested; i-- > 0;) {
        lowest = fmin(lowest, w->terms[i].p * (double)w->tested / (double)(i + 1));
        w->terms[i].q = lowest;
    }
    if (w->tested > 0) qsort(w->terms, (size_t)w->tested, sizeof *w->terms, by_difference);
    return RETORT_OK;
}

static retort_status find_shared(work *w, retort_error *err) {
    const size_t count = (size_t)w->table.num_problems;
    w->shared = rt_calloc(count, sizeof *w->shared);
    w->counts[FREE] = rt_calloc(count, sizeof *w->counts[FREE]);
    w->counts[BANNED] = rt_calloc(count, sizeof *w->counts[BANNED]);
    RT_CHECK(w->shared != NULL && w->counts[FREE] != NULL && w->counts[BANNED] != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: %zu problems", count);
    for (size_t i = 0; i < count; i++) {
        const rt_sub_problem *p = &w->table.problems[i];
        w->shared[i] = p->responses[FREE] > 0 && p->responses[BANNED] > 0;
        if (!w->shared[i]) continue;
        w->problems++;
        for (int k = FREE; k <= BANNED; k++) w->words[k] += (double)p->words[k];
    }
    RT_CHECK(w->problems >= 2, err, RETORT_ERR_FORMAT,
             "the two files share %lld problems; a comparison needs at least 2 that both answer",
             (long long)w->problems);
    return RETORT_OK;
}

/* ---- the report ---- */

static json_t *side_json(const work *w, int side) {
    int64_t responses = 0, graded = 0, right = 0;
    json_t *object = json_object();
    for (int64_t i = 0; i < w->table.num_problems; i++) {
        if (!w->shared[i]) continue;
        responses += w->table.problems[i].responses[side];
        graded += w->table.problems[i].graded[side];
        right += w->table.problems[i].right[side];
    }
    json_object_set_new(object, "responses", json_integer(responses));
    json_object_set_new(object, "words", json_integer((json_int_t)w->words[side]));
    rt_json_set_real(object, "words_per_response", w->words[side] / (double)responses);
    rt_json_set_real(object, "accuracy", graded > 0 ? (double)right / (double)graded : NAN);
    return object;
}

/* Banned minus free, of problems' means. */
static void add_difference(work *w, bool accuracy, json_t *result) {
    double *differences = w->counts[FREE], sum = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < w->table.num_problems; i++) {
        const rt_sub_problem *p = &w->table.problems[i];
        const int64_t *above = accuracy ? p->right : p->words, *below = accuracy ? p->graded : p->responses;
        if (!w->shared[i] || below[FREE] == 0 || below[BANNED] == 0) continue;
        differences[n] = (double)above[BANNED] / (double)below[BANNED] - (double)above[FREE] / (double)below[FREE];
        sum += differences[n++];
    }
    json_t *object = json_object();
    json_object_set_new(object, "problems", json_integer(n));
    rt_json_set_real(object, "difference", n > 0 ? sum / (double)n : NAN);
    const rt_interval none = {NAN, NAN};
    rt_json_set_interval(object, "interval",
                         n > 1 ? rt_difference_interval(differences, n, accuracy ? 1 : INFINITY) : none);
    json_object_set_new(result, accuracy ? "accuracy" : "words_per_response", object);
}

/* The longest term that has vanished and with which this one begins; NULL: none. */
static const char *begins_like(const work *w, const rt_sub_term *term) {
    const char *found = NULL;
    for (int64_t i = w->tested; i-- > 0 && w->terms[i].difference < 0;) {
        const scored *s = &w->terms[i];
        const size_t length = strlen(s->term->text);
        if (s->count[BANNED] > 0 || s->term->words != term->words || length < 2) continue;
        if (strncmp(term->text, s->term->text, length) != 0 || strlen(term->text) > length + 3) continue;
        if (found == NULL || length > strlen(found)) found = s->term->text;
    }
    return found;
}

static double log_odds(const work *w, const scored *s) {
    double odds[2];
    for (int k = FREE; k <= BANNED; k++)
        odds[k] = ((double)s->count[k] + 0.5) / (w->words[k] - (double)s->count[k] + 0.5);
    return rt_log(odds[BANNED]) - rt_log(odds[FREE]);
}

static json_t *term_json(const work *w, const scored *s) {
    json_t *object = json_object();
    const char *like = s->difference > 0 ? begins_like(w, s->term) : NULL;
    json_object_set_new(object, "term", json_string(s->term->text));
    rt_json_set_real(object, "free", 1000 * s->rate[FREE]);
    rt_json_set_real(object, "banned", 1000 * s->rate[BANNED]);
    json_object_set_new(object, "count_free", json_integer(s->count[FREE]));
    json_object_set_new(object, "count_banned", json_integer(s->count[BANNED]));
    rt_json_set_real(object, "difference", 1000 * s->difference);
    rt_json_set_interval(object, "interval", s->interval);
    rt_json_set_real(object, "log_odds", log_odds(w, s));
    rt_json_set_real(object, "p", s->p);
    rt_json_set_real(object, "q", s->q);
    json_object_set_new(object, "begins_like", like != NULL ? json_string(like) : json_null());
    return object;
}

static void add_terms(const work *w, bool rising, int64_t top, json_t *result) {
    json_t *list = json_array();
    int64_t sure = 0;
    for (int64_t k = 0; k < w->tested; k++) {
        const scored *s = &w->terms[rising ? k : w->tested - 1 - k];
        if (s->q > 0.05 || (rising ? s->difference <= 0 : s->difference >= 0)) continue;
        if (sure++ < top) json_array_append_new(list, term_json(w, s));
    }
    json_object_set_new(result, rising ? "risen" : "fallen", json_integer(sure));
    json_object_set_new(result, rising ? "rising" : "falling", list);
}

static retort_status report(work *w, int64_t top, json_t **out, retort_error *err) {
    json_t *result = json_object();
    RT_CHECK(result != NULL, err, RETORT_ERR_MEMORY, "out of memory: substitution");
    json_object_set_new(result, "problems", json_integer(w->problems));
    json_object_set_new(result, "problems_of_one_side", json_integer(w->table.num_problems - w->problems));
    json_object_set_new(result, "free", side_json(w, FREE));
    json_object_set_new(result, "banned", side_json(w, BANNED));
    add_difference(w, false, result);
    add_difference(w, true, result);
    json_object_set_new(result, "terms", json_integer(w->table.num_terms));
    json_object_set_new(result, "left_out", json_integer(w->table.left_out));
    json_object_set_new(result, "tested", json_integer(w->tested));
    add_terms(w, true, top, result);
    add_terms(w, false, top, result);
    *out = result;
    return RETORT_OK;
}

retort_status rt_substitution(const char *free_path, const char *banned_path, const rt_substitution_options *options,
                              json_t **out, retort_error *err) {
    work w = {.problems = 0};
    retort_status st = rt_sub_read(&w.table, free_path, FREE, options->phrase, err);
    if (st == RETORT_OK) st = rt_sub_read(&w.table, banned_path, BANNED, options->phrase, err);
    if (st == RETORT_OK) st = find_shared(&w, err);
    if (st == RETORT_OK) st = score_all(&w, options->least, err);
    if (st == RETORT_OK) st = report(&w, options->top, out, err);
    release(&w);
    return st;
}
