/* `retort compare`: two runs on the same problems, side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"
#include "core/file.h"
#include "retort/evaluate.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_compare_options, name_), __VA_ARGS__ }

const retort_option retort_compare_option_table[] = {
    ROW(runs, LIST, .argument = "PATHS", .group = "Input", .required = true,
        .help = "Two runs: files of responses (JSONL with problem_id and verdict or correct), or folders of such files "
                "with the same names."),
    ROW(grader, CHOICE, .default_value = "verdict", .argument = "NAME", .choices = "verdict|strict|tolerant",
        .help = "Whose verdicts are compared: those that counted, or one grader's."),
    ROW(common, BOOL,
        .help = "Compare over the problems that both runs have, instead of refusing runs on different problems."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 1e15,
        .help = "Seed of the sign-flip test.", .group = "Statistics"),
    {0}};

_Static_assert(RT_GRADER_STRICT == 0 && RT_GRADER_TOLERANT == 1, "the order of the choices");

static int grader_of(const retort_compare_options *options) {
    return options->grader - 1;
}

/* ---- the problems of both ---- */

typedef struct pairing {
    rt_response_set a, b;
    int32_t *in_a, *in_b;       /* [count] the problems of both, in the order of a */
    int32_t *place_a, *place_b; /* [problems of a, of b] index of the pair, or -1 */
    int64_t count, only_a, only_b;
} pairing;

typedef struct named {
    const char *name;
    int32_t problem;
} named;

static int compare_names(const void *x, const void *y) {
    const named *a = x, *b = y;
    return strcmp(a->name, b->name);
}

static named *sort_problems(const rt_response_set *set) {
    named *list = rt_malloc_array((size_t)set->problems + 1, sizeof *list);
    for (int32_t i = 0; list != NULL && i < set->problems; i++) list[i] = (named){set->names[i], i};
    if (list != NULL) qsort(list, (size_t)set->problems, sizeof *list, compare_names);
    return list;
}

static retort_status pair_problems(pairing *p, retort_error *err) {
    named *a = sort_problems(&p->a), *b = sort_problems(&p->b);
    p->in_a = rt_malloc_array((size_t)p->a.problems + 1, sizeof *p->in_a);
    p->in_b = rt_malloc_array((size_t)p->a.problems + 1, sizeof *p->in_b);
    p->place_a = rt_malloc_array((size_t)p->a.problems + 1, sizeof *p->place_a);
    p->place_b = rt_malloc_array((size_t)p->b.problems + 1, sizeof *p->place_b);
    const bool room =
        a != NULL && b != NULL && p->in_a != NULL && p->in_b != NULL && p->place_a != NULL && p->place_b != NULL;
    for (int64_t i = 0; room && i < p->a.problems; i++) p->place_a[i] = -1;
    for (int64_t i = 0; room && i < p->b.problems; i++) p->place_b[i] = -1;
    for (int64_t i = 0, j = 0; room && i < p->a.problems && j < p->b.problems;) {
        const int order = compare_names(&a[i], &b[j]);
        if (order == 0) p->place_a[a[i].problem] = b[j].problem; /* for now: which of b it is */
        i += order <= 0;
        j += order >= 0;
    }
    for (int32_t i = 0; room && i < p->a.problems; i++) {
        if (p->place_a[i] < 0) continue;
        p->in_a[p->count] = i;
        p->in_b[p->count] = p->place_a[i];
        p->place_b[p->place_a[i]] = (int32_t)p->count;
        p->place_a[i] = (int32_t)p->count++;
    }
    p->only_a = p->a.problems - p->count;
    p->only_b = p->b.problems - p->count;
    rt_free(a);
    rt_free(b);
    return room ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problems of two runs");
}

static void pairing_free(pairing *p) {
    rt_response_set_free(&p->a);
    rt_response_set_free(&p->b);
    rt_free(p->in_a);
    rt_free(p->in_b);
    rt_free(p->place_a);
    rt_free(p->place_b);
}

/* A problem that only one of them has, by name. */
static const char *a_stranger(const pairing *p) {
    for (int64_t i = 0; i < p->a.problems; i++)
        if (p->place_a[i] < 0) return p->a.names[i];
    for (int64_t i = 0; i < p->b.problems; i++)
        if (p->place_b[i] < 0) return p->b.names[i];
    return "";
}

