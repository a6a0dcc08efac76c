#include "train/rollout.h"

#include <string.h>

#include "core/file.h"
#include "verify/grade.h"

/* ---- prompts ---- */

static retort_status encode_problem(const rt_prompting *prompting, const rt_problem *problem, rt_ids *ids,
                                    retort_error *err) {
    RT_CHECK(problem->question.family != RT_FAMILY_TEXT || problem->answer != NULL, err, RETORT_ERR_FORMAT,
             "problem '%s' has no answer to grade responses by", problem->id);
    return rt_prompting_problem(prompting, problem->problem, ids, err);
}

static retort_status encode_all(rt_prompt_set *set, const rt_prompting *prompting, const char *path,
                                retort_error *err) {
    int64_t count = set->problems.count;
    RT_CHECK(count > 0, err, RETORT_ERR_FORMAT, "'%s' holds no problem", path);
    set->begin = rt_calloc((size_t)count + 1, sizeof *set->begin);
    RT_CHECK(set->begin != NULL, err, RETORT_ERR_MEMORY, "out of memory: prompts of '%s'", path);
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) {
        const rt_problem *problem = &set->problems.items[i];
        st = encode_problem(prompting, problem, &set->ids, err);
        set->begin[i + 1] = set->ids.count;
        int64_t length = set->begin[i + 1] - set->begin[i];
        if (st == RETORT_OK && length == 0)
            st = rt_fail(err, RETORT_ERR_FORMAT, "problem '%s' has an empty prompt", problem->id);
        if (length > set->longest) set->longest = length;
    }
    return st == RETORT_OK ? st : rt_fail_context(err, st, "'%s'", path);
}

retort_status rt_prompt_set_read(const char *path, const rt_prompting *prompting, rt_prompt_set *out,
                                 retort_error *err) {
    *out = (rt_prompt_set){0};
    retort_status st = rt_problems_read(path, &out->problems, err);
    if (st == RETORT_OK) st = encode_all(out, prompting, path, err);
    if (st == RETORT_OK) st = rt_sha256_file(path, out->hash, err);
    if (st == RETORT_OK && prompting->chat != NULL) {
        st = rt_prompting_hash(out->ids.data, out->ids.count, out->hash, err);
    }
    if (st != RETORT_OK) rt_prompt_set_free(out);
    return st;
}

void rt_prompt_set_free(rt_prompt_set *set) {
    rt_problems_free(&set->problems);
    rt_ids_free(&set->ids);
    rt_free(set->begin);
    *set = (rt_prompt_set){0};
}

/* ---- memory ---- */

void rt_rollout_clear(rt_rollout *rollout) {
    rollout->ids.count = rollout->tokens = rollout->count = 0;
}

void rt_rollout_release(rt_rollout *rollout) {
    rt_decoder_destroy(rollout->decoder);
    rt_ids_free(&rollout->ids);
    rt_free(rollout->logp);
    rt_free(rollout->items);
    rt_free(rollout->requests);
    rt_buffer_free(&rollout->text);
    *rollout = (rt_rollout){0};
}

/* Grows *block to hold `needed` elements, by doubling. */
static retort_status reserve(void **block, int64_t *capacity, int64_t needed, size_t size, retort_error *err) {
    if (needed <= *capacity) return RETORT_OK;
    int64_t grown = *capacity > 0 ? *capacity : 1024;
    while (grown < needed) grown *= 2;
    void *moved = rt_realloc_array(*block, (size_t)grown, size);
    RT_CHECK(moved != NULL, err, RETORT_ERR_MEMORY, "out of memory: rollout of %lld entries", (long long)needed);
    *block = moved;
    *capacity = grown;
    return RETORT_OK;
}

/* ---- grading ---- */

static double reward_of(const rt_reward *reward, rt_verdict verdict) {
    if (reward->is_signed) return verdict == RT_RIGHT ? 1 : -1;
    if (verdict == RT_RIGHT) return 1;
    return verdict == RT_WRONG ? reward->format : 0;
}

