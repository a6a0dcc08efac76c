#include "evaluate/remote.h"

#include <string.h>

#include "ask/endpoint.h"
#include "evaluate/asked.h"
#include "evaluate/budget.h"
#include "evaluate/record.h"

/* ---- answers ---- */

/* What a response is in the end: its text may have come in pieces. */
static retort_status record(const rt_asking *r, rt_response_set *set, const rt_asked *q, rt_atomic_file *file,
                            retort_error *err) {
    const rt_problem *asked = &r->round->problems->items[q->problem];
    const rt_answered answered = {.problem = q->problem,
                                  .sample = q->sample,
                                  .tokens = q->tokens > 0 ? q->tokens : 0,
                                  .finish = q->cut ? RT_FINISH_LENGTH : RT_FINISH_STOP};
    rt_buffer text = {0};
    RT_TRY(rt_buffer_append(&text, q->text, q->length, err));
    const retort_status st = rt_records_add(set, &answered, &text, &asked->question, r->what->grader, err);
    rt_buffer_free(&text);
    RT_TRY(st);
    const rt_line line = {r->round->benchmark, r->what->name, asked, &set->records[set->count - 1], NULL};
    return file->stream != NULL ? rt_line_write(file, &line, err) : RETORT_OK;
}

static retort_status record_all(const rt_asking *r, const rt_asked_list *b, rt_response_set *set, const char *path,
                                retort_error *err) {
    rt_atomic_file file = {0};
    retort_status st = rt_records_create(set, r->what->name, r->round->problems->count, b->count, err);
    if (st == RETORT_OK && path != NULL) st = rt_atomic_open(&file, path, err);
    for (int64_t i = 0; i < b->count && st == RETORT_OK; i++)
        if (b->items[i].text != NULL) st = record(r, set, &b->items[i], &file, err);
    if (st == RETORT_OK && file.stream != NULL) st = rt_atomic_commit(&file, err);
    rt_atomic_abort(&file);
    return st;
}

/* Joins a second piece of text to a response. */
static retort_status append_piece(rt_asked *to, const char *between, const rt_asked *piece, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = rt_buffer_append(&text, to->text, to->length, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&text, between, err);
    if (st == RETORT_OK) st = rt_buffer_append(&text, piece->text, piece->length, err);
    if (st != RETORT_OK) {
        rt_buffer_free(&text);
        return st;
    }
    rt_free(to->text);
    to->text = text.data;
    to->length = text.length;
    to->tokens = to->tokens < 0 || piece->tokens < 0 ? -1 : to->tokens + piece->tokens;
    to->cut = piece->cut;
    return RETORT_OK;
}

/* Asks for what follows `between` behind each response that `wanted` names, and joins it; a piece that never comes
 * takes the whole response with it. */
static retort_status ask_on(rt_asking *r, rt_asked_list *b, const bool *wanted, const char *between, int64_t more,
                            int64_t *asked, retort_error *err) {
    rt_asked_list pieces = {.asking = r, .items = rt_calloc((size_t)b->count + 1, sizeof *pieces.items)};
    int64_t *of = rt_malloc_array((size_t)b->count + 1, sizeof *of);
    retort_status st =
        pieces.items != NULL && of != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: questions");
    for (int64_t i = 0; i < b->count && st == RETORT_OK; i++) {
        const rt_asked *from = &b->items[i];
        if (!wanted[i]) continue;
        rt_buffer prompt = {0};
        st = rt_buffer_printf(&prompt, err, "%s%s%s", from->prompt, from->text, between);
        of[pieces.count] = i;
        pieces.items[pieces.count++] = (rt_asked){
            from->problem, from->sample, prompt.data, more > 0 ? more : r->max_tokens - from->tokens, NULL, 0, 0,
            false};
    }
    if (st == RETORT_OK) st = rt_asked_send(r, &pieces, err);
    for (int64_t i = 0; i < pieces.count && st == RETORT_OK && !r->how->endpoint->dry_run; i++) {
        rt_asked *to = &b->items[of[i]];
        if (pieces.items[i].text != NULL) {
            st = append_piece(to, between, &pieces.items[i], err);
        } else {
            rt_free(to->text);
            to->text = NULL;
        }
    }
    *asked = pieces.count;
    rt_asked_free(&pieces);
    rt_free(of);
    return st;
}

/* ---- going on and budgets ---- */

