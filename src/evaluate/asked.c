#include "evaluate/asked.h"

#include <string.h>

#include "ask/endpoint.h"

/* ---- asking ---- */

void rt_asked_free(rt_asked_list *b) {
    for (int64_t i = 0; b->items != NULL && i < b->count; i++) {
        rt_free(b->items[i].prompt);
        rt_free(b->items[i].text);
    }
    rt_free(b->items);
    *b = (rt_asked_list){0};
}

/* The same for every machine and order; endpoints take 31 bits. */
static int64_t seed_of(uint64_t seed, const char *id, int64_t sample) {
    uint64_t z = rt_prompt_key(id) ^ seed * 0x9E3779B97F4A7C15u;
    z += ((uint64_t)sample + 1) * 0xD1342543DE82EF95u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (int64_t)((z ^ z >> 31) & 0x7FFFFFFF);
}

static const rt_problem *problem_of(const rt_asked_list *b, int64_t q) {
    return &b->asking->round->problems->items[b->items[q].problem];
}

static retort_status write_body(void *context, int64_t q, rt_buffer *body, char key[65], retort_error *err) {
    const rt_asked_list *b = context;
    const rt_asking *r = b->asking;
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
    const rt_asked_list *b = context;
    return b->items[q].sample;
}

static retort_status read_reply(const rt_asked_list *b, int64_t q, rt_buffer *body, rt_buffer *text,
                                retort_error *err) {
    rt_asked *one = &b->items[q];
    char key[65];
    rt_stored_response reply;
    RT_TRY(write_body((void *)(uintptr_t)b, q, body, key, err));
    const retort_status st = rt_store_get(b->asking->store, key, &reply, err);
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

retort_status rt_asked_send(rt_asking *r, rt_asked_list *b, retort_error *err) {
    const rt_ask_source source = {
        .count = b->count, .write = write_body, .id = id_of, .sample = sample_of, .context = b};
    rt_ask_account account;
    retort_error why = {0};
    b->asking = r;
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

static retort_status instruct(const rt_asking *r, const char *problem, rt_buffer *out, retort_error *err) {
    static const char MARK[] = "{problem}";
    const char *instruction = r->what->prompting.instruction;
    const char *at = instruction != NULL ? strstr(instruction, MARK) : NULL;
    if (at == NULL) return rt_buffer_puts(out, problem, err);
    RT_TRY(rt_buffer_append(out, instruction, (size_t)(at - instruction), err));
    RT_TRY(rt_buffer_puts(out, problem, err));
    return rt_buffer_puts(out, at + sizeof MARK - 1, err);
}

/* The text that the model's template makes; without its BOS, which endpoints put before a completion's prompt. */
static retort_status render(const rt_asking *r, const char *problem, rt_buffer *out, retort_error *err) {
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

static retort_status prompt_of(const rt_asking *r, const char *problem, rt_buffer *out, retort_error *err) {
    rt_buffer_clear(out);
    RT_TRY(r->renders ? render(r, problem, out, err) : instruct(r, problem, out, err));
    return rt_buffer_append(out, "", 0, err);
}

retort_status rt_asked_make(const rt_asking *r, rt_asked_list *b, retort_error *err) {
    rt_round *round = r->round;
    const int64_t total = round->problems->count * round->n;
    *b = (rt_asked_list){.asking = r, .items = rt_calloc((size_t)total + 1, sizeof *b->items), .count = total};
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
        b->items[i] = (rt_asked){i / round->n, i % round->n, rt_strdup(text.data), r->max_tokens, NULL, 0, 0, false};
        if (b->items[i].prompt == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: prompt");
    }
    rt_buffer_free(&text);
    rt_buffer_free(&hashed);
    return st;
}

retort_status rt_asked_keys(const rt_asked_list *b, rt_round *round, retort_error *err) {
    rt_buffer body = {0};
    round->keys = rt_calloc((size_t)b->count + 1, sizeof *round->keys);
    retort_status st = round->keys != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: keys");
    for (int64_t q = 0; q < b->count && st == RETORT_OK; q++)
        st = write_body((void *)(uintptr_t)b, q, &body, round->keys[q], err);
    rt_buffer_free(&body);
    return st;
}
