/* The figures of what is in the texts: token categories, words, distinctive tokens, behaviours. */
#include <math.h>

#include "analyze/jsonout.h"
#include "report/charts.h"

/* ---- one model --------------------------------------------------------------------------------------------------- */

/* What analyze/token_report.h made, put into cells: the members of `from` under these keys, "interval" keys as two. */
static void put_members(json_t *row, const json_t *from, const char *const *keys) {
    for (; *keys != NULL; keys++) {
        const json_t *value = json_object_get(from, *keys);
        for (size_t i = 0; json_is_array(value) && i < 2; i++) json_array_append(row, json_array_get(value, i));
        if (json_is_array(value)) continue;
        if (value == NULL)
            json_array_append_new(row, json_null());
        else
            json_array_append(row, (json_t *)(uintptr_t)value);
    }
}

static int64_t left_out(const rt_token_group *group, rt_left_out reason) {
    return group->reasons[reason];
}

static void token_rows(const rt_run_group *group, const rt_chart_input *input, const rt_token_group *counted,
                       const json_t *result, json_t *rows) {
    static const char *const OF_GROUP[] = {"responses", "counted", NULL};
    static const char *const OF_CATEGORY[] = {
        "count", "per_1000", "interval", "per_response", "per_response_interval", "share", "share_interval", NULL};
    size_t i;
    json_t *category;
    json_array_foreach(json_object_get(result, "categories"), i, category) {
        json_t *row = rt_chart_group_row(input->runs, group);
        json_array_append(row, json_object_get(category, "category"));
        put_members(row, result, OF_GROUP);
        rt_chart_count(row, left_out(counted, RT_EMPTY));
        rt_chart_count(row, left_out(counted, RT_REPETITIVE));
        rt_chart_count(row, left_out(counted, RT_TRUNCATED));
        json_array_append(row, json_object_get(result, "words"));
        put_members(row, category, OF_CATEGORY);
        json_array_append_new(rows, row);
    }
}

/* One row for each element of result[list]. */
static void list_rows(const rt_run_group *group, const rt_chart_input *input, const json_t *result, const char *list,
                      const char *const *keys, json_t *rows) {
    size_t i;
    json_t *element;
    json_array_foreach(json_object_get(result, list), i, element) {
        json_t *row = rt_chart_group_row(input->runs, group);
        put_members(row, element, keys);
        json_array_append_new(rows, row);
    }
}

/* Entries that no response has are no rows: a lexicon has hundreds. */
static void word_rows(const rt_run_group *group, const rt_chart_input *input, const json_t *result, json_t *rows) {
    static const char *const KEYS[] = {"entry", "category", "count", "per_1000", "interval", NULL};
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(result, "entries"), i, entry) {
        if (json_integer_value(json_object_get(entry, "count")) == 0) continue;
        json_t *row = rt_chart_group_row(input->runs, group);
        put_members(row, entry, KEYS);
        json_array_append(row, json_object_get(result, "words"));
        json_array_append_new(rows, row);
    }
}

/* ---- two models -------------------------------------------------------------------------------------------------- */

static json_t *pair_row(const rt_chart_input *input, int32_t a, int32_t b) {
    const rt_run_group *x = &input->runs->groups[a], *y = &input->runs->groups[b];
    json_t *row = json_array();
    rt_chart_text(row, x->set.model);
    rt_chart_text(row, y->set.model);
    rt_chart_text(row, input->runs->benchmarks.items[x->benchmark]);
    return row;
}

/* A comparison and whom it compares. */
typedef struct pair {
    int32_t a, b;
} pair;