static retort_status read_pair(const retort_compare_options *options, const char *a, const char *b, pairing *p,
                               retort_error *err) {
    RT_TRY(rt_responses_read(a, NULL, &p->a, err));
    RT_TRY(rt_responses_read(b, NULL, &p->b, err));
    const char *paths[] = {a, b};
    const rt_response_set *sets[] = {&p->a, &p->b};
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < sets[s]->count; i++)
            RT_CHECK(sets[s]->records[i].graded, err, RETORT_ERR_FORMAT,
                     "'%s' has a response without a verdict; grade it first: retort regrade '%s' --output GRADED",
                     paths[s], paths[s]);
    RT_TRY(pair_problems(p, err));
    RT_CHECK(p->count > 0, err, RETORT_ERR_USAGE, "'%s' and '%s' have no problem in common", a, b);
    RT_CHECK(options->common || (p->only_a == 0 && p->only_b == 0), err, RETORT_ERR_USAGE,
             "the runs are on different problems: %lld only in '%s', %lld only in '%s', such as '%.60s'; --common "
             "compares over the %lld that both have",
             (long long)p->only_a, a, (long long)p->only_b, b, a_stranger(p), (long long)p->count);
    return RETORT_OK;
}

/* ---- scores ---- */

typedef struct both {
    rt_tally *a, *b; /* [count] */
    int64_t count, fewest;
} both;

static retort_status gather(const rt_response_set *set, const int32_t *index, int64_t count, int grader, rt_tally **out,
                            retort_error *err) {
    rt_tally *all;
    RT_TRY(rt_verdict_tallies(set, grader, &all, err));
    *out = rt_malloc_array((size_t)count, sizeof **out);
    for (int64_t i = 0; *out != NULL && i < count; i++) (*out)[i] = all[index[i]];
    rt_free(all);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: tallies");
    return RETORT_OK;
}

static retort_status tally_both(const pairing *p, int grader, both *out, retort_error *err) {
    out->count = p->count;
    RT_TRY(gather(&p->a, p->in_a, p->count, grader, &out->a, err));
    RT_TRY(gather(&p->b, p->in_b, p->count, grader, &out->b, err));
    out->fewest = out->a[0].n;
    for (int64_t i = 0; i < p->count; i++) {
        if (out->a[i].n < out->fewest) out->fewest = out->a[i].n;
        if (out->b[i].n < out->fewest) out->fewest = out->b[i].n;
    }
    return RETORT_OK;
}

/* The interval of b - a over the samples of these problems, from the two scores' own (Zou and Donner 2008: each limit
 * takes the distance to the limit that matters from either side). */
static rt_interval sampling_difference(const rt_score *a, const rt_score *b) {
    const double d = b->mean - a->mean;
    const double down = hypot(b->mean - b->sampling.low, a->sampling.high - a->mean);
    const double up = hypot(b->sampling.high - b->mean, a->mean - a->sampling.low);
    return (rt_interval){fmax(-1, d - down), fmin(1, d + up)};
}

static json_t *paired_row(const char *measure, const rt_score *a, const rt_score *b, const rt_paired *paired) {
    json_t *row = json_pack("{s:s}", "measure", measure);
    rt_json_set_real(row, "a", a->mean);
    rt_json_set_real(row, "b", b->mean);
    rt_json_set_real(row, "difference", paired->difference);
    rt_json_set_interval(row, "problems_interval", paired->interval);
    rt_json_set_interval(row, "sampling_interval", sampling_difference(a, b));
    rt_json_set_real(row, "p", paired->p);
    json_object_set_new(row, "problems", json_integer(paired->problems));
    return row;
}

static retort_status compare_at(const both *t, int64_t k, uint64_t seed, json_t *rows, retort_error *err) {
    double *values = rt_malloc_array((size_t)t->count, 2 * sizeof *values);
    RT_CHECK(values != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)t->count);
    double *a = values, *b = values + t->count;
    for (int64_t i = 0; i < t->count; i++) {
        a[i] = rt_pass_at_k(t->a[i].n, t->a[i].correct, k);
        b[i] = rt_pass_at_k(t->b[i].n, t->b[i].correct, k);
    }
    rt_score of_a, of_b;
    rt_paired paired;
    char measure[24];
    snprintf(measure, sizeof measure, k == 1 ? "avg" : "pass@%lld", (long long)k);
    retort_status st = rt_pass_score(t->a, t->count, k, &of_a, err);
    if (st == RETORT_OK) st = rt_pass_score(t->b, t->count, k, &of_b, err);
    if (st == RETORT_OK) st = rt_paired_test(b, a, t->count, 1, seed, &paired, err);
    if (st == RETORT_OK) json_array_append_new(rows, paired_row(measure, &of_a, &of_b, &paired));
    rt_free(values);
    return st;
}

