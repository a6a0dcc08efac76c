#include "evaluate/remote.h"

#include <string.h>

#include "ask/endpoint.h"
#include "evaluate/budget.h"
#include "evaluate/record.h"

/* ---- a batch of questions ---- */

typedef struct question {
    int64_t problem, sample;
    char *prompt; /* owned */
    int64_t max_tokens;
    /* the reply */
    char *text; /* owned; NULL: it never came */
    size_t length;
    int64_t tokens; /* -1: the endpoint did not say */
    bool cut;
} question;

typedef struct remote {
    const rt_evaluation *what;
    const rt_remote *how;
    rt_round *round;
    rt_store *store;
    json_t *extra;
    rt_tokenizer *tokenizer; /* of template_dir */
    rt_prompting prompting;
    bool renders;
    int64_t max_tokens;
    const retort_progress *progress;
    rt_ask_account *account;
    retort_status first_failure; /* some replies are missing */
    retort_error why;
} remote;

typedef struct batch {
    const remote *remote;
    question *items;
    int64_t count;
} batch;

static void batch_free(batch *b) {
    for (int64_t i = 0; b->items != NULL && i < b->count; i++) {
        rt_free(b->items[i].prompt);
        rt_free(b->items[i].text);
    }
    rt_free(b->items);
    *b = (batch){0};
}

/* The same for every machine and order; endpoints take 31 bits. */
static int64_t seed_of(uint64_t seed, const char *id, int64_t sample) {
    uint64_t z = rt_prompt_key(id) ^ seed * 0x9E3779B97F4A7C15u;
    z += ((uint64_t)sample + 1) * 0xD1342543DE82EF95u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (int64_t)((z ^ z >> 31) & 0x7FFFFFFF);
}

static const rt_problem *problem_of(const batch *b, int64_t q) {
    return &b->remote->round->problems->items[b->items[q].problem];
}

static retort_status write_body(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    const batch *b = context;
    const remote *r = b->remote;
    const retort_endpoint_options *o = r->how->endpoint;
    const rt_problem *problem = problem_of(b, q);
    const rt_ask ask = {.chat = o->api == RETORT_API_CHAT,
                        .stream = o->stream,
                        .model = o->model,
                        .system = r->what->prompting.system_prompt,
                        .prompt = b->items[q].prompt,
                        .max_tokens = b->items[q].max_tokens,
                        .temperature = r->how->temperature,
                        .top_p = r->how->top_p,
                        .seed = seed_of(r->what->sampling.seed, problem->id, b->items[q].sample),
                        .extra = r->extra};
    rt_buffer_clear(body);
    retort_status st = rt_ask_write(&ask, body, err);
    if (st == RETORT_OK) st = rt_ask_key(&ask, problem->id, b->items[q].sample, key, err);
    return st == RETORT_OK ? st : rt_fail_context(err, st, "problem '%s'", problem->id);
}

static const char *id_of(void *context, int64_t q) {
    return problem_of(context, q)->id;
}

static int64_t sample_of(void *context, int64_t q) {
    const batch *b = context;
    return b->items[q].sample;
}