static void pair_rows(const rt_chart_input *input, const pair *of, const json_t *comparison, json_t *differences,
                      json_t *distinctive) {
    static const char *const OF_PAIR[] = {"problems_common", "paired", "length_matched_responses", NULL};
    static const char *const OF_CATEGORY[] = {
        "category", "per_1000", "interval", "p", "p_holm", "length_matched", "length_matched_interval", NULL};
    static const char *const OF_TERM[] = {"term", "z", "count_a", "count_b", "per_1000_a", "per_1000_b", NULL};
    size_t i;
    json_t *element;
    json_array_foreach(json_object_get(comparison, "categories"), i, element) {
        json_t *row = pair_row(input, of->a, of->b);
        put_members(row, comparison, OF_PAIR);
        put_members(row, element, OF_CATEGORY);
        json_array_append_new(differences, row);
    }
    json_array_foreach(json_object_get(comparison, "distinctive"), i, element) {
        json_t *row = pair_row(input, of->a, of->b);
        put_members(row, element, OF_TERM);
        json_array_append_new(distinctive, row);
    }
}

static retort_status compare_pairs(const rt_chart_input *input, pair *pairs, json_t *comparisons, retort_error *err) {
    int32_t groups = input->runs->group_keys.count;
    for (int32_t a = 0; a < groups; a++)
        for (int32_t b = a + 1; b < groups; b++) {
            if (input->runs->groups[a].benchmark != input->runs->groups[b].benchmark) continue;
            json_t *comparison;
            RT_TRY(rt_token_pair_json(input->token_settings, input->tokens, a, b, &comparison, err));
            pairs[json_array_size(comparisons)] = (pair){a, b};
            if (json_array_append_new(comparisons, comparison) != 0) return rt_chart_no_memory(err);
        }
    return rt_token_adjust(comparisons, err);
}

static retort_status add_pairs(const rt_chart_input *input, json_t *differences, json_t *distinctive,
                               retort_error *err) {
    size_t groups = (size_t)input->runs->group_keys.count;
    pair *pairs = rt_malloc_array(groups * groups, sizeof *pairs);
    json_t *comparisons = json_array();
    retort_status st =
        pairs != NULL && comparisons != NULL ? compare_pairs(input, pairs, comparisons, err) : rt_chart_no_memory(err);
    for (size_t i = 0; st == RETORT_OK && i < json_array_size(comparisons); i++)
        pair_rows(input, &pairs[i], json_array_get(comparisons, i), differences, distinctive);
    json_decref(comparisons);
    rt_free(pairs);
    return st;
}

/* ---- behaviours -------------------------------------------------------------------------------------------------- */

/* Sums of one problem over the responses that were judged. */
typedef struct problem_judged {
    double spans, shown, judged;
} problem_judged;

static void add_judged(problem_judged *to, const rt_behavior_cell *cell) {
    to->spans += (double)cell->spans / cell->votes;
    to->shown += 2 * cell->shown >= cell->votes; /* by at least half of the votes */
    to->judged++;
}

static retort_status behavior_row(const rt_chart_input *input, int32_t number, int32_t column, json_t *rows,
                                  retort_error *err) {
    const rt_runs *runs = input->runs;
    const rt_evidence *evidence = input->evidence;
    const rt_judgements *judgements = evidence->judgements;
    const rt_run_group *group = &runs->groups[number];
    const rt_behavior_column *what = &judgements->column[column];
    const rt_judge_counts *judge = &evidence->judges[(int64_t)number * judgements->judges.count + what->judge];
    if (judge->votes == 0) return RETORT_OK;
    problem_judged *sums = rt_calloc((size_t)group->set.problems, sizeof *sums), all = {0};
    if (sums == NULL) return rt_chart_no_memory(err);
    for (int64_t r = 0; r < runs->count; r++) {
        const rt_behavior_cell *cell = rt_evidence_cell(evidence, r, column);
        if (runs->rows[r].group != number || cell->votes == 0) continue;
        add_judged(&sums[rt_run_record(runs, &runs->rows[r])->problem], cell);
        add_judged(&all, cell);
    }
    size_t stride = sizeof *sums / sizeof(double);
    rt_rate mean = {&sums->spans, &sums->judged, stride, 1}, share = {&sums->shown, &sums->judged, stride, 1};
    rt_interval of_mean, of_share;
    retort_status st = rt_rate_interval(&mean, group->set.problems, input->seed, &of_mean, err);
    if (st == RETORT_OK) st = rt_rate_interval(&share, group->set.problems, input->seed, &of_share, err);
    rt_free(sums);
    RT_TRY(st);
    static const rt_interval UNKNOWN = {NAN, NAN};
    bool known = all.judged > 0;
    json_t *row = rt_chart_group_row(runs, group);
    rt_chart_text(row, judgements->judges.items[what->judge]);
    rt_chart_text(row, judgements->behaviors.items[what->behavior]);
    rt_chart_count(row, (int64_t)all.judged);
    rt_chart_count(row, judge->votes);
    rt_chart_count(row, judge->unparsed);
    rt_chart_count(row, judge->refused);
    rt_chart_real(row, known ? all.spans / all.judged : NAN);
    rt_chart_interval(row, known ? of_mean : UNKNOWN);
    rt_chart_real(row, known ? all.shown / all.judged : NAN);
    rt_chart_interval(row, known ? of_share : UNKNOWN);
    json_array_append_new(rows, row);
    return RETORT_OK;
}

