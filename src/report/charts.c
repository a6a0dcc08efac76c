/* What is shared, and the figures of scores and lengths. */
#include "report/charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"

json_t *rt_chart_add(json_t *charts, const char *id, const char *title, const char *note,
                     const rt_chart_column *columns) {
    json_t *list = json_array(), *rows = json_array();
    for (const rt_chart_column *column = columns; column->key != NULL; column++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "key", column->key, "label", column->label));
    json_t *chart =
        json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", id, "title", title, "note", note, "columns", list, "rows", rows);
    return chart != NULL && json_array_append_new(charts, chart) == 0 ? rows : NULL;
}

json_t *rt_chart_group_row(const rt_runs *runs, const rt_run_group *group) {
    json_t *row = json_array();
    rt_chart_text(row, runs->models.items[group->model]);
    rt_chart_text(row, runs->benchmarks.items[group->benchmark]);
    return row;
}

void rt_chart_text(json_t *row, const char *text) {
    json_array_append_new(row, rt_json_text(text, strlen(text)));
}

void rt_chart_count(json_t *row, int64_t count) {
    json_array_append_new(row, json_integer(count));
}

void rt_chart_real(json_t *row, double value) {
    json_array_append_new(row, rt_json_number(value));
}

void rt_chart_interval(json_t *row, rt_interval interval) {
    rt_chart_real(row, interval.low);
    rt_chart_real(row, interval.high);
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

/* Share of a group's responses of which `test` holds: pooled, with its interval over problems. */
typedef struct share_figure {
    double value;
    rt_interval interval;
} share_figure;

typedef bool (*record_test)(const rt_record *record);

static bool is_cut(const rt_record *record) {
    return record->finish == RT_FINISH_LENGTH;
}
static bool is_unparsed(const rt_record *record) {
    return record->verdict == RT_UNPARSED;
}
static bool is_over_budget(const rt_record *record) {
    return record->verdict == RT_OVER_BUDGET;
}

/* Mean over problems of the share, like the score itself. */
static retort_status measure_share(const rt_response_set *set, record_test test, share_figure *out, retort_error *err) {
    double *held = rt_calloc(2 * (size_t)set->problems, sizeof *held), *asked = held + set->problems, sum = 0;
    if (held == NULL) return rt_chart_no_memory(err);
    for (int64_t i = 0; i < set->count; i++) {
        held[set->records[i].problem] += test(&set->records[i]);
        asked[set->records[i].problem]++;
    }
    for (int64_t p = 0; p < set->problems; p++) sum += held[p] /= asked[p];
    out->value = sum / (double)set->problems;
    out->interval = rt_cluster_interval(held, set->problems, (double)set->count);
    rt_free(held);
    return RETORT_OK;
}

static void put_share(json_t *row, const share_figure *share, bool known) {
    static const rt_interval UNKNOWN = {NAN, NAN};
    rt_chart_real(row, known ? share->value : NAN);
    rt_chart_interval(row, known ? share->interval : UNKNOWN);
}

static double completed_accuracy(const rt_response_set *set) {
    double stopped = 0, right = 0;
    for (int64_t i = 0; i < set->count; i++) {
        bool stop = set->records[i].finish == RT_FINISH_STOP;
        stopped += stop;
        right += stop && set->records[i].verdict == RT_RIGHT;
    }
    return stopped > 0 ? right / stopped : NAN;
}

static int64_t fewest_samples(const rt_tally *tallies, int64_t problems) {
    int64_t fewest = tallies[0].n;
    for (int64_t p = 1; p < problems; p++)
        if (tallies[p].n < fewest) fewest = tallies[p].n;
    return fewest;
}

static retort_status score_row(const rt_runs *runs, const rt_run_group *group, json_t *rows, retort_error *err) {
    const rt_response_set *set = &group->set;
    bool graded = group->ungraded == 0, ends = group->without_finish == 0;
    rt_tally *tallies;
    rt_score score = {0};
    share_figure cut = {0}, unparsed = {0}, over = {0};
    RT_TRY(rt_response_tallies(set, &tallies, err));
    int64_t fewest = fewest_samples(tallies, set->problems);
    retort_status st = rt_pass_score(tallies, set->problems, 1, &score, err);
    rt_free(tallies);
    if (st == RETORT_OK) st = measure_share(set, is_cut, &cut, err);
    if (st == RETORT_OK) st = measure_share(set, is_unparsed, &unparsed, err);
    if (st == RETORT_OK) st = measure_share(set, is_over_budget, &over, err);
    RT_TRY(st);
    static const rt_interval UNKNOWN = {NAN, NAN};
    json_t *row = rt_chart_group_row(runs, group);
    rt_chart_count(row, set->count);
    rt_chart_count(row, set->problems);
    rt_chart_count(row, fewest);
    rt_chart_count(row, group->ungraded);
    rt_chart_real(row, graded ? score.mean : NAN);
    rt_chart_interval(row, graded ? score.sampling : UNKNOWN);
    rt_chart_interval(row, graded ? score.problems : UNKNOWN);
    put_share(row, &cut, ends);
    put_share(row, &unparsed, graded);
    put_share(row, &over, graded);
    rt_chart_real(row, graded && ends ? completed_accuracy(set) : NAN);
    json_array_append_new(rows, row);
    return RETORT_OK;
}

static retort_status pass_rows(const rt_runs *runs, const rt_run_group *group, json_t *rows, retort_error *err) {
    static const int64_t KS[] = {1, 2, 4, 8, 16, 32, 64, 128};
    if (group->ungraded > 0) return RETORT_OK;
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(&group->set, &tallies, err));
    int64_t fewest = fewest_samples(tallies, group->set.problems);
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < sizeof KS / sizeof KS[0] && KS[i] <= fewest && st == RETORT_OK; i++) {
        rt_score score;
        st = rt_pass_score(tallies, group->set.problems, KS[i], &score, err);
        if (st != RETORT_OK) break;
        json_t *row = rt_chart_group_row(runs, group);
        rt_chart_count(row, group->set.problems);
        rt_chart_count(row, KS[i]);
        rt_chart_real(row, score.mean);
        rt_chart_interval(row, score.problems);
        rt_chart_interval(row, score.sampling);
        json_array_append_new(rows, row);
    }
    rt_free(tallies);
    return st;
}