static retort_status read_reply(const batch *b, int64_t q, rt_buffer *body, rt_buffer *text, retort_error *err) {
    question *one = &b->items[q];
    char key[65];
    rt_stored_response reply;
    RT_TRY(write_body((void *)(uintptr_t)b, q, body, key, err));
    const retort_status st = rt_store_get(b->remote->store, key, &reply, err);
    if (st == RETORT_ERR_NOT_FOUND) return RETORT_OK;
    RT_TRY(st);
    rt_buffer_clear(text);
    RT_TRY(rt_store_compose(&reply, text, err));
    one->text = rt_strndup(text->length > 0 ? text->data : "", text->length);
    RT_CHECK(one->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: reply");
    one->length = text->length;
    one->tokens = reply.completion_tokens;
    one->cut = reply.finish_reason != NULL && strcmp(reply.finish_reason, "length") == 0;
    return RETORT_OK;
}

static void add_account(rt_ask_account *all, const rt_ask_account *one) {
    const bool unpriced = (all->asked + all->reused > 0 && all->cost < 0) || one->cost < 0;
    all->asked += one->asked;
    all->reused += one->reused;
    all->failed += one->failed;
    all->cut += one->cut;
    all->prompt_tokens += one->prompt_tokens;
    all->completion_tokens += one->completion_tokens;
    all->without_usage += one->without_usage;
    all->estimated_tokens += one->estimated_tokens;
    all->cost = unpriced ? -1 : all->cost + one->cost;
    all->estimated_cost = one->estimated_cost < 0 ? -1 : all->estimated_cost + one->estimated_cost;
}

/* Asks for what the store has not. Replies that never come are no failure yet: the others are to be graded. */
static retort_status ask(remote *r, batch *b, retort_error *err) {
    const rt_ask_source source = {
        .count = b->count, .write = write_body, .id = id_of, .sample = sample_of, .context = b};
    rt_ask_account account;
    retort_error why = {0};
    b->remote = r;
    const retort_status st =
        rt_ask_all(r->how->endpoint, &source, r->store, r->what->stage, r->progress, &account, &why);
    add_account(r->account, &account);
    if (st != RETORT_OK && st != RETORT_ERR_IO) {
        *err = why;
        return st;
    }
    if (st != RETORT_OK && r->first_failure == RETORT_OK) {
        r->first_failure = st;
        r->why = why;
    }
    rt_buffer body = {0}, text = {0};
    retort_status read = RETORT_OK;
    for (int64_t q = 0; q < b->count && read == RETORT_OK && !r->how->endpoint->dry_run; q++)
        read = read_reply(b, q, &body, &text, err);
    rt_buffer_free(&body);
    rt_buffer_free(&text);
    return read;
}

/* ---- prompts ---- */

static retort_status instruct(const remote *r, const char *problem, rt_buffer *out, retort_error *err) {
    static const char MARK[] = "{problem}";
    const char *instruction = r->what->prompting.instruction;
    const char *at = instruction != NULL ? strstr(instruction, MARK) : NULL;
    if (at == NULL) return rt_buffer_puts(out, problem, err);
    RT_TRY(rt_buffer_append(out, instruction, (size_t)(at - instruction), err));
    RT_TRY(rt_buffer_puts(out, problem, err));
    return rt_buffer_puts(out, at + sizeof MARK - 1, err);
}

/* The text that the model's template makes; without its BOS, which endpoints put before a completion's prompt. */
static retort_status render(const remote *r, const char *problem, rt_buffer *out, retort_error *err) {
    if (r->prompting.chat == NULL) {
        rt_buffer said = {0};
        retort_status st = instruct(r, problem, &said, err);
        if (st == RETORT_OK) st = rt_tokenizer_render_problem(r->tokenizer, said.data, out, err);
        rt_buffer_free(&said);
        RT_TRY(st);
    } else {
        json_t *messages = NULL;
        RT_TRY(rt_prompting_ask(&r->prompting, problem, &messages, err));
        const retort_status st = rt_chat_render(r->prompting.chat, messages, NULL, true, r->prompting.now, out, err);
        json_decref(messages);
        RT_TRY(st);
    }
    const int32_t bos = rt_tokenizer_bos(r->tokenizer);
    size_t length = 0;
    const char *piece = bos >= 0 ? rt_tokenizer_piece(r->tokenizer, bos, &length) : NULL;
    if (length == 0 || out->length < length || memcmp(out->data, piece, length) != 0) return RETORT_OK;
    memmove(out->data, out->data + length, out->length - length + 1);
    out->length -= length;
    return RETORT_OK;
}

static retort_status prompt_of(const remote *r, const char *problem, rt_buffer *out, retort_error *err) {
    rt_buffer_clear(out);
    RT_TRY(r->renders ? render(r, problem, out, err) : instruct(r, problem, out, err));
    return rt_buffer_append(out, "", 0, err);
}

/* One question a response, and the hash of the prompts. */
static retort_status make_batch(const remote *r, batch *b, retort_error *err) {
    rt_round *round = r->round;
    const int64_t total = round->problems->count * round->n;
    *b = (batch){.remote = r, .items = rt_calloc((size_t)total + 1, sizeof *b->items), .count = total};
    RT_CHECK(b->items != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld questions", (long long)total);
    rt_buffer text = {0}, hashed = {0};
    retort_status st = RETORT_OK;
    rt_sha256("", 0, round->prompts);
    for (int64_t i = 0; i < total && st == RETORT_OK; i++) {
        if (i % round->n == 0) {
            st = prompt_of(r, round->problems->items[i / round->n].problem, &text, err);
            rt_buffer_clear(&hashed);
            if (st == RETORT_OK) st = rt_buffer_printf(&hashed, err, "%s%s", round->prompts, text.data);
            if (st == RETORT_OK) rt_sha256(hashed.data, hashed.length, round->prompts);
        }
        if (st != RETORT_OK) break;
        b->items[i] = (question){i / round->n, i % round->n, rt_strdup(text.data), r->max_tokens, NULL, 0, 0, false};
        if (b->items[i].prompt == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: prompt");
    }
    rt_buffer_free(&text);
    rt_buffer_free(&hashed);
    return st;
}

/* ---- answers ---- */

/* What a response is in the end: its text may have come in pieces. */
static retort_status record(const remote *r, rt_response_set *set, const question *q, rt_atomic_file *file,
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

static retort_status record_all(const remote *r, const batch *b, rt_response_set *set, const char *path,
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
static retort_status append_piece(question *to, const char *between, const question *piece, retort_error *err) {
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
static retort_status ask_on(remote *r, batch *b, const bool *wanted, const char *between, int64_t more, int64_t *asked,
                            retort_error *err) {
    batch pieces = {.remote = r, .items = rt_calloc((size_t)b->count + 1, sizeof *pieces.items)};
    int64_t *of = rt_malloc_array((size_t)b->count + 1, sizeof *of);
    retort_status st =
        pieces.items != NULL && of != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: questions");
    for (int64_t i = 0; i < b->count && st == RETORT_OK; i++) {
        const question *from = &b->items[i];
        if (!wanted[i]) continue;
        rt_buffer prompt = {0};
        st = rt_buffer_printf(&prompt, err, "%s%s%s", from->prompt, from->text, between);
        of[pieces.count] = i;
        pieces.items[pieces.count++] = (question){
            from->problem, from->sample, prompt.data, more > 0 ? more : r->max_tokens - from->tokens, NULL, 0, 0,
            false};
    }
    if (st == RETORT_OK) st = ask(r, &pieces, err);
    for (int64_t i = 0; i < pieces.count && st == RETORT_OK && !r->how->endpoint->dry_run; i++) {
        question *to = &b->items[of[i]];
        if (pieces.items[i].text != NULL) {
            st = append_piece(to, between, &pieces.items[i], err);
        } else {
            rt_free(to->text);
            to->text = NULL;
        }
    }
    *asked = pieces.count;
    batch_free(&pieces);
    rt_free(of);
    return st;
}

/* ---- going on and budgets ---- */

static retort_status take_earlier(const remote *r, batch *b, bool *wanted, retort_error *err) {
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

static retort_status run_budget(remote *r, int64_t budget, bool *wanted, rt_budgeted *out, retort_error *err) {
    batch b;
    rt_buffer path = {0};
    const int64_t whole = r->max_tokens;
    r->max_tokens = budget;
    retort_status st = make_batch(r, &b, err);
    if (st == RETORT_OK) st = ask(r, &b, err);
    r->max_tokens = whole;
    for (int64_t i = 0; st == RETORT_OK && i < b.count; i++)
        wanted[i] = b.items[i].text != NULL && b.items[i].cut && strstr(b.items[i].text, RT_THOUGHT_END) == NULL;
    out->tokens = budget;
    if (st == RETORT_OK && !r->how->endpoint->dry_run)
        st = ask_on(r, &b, wanted, r->what->close, r->what->answer_tokens, &out->closed, err);
    if (st == RETORT_OK && r->round->path != NULL) st = rt_budget_path(r->round->path, budget, &path, err);
    if (st == RETORT_OK && !r->how->endpoint->dry_run) st = record_all(r, &b, &out->set, path.data, err);
    rt_buffer_free(&path);
    batch_free(&b);
    return st;
}

static retort_status run_budgets(remote *r, bool *wanted, retort_error *err) {
    const rt_evaluation *what = r->what;
    if (what->num_budgets == 0) return RETORT_OK;
    r->round->budgeted = rt_calloc((size_t)what->num_budgets, sizeof *r->round->budgeted);
    RT_CHECK(r->round->budgeted != NULL, err, RETORT_ERR_MEMORY, "out of memory: budgets");
    for (int32_t b = 0; b < what->num_budgets; b++)
        RT_TRY(run_budget(r, what->budgets[b], wanted, &r->round->budgeted[b], err));
    return RETORT_OK;
}

/* ---- one round ---- */

static retort_status take_keys(const batch *b, rt_round *round, retort_error *err) {
    rt_buffer body = {0};
    round->keys = rt_calloc((size_t)b->count + 1, sizeof *round->keys);
    retort_status st = round->keys != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: keys");
    for (int64_t q = 0; q < b->count && st == RETORT_OK; q++)
        st = write_body((void *)(uintptr_t)b, q, &body, round->keys[q], err);
    rt_buffer_free(&body);
    return st;
}

static retort_status run_round(remote *r, batch *b, retort_error *err) {
    rt_round *round = r->round;
    bool *wanted = rt_calloc((size_t)b->count + 1, sizeof *wanted);
    RT_CHECK(wanted != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld questions", (long long)b->count);
    retort_status st;
    if (round->begun != NULL) {
        st = take_earlier(r, b, wanted, err);
        if (st == RETORT_OK) st = ask_on(r, b, wanted, "", 0, &round->extended, err);
    } else {
        st = ask(r, b, err);
        if (st == RETORT_OK) st = take_keys(b, round, err);
    }
    if (st == RETORT_OK && !r->how->endpoint->dry_run) st = record_all(r, b, &round->set, round->path, err);
    for (int64_t i = 0; i < b->count && st == RETORT_OK; i++) {
        round->missing += b->items[i].text == NULL;
        round->without_tokens += b->items[i].text != NULL && b->items[i].tokens < 0;
    }
    if (st == RETORT_OK) st = run_budgets(r, wanted, err);
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
static retort_status make_extra(remote *r, retort_error *err) {
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

static retort_status open_template(remote *r, retort_error *err) {
    if (r->how->template_dir == NULL) return RETORT_OK;
    RT_TRY(rt_tokenizer_load(r->how->template_dir, &r->tokenizer, err));
    r->renders = true;
    return rt_prompting_load(r->how->template_dir, r->tokenizer, &r->what->prompting, &r->prompting, err);
}

static retort_status run_rounds(remote *r, rt_round *rounds, batch *batches, int64_t count, const rt_before *before,
                                retort_error *err) {
    for (int64_t i = 0; i < count; i++) {
        r->round = &rounds[i];
        rounds[i].max_new_tokens = r->max_tokens;
        RT_TRY(make_batch(r, &batches[i], err));
    }
    if (before != NULL) RT_TRY(before->call(before->context, rounds, count, err));
    for (int64_t i = 0; i < count; i++) {
        r->round = &rounds[i];
        RT_TRY(run_round(r, &batches[i], err));
    }
    if (r->first_failure != RETORT_OK) *err = r->why;
    return r->first_failure;
}

retort_status rt_evaluate_remote(const rt_evaluation *what, const rt_remote *how, rt_round *rounds, int64_t count,
                                 const rt_before *before, const retort_progress *progress, rt_ask_account *account,
                                 retort_error *err) {
    const int64_t asked = what->sampling.max_new_tokens;
    remote r = {.what = what,
                .how = how,
                .max_tokens = asked > 0 ? asked : RT_EVAL_MOST_TOKENS,
                .progress = progress,
                .account = account};
    *account = (rt_ask_account){0};
    batch *batches = rt_calloc((size_t)count, sizeof *batches);
    retort_status st = batches != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: benchmarks");
    if (st == RETORT_OK) st = check(what, how, rounds, count, err);
    if (st == RETORT_OK) st = make_extra(&r, err);
    if (st == RETORT_OK) st = open_template(&r, err);
    if (st == RETORT_OK) st = rt_store_open(how->store, &r.store, err);
    if (st == RETORT_OK) st = run_rounds(&r, rounds, batches, count, before, err);
    for (int64_t i = 0; batches != NULL && i < count; i++) batch_free(&batches[i]);
    rt_free(batches);
    rt_store_close(r.store);
    if (r.renders) rt_prompting_release(&r.prompting);
    rt_tokenizer_destroy(r.tokenizer);
    json_decref(r.extra);
    return st;
}
