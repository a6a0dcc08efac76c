#include "retort/teach.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/progress.h"
#include "data/world.h"
#include "teach/remote.h"
#include "verify/answer.h"

static retort_status write_trace(rt_atomic_file *file, const rt_problem *problem, const char *response,
                                 const char *teacher, rt_verdict verdict, retort_error *err) {
    json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", problem->id, "problem", problem->problem, "response",
                               response, "teacher", teacher, "verdict", rt_verdict_name(verdict));
    return rt_jsonl_write(file, object, err);
}

static retort_status teach_one(const retort_teach_options *options, const rt_problem *problem, rt_buffer *response,
                               rt_atomic_file *file, retort_teach_account *account, retort_error *err) {
    rt_teacher teacher = (rt_teacher)options->teacher;
    rt_buffer_clear(response);
    RT_TRY(rt_teacher_write(teacher, problem, (uint64_t)options->seed, (size_t)options->budget, response, err));
    rt_verdict verdict = rt_answer_grade(&problem->question, response->data, response->length, NULL);
    account->traces++;
    account->characters += (int64_t)response->length;
    account->right += verdict == RT_RIGHT;
    account->wrong += verdict == RT_WRONG;
    account->unparsed += verdict == RT_UNPARSED;
    return write_trace(file, problem, response->data, rt_teacher_name(teacher), verdict, err);
}

retort_status retort_teach(const retort_teach_options *options, const retort_progress *progress,
                           retort_teach_account *account, retort_error *err) {
    RT_CHECK(options->problems, err, RETORT_ERR_USAGE, "option 'problems' is required");
    RT_CHECK(options->output, err, RETORT_ERR_USAGE, "option 'output' is required");
    retort_teach_account counted = {0};
    rt_problems problems = {0};
    rt_atomic_file file = {0};
    rt_buffer response = {0};
    RT_TRY(rt_problems_read(options->problems, &problems, err));
    int64_t count = problems.count;
    if (options->max_examples > 0 && options->max_examples < count) count = options->max_examples;
    if (options->endpoint.base_url != NULL) {
        const retort_status st = rt_teach_remote(options, &problems, count, progress, &counted, err);
        if (account) *account = counted;
        rt_problems_free(&problems);
        return st;
    }
    retort_status st = rt_atomic_open(&file, options->output, err);
    for (int64_t i = 0; st == RETORT_OK && i < count; i++) {
        if (rt_interrupted()) st = rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted; run the same command again");
        if (st == RETORT_OK) st = teach_one(options, &problems.items[i], &response, &file, &counted, err);
        rt_progress(progress, "teach", (double)(i + 1), (double)count, "traces", NULL);
    }
    if (st == RETORT_OK)
        st = rt_atomic_commit(&file, err);
    else
        rt_atomic_abort(&file);
    if (st == RETORT_OK && account) *account = counted;
    rt_buffer_free(&response);
    rt_problems_free(&problems);
    return st;
}