/* ---- differences ------------------------------------------------------------------------------------------------- */

/* Share of right samples of each problem of the runs, NaN where the group has none. */
static retort_status problem_scores(const rt_runs *runs, const rt_run_group *group, double **out, retort_error *err) {
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(&group->set, &tallies, err));
    *out = rt_malloc_array((size_t)runs->problem_keys.count, sizeof **out);
    for (int32_t i = 0; *out != NULL && i < runs->problem_keys.count; i++) (*out)[i] = NAN;
    for (int64_t p = 0; *out != NULL && p < group->set.problems; p++)
        (*out)[group->problems[p]] = (double)tallies[p].correct / (double)tallies[p].n;
    rt_free(tallies);
    return *out != NULL ? RETORT_OK : rt_chart_no_memory(err);
}

static retort_status difference_row(const rt_chart_input *input, const rt_run_group *a, const rt_run_group *b,
                                    json_t *rows, retort_error *err) {
    double *x = NULL, *y = NULL;
    int64_t shared = 0;
    retort_status st = problem_scores(input->runs, a, &x, err);
    if (st == RETORT_OK) st = problem_scores(input->runs, b, &y, err);
    for (int32_t i = 0; st == RETORT_OK && i < input->runs->problem_keys.count; i++) {
        if (isnan(x[i]) || isnan(y[i])) continue;
        x[shared] = x[i];
        y[shared++] = y[i];
    }
    rt_paired paired;
    if (st == RETORT_OK && shared > 0) {
        st = rt_paired_test(x, y, shared, 1, input->seed, &paired, err);
        if (st == RETORT_OK) {
            json_t *row = json_array();
            rt_chart_text(row, a->set.model);
            rt_chart_text(row, b->set.model);
            rt_chart_text(row, input->runs->benchmarks.items[a->benchmark]);
            rt_chart_count(row, shared);
            rt_chart_real(row, paired.difference);
            rt_chart_interval(row, paired.interval);
            rt_chart_real(row, paired.p);
            json_array_append_new(rows, row);
        }
    }
    rt_free(x);
    rt_free(y);
    return st;
}