static retort_status grade(rt_rollout *r, const rt_problem *problem, const rt_response *response, rt_graded *item,
                           retort_error *err) {
    rt_buffer_clear(&r->text);
    RT_TRY(rt_buffer_puts(&r->text, "", err));
    RT_TRY(rt_tokenizer_decode(r->tokenizer, response->ids, response->count, true, &r->text, err));
    rt_verdict verdict;
    RT_TRY(rt_grade_strict(&problem->question, r->text.data, r->text.length, &verdict, err));
    item->right = verdict == RT_RIGHT;
    item->parsed = verdict != RT_UNPARSED;
    item->truncated = response->finish == RT_FINISH_LENGTH;
    item->reward = reward_of(&r->reward, verdict);
    return RETORT_OK;
}

static retort_status take(rt_rollout *r, int64_t problem, const rt_prompt *prompt, const rt_response *response,
                          retort_error *err) {
    void *items = r->items, *logp = r->logp;
    retort_status st = reserve(&items, &r->item_capacity, r->count + 1, sizeof *r->items, err);
    r->items = items;
    if (st == RETORT_OK) st = reserve(&logp, &r->logp_capacity, r->tokens + response->count, sizeof *r->logp, err);
    r->logp = logp;
    RT_TRY(st);
    rt_graded item = {.begin = r->ids.count, .prompt = prompt->count, .count = response->count, .logp = r->tokens};
    RT_TRY(grade(r, &r->prompts->problems.items[problem], response, &item, err));
    for (int64_t i = 0; i < prompt->count; i++) RT_TRY(rt_ids_push(&r->ids, prompt->ids[i], err));
    for (int64_t i = 0; i < response->count; i++) RT_TRY(rt_ids_push(&r->ids, response->ids[i], err));
    memcpy(r->logp + r->tokens, response->logp, (size_t)response->count * sizeof *r->logp);
    r->tokens += response->count;
    r->items[r->count++] = item;
    return RETORT_OK;
}

/* ---- sampling ---- */

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
    return hash;
}

static retort_status make_requests(rt_rollout *r, const int64_t *problem, int64_t count, uint64_t seed, int64_t serial,
                                   retort_error *err) {
    void *requests = r->requests;
    RT_TRY(reserve(&requests, &r->request_capacity, count, sizeof *r->requests, err));
    r->requests = requests;
    const rt_prompt_set *set = r->prompts;
    for (int64_t i = 0; i < count; i++) {
        int64_t p = problem[i];
        r->requests[i] = (rt_prompt){
            .ids = set->ids.data + set->begin[p],
            .count = set->begin[p + 1] - set->begin[p],
            .key = rt_mix(seed, hash_text(set->problems.items[p].id), (uint64_t)(serial + i)),
        };
    }
    return RETORT_OK;
}

retort_status rt_rollout_groups(rt_rollout *r, const int64_t *problem, int64_t count, uint64_t seed, int64_t serial,
                                const char *stage, rt_rollout_cost *cost, retort_error *err) {
    rt_response *responses = NULL;
    RT_TRY(make_requests(r, problem, count, seed, serial, err));
    r->sampling.seed = seed;
    RT_TRY(rt_sample(r->decoder, r->config, r->tokenizer, r->requests, count, r->n, &r->sampling, NULL, NULL,
                     r->progress, stage, &responses, err));
    cost->flops += rt_sample_flops(r->config, r->requests, count, r->n, responses);
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count * r->n && st == RETORT_OK; i++) {
        const rt_prompt *request = &r->requests[i / r->n];
        st = take(r, problem[i / r->n], request, &responses[i], err);
        cost->generated_tokens += (double)responses[i].count;
        cost->prompt_tokens += (double)request->count;
    }
    rt_responses_free(responses, count * r->n);
    return st;
}