static retort_status take_earlier(const rt_asking *r, rt_asked_list *b, bool *wanted, retort_error *err) {
    const rt_earlier *earlier = r->round->begun;
    for (int64_t i = 0; i < b->count; i++) {
        const rt_earlier_response *one = &earlier->items[i];
        RT_CHECK(!one->cut || (one->tokens > 0 && one->tokens < r->max_tokens), err, RETORT_ERR_USAGE,
                 "'%s' has a response that was cut at %lld tokens%s; to go on, max_new_tokens (%lld) must be more",
                 earlier->path, (long long)one->tokens, one->tokens > 0 ? "" : " (the endpoint did not tell them)",
                 (long long)r->max_tokens);
        b->items[i].text = rt_strndup(one->text, one->length);
        RT_CHECK(b->items[i].text != NULL, err, RETORT_ERR_MEMORY, "out of memory: response");
        b->items[i].length = one->length;
        b->items[i].tokens = one->tokens;
        b->items[i].cut = wanted[i] = one->cut;
    }
    return RETORT_OK;
}

static retort_status run_budget(rt_asking *r, int64_t budget, bool *wanted, rt_budgeted *out, retort_error *err) {
    rt_asked_list b;
    rt_buffer path = {0};
    const int64_t whole = r->max_tokens;
    r->max_tokens = budget;
    retort_status st = rt_asked_make(r, &b, err);
    if (st == RETORT_OK) st = rt_asked_send(r, &b, err);
    r->max_tokens = whole;
    for (int64_t i = 0; st == RETORT_OK && i < b.count; i++)
        wanted[i] = b.items[i].text != NULL && b.items[i].cut && strstr(b.items[i].text, RT_THOUGHT_END) == NULL;
    out->tokens = budget;
    if (st == RETORT_OK && !r->how->endpoint->dry_run)
        st = ask_on(r, &b, wanted, r->what->close, r->what->answer_tokens, &out->closed, err);
    if (st == RETORT_OK && r->round->path != NULL) st = rt_budget_path(r->round->path, budget, &path, err);
    if (st == RETORT_OK && !r->how->endpoint->dry_run) st = record_all(r, &b, &out->set, path.data, err);
    rt_buffer_free(&path);
    rt_asked_free(&b);
    return st;
}

static retort_status run_budgets(rt_asking *r, bool *wanted, retort_error *err) {
    const rt_evaluation *what = r->what;
    if (what->num_budgets == 0) return RETORT_OK;
    r->round->budgeted = rt_calloc((size_t)what->num_budgets, sizeof *r->round->budgeted);
    RT_CHECK(r->round->budgeted != NULL, err, RETORT_ERR_MEMORY, "out of memory: budgets");
    for (int32_t b = 0; b < what->num_budgets; b++)
        RT_TRY(run_budget(r, what->budgets[b], wanted, &r->round->budgeted[b], err));
    return RETORT_OK;
}

/* ---- one round ---- */