static retort_status difference_rows(const rt_chart_input *input, json_t *rows, retort_error *err) {
    const rt_runs *runs = input->runs;
    for (int32_t i = 0; i < runs->group_keys.count; i++)
        for (int32_t j = i + 1; j < runs->group_keys.count; j++) {
            const rt_run_group *a = &runs->groups[i], *b = &runs->groups[j];
            if (a->benchmark != b->benchmark || a->ungraded > 0 || b->ungraded > 0) continue;
            RT_TRY(difference_row(input, a, b, rows, err));
        }
    return RETORT_OK;
}

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int64_t count, double part) {
    double at = part * (double)(count - 1);
    int64_t low = (int64_t)at, high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

/* One row for a unit: mean with its interval, and the percentiles. lengths: one for each record, sorted here. */
static retort_status length_row(const rt_chart_input *input, const rt_run_group *group, const char *unit,
                                double *lengths, json_t *rows, retort_error *err) {
    const rt_response_set *set = &group->set;
    double *sums = rt_calloc(2 * (size_t)set->problems, sizeof *sums), *asked = sums + set->problems, total = 0;
    if (sums == NULL) return rt_chart_no_memory(err);
    for (int64_t i = 0; i < set->count; i++) {
        sums[set->records[i].problem] += lengths[i];
        asked[set->records[i].problem]++;
        total += lengths[i];
    }
    rt_rate rate = {sums, asked, 1, 1};
    rt_interval interval;
    retort_status st = rt_rate_interval(&rate, set->problems, input->seed, &interval, err);
    rt_free(sums);
    RT_TRY(st);
    qsort(lengths, (size_t)set->count, sizeof *lengths, ascending);
    json_t *row = rt_chart_group_row(input->runs, group);
    rt_chart_text(row, unit);
    rt_chart_count(row, set->count);
    rt_chart_real(row, total / (double)set->count);
    rt_chart_interval(row, interval);
    static const double SHARES[] = {0.1, 0.25, 0.5, 0.75, 0.9, 1};
    for (size_t i = 0; i < sizeof SHARES / sizeof SHARES[0]; i++)
        rt_chart_real(row, percentile(lengths, set->count, SHARES[i]));
    json_array_append_new(rows, row);
    return RETORT_OK;
}

static retort_status length_rows(const rt_chart_input *input, int32_t number, json_t *rows, retort_error *err) {
    const rt_runs *runs = input->runs;
    const rt_run_group *group = &runs->groups[number];
    double *lengths = rt_malloc_array((size_t)group->set.count, sizeof *lengths);
    if (lengths == NULL) return rt_chart_no_memory(err);
    for (int64_t r = 0; r < runs->count; r++)
        if (runs->rows[r].group == number) lengths[runs->rows[r].record] = input->evidence->words[r];
    retort_status st = length_row(input, group, "words", lengths, rows, err);
    if (st == RETORT_OK && group->without_tokens == 0) {
        for (int64_t i = 0; i < group->set.count; i++) lengths[i] = (double)group->set.records[i].tokens;
        st = length_row(input, group, "tokens", lengths, rows, err);
    }
    rt_free(lengths);
    return st;
}

/* Accuracy when an answer counts only if it is complete within the first `budget` tokens. */
static retort_status budget_rows(const rt_chart_input *input, const rt_run_group *group, json_t *rows,
                                 retort_error *err) {
    const rt_response_set *set = &group->set;
    if (group->ungraded > 0 || group->without_tokens > 0) return RETORT_OK;
    int64_t longest = 0;
    for (int64_t i = 0; i < set->count; i++)
        if (set->records[i].tokens > longest) longest = set->records[i].tokens;
    double *right = rt_malloc_array(2 * (size_t)set->problems, sizeof *right), *asked = right + set->problems;
    if (right == NULL) return rt_chart_no_memory(err);
    for (int64_t budget = 16; budget < 2 * longest; budget *= 2) {
        double sum = 0;
        memset(right, 0, 2 * (size_t)set->problems * sizeof *right);
        for (int64_t i = 0; i < set->count; i++) {
            const rt_record *record = &set->records[i];
            int64_t end = record->answer_tokens > 0 ? record->answer_tokens : record->tokens;
            right[record->problem] += record->verdict == RT_RIGHT && end <= budget;
            asked[record->problem]++;
        }
        for (int64_t p = 0; p < set->problems; p++) sum += right[p] /= asked[p];
        json_t *row = rt_chart_group_row(input->runs, group);
        rt_chart_count(row, set->count);
        rt_chart_count(row, budget);
        rt_chart_real(row, sum / (double)set->problems);
        rt_chart_interval(row, rt_cluster_interval(right, set->problems, (double)set->count));
        json_array_append_new(rows, row);
    }
    rt_free(right);
    return RETORT_OK;
}

static const rt_chart_column SCORES[] = {RT_CHART_GROUP,
                                         {"responses", "Responses"},
                                         {"problems", "Problems"},
                                         {"samples", "Samples a problem"},
                                         {"ungraded", "Without a verdict"},
                                         {"accuracy", "Accuracy"},
                                         {"sampling_low", "Sampling 95 % from"},
                                         {"sampling_high", "Sampling 95 % to"},
                                         {"problems_low", "Problems 95 % from"},
                                         {"problems_high", "Problems 95 % to"},
                                         {"truncated", "Truncated"},
                                         {"truncated_low", "Truncated 95 % from"},
                                         {"truncated_high", "Truncated 95 % to"},
                                         {"unparsed", "Unparsed"},
                                         {"unparsed_low", "Unparsed 95 % from"},
                                         {"unparsed_high", "Unparsed 95 % to"},
                                         {"over_budget", "Undecided"},
                                         {"over_budget_low", "Undecided 95 % from"},
                                         {"over_budget_high", "Undecided 95 % to"},
                                         {"completed_accuracy", "Accuracy of completed"},
                                         {0}};
static const rt_chart_column PASS[] = {RT_CHART_GROUP,
                                       {"problems", "Problems"},
                                       {"k", "k"},
                                       {"pass", "pass@k"},
                                       {"problems_low", "Problems 95 % from"},
                                       {"problems_high", "Problems 95 % to"},
                                       {"sampling_low", "Sampling 95 % from"},
                                       {"sampling_high", "Sampling 95 % to"},
                                       {0}};
static const rt_chart_column DIFFERENCES[] = {{"a", "Model a"},
                                              {"b", "Model b"},
                                              {"benchmark", "Benchmark"},
                                              {"problems", "Problems"},
                                              {"difference", "a - b"},
                                              RT_CHART_INTERVAL,
                                              {"p", "p"},
                                              {0}};
static const rt_chart_column LENGTHS[] = {RT_CHART_GROUP,   {"unit", "Unit"},       {"responses", "Responses"},
                                          {"mean", "Mean"}, RT_CHART_INTERVAL,      {"p10", "10 %"},
                                          {"p25", "25 %"},  {"median", "Median"},   {"p75", "75 %"},
                                          {"p90", "90 %"},  {"longest", "Longest"}, {0}};
static const rt_chart_column BUDGETS[] = {
    RT_CHART_GROUP,           {"responses", "Responses"}, {"budget", "Budget, tokens"},
    {"accuracy", "Accuracy"}, RT_CHART_INTERVAL,          {0}};

retort_status rt_charts_scores(const rt_chart_input *input, json_t *charts, retort_error *err) {
    const rt_runs *runs = input->runs;
    json_t *scores = rt_chart_add(charts, "scores", "Scores",
                                  "Mean over problems of the share of right samples; shares lie in 0 to 1.", SCORES);
    json_t *pass = rt_chart_add(charts, "pass", "pass@k", "Chance that at least one of k samples is right.", PASS);
    json_t *differences = rt_chart_add(
        charts, "differences", "Paired differences",
        "Accuracy of a minus accuracy of b on the problems that both answered; p of a two-sided sign-flip test.",
        DIFFERENCES);
    json_t *lengths = rt_chart_add(charts, "lengths", "Response length",
                                   "Words are runs of letters and apostrophes; tokens where the files say.", LENGTHS);
    json_t *budgets = rt_chart_add(charts, "budgets", "Accuracy within a token budget",
                                   "An answer counts only if it is complete within the budget.", BUDGETS);
    if (!scores || !pass || !differences || !lengths || !budgets) return rt_chart_no_memory(err);
    for (int32_t g = 0; g < runs->group_keys.count; g++) {
        RT_TRY(score_row(runs, &runs->groups[g], scores, err));
        RT_TRY(pass_rows(runs, &runs->groups[g], pass, err));
        RT_TRY(length_rows(input, g, lengths, err));
        RT_TRY(budget_rows(input, &runs->groups[g], budgets, err));
    }
    return input->pairs ? difference_rows(input, differences, err) : RETORT_OK;
}
