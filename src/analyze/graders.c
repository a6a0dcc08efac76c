/* Both graders side by side: what each makes of the same responses, and where they differ. */
#include <math.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"

retort_status rt_record_grade(rt_record *record, const rt_question *question, rt_grader grader, retort_error *err) {
    rt_grades grades;
    RT_TRY(rt_grade(question, record->text, record->length, &grades, err));
    record->by[RT_GRADER_STRICT] = grades.strict;
    record->by[RT_GRADER_TOLERANT] = grades.tolerant;
    record->verdict = record->by[grader];
    record->graded = true;
    record->gold_unread = grades.gold_unread;
    rt_free(record->reason);
    record->reason = NULL;
    if (grades.strict == grades.tolerant) return RETORT_OK;
    record->reason = rt_strdup(grades.strict_reason); /* tolerant takes more: what strict missed is the difference */
    RT_CHECK(record->reason != NULL, err, RETORT_ERR_MEMORY, "out of memory: reason of a verdict");
    return RETORT_OK;
}

retort_status rt_verdicts_json(const rt_response_set *set, int grader, json_t **out, retort_error *err) {
    int64_t of[RT_OVER_BUDGET + 1] = {0}, stopped = 0, completed = 0;
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        rt_verdict verdict = rt_record_verdict(record, grader);
        of[verdict]++;
        stopped += record->finish == RT_FINISH_STOP;
        completed += record->finish == RT_FINISH_STOP && verdict == RT_RIGHT;
    }
    rt_tally *tallies;
    rt_score score;
    RT_TRY(rt_verdict_tallies(set, grader, &tallies, err));
    retort_status st = rt_pass_score(tallies, set->problems, 1, &score, err);
    if (st == RETORT_OK) {
        json_t *row = *out = json_object();
        rt_json_set_real(row, "avg", score.mean);
        rt_json_set_interval(row, "sampling_interval", score.sampling);
        rt_json_set_interval(row, "problems_interval", score.problems);
        json_object_set_new(row, "n", json_integer(set->count));
        json_object_set_new(row, "right", json_integer(of[RT_RIGHT]));
        json_object_set_new(row, "wrong", json_integer(of[RT_WRONG]));
        json_object_set_new(row, "unparsed", json_integer(of[RT_UNPARSED]));
        json_object_set_new(row, "over_budget", json_integer(of[RT_OVER_BUDGET]));
        json_object_set_new(row, "truncated", json_integer(set->count - stopped));
        rt_json_set_real(row, "completed_accuracy", stopped > 0 ? (double)completed / (double)stopped : NAN);
    }
    rt_free(tallies);
    return st;
}

static retort_status add_differences(const rt_response_set *set, const char *const *ids, json_t *score,
                                     retort_error *err) {
    json_t *list = json_array();
    json_object_set_new(score, "differ", list);
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        if (record->by[RT_GRADER_STRICT] == record->by[RT_GRADER_TOLERANT]) continue;
        json_t *row = json_pack("{s:s, s:i, s:s, s:s}", "problem_id", ids[record->problem], "sample",
                                (int)record->sample, "strict", rt_verdict_name(record->by[RT_GRADER_STRICT]),
                                "tolerant", rt_verdict_name(record->by[RT_GRADER_TOLERANT]));
        RT_CHECK(row != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of differences");
        if (record->reason != NULL)
            json_object_set_new(row, "reason", rt_json_text(record->reason, strlen(record->reason)));
        json_array_append_new(list, row);
    }
    return RETORT_OK;
}

retort_status rt_graders_json(const rt_response_set *set, const char *const *ids, json_t *score, retort_error *err) {
    json_t *rows = json_object_get(score, "graders");
    int64_t unread = 0, differ = 0;
    if (rows == NULL) json_object_set_new(score, "graders", rows = json_object());
    for (int g = 0; g < RT_GRADERS; g++) {
        json_t *row;
        RT_TRY(rt_verdicts_json(set, g, &row, err));
        json_object_set_new(rows, rt_grader_name((rt_grader)g), row);
    }
    for (int64_t i = 0; i < set->count; i++) {
        unread += set->records[i].gold_unread;
        differ += set->records[i].by[RT_GRADER_STRICT] != set->records[i].by[RT_GRADER_TOLERANT];
    }
    json_object_set_new(score, "graders_differ", json_integer(differ));
    json_object_set_new(score, "golds_unread", json_integer(unread));
    return add_differences(set, ids, score, err);
}
