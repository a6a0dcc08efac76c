/* The figures of what is in the texts: token categories, words, distinctive tokens, behaviours. */
#include <math.h>

#include "analyze/jsonout.h"
#include "report/charts.h"

/* ---- categories -------------------------------------------------------------------------------------------------- */

/* All problems' words, and their places category after category: [categories + 1, problems]. */
static void sum_places(const rt_chart_input *input, int32_t number, double *words, double *places) {
    const rt_runs *runs = input->runs;
    int64_t problems = runs->groups[number].set.problems;
    for (int64_t r = 0; r < runs->count; r++) {
        if (runs->rows[r].group != number) continue;
        int32_t problem = rt_run_record(runs, &runs->rows[r])->problem;
        words[problem] += input->evidence->words[r];
        for (int32_t c = 0; c < rt_evidence_categories(input->evidence); c++)
            places[c * problems + problem] += rt_evidence_places(input->evidence, r, c);
    }
}

static double sum_of(const double *values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += values[i];
    return sum;
}

static retort_status token_rows(const rt_chart_input *input, int32_t number, json_t *rows, retort_error *err) {
    const rt_run_group *group = &input->runs->groups[number];
    const rt_lexicon *lexicon = input->evidence->lexicon;
    int64_t problems = group->set.problems;
    double *words = rt_calloc((size_t)problems * ((size_t)lexicon->num_categories + 1), sizeof *words);
    if (words == NULL) return rt_chart_no_memory(err);
    double *places = words + problems;
    sum_places(input, number, words, places);
    double total = sum_of(words, problems);
    retort_status st = RETORT_OK;
    for (int32_t c = 0; c < lexicon->num_categories && st == RETORT_OK; c++) {
        double count = sum_of(places + c * problems, problems);
        rt_rate rate = {places + c * problems, words, 1, 1000};
        rt_interval interval;
        st = rt_rate_interval(&rate, problems, input->seed + (uint64_t)c, &interval, err);
        if (st != RETORT_OK) break;
        json_t *row = rt_chart_group_row(input->runs, group);
        rt_chart_text(row, lexicon->categories[c].name);
        rt_chart_count(row, group->set.count);
        rt_chart_count(row, (int64_t)total);
        rt_chart_count(row, (int64_t)count);
        rt_chart_real(row, total > 0 ? 1000 * count / total : NAN);
        rt_chart_interval(row, interval);
        rt_chart_real(row, count / (double)group->set.count);
        json_array_append_new(rows, row);
    }
    rt_free(words);
    return st;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void word_rows(const rt_chart_input *input, int32_t number, json_t *rows) {
    const rt_term_table *table = &input->terms[number];
    for (int64_t i = 0; i < table->count; i++) {
        const rt_term *term = &table->terms[i];
        if (rt_category_words(term->category) == NULL) continue;
        json_t *row = rt_chart_group_row(input->runs, &input->runs->groups[number]);
        rt_chart_text(row, term->text);
        rt_chart_text(row, rt_category_name(term->category));
        rt_chart_count(row, term->count);
        rt_chart_count(row, table->total);
        rt_chart_real(row, 1000 * (double)term->count / (double)table->total);
        json_array_append_new(rows, row);
    }
}

static retort_status distinctive_rows(const rt_chart_input *input, int32_t a, int32_t b, json_t *rows,
                                      retort_error *err) {
    const rt_run_group *x = &input->runs->groups[a], *y = &input->runs->groups[b];
    json_t *tokens;
    RT_TRY(rt_distinctive_json(&input->terms[a], &input->terms[b], input->top, &tokens, err));
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *token = json_array_get(tokens, i);
        if (json_object_get(token, "token") == NULL) continue; /* a single byte of a character is no text */
        json_t *row = json_array();
        rt_chart_text(row, x->set.model);
        rt_chart_text(row, y->set.model);
        rt_chart_text(row, input->runs->benchmarks.items[x->benchmark]);
        static const char *const KEYS[] = {"token", "category", "z", "count_a", "count_b"};
        for (size_t k = 0; k < sizeof KEYS / sizeof KEYS[0]; k++)
            json_array_append(row, json_object_get(token, KEYS[k]));
        rt_chart_count(row, input->terms[a].total);
        rt_chart_count(row, input->terms[b].total);
        json_array_append_new(rows, row);
    }
    json_decref(tokens);
    return RETORT_OK;
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

static const rt_chart_column TOKENS[] = {RT_CHART_GROUP,
                                         {"category", "Category"},
                                         {"responses", "Responses"},
                                         {"words", "Words"},
                                         {"count", "Count"},
                                         {"per_1000", "Per 1,000 words"},
                                         RT_CHART_INTERVAL,
                                         {"per_response", "Per response"},
                                         {0}};
static const rt_chart_column WORDS[] = {RT_CHART_GROUP,
                                        {"word", "Word"},
                                        {"category", "Category"},
                                        {"count", "Count"},
                                        {"words", "Words"},
                                        {"per_1000", "Per 1,000 words"},
                                        {0}};
static const rt_chart_column DISTINCTIVE[] = {{"a", "Model a"},
                                              {"b", "Model b"},
                                              {"benchmark", "Benchmark"},
                                              {"token", "Token"},
                                              {"category", "Category"},
                                              {"z", "z"},
                                              {"count_a", "Count in a"},
                                              {"count_b", "Count in b"},
                                              {"words_a", "Words of a"},
                                              {"words_b", "Words of b"},
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

retort_status rt_charts_language(const rt_chart_input *input, json_t *charts, retort_error *err) {
    const rt_runs *runs = input->runs;
    json_t *tokens = rt_chart_add(charts, "tokens", "Token categories", "All responses pooled.", TOKENS);
    json_t *words = rt_chart_add(charts, "words", "Words of the categories", "All responses pooled.", WORDS);
    json_t *distinctive = rt_chart_add(
        charts, "distinctive", "Most distinctive tokens",
        "Log-odds ratio with an informative Dirichlet prior, in standard deviations; above 0: more typical of a.",
        DISTINCTIVE);
    json_t *behaviors = rt_chart_add(charts, "behaviors", "Behaviours",
                                     "Mean over the votes that could be read; a response shows a behaviour where at "
                                     "least half of them found it.",
                                     BEHAVIORS);
    if (!tokens || !words || !distinctive || !behaviors) return rt_chart_no_memory(err);
    int32_t groups = runs->group_keys.count;
    for (int32_t g = 0; g < groups; g++) {
        RT_TRY(token_rows(input, g, tokens, err));
        word_rows(input, g, words);
        for (int32_t c = 0; c < input->evidence->columns; c++) RT_TRY(behavior_row(input, g, c, behaviors, err));
        for (int32_t other = g + 1; input->pairs && other < groups; other++)
            if (runs->groups[g].benchmark == runs->groups[other].benchmark)
                RT_TRY(distinctive_rows(input, g, other, distinctive, err));
    }
    return RETORT_OK;
}
