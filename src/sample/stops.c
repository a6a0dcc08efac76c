#include "sample/stops.h"

#include <string.h>

enum { MAX_STOP_LENGTH = 4096 };

static void build_failure(const char *text, int32_t length, int32_t *fail) {
    fail[0] = 0;
    for (int32_t i = 1, k = 0; i < length; i++) {
        while (k > 0 && text[i] != text[k]) k = fail[k - 1];
        if (text[i] == text[k]) k++;
        fail[i] = k;
    }
}

static retort_status check_stops(const rt_config *config, const rt_sampling *settings, int32_t *total,
                                 retort_error *err) {
    RT_CHECK(settings->num_stop >= 0 && settings->num_stop <= RT_MAX_STOPS, err, RETORT_ERR_USAGE,
             "%d stop strings, at most %d are allowed", settings->num_stop, RT_MAX_STOPS);
    for (int32_t i = 0; i < settings->num_stop; i++) {
        size_t length = strlen(settings->stop[i]);
        RT_CHECK(length >= 1 && length <= MAX_STOP_LENGTH, err, RETORT_ERR_USAGE,
                 "stop string %d has %zu bytes, must have 1 to %d", i + 1, length, MAX_STOP_LENGTH);
        *total += (int32_t)length;
    }
    for (int32_t i = 0; i < settings->num_stop_ids; i++) {
        int32_t id = settings->stop_ids[i];
        RT_CHECK(id >= 0 && id < config->vocab_size, err, RETORT_ERR_USAGE,
                 "stop id %d is outside the vocabulary of %lld", id, (long long)config->vocab_size);
    }
    return RETORT_OK;
}

retort_status rt_stops_create(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings,
                              rt_stops *out, retort_error *err) {
    *out = (rt_stops){.config = config, .tokenizer = tokenizer, .settings = settings};
    int32_t total = 0, count = settings->num_stop;
    RT_TRY(check_stops(config, settings, &total, err));
    out->fail = rt_malloc_array((size_t)total, sizeof *out->fail);
    out->begin = rt_malloc_array((size_t)count, sizeof *out->begin);
    out->length = rt_malloc_array((size_t)count, sizeof *out->length);
    if (out->fail == NULL || out->begin == NULL || out->length == NULL) {
        rt_stops_release(out);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: stop strings");
    }
    for (int32_t i = 0, at = 0; i < count; at += out->length[i++]) {
        out->begin[i] = at;
        out->length[i] = (int32_t)strlen(settings->stop[i]);
        build_failure(settings->stop[i], out->length[i], out->fail + at);
    }
    return RETORT_OK;
}

void rt_stops_release(rt_stops *stops) {
    rt_free(stops->fail);
    rt_free(stops->begin);
    rt_free(stops->length);
    *stops = (rt_stops){0};
}

bool rt_is_stop_id(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings, int32_t id) {
    for (int32_t i = 0; i < settings->num_stop_ids; i++) {
        if (settings->stop_ids[i] == id) return true;
    }
    if (settings->ignore_eos) return false;
    for (int32_t i = 0; i < config->num_eos; i++) {
        if (config->eos_token_id[i] == id) return true;
    }
    return config->num_eos == 0 && id == rt_tokenizer_eos(tokenizer);
}

static bool feed_string(const rt_stops *stops, int32_t index, int32_t *state, const char *bytes, size_t length) {
    const char *text = stops->settings->stop[index];
    const int32_t *fail = stops->fail + stops->begin[index];
    int32_t k = *state;
    for (size_t i = 0; i < length; i++) {
        while (k > 0 && bytes[i] != text[k]) k = fail[k - 1];
        if (bytes[i] == text[k]) k++;
        if (k == stops->length[index]) return true;
    }
    *state = k;
    return false;
}

bool rt_stops_feed(const rt_stops *stops, int32_t *state, int32_t id) {
    if (rt_is_stop_id(stops->config, stops->tokenizer, stops->settings, id)) return true;
    size_t length = 0;
    const char *bytes = rt_tokenizer_piece(stops->tokenizer, id, &length);
    if (bytes == NULL || rt_tokenizer_is_special(stops->tokenizer, id)) return false;
    bool found = false;
    for (int32_t i = 0; i < stops->settings->num_stop; i++) {
        found = feed_string(stops, i, &state[i], bytes, length) || found;
    }
    return found;
}
