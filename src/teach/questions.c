#include "teach/questions.h"

#include <string.h>

#include "core/file.h"
#include "teach/endpoint.h"

retort_status rt_questions_create(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                                  rt_questions *out, retort_error *err) {
    *out = (rt_questions){.options = options, .problems = problems, .count = count * options->n};
    RT_CHECK(options->instruction == NULL || strstr(options->instruction, "{problem}") != NULL, err, RETORT_ERR_USAGE,
             "'instruction' does not say where the problem goes; write {problem} there");
    if (options->extra_body == NULL) return RETORT_OK;
    RT_TRY(rt_json_parse(options->extra_body, strlen(options->extra_body), "'extra_body'", &out->extra, err));
    if (json_is_object(out->extra)) return RETORT_OK;
    rt_questions_release(out);
    return rt_fail(err, RETORT_ERR_USAGE, "'extra_body' must be a JSON object");
}

void rt_questions_release(rt_questions *questions) {
    json_decref(questions->extra);
    questions->extra = NULL;
}

const rt_problem *rt_questions_problem(const rt_questions *questions, int64_t q) {
    return &questions->problems->items[q / questions->options->n];
}

int64_t rt_questions_sample(const rt_questions *questions, int64_t q) {
    return q % questions->options->n;
}

static retort_status render(const rt_questions *questions, const char *problem, rt_buffer *out, retort_error *err) {
    const char *instruction = questions->options->instruction;
    if (instruction == NULL) return rt_buffer_puts(out, problem, err);
    const char *at = strstr(instruction, "{problem}");
    RT_TRY(rt_buffer_append(out, instruction, (size_t)(at - instruction), err));
    RT_TRY(rt_buffer_puts(out, problem, err));
    return rt_buffer_puts(out, at + strlen("{problem}"), err);
}

/* The key is over the body that does not stream: how a reply comes does not change what was asked. */
static retort_status hash_question(const rt_ask *ask, const rt_problem *problem, int64_t sample, char key[65],
                                   retort_error *err) {
    rt_ask whole = *ask;
    rt_buffer text = {0};
    whole.stream = false;
    retort_status st = rt_buffer_printf(&text, err, "%s\n%lld\n", problem->id, (long long)sample);
    if (st == RETORT_OK) st = rt_ask_write(&whole, &text, err);
    if (st == RETORT_OK) rt_sha256(text.data, text.length, key);
    rt_buffer_free(&text);
    return st;
}

retort_status rt_questions_write(const rt_questions *questions, int64_t q, rt_buffer *body, char key[65],
                                 retort_error *err) {
    const retort_teach_options *o = questions->options;
    const rt_problem *problem = rt_questions_problem(questions, q);
    const int64_t sample = rt_questions_sample(questions, q);
    rt_buffer prompt = {0};
    rt_buffer_clear(body);
    retort_status st = render(questions, problem->problem, &prompt, err);
    const rt_ask ask = {.chat = o->api == 0,
                        .stream = o->stream,
                        .model = o->model,
                        .system = o->system_prompt,
                        .prompt = prompt.data,
                        .max_tokens = o->max_tokens,
                        .temperature = o->temperature,
                        .top_p = o->top_p,
                        .seed = o->seed + sample,
                        .extra = questions->extra};
    if (st == RETORT_OK) st = rt_ask_write(&ask, body, err);
    if (st == RETORT_OK) st = hash_question(&ask, problem, sample, key, err);
    if (st != RETORT_OK) rt_fail_context(err, st, "problem '%s'", problem->id);
    rt_buffer_free(&prompt);
    return st;
}

double rt_questions_prompt_tokens(const rt_buffer *body) {
    return (double)body->length / 4;
}
