/* What is made of finished responses: text, cost, memory given back. */
#include <string.h>

#include "sample/stops.h"

uint64_t rt_prompt_key(const char *id) {
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a, 64 bits */
    for (; *id != '\0'; id++) h = (h ^ (uint8_t)*id) * 0x100000001B3u;
    return h;
}

void rt_responses_free(rt_response *responses, int64_t count) {
    for (int64_t i = 0; responses != NULL && i < count; i++) {
        rt_free(responses[i].ids);
        rt_free(responses[i].logp);
        rt_free(responses[i].drawn);
    }
    rt_free(responses);
}

retort_status rt_response_text(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings,
                               const rt_response *response, rt_buffer *out, retort_error *err) {
    size_t begin = out->length;
    int64_t count = response->count;
    if (count > 0 && rt_is_stop_id(config, tokenizer, settings, response->ids[count - 1])) count--;
    RT_TRY(rt_tokenizer_decode(tokenizer, response->ids, count, true, out, err));
    if (response->finish != RT_FINISH_STOP || out->length == begin) return RETORT_OK;
    size_t end = out->length;
    for (int32_t i = 0; i < settings->num_stop; i++) {
        const char *text = out->data + begin;
        const char *at = memmem(text, out->length - begin, settings->stop[i], strlen(settings->stop[i]));
        if (at != NULL && (size_t)(at - out->data) < end) end = (size_t)(at - out->data);
    }
    out->length = end;
    out->data[end] = '\0';
    return RETORT_OK;
}

double rt_sample_most_flops(const rt_config *config, int64_t prompt, int64_t n, int64_t max_new_tokens) {
    double fed = (double)(max_new_tokens - 1), read = (double)prompt;
    double once = rt_model_forward_flops(config, read, read * (read + 1) / 2, 1);
    return once + (double)n * rt_model_forward_flops(config, fed, fed * read + fed * (fed + 1) / 2, fed);
}

double rt_sample_flops(const rt_config *config, const rt_prompt *prompts, int64_t num_prompts, int64_t n,
                       const rt_response *responses) {
    double flops = 0;
    for (int64_t p = 0; p < num_prompts; p++) {
        double prompt = (double)prompts[p].count;
        flops += rt_model_forward_flops(config, prompt, prompt * (prompt + 1) / 2, 1);
        for (int64_t s = 0; s < n; s++) {
            /* The last token is sampled but not fed; token i is fed at position prompt + i. */
            double fed = (double)(responses[p * n + s].count - 1);
            flops += rt_model_forward_flops(config, fed, fed * prompt + fed * (fed + 1) / 2, fed);
        }
    }
    return flops;
}