#define PAIR                                                                                                           \
    {"a", "Model a"}, {"b", "Model b"}, {                                                                              \
        "benchmark", "Benchmark"                                                                                       \
    }
static const rt_chart_column TOKENS[] = {RT_CHART_GROUP,
                                         {"category", "Category"},
                                         {"responses", "Responses"},
                                         {"counted", "Counted"},
                                         {"empty", "Empty"},
                                         {"repetitive", "Repetitive"},
                                         {"truncated", "Truncated"},
                                         {"words", "Words"},
                                         {"count", "Count"},
                                         {"per_1000", "Per 1,000 words"},
                                         RT_CHART_INTERVAL,
                                         {"per_response", "Per response"},
                                         {"per_response_low", "Per response 95 % from"},
                                         {"per_response_high", "Per response 95 % to"},
                                         {"share", "Share with any"},
                                         {"share_low", "Share 95 % from"},
                                         {"share_high", "Share 95 % to"},
                                         {0}};
static const rt_chart_column POSITIONS[] = {RT_CHART_GROUP,     {"category", "Category"},
                                            {"tenth", "Tenth"}, {"per_1000", "Per 1,000 words"},
                                            RT_CHART_INTERVAL,  {0}};
static const rt_chart_column CORRECTNESS[] = {RT_CHART_GROUP,
                                              {"category", "Category"},
                                              {"problems", "Problems with both"},
                                              {"responses", "Their responses"},
                                              {"right_minus_wrong", "Right minus wrong"},
                                              RT_CHART_INTERVAL,
                                              {"p", "p"},
                                              {0}};
static const rt_chart_column WORDS[] = {RT_CHART_GROUP,
                                        {"word", "Word"},
                                        {"category", "Category"},
                                        {"count", "Count"},
                                        {"per_1000", "Per 1,000 words"},
                                        RT_CHART_INTERVAL,
                                        {"words", "Words"},
                                        {0}};
static const rt_chart_column DIFFERENCES[] = {PAIR,
                                              {"problems", "Shared problems"},
                                              {"paired", "Paired"},
                                              {"matched_responses", "Responses matched in length"},
                                              {"category", "Category"},
                                              {"difference", "a - b per 1,000 words"},
                                              RT_CHART_INTERVAL,
                                              {"p", "p"},
                                              {"p_holm", "p (Holm)"},
                                              {"matched_difference", "Matched in length"},
                                              {"matched_low", "Matched 95 % from"},
                                              {"matched_high", "Matched 95 % to"},
                                              {0}};
static const rt_chart_column DISTINCTIVE[] = {PAIR,
                                              {"token", "Token"},
                                              {"z", "z"},
                                              {"count_a", "Count in a"},
                                              {"count_b", "Count in b"},
                                              {"per_1000_a", "Per 1,000 in a"},
                                              {"per_1000_b", "Per 1,000 in b"},
                                              {0}};
