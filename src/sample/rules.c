#include "sample/rules.h"

#include <math.h>
#include <string.h>

static retort_status check_settings(const rt_config *config, const rt_sampling *s, retort_error *err) {
    RT_CHECK(s->temperature == 0 || (s->temperature >= 1e-3f && s->temperature <= 1e3f), err, RETORT_ERR_USAGE,
             "temperature %g is neither 0 (greedy) nor in 0.001 to 1000", (double)s->temperature);
    RT_CHECK(s->top_p > 0 && s->top_p <= 1, err, RETORT_ERR_USAGE, "top_p %g is not in (0, 1]", (double)s->top_p);
    RT_CHECK(s->min_p >= 0 && s->min_p <= 1, err, RETORT_ERR_USAGE, "min_p %g is not in [0, 1]", (double)s->min_p);
    RT_CHECK(s->top_k >= 0, err, RETORT_ERR_USAGE, "top_k %d is negative", s->top_k);
    RT_CHECK(s->max_new_tokens >= 1 && s->max_new_tokens <= INT32_MAX, err, RETORT_ERR_USAGE,
             "max_new_tokens %lld is not at least 1", (long long)s->max_new_tokens);
    RT_CHECK(fabsf(s->presence_penalty) <= 100 && fabsf(s->frequency_penalty) <= 100, err, RETORT_ERR_USAGE,
             "presence_penalty %g and frequency_penalty %g must be between -100 and 100", (double)s->presence_penalty,
             (double)s->frequency_penalty);
    RT_CHECK(s->ban_penalty >= 0 && s->ban_penalty <= 1000, err, RETORT_ERR_USAGE, "ban_penalty %g is not in 0 to 1000",
             (double)s->ban_penalty);
    RT_CHECK(s->ban_cap >= 0 && s->ban_cap <= 1, err, RETORT_ERR_USAGE, "ban_cap %g is not in [0, 1]",
             (double)s->ban_cap);
    for (int32_t i = 0; i < s->num_bias; i++) {
        RT_CHECK(s->bias[i].id >= 0 && s->bias[i].id < config->vocab_size, err, RETORT_ERR_USAGE,
                 "logit_bias names token %d, outside the vocabulary of %lld", s->bias[i].id,
                 (long long)config->vocab_size);
        RT_CHECK(isfinite(s->bias[i].value), err, RETORT_ERR_USAGE, "logit_bias of token %d is not a finite number",
                 s->bias[i].id);
    }
    return RETORT_OK;
}

static retort_status set_banned(const rt_config *config, const rt_tokenizer *tokenizer, rt_rules *rules,
                                retort_error *err) {
    const rt_sampling *settings = &rules->settings;
    const int64_t known = rt_tokenizer_vocab_size(tokenizer);
    if (settings->banned == NULL && known >= config->vocab_size) return RETORT_OK;
    rules->never = rt_calloc((size_t)rt_mask_words(config->vocab_size), sizeof *rules->never);
    RT_CHECK(rules->never != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned ids");
    for (int64_t i = 0; i < config->vocab_size; i++) {
        const bool out = i >= known || (settings->banned != NULL && settings->banned[i] != 0);
        rules->never[i / 64] |= (uint64_t)out << i % 64;
    }
    return RETORT_OK;
}

retort_status rt_rules_create(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings,
                              rt_rules **out, retort_error *err) {
    *out = NULL;
    RT_TRY(check_settings(config, settings, err));
    rt_rules *rules = rt_calloc(1, sizeof *rules);
    RT_CHECK(rules != NULL, err, RETORT_ERR_MEMORY, "out of memory: sampling settings");
    rules->settings = *settings;
    retort_status st = rt_stops_create(config, tokenizer, &rules->settings, &rules->stops, err);
    if (st == RETORT_OK) st = set_banned(config, tokenizer, rules, err);
    if (st != RETORT_OK) {
        rt_rules_destroy(rules);
        return st;
    }
    *out = rules;
    return RETORT_OK;
}

void rt_rules_destroy(rt_rules *rules) {
    if (rules == NULL) return;
    rt_stops_release(&rules->stops);
    rt_free(rules->never);
    rt_free(rules);
}

static bool takes_off(const rt_sampling *s, const uint64_t *banned) {
    return banned != NULL && s->ban_mode == RT_BAN_PENALTY && s->ban_penalty != 0;
}

bool rt_rules_adjust(const rt_rules *rules, const uint64_t *banned) {
    const rt_sampling *s = &rules->settings;
    return takes_off(s, banned) || s->num_bias > 0 || s->presence_penalty != 0 || s->frequency_penalty != 0;
}

static void take_penalties(const rt_sampling *s, const int32_t *ids, int64_t count, uint32_t *mark, float *out) {
    if (s->presence_penalty == 0 && s->frequency_penalty == 0) return;
    for (int64_t i = 0; i < count; i++) mark[ids[i]]++;
    for (int64_t i = 0; i < count; i++) {
        const uint32_t times = mark[ids[i]];
        if (times == 0) continue; /* this id's penalty has been taken off */
        out[ids[i]] = out[ids[i]] - (float)times * s->frequency_penalty - s->presence_penalty;
        mark[ids[i]] = 0;
    }
}

void rt_rules_adjusted(const rt_rules *rules, int64_t vocab, const float *logits, const int32_t *ids, int64_t count,
                       const uint64_t *banned, uint32_t *mark, float *out) {
    const rt_sampling *s = &rules->settings;
    memcpy(out, logits, (size_t)vocab * sizeof *out);
    for (int32_t i = 0; i < s->num_bias; i++) out[s->bias[i].id] += s->bias[i].value;
    take_penalties(s, ids, count, mark, out);
    if (!takes_off(s, banned)) return;
    for (int64_t i = rt_mask_next(banned, vocab, 0); i < vocab; i = rt_mask_next(banned, vocab, i + 1))
        out[i] -= s->ban_penalty;
}
