#include <math.h>
#include <string.h>

#include "analyze/behavior_stats.h"
#include "analyze/jsonout.h"
#include "analyze/token_stats.h"
#include "study/study.h"

static json_t *named(const char *arm, const char *split, json_t *object) {
    json_t *out = json_object();
    json_object_set_new(out, "arm", json_string(arm));
    json_object_set_new(out, "split", json_string(split));
    json_object_update(out, object);
    json_decref(object);
    return out;
}

static json_t *section(json_t *report, const char *key) {
    json_t *list = json_array();
    json_object_set_new(report, key, list);
    return list;
}

static retort_status add_scores(rt_study *study, json_t *report, retort_error *err) {
    json_t *scores = section(report, "scores");
    for (int s = 0; s < RT_EVAL_SPLITS; s++)
        for (int a = 0; a < RT_ARMS; a++) {
            const rt_response_set *set = &study->responses[a][s];
            if (set->count == 0) continue;
            json_t *score;
            RT_TRY(rt_score_json(set, &score, err));
            json_array_append_new(scores, named(RT_ARM_TABLE[a].name, rt_eval_split_name((rt_eval_split)s), score));
        }
    return RETORT_OK;
}

/* Per-problem mean accuracy: the paired unit. */
static retort_status problem_means(const rt_response_set *set, double **out, retort_error *err) {
    rt_tally *tallies;
    RT_TRY(rt_response_tallies(set, &tallies, err));
    *out = rt_malloc_array((size_t)set->problems, sizeof **out);
    if (*out == NULL) {
        rt_free(tallies);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)set->problems);
    }
    for (int64_t p = 0; p < set->problems; p++) (*out)[p] = (double)tallies[p].correct / (double)tallies[p].n;
    rt_free(tallies);
    return RETORT_OK;
}

retort_status rt_compare_accuracy(const rt_response_set *a, const rt_response_set *b, rt_paired *out,
                                  retort_error *err) {
    double *x = NULL, *y = NULL;
    retort_status st = problem_means(a, &x, err);
    if (st == RETORT_OK) st = problem_means(b, &y, err);
    if (st == RETORT_OK) st = rt_paired_test(x, y, a->problems, 1, RT_SEED_STATISTICS, out, err);
    rt_free(x);
    rt_free(y);
    return st;
}

static void set_paired(json_t *object, const rt_paired *paired) {
    rt_json_set_real(object, "difference", paired->difference);
    rt_json_set_interval(object, "interval", paired->interval);
    rt_json_set_real(object, "p", paired->p);
    json_object_set_new(object, "problems", json_integer(paired->problems));
}

static retort_status add_paired(rt_study *study, json_t *report, retort_error *err) {
    static const rt_arm_id PAIRS[][2] = {{RT_ARM_DISTILLED, RT_ARM_ZERO_RL},      {RT_ARM_DISTILLED, RT_ARM_BASE},
                                         {RT_ARM_ZERO_RL, RT_ARM_BASE},           {RT_ARM_DISTILLED, RT_ARM_RIGID},
                                         {RT_ARM_DISTILLED_RL, RT_ARM_DISTILLED}, {RT_ARM_DISTILLED_RL, RT_ARM_ZERO_RL},
                                         {RT_ARM_PLAIN, RT_ARM_DISTILLED},        {RT_ARM_PLAIN, RT_ARM_RIGID},
                                         {RT_ARM_SPRINKLED, RT_ARM_RIGID},        {RT_ARM_DISTILLED, RT_ARM_SPRINKLED}};
    json_t *list = section(report, "paired");
    for (int s = 0; s < RT_EVAL_SPLITS; s++)
        for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
            rt_paired paired;
            if (!study->on[PAIRS[i][0]] || !study->on[PAIRS[i][1]]) continue;
            RT_TRY(rt_compare_accuracy(&study->responses[PAIRS[i][0]][s], &study->responses[PAIRS[i][1]][s], &paired,
                                       err));
            json_t *entry = json_object();
            json_object_set_new(entry, "a", json_string(RT_ARM_TABLE[PAIRS[i][0]].name));
            json_object_set_new(entry, "b", json_string(RT_ARM_TABLE[PAIRS[i][1]].name));
            json_object_set_new(entry, "split", json_string(rt_eval_split_name((rt_eval_split)s)));
            set_paired(entry, &paired);
            json_array_append_new(list, entry);
        }
    return RETORT_OK;
}

static retort_status add_tokens(rt_study *study, json_t *report, retort_error *err) {
    rt_term_table tables[RT_ARMS] = {0};
    json_t *tokens = section(report, "tokens"), *distinctive = section(report, "distinctive");
    retort_status st = RETORT_OK;
    for (int a = 0; a < RT_ARMS && st == RETORT_OK; a++) {
        json_t *stats;
        if (!study->on[a]) continue;
        const rt_response_set *set = &study->responses[a][RT_EVAL_TEST];
        st = rt_terms_count(set, &tables[a], err);
        if (st == RETORT_OK) st = rt_token_stats_json(set, &tables[a], RT_SEED_STATISTICS, &stats, err);
        if (st == RETORT_OK) json_array_append_new(tokens, named(RT_ARM_TABLE[a].name, "test", stats));
    }
    for (int a = 0; a < RT_ARMS && st == RETORT_OK; a++)
        for (int b = 0; b < RT_ARMS && st == RETORT_OK; b++) {
            if (a >= b || !study->on[a] || !study->on[b]) continue;
            json_t *list, *entry = json_object();
            st = rt_distinctive_json(&tables[a], &tables[b], 15, &list, err);
            if (st != RETORT_OK) {
                json_decref(entry);
                continue;
            }
            json_object_set_new(entry, "a", json_string(RT_ARM_TABLE[a].name));
            json_object_set_new(entry, "b", json_string(RT_ARM_TABLE[b].name));
            json_object_set_new(entry, "tokens", list);
            json_array_append_new(distinctive, entry);
        }
    for (int a = 0; a < RT_ARMS; a++) rt_term_table_free(&tables[a]);
    return st;
}

