#include "evaluate/record.h"

#include <string.h>

retort_status rt_records_create(rt_response_set *set, const char *model, int64_t problems, int64_t total,
                                retort_error *err) {
    *set = (rt_response_set){.problems = problems, .model = rt_strdup(model)};
    set->records = rt_calloc((size_t)total + 1, sizeof *set->records);
    RT_CHECK(set->records != NULL && set->model != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses",
             (long long)total);
    return RETORT_OK;
}

/* Tokens up to the one that closes the graded box. */
static int64_t tokens_to(const rt_answered *answered, size_t end) {
    size_t length = 0;
    for (int64_t i = 0; i < answered->num_ids; i++) {
        size_t piece = 0;
        (void)rt_tokenizer_piece(answered->tokenizer, answered->ids[i], &piece);
        length += piece;
        if (length >= end) return i + 1;
    }
    return answered->num_ids;
}

retort_status rt_records_add(rt_response_set *set, const rt_answered *answered, const rt_buffer *text,
                             const rt_question *question, rt_grader grader, retort_error *err) {
    rt_record *record = &set->records[set->count];
    *record = (rt_record){.problem = (int32_t)answered->problem,
                          .sample = (int32_t)answered->sample,
                          .tokens = answered->tokens,
                          .finish = answered->finish,
                          .text = rt_strndup(text->data != NULL ? text->data : "", text->length),
                          .length = text->length};
    RT_CHECK(record->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: response text");
    set->count++;
    RT_TRY(rt_record_grade(record, question, grader, err));
    size_t begin, end;
    if (answered->ids != NULL && rt_answer_boxed(record->text, record->length, &begin, &end))
        record->answer_tokens = tokens_to(answered, end + 1);
    return RETORT_OK;
}

static bool add_ids(json_t *line, const int32_t *ids, int64_t count) {
    json_t *list = json_array();
    int bad = 0;
    for (int64_t i = 0; i < count; i++) bad |= json_array_append_new(list, json_integer(ids[i]));
    return (json_object_set_new(line, "token_ids", list) | bad) == 0;
}

static json_t *open_line(const rt_line *l) {
    const rt_record *record = l->record;
    json_t *line = json_object();
    int bad = 0;
    if (l->benchmark != NULL) bad |= json_object_set_new(line, "benchmark", json_string(l->benchmark));
    bad |= json_object_update_new(line, json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "problem_id", l->problem->id,
                                                  "sample", (int)record->sample, "model", l->model, "verdict",
                                                  rt_verdict_name(record->verdict), "strict",
                                                  rt_verdict_name(record->by[RT_GRADER_STRICT]), "tolerant",
                                                  rt_verdict_name(record->by[RT_GRADER_TOLERANT]), "finish_reason",
                                                  record->finish == RT_FINISH_STOP ? "stop" : "length"));
    if (record->tokens > 0) /* else an endpoint did not tell */
        bad |= json_object_update_new(line, json_pack("{s:I, s:I}", "tokens", (json_int_t)record->tokens,
                                                      "answer_tokens", (json_int_t)record->answer_tokens));
    if (bad == 0) return line;
    json_decref(line);
    return NULL;
}

retort_status rt_line_write(rt_atomic_file *file, const rt_line *l, retort_error *err) {
    const rt_record *record = l->record;
    json_t *line = open_line(l), *text = rt_json_text(record->text, record->length);
    bool complete = line != NULL && text != NULL && rt_problem_write_gold(l->problem, line);
    if (complete && record->reason != NULL)
        json_object_set_new(line, "reason", rt_json_text(record->reason, strlen(record->reason)));
    if (complete && l->ids != NULL && record->finish == RT_FINISH_LENGTH)
        complete = add_ids(line, l->ids, record->tokens);
    if (!complete || json_object_set(line, "text", text) != 0) {
        json_decref(line);
        line = NULL;
    }
    json_decref(text);
    return rt_jsonl_write(file, line, err);
}
