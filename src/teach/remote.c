/* A teacher at an endpoint: the problems' questions asked, their replies written as traces. */
#include "teach/remote.h"

#include "ask/ask.h"
#include "teach/questions.h"
#include "teach/traces.h"

static retort_status write_question(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    return rt_questions_write(context, q, body, key, err);
}

static const char *id_of(void *context, int64_t q) {
    return rt_questions_problem(context, q)->id;
}

static int64_t sample_of(void *context, int64_t q) {
    return rt_questions_sample(context, q);
}

static retort_status ask_and_write(const retort_teach_options *options, rt_questions *questions,
                                   const retort_progress *progress, retort_teach_account *account, retort_error *err) {
    rt_store *store = NULL;
    const rt_ask_source source = {
        .count = questions->count, .write = write_question, .id = id_of, .sample = sample_of, .context = questions};
    RT_TRY(rt_store_open(options->store, &store, err));
    retort_status st = rt_ask_all(&options->endpoint, &source, store, "teach", progress, &account->endpoint, err);
    if (st == RETORT_OK && !options->endpoint.dry_run) st = rt_traces_write(questions, store, account, err);
    rt_store_close(store);
    return st;
}

retort_status rt_teach_remote(const retort_teach_options *options, const rt_problems *problems, int64_t count,
                              const retort_progress *progress, retort_teach_account *account, retort_error *err) {
    rt_questions questions = {0};
    RT_CHECK(options->store != NULL, err, RETORT_ERR_USAGE,
             "base_url needs the option 'store': the file that keeps every reply, so that none is paid for twice");
    RT_TRY(rt_questions_create(options, problems, count, &questions, err));
    const retort_status st = ask_and_write(options, &questions, progress, account, err);
    rt_questions_release(&questions);
    return st;
}
