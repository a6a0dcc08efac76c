#include "teach/questions.h"

#include <string.h>

#include "ask/endpoint.h"

retort_status rt_questions_create(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                                  rt_questions *out, retort_error *err) {
    *out = (rt_questions){.options = options, .problems = problems, .count = count * options->n};
    RT_CHECK(options->instruction == NULL || strstr(options->instruction, "{problem}") != NULL, err, RETORT_ERR_USAGE,
             "'instruction' does not say where the problem goes; write {problem} there");
    return rt_ask_extra(options->endpoint.extra_body, &out->extra, err);
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

retort_status rt_questions_write(const rt_questions *questions, int64_t q, rt_buffer *body, char key[65],
                                 retort_error *err) {
    const retort_teach_options *o = questions->options;
    const rt_problem *problem = rt_questions_problem(questions, q);
    const int64_t sample = rt_questions_sample(questions, q);
    rt_buffer prompt = {0};
    rt_buffer_clear(body);
    retort_status st = render(questions, problem->problem, &prompt, err);
    const rt_ask ask = {.chat = o->endpoint.api == RETORT_API_CHAT,
                        .stream = o->endpoint.stream && !questions->whole,
                        .model = o->endpoint.model,
                        .system = o->system_prompt,
                        .prompt = prompt.data,
                        .max_tokens = o->max_tokens,
                        .temperature = o->temperature,
                        .top_p = o->top_p,
                        .seed = o->seed + sample,
                        .extra = questions->extra};
    if (st == RETORT_OK) st = rt_ask_write(&ask, body, err);
    if (st == RETORT_OK) st = rt_ask_key(&ask, problem->id, sample, key, err);
    if (st != RETORT_OK) rt_fail_context(err, st, "problem '%s'", problem->id);
    rt_buffer_free(&prompt);
    return st;
}