/* Proof of absence: lexical tokens of the banned categories that are in the text all the same. */
static int64_t banned_occurrences(const rt_response_set *set) {
    int64_t found = 0;
    for (int64_t i = 0; i < set->count; i++) {
        rt_lexeme lexeme;
        for (size_t at = 0; rt_lexeme_next(set->records[i].text, set->records[i].length, &at, &lexeme);)
            found += rt_category_words(rt_lexeme_category(&lexeme)) != NULL;
    }
    return found;
}

static retort_status add_bans(rt_study *study, json_t *report, retort_error *err) {
    json_t *bans = section(report, "bans");
    for (int a = 0; a < RT_ARMS; a++) {
        const rt_arm *arm = &RT_ARM_TABLE[a];
        if (!arm->banned || !study->on[a]) continue;
        const rt_response_set *banned = &study->responses[a][RT_EVAL_TEST];
        const rt_response_set *free_set = &study->responses[arm->weights][RT_EVAL_TEST];
        rt_paired paired;
        RT_TRY(rt_compare_accuracy(banned, free_set, &paired, err));
        json_t *entry = json_object(), *words = json_array();
        for (int c = 0; c < RT_CATEGORIES; c++)
            for (const char *const *w = rt_category_words((rt_category)c); w != NULL && *w != NULL; w++)
                json_array_append_new(words, json_string(*w));
        json_object_set_new(entry, "arm", json_string(RT_ARM_TABLE[arm->weights].name));
        json_object_set_new(entry, "banned_arm", json_string(arm->name));
        json_object_set_new(entry, "split", json_string("test"));
        json_object_set_new(entry, "words", words);
        rt_tally *tallies;
        RT_TRY(rt_response_tallies(free_set, &tallies, err));
        rt_json_set_real(entry, "avg", rt_average(tallies, free_set->problems));
        rt_free(tallies);
        RT_TRY(rt_response_tallies(banned, &tallies, err));
        rt_json_set_real(entry, "avg_banned", rt_average(tallies, banned->problems));
        rt_free(tallies);
        set_paired(entry, &paired);
        json_object_set_new(entry, "occurrences", json_integer(banned_occurrences(banned)));
        json_array_append_new(bans, entry);
    }
    return RETORT_OK;
}

static retort_status add_behaviors(rt_study *study, json_t *report, retort_error *err) {
    json_t *behaviors = section(report, "behaviors");
    for (int a = 0; a < RT_ARMS; a++) {
        if (!study->on[a]) continue;
        json_t *counts, *entry = json_object();
        retort_status st = rt_behavior_stats_json(&study->responses[a][RT_EVAL_TEST], &study->problems[RT_EVAL_TEST],
                                                  RT_SEED_STATISTICS, &counts, err);
        if (st != RETORT_OK) {
            json_decref(entry);
            return st;
        }
        json_object_set_new(entry, "counts", counts);
        json_array_append_new(behaviors, named(RT_ARM_TABLE[a].name, "test", entry));
    }
    return RETORT_OK;
}

/* Accuracy when only answers boxed within the first `budget` tokens count: longer responses get no credit for length.
 */
static void add_length_control(rt_study *study, json_t *report) {
    static const int64_t BUDGETS[] = {16, 32, 64, 96, 128, 192, 256, 320, 448};
    json_t *list = section(report, "length_control");
    for (size_t i = 0; i < sizeof BUDGETS / sizeof BUDGETS[0]; i++) {
        if (BUDGETS[i] > study->options->max_new_tokens) continue;
        json_t *scores = json_object();
        for (int a = 0; a < RT_ARMS; a++) {
            if (!study->on[a]) continue;
            const rt_response_set *set = &study->responses[a][RT_EVAL_TEST];
            double right = 0;
            for (int64_t r = 0; r < set->count; r++)
                right += set->records[r].verdict == RT_RIGHT && set->records[r].answer_tokens <= BUDGETS[i];
            rt_json_set_real(scores, RT_ARM_TABLE[a].name, right / (double)set->count);
        }
        json_t *entry = json_object();
        json_object_set_new(entry, "budget", json_integer(BUDGETS[i]));
        json_object_set_new(entry, "scores", scores);
        json_array_append_new(list, entry);
    }
}

retort_status rt_study_measure(rt_study *study, json_t *report, retort_error *err) {
    RT_TRY(add_scores(study, report, err));
    RT_TRY(add_paired(study, report, err));
    RT_TRY(add_tokens(study, report, err));
    RT_TRY(add_bans(study, report, err));
    RT_TRY(add_behaviors(study, report, err));
    add_length_control(study, report);
    return RETORT_OK;
}
