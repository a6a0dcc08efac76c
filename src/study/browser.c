#include <string.h>

#include "analyze/world_behaviors.h"
#include "study/study.h"
#include "text/lexeme.h"

/* The browser section: for the first test problems, sample 0 of every arm, with the spans to highlight. */

static json_t *span_json(const char *kind, size_t begin, size_t end) {
    return json_pack("{s:s, s:I, s:I}", "kind", kind, "begin", (json_int_t)begin, "end", (json_int_t)end);
}

static void add_token_spans(const rt_record *record, json_t *spans) {
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(record->text, record->length, &at, &lexeme);) {
        rt_category category = rt_lexeme_category(&lexeme);
        if (rt_category_words(category) == NULL) continue;
        size_t begin = (size_t)(lexeme.text - record->text);
        json_array_append_new(spans, span_json(rt_category_name(category), begin, begin + lexeme.length));
    }
}

static retort_status response_json(const rt_study *study, rt_arm_id arm, const rt_record *record, json_t **out,
                                   retort_error *err) {
    const rt_question *question = &study->problems[RT_EVAL_TEST].items[record->problem].question;
    rt_behavior_span *found = NULL;
    size_t count = 0;
    RT_TRY(rt_world_behavior_spans(question, record->text, record->length, &found, &count, err));
    json_t *spans = json_array(), *text = rt_json_text(record->text, record->length);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(spans, span_json(found[i].kind, found[i].begin, found[i].end));
    rt_free(found);
    add_token_spans(record, spans);
    *out = json_pack("{s:s, s:i, s:o, s:s, s:s, s:I, s:o}", "arm", RT_ARM_TABLE[arm].name, "sample",
                     (int)record->sample, "text", text, "verdict", rt_verdict_name(record->verdict), "finish_reason",
                     record->finish == RT_FINISH_STOP ? "stop" : "length", "tokens", (json_int_t)record->tokens,
                     "spans", spans);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: browser of the report");
    return RETORT_OK;
}

retort_status rt_study_browser(rt_study *study, json_t *report, retort_error *err) {
    json_t *browser = json_array();
    json_object_set_new(report, "browser", browser);
    const rt_problems *problems = &study->problems[RT_EVAL_TEST];
    for (int64_t p = 0; p < problems->count && p < study->options->browser_problems; p++) {
        json_t *responses = json_array();
        json_t *entry = json_pack("{s:s, s:s, s:s, s:o}", "problem_id", problems->items[p].id, "problem",
                                  problems->items[p].problem, "split", "test", "responses", responses);
        RT_CHECK(entry != NULL, err, RETORT_ERR_MEMORY, "out of memory: browser of the report");
        json_array_append_new(browser, entry);
        for (int a = 0; a < RT_ARMS; a++) {
            const rt_response_set *set = &study->responses[a][RT_EVAL_TEST];
            for (int64_t i = 0; i < set->count; i++) {
                if (set->records[i].problem != p || set->records[i].sample > 1) continue;
                json_t *response;
                RT_TRY(response_json(study, (rt_arm_id)a, &set->records[i], &response, err));
                json_array_append_new(responses, response);
            }
        }
    }
    return RETORT_OK;
}