static retort_status add_paired(const both *t, uint64_t seed, json_t *result, retort_error *err) {
    static const int64_t KS[] = {1, 4, 8, 16, 32, 64};
    json_t *rows = json_array();
    json_object_set_new(result, "paired", rows);
    for (size_t i = 0; i < sizeof KS / sizeof *KS && KS[i] <= t->fewest; i++)
        RT_TRY(compare_at(t, KS[i], seed, rows, err));
    int64_t better = 0, worse = 0;
    for (int64_t i = 0; i < t->count; i++) {
        const int64_t x = t->b[i].correct * t->a[i].n, y = t->a[i].correct * t->b[i].n;
        better += x > y;
        worse += x < y;
    }
    json_object_set_new(result, "problems_better", json_integer(better));
    json_object_set_new(result, "problems_worse", json_integer(worse));
    json_object_set_new(result, "problems_equal", json_integer(t->count - better - worse));
    return RETORT_OK;
}

/* ---- responses that changed ---- */

typedef struct numbered {
    int32_t place, sample; /* of the pair of problems */
    const rt_record *record;
} numbered;

static int compare_numbered(const void *x, const void *y) {
    const numbered *a = x, *b = y;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

static retort_status number_records(const rt_response_set *set, const int32_t *place, numbered **out, int64_t *count,
                                    const char *path, retort_error *err) {
    numbered *list = *out = rt_malloc_array((size_t)set->count + 1, sizeof *list);
    *count = 0;
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)set->count);
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        if (place[record->problem] < 0) continue;
        list[(*count)++] = (numbered){place[record->problem], record->sample, record};
    }
    qsort(list, (size_t)*count, sizeof *list, compare_numbered);
    for (int64_t i = 1; i < *count; i++)
        RT_CHECK(compare_numbered(&list[i - 1], &list[i]) != 0, err, RETORT_ERR_FORMAT,
                 "'%s' has two responses of problem '%s' with number %d", path, set->names[list[i].record->problem],
                 list[i].sample);
    return RETORT_OK;
}

enum { VERDICTS = RT_OVER_BUDGET + 1 };

static void add_changes(int64_t from[VERDICTS][VERDICTS], json_t *result) {
    json_t *rows = json_array();
    json_object_set_new(result, "changes", rows);
    for (int a = 0; a < VERDICTS; a++)
        for (int b = 0; b < VERDICTS; b++) {
            if (a == b || from[a][b] == 0) continue;
            json_array_append_new(rows, json_pack("{s:s, s:s, s:I}", "a", rt_verdict_name((rt_verdict)a), "b",
                                                  rt_verdict_name((rt_verdict)b), "responses", (json_int_t)from[a][b]));
        }
}

/* Walks both lists; what has the same problem and number is a pair. */
static void walk(const pairing *p, const numbered *a, int64_t count_a, const numbered *b, int64_t count_b, int grader,
                 json_t *result) {
    int64_t from[VERDICTS][VERDICTS] = {0}, same = 0, pairs = 0;
    json_t *list = json_array();
    for (int64_t i = 0, j = 0; i < count_a && j < count_b;) {
        const int order = compare_numbered(&a[i], &b[j]);
        if (order == 0) {
            const rt_record *x = a[i].record, *y = b[j].record;
            const rt_verdict then = rt_record_verdict(x, grader), now = rt_record_verdict(y, grader);
            pairs++;
            same += x->length == y->length && memcmp(x->text, y->text, x->length) == 0;
            from[then][now]++;
            if (then != now)
                json_array_append_new(list,
                                      json_pack("{s:s, s:i, s:s, s:s}", "problem_id", p->a.names[x->problem], "sample",
                                                (int)x->sample, "a", rt_verdict_name(then), "b", rt_verdict_name(now)));
        }
        i += order <= 0;
        j += order >= 0;
    }
    json_object_set_new(result, "responses_paired", json_integer(pairs));
    json_object_set_new(result, "responses_with_the_same_text", json_integer(same));
    json_object_set_new(result, "responses_only_in_a", json_integer(count_a - pairs));
    json_object_set_new(result, "responses_only_in_b", json_integer(count_b - pairs));
    add_changes(from, result);
    json_object_set_new(result, "changed", list);
}

static retort_status add_changed(const pairing *p, const char *path_a, const char *path_b, int grader, json_t *result,
                                 retort_error *err) {
    numbered *a = NULL, *b = NULL;
    int64_t count_a, count_b;
    retort_status st = number_records(&p->a, p->place_a, &a, &count_a, path_a, err);
    if (st == RETORT_OK) st = number_records(&p->b, p->place_b, &b, &count_b, path_b, err);
    if (st == RETORT_OK) walk(p, a, count_a, b, count_b, grader, result);
    rt_free(a);
    rt_free(b);
    return st;
}

/* ---- one pair of files ---- */

