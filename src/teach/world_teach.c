#include "retort/teach.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/progress.h"
#include "data/world.h"
#include "teach/contamination.h"
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

/* The world's own teachers. */
static retort_status teach_world(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                                 const retort_progress *progress, retort_teach_account *account, retort_error *err) {
    rt_atomic_file file = {0};
    rt_buffer response = {0};
    retort_status st = rt_atomic_open(&file, options->output, err);
    for (int64_t i = 0; st == RETORT_OK && i < count; i++) {
        if (rt_interrupted()) st = rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted; run the same command again");
        if (st == RETORT_OK) st = teach_one(options, &problems->items[i], &response, &file, account, err);
        rt_progress(progress, "teach", (double)(i + 1), (double)count, "traces", NULL);
    }
    if (st == RETORT_OK)
        st = rt_atomic_commit(&file, err);
    else
        rt_atomic_abort(&file);
    rt_buffer_free(&response);
    return st;
}

/* Before anything is paid for. */
static retort_status look_for_overlaps(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                                       rt_findings *findings, retort_error *err) {
    const rt_problems used = {.items = problems->items, .count = count};
    uint8_t *touched = rt_calloc((size_t)count, 1);
    RT_CHECK(touched != NULL, err, RETORT_ERR_MEMORY, "out of memory: overlaps");
    const retort_status st =
        rt_contamination_find(&used, options->problems, options->against, touched, &findings->contamination, err);
    rt_free(touched);
    return st;
}

retort_status retort_teach(const retort_teach_options *options, const retort_progress *progress,
                           retort_teach_account *account, retort_error *err) {
    RT_CHECK(options->problems, err, RETORT_ERR_USAGE, "option 'problems' is required");
    RT_CHECK(options->output, err, RETORT_ERR_USAGE, "option 'output' is required");
    retort_teach_account counted = {0};
    rt_findings findings = {0};
    rt_problems problems = {0};
    RT_TRY(rt_problems_read(options->problems, &problems, err));
    int64_t count = problems.count;
    if (options->max_examples > 0 && options->max_examples < count) count = options->max_examples;
    retort_status st = RETORT_OK;
    if (options->against != NULL) st = look_for_overlaps(options, &problems, count, &findings, err);
    if (st == RETORT_OK)
        st = rt_teach_is_remote(options)
                 ? rt_teach_remote(options, &problems, count, progress, &counted, &findings, err)
                 : teach_world(options, &problems, count, progress, &counted, err);
    const retort_status told = rt_findings_finish(&findings, &counted.details, st == RETORT_OK ? err : NULL);
    rt_problems_free(&problems);
    if (account != NULL)
        *account = counted;
    else
        free(counted.details);
    return st != RETORT_OK ? st : told;
}