static const rt_chart_column BEHAVIORS[] = {RT_CHART_GROUP,
                                            {"judge", "Judge"},
                                            {"behavior", "Behaviour"},
                                            {"judged", "Responses judged"},
                                            {"votes", "Votes"},
                                            {"unparsed", "Votes unparsed"},
                                            {"refused", "Votes refused"},
                                            {"mean", "Mean a response"},
                                            {"low", "Mean 95 % from"},
                                            {"high", "Mean 95 % to"},
                                            {"share", "Share that shows it"},
                                            {"share_low", "Share 95 % from"},
                                            {"share_high", "Share 95 % to"},
                                            {0}};

/* The tables of the token analysis. */
typedef struct token_charts {
    json_t *tokens, *positions, *correctness, *words, *differences, *distinctive;
} token_charts;

static retort_status add_token_charts(json_t *charts, token_charts *out, retort_error *err) {
    out->tokens = rt_chart_add(charts, "tokens", "Token categories",
                               "Truncated, repetitive and empty responses are left out (docs/tokens.md).", TOKENS);
    out->positions = rt_chart_add(charts, "positions", "Where in the response",
                                  "Rate in each tenth of the responses that count.", POSITIONS);
    out->correctness = rt_chart_add(charts, "correctness", "Right against wrong",
                                    "Rate per 1,000 words of right responses minus that of wrong ones to the same "
                                    "problem, where a problem has both.",
                                    CORRECTNESS);
    out->words = rt_chart_add(charts, "words", "Words of the categories", "Entries of the lexicon that occur.", WORDS);
    out->differences = rt_chart_add(charts, "token_differences", "Differences between models",
                                    "Rate of a minus rate of b, also with responses of like length; Holm: allowing for "
                                    "the number of tests.",
                                    DIFFERENCES);
    out->distinctive = rt_chart_add(
        charts, "distinctive", "Most distinctive tokens",
        "Log-odds ratio with an informative Dirichlet prior, in standard deviations; above 0: more typical of a.",
        DISTINCTIVE);
    bool complete =
        out->tokens && out->positions && out->correctness && out->words && out->differences && out->distinctive;
    return complete ? RETORT_OK : rt_chart_no_memory(err);
}

static retort_status add_group(const rt_chart_input *input, int32_t number, const token_charts *into,
                               retort_error *err) {
    static const char *const POSITION[] = {"category", "decile", "per_1000", "interval", NULL};
    static const char *const RIGHT[] = {"category", "problems", "responses", "right_minus_wrong",
                                        "interval", "p",        NULL};
    const rt_run_group *group = &input->runs->groups[number];
    json_t *result;
    RT_TRY(rt_token_group_json(input->token_settings, input->tokens, number, &result, err));
    token_rows(group, input, &input->tokens->groups[number], result, into->tokens);
    list_rows(group, input, result, "profile", POSITION, into->positions);
    list_rows(group, input, result, "correctness", RIGHT, into->correctness);
    word_rows(group, input, result, into->words);
    json_decref(result);
    return RETORT_OK;
}

retort_status rt_charts_language(const rt_chart_input *input, json_t *charts, retort_error *err) {
    token_charts tokens;
    RT_TRY(add_token_charts(charts, &tokens, err));
    json_t *behaviors = rt_chart_add(charts, "behaviors", "Behaviours",
                                     "Mean over the votes that could be read; a response shows a behaviour where at "
                                     "least half of them found it.",
                                     BEHAVIORS);
    if (behaviors == NULL) return rt_chart_no_memory(err);
    for (int32_t g = 0; g < input->runs->group_keys.count; g++) {
        RT_TRY(add_group(input, g, &tokens, err));
        for (int32_t c = 0; c < input->evidence->columns; c++) RT_TRY(behavior_row(input, g, c, behaviors, err));
    }
    return input->pairs ? add_pairs(input, tokens.differences, tokens.distinctive, err) : RETORT_OK;
}