static retort_status run_round(rt_asking *r, rt_asked_list *b, retort_error *err) {
    rt_round *round = r->round;
    bool *wanted = rt_calloc((size_t)b->count + 1, sizeof *wanted);
    RT_CHECK(wanted != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld questions", (long long)b->count);
    retort_status st;
    if (round->begun != NULL) {
        st = take_earlier(r, b, wanted, err);
        if (st == RETORT_OK) st = ask_on(r, b, wanted, "", 0, &round->extended, err);
    } else {
        st = rt_asked_send(r, b, err);
        if (st == RETORT_OK) st = rt_asked_keys(b, round, err);
    }
    if (st == RETORT_OK && !r->how->endpoint->dry_run) st = record_all(r, b, &round->set, round->path, err);
    for (int64_t i = 0; i < b->count && st == RETORT_OK; i++) {
        round->missing += b->items[i].text == NULL;
        round->without_tokens += b->items[i].text != NULL && b->items[i].tokens < 0;
    }
    if (st == RETORT_OK && r->first_failure == RETORT_OK) st = run_budgets(r, wanted, err);
    rt_free(wanted);
    return st;
}

static retort_status check(const rt_evaluation *what, const rt_remote *how, const rt_round *rounds, int64_t count,
                           retort_error *err) {
    const bool completes = how->endpoint->api == RETORT_API_COMPLETIONS;
    RT_CHECK(how->store != NULL, err, RETORT_ERR_USAGE,
             "base_url needs the option 'store': the file that keeps every reply, so that none is paid for twice");
    RT_CHECK((what->bans == NULL || what->bans->count == 0) && what->model.adapter == NULL, err, RETORT_ERR_USAGE,
             "ban_list and adapter are for a model directory, not for an endpoint");
    RT_CHECK(completes || what->num_budgets == 0, err, RETORT_ERR_USAGE,
             "'budget' needs --api completions: a chat message cannot be gone on with");
    RT_CHECK(completes || how->template_dir == NULL, err, RETORT_ERR_USAGE,
             "'template' is for --api completions; a chat endpoint has its own");
    RT_CHECK(how->template_dir != NULL || !completes || what->prompting.system_prompt == NULL, err, RETORT_ERR_USAGE,
             "a system prompt needs a template: --template DIR, or --api chat");
    for (int64_t i = 0; i < count; i++) {
        RT_CHECK(completes || rounds[i].begun == NULL, err, RETORT_ERR_USAGE,
                 "'extend' needs --api completions: a chat message cannot be gone on with");
    }
    const char *instruction = what->prompting.instruction;
    RT_CHECK(instruction == NULL || strstr(instruction, "{problem}") != NULL, err, RETORT_ERR_USAGE,
             "'instruction' does not say where the problem goes; write {problem} there");
    return RETORT_OK;
}

/* Sampling settings that the API has no name of its own for; a user's extra_body wins. */
static retort_status make_extra(rt_asking *r, retort_error *err) {
    json_t *given = NULL;
    RT_TRY(rt_ask_extra(r->how->endpoint->extra_body, &given, err));
    if (r->how->top_k == 0 && r->how->min_p == 0) {
        r->extra = given;
        return RETORT_OK;
    }
    r->extra = json_object();
    int bad = 0;
    if (r->how->top_k > 0) bad |= json_object_set_new(r->extra, "top_k", json_integer(r->how->top_k));
    if (r->how->min_p > 0) bad |= json_object_set_new(r->extra, "min_p", json_real(r->how->min_p));
    if (given != NULL) bad |= json_object_update(r->extra, given);
    json_decref(given);
    RT_CHECK(bad == 0, err, RETORT_ERR_MEMORY, "out of memory: request");
    return RETORT_OK;
}

static retort_status open_template(rt_asking *r, retort_error *err) {
    if (r->how->template_dir == NULL) return RETORT_OK;
    RT_TRY(rt_tokenizer_load(r->how->template_dir, &r->tokenizer, err));
    r->renders = true;
    return rt_prompting_load(r->how->template_dir, r->tokenizer, &r->what->prompting, &r->prompting, err);
}

static retort_status run_rounds(rt_asking *r, rt_round *rounds, rt_asked_list *lists, int64_t count,
                                const rt_before *before, retort_error *err) {
    for (int64_t i = 0; i < count; i++) {
        r->round = &rounds[i];
        rounds[i].max_new_tokens = r->max_tokens;
        RT_TRY(rt_asked_make(r, &lists[i], err));
    }
    if (before != NULL) RT_TRY(before->call(before->context, rounds, count, err));
    for (int64_t i = 0; i < count; i++) {
        r->round = &rounds[i];
        RT_TRY(run_round(r, &lists[i], err));
    }
    if (r->first_failure != RETORT_OK) *err = r->why;
    return r->first_failure;
}

retort_status rt_evaluate_remote(const rt_evaluation *what, const rt_remote *how, rt_round *rounds, int64_t count,
                                 const rt_before *before, const retort_progress *progress, rt_ask_account *account,
                                 retort_error *err) {
    const int64_t asked = what->sampling.max_new_tokens;
    rt_asking r = {.what = what,
                   .how = how,
                   .max_tokens = asked > 0 ? asked : RT_EVAL_MOST_TOKENS,
                   .progress = progress,
                   .account = account};
    *account = (rt_ask_account){0};
    rt_asked_list *lists = rt_calloc((size_t)count, sizeof *lists);
    retort_status st = lists != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: benchmarks");
    if (st == RETORT_OK) st = check(what, how, rounds, count, err);
    if (st == RETORT_OK) st = make_extra(&r, err);
    if (st == RETORT_OK) st = open_template(&r, err);
    if (st == RETORT_OK) st = rt_store_open(how->store, &r.store, err);
    if (st == RETORT_OK) st = run_rounds(&r, rounds, lists, count, before, err);
    for (int64_t i = 0; lists != NULL && i < count; i++) rt_asked_free(&lists[i]);
    rt_free(lists);
    rt_store_close(r.store);
    if (r.renders) rt_prompting_release(&r.prompting);
    rt_tokenizer_destroy(r.tokenizer);
    json_decref(r.extra);
    return st;
}