static retort_status compare_sets(const retort_compare_options *options, const pairing *p, const char *path_a,
                                  const char *path_b, json_t *result, retort_error *err) {
    both t = {0};
    const int grader = grader_of(options);
    json_t *row_a = NULL, *row_b = NULL, *runs = json_object();
    json_object_set_new(result, "runs", runs);
    retort_status st = rt_verdicts_json(&p->a, grader, &row_a, err);
    if (st == RETORT_OK) json_object_set_new(runs, "a", row_a);
    if (st == RETORT_OK) st = rt_verdicts_json(&p->b, grader, &row_b, err);
    if (st == RETORT_OK) json_object_set_new(runs, "b", row_b);
    if (st == RETORT_OK) st = tally_both(p, grader, &t, err);
    if (st == RETORT_OK) st = add_paired(&t, (uint64_t)options->seed, result, err);
    rt_free(t.a);
    rt_free(t.b);
    return st == RETORT_OK ? add_changed(p, path_a, path_b, grader, result, err) : st;
}

static retort_status compare_files(const retort_compare_options *options, const char *a, const char *b, json_t **out,
                                   retort_error *err) {
    pairing p = {0};
    retort_status st = read_pair(options, a, b, &p, err);
    json_t *result = json_object();
    if (st == RETORT_OK) {
        json_object_set_new(result, "a", rt_json_text(a, strlen(a)));
        json_object_set_new(result, "b", rt_json_text(b, strlen(b)));
        json_object_set_new(result, "problems", json_integer(p.count));
        json_object_set_new(result, "problems_only_in_a", json_integer(p.only_a));
        json_object_set_new(result, "problems_only_in_b", json_integer(p.only_b));
        st = compare_sets(options, &p, a, b, result, err);
    }
    pairing_free(&p);
    if (st == RETORT_OK)
        *out = result;
    else
        json_decref(result);
    return st;
}

/* ---- folders ---- */

static retort_status compare_entry(const retort_compare_options *options, const char *a, const char *b,
                                   const char *name, json_t *list, retort_error *err) {
    char *path_a = rt_path_join(a, name), *path_b = rt_path_join(b, name);
    json_t *result = NULL;
    retort_status st =
        path_a != NULL && path_b != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: name of a file");
    if (st == RETORT_OK && !rt_path_exists(path_b)) {
        if (!options->common)
            st = rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' has no '%s'; --common compares over what both have", b, name);
    } else if (st == RETORT_OK) {
        st = compare_files(options, path_a, path_b, &result, err);
    }
    if (result != NULL) json_array_append_new(list, result);
    rt_free(path_a);
    rt_free(path_b);
    return st;
}

static retort_status compare_folders(const retort_compare_options *options, const char *a, const char *b, json_t *list,
                                     retort_error *err) {
    char **names[2] = {NULL, NULL};
    int64_t counts[2] = {0, 0};
    retort_status st = rt_dir_list(a, ".jsonl", &names[0], &counts[0], err);
    if (st == RETORT_OK) st = rt_dir_list(b, ".jsonl", &names[1], &counts[1], err);
    for (int64_t i = 0; st == RETORT_OK && i < counts[0]; i++)
        st = compare_entry(options, a, b, names[0][i], list, err);
    if (st == RETORT_OK && !options->common && counts[0] != counts[1])
        st = rt_fail(err, RETORT_ERR_NOT_FOUND,
                     "'%s' has %lld files of responses, '%s' %lld; --common compares over "
                     "what both have",
                     a, (long long)counts[0], b, (long long)counts[1]);
    if (st == RETORT_OK && json_array_size(list) == 0)
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "'%s' and '%s' have no file of responses (*.jsonl) in common", a, b);
    for (int s = 0; s < 2; s++) {
        for (int64_t i = 0; i < counts[s]; i++) rt_free(names[s][i]);
        rt_free(names[s]);
    }
    return st;
}

retort_status retort_compare(const retort_compare_options *options, char **json, retort_error *err) {
    RT_TRY(retort_options_check(retort_compare_option_table, options, err));
    char *copy = rt_strdup(options->runs), *rest = copy;
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: runs");
    const char *a = strsep(&rest, ","), *b = strsep(&rest, ",");
    json_t *list = json_array(), *result = json_pack("{s:O}", "comparisons", list);
    retort_status st = a != NULL && b != NULL && rest == NULL && *a != '\0' && *b != '\0'
                           ? RETORT_OK
                           : rt_fail(err, RETORT_ERR_USAGE, "name two runs: retort compare RUN_A RUN_B");
    if (st == RETORT_OK && rt_path_is_dir(a) != rt_path_is_dir(b))
        st = rt_fail(err, RETORT_ERR_USAGE, "'%s' and '%s': one is a folder, the other is not", a, b);
    if (st == RETORT_OK && rt_path_is_dir(a)) {
        st = compare_folders(options, a, b, list, err);
    } else if (st == RETORT_OK) {
        json_decref(result);
        result = NULL;
        st = compare_files(options, a, b, &result, err);
    }
    rt_free(copy);
    json_decref(list);
    if (st != RETORT_OK) {
        json_decref(result);
        return st;
    }
    return rt_json_result(result, json, err);
}
