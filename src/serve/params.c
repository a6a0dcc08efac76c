#include "serve/params.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const json_t *body;
    rt_serve_params *out;
    rt_params_error *why;
} reader;

static bool refuse(const reader *r, const char *param, const char *fmt, ...) RETORT_PRINTF(3, 4);

static bool refuse(const reader *r, const char *param, const char *fmt, ...) {
    char text[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(r->why->param, sizeof r->why->param, "%s", param);
    rt_fail(&r->why->reason, RETORT_ERR_USAGE, "'%.60s' %s", param, text);
    return false;
}

static const json_t *member(const reader *r, const char *key) {
    const json_t *value = json_object_get(r->body, key);
    return json_is_null(value) ? NULL : value;
}

/* ---- typed members: absent and null leave the default ---- */

static bool read_bool(const reader *r, const char *key, bool *to) {
    const json_t *value = member(r, key);
    if (value == NULL) return true;
    if (!json_is_boolean(value)) return refuse(r, key, "must be true or false");
    *to = json_is_true(value);
    return true;
}

static bool read_int(const reader *r, const char *key, int64_t low, int64_t high, int64_t *to) {
    const json_t *value = member(r, key);
    if (value == NULL) return true;
    if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high)
        return refuse(r, key, "must be an integer between %lld and %lld", (long long)low, (long long)high);
    *to = json_integer_value(value);
    return true;
}

static bool read_real(const reader *r, const char *key, double low, double high, float *to) {
    const json_t *value = member(r, key);
    if (value == NULL) return true;
    const double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= low && number <= high))
        return refuse(r, key, "must be a number between %g and %g", low, high);
    *to = (float)number;
    return true;
}

/* ---- lists ---- */

static bool read_stop(const reader *r) {
    const json_t *value = member(r, "stop");
    rt_serve_params *out = r->out;
    if (value == NULL) return true;
    const size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > RT_SERVE_MAX_STOPS)
        return refuse(r, "stop", "has %zu strings, at most %d are taken", count, RT_SERVE_MAX_STOPS);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        const char *text = json_string_value(item);
        if (text == NULL || text[0] == '\0' || strlen(text) != json_string_length(item) || strlen(text) > 4096)
            return refuse(r, "stop", "must be a text of 1 to 4096 bytes without NUL, or a list of such");
        out->stop[i] = text;
    }
    out->sampling.stop = out->stop;
    out->sampling.num_stop = (int32_t)count;
    return true;
}

static bool read_stop_ids(const reader *r) {
    const json_t *list = member(r, "stop_token_ids");
    rt_serve_params *out = r->out;
    if (list == NULL) return true;
    if (!json_is_array(list) || json_array_size(list) > RT_SERVE_MAX_STOPS)
        return refuse(r, "stop_token_ids", "must be a list of at most %d token ids", RT_SERVE_MAX_STOPS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_integer(item) || json_integer_value(item) < 0 || json_integer_value(item) > INT32_MAX)
            return refuse(r, "stop_token_ids", "must hold token ids");
        out->stop_ids[i] = (int32_t)json_integer_value(item);
    }
    out->sampling.stop_ids = out->stop_ids;
    out->sampling.num_stop_ids = (int32_t)json_array_size(list);
    return true;
}

/* {"1234": -100}: token ids as texts, as JSON's members must be. */
static bool read_bias(const reader *r) {
    const json_t *map = member(r, "logit_bias");
    rt_serve_params *out = r->out;
    if (map == NULL) return true;
    if (!json_is_object(map) || json_object_size(map) > RT_SERVE_MAX_BIAS)
        return refuse(r, "logit_bias", "must map at most %d token ids to numbers", RT_SERVE_MAX_BIAS);
    int32_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value) {
        char *end = NULL;
        const long id = strtol(key, &end, 10);
        const double number = json_number_value(value);
        if (key[0] < '0' || key[0] > '9' || *end != '\0' || id > INT32_MAX)
            return refuse(r, "logit_bias", "has '%.20s' where a token id must stand", key);
        if (!json_is_number(value) || !(fabs(number) <= 100))
            return refuse(r, "logit_bias", "of token %ld must be a number between -100 and 100", id);
        out->bias[count++] = (rt_bias){(int32_t)id, (float)number};
    }
    out->sampling.bias = out->bias;
    out->sampling.num_bias = count;
    return true;
}

enum { MAX_BAN_BYTES = 16384 };

/* Words, phrases and names of categories; no files, which are the server's. */
static bool read_bans(const reader *r) {
    const json_t *list = member(r, "ban_list");
    rt_serve_params *out = r->out;
    if (list == NULL) return true;
    if (!json_is_array(list) || json_array_size(list) > RT_SERVE_MAX_BANS)
        return refuse(r, "ban_list", "must be a list of at most %d words, phrases or categories", RT_SERVE_MAX_BANS);
    size_t bytes = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *text = json_string_value(item);
        if (text == NULL || strlen(text) != json_string_length(item))
            return refuse(r, "ban_list", "must hold texts without NUL");
        bytes += strlen(text);
        out->bans[out->num_bans++] = text;
    }
    if (bytes > MAX_BAN_BYTES)
        return refuse(r, "ban_list", "has %zu bytes, at most %d are taken", bytes, MAX_BAN_BYTES);
    return true;
}

static bool read_ban_mode(const reader *r) {
    static const char *const NAMES[] = {"hard", "penalty", "cap"};
    const json_t *value = member(r, "ban_mode");
    rt_sampling *s = &r->out->sampling;
    s->ban_penalty = 5;
    s->ban_cap = 0.01f;
    if (!read_real(r, "ban_penalty", 0, 1000, &s->ban_penalty) || !read_real(r, "ban_cap", 0, 1, &s->ban_cap))
        return false;
    if (value == NULL) return true;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        s->ban_mode = (rt_ban_mode)i;
        if (json_is_string(value) && strcmp(json_string_value(value), NAMES[i]) == 0) return true;
    }
    return refuse(r, "ban_mode", "must be \"hard\", \"penalty\" or \"cap\"");
}

/* ---- which parameters there are ---- */

static const char *const COMMON[] = {
    "model", "n", "stream", "stream_options", "temperature", "top_p", "top_k", "min_p", "seed", "stop",
    "stop_token_ids", "max_tokens", "logit_bias", "presence_penalty", "frequency_penalty", "ignore_eos", "logprobs",
    "ban_list", "ban_mode", "ban_penalty", "ban_cap",
    /* cannot change the answer */
    "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", NULL};
static const char *const CHAT[] = {"messages",
                                   "max_completion_tokens",
                                   "top_logprobs",
                                   "chat_template_kwargs",
                                   "add_generation_prompt",
                                   "response_format",
                                   "tools",
                                   "tool_choice",
                                   NULL};
static const char *const COMPLETION[] = {"prompt", "echo", "best_of", "suffix", NULL};

static bool listed(const char *const *list, const char *key) {
    for (; *list != NULL; list++) {
        if (strcmp(*list, key) == 0) return true;
    }
    return false;
}

static bool check_known(const reader *r) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)r->body, key, value) {
        if (listed(COMMON, key) || listed(r->out->chat ? CHAT : COMPLETION, key) || json_is_null(value)) continue;
        return refuse(r, key, "is not a parameter of this server; leave it out");
    }
    return true;
}

/* Known to the API, not offered here: refused unless it asks for what happens anyway. */
static bool check_offered(const reader *r) {
    const json_t *format = member(r, "response_format"), *choice = member(r, "tool_choice");
    const char *type = json_string_value(json_object_get(format, "type"));
    if (format != NULL && (type == NULL || strcmp(type, "text") != 0))
        return refuse(r, "response_format", "can only be {\"type\": \"text\"}");
    if (json_array_size(member(r, "tools")) > 0) return refuse(r, "tools", "are not supported");
    if (choice != NULL && (!json_is_string(choice) || !(strcmp(json_string_value(choice), "none") == 0 ||
                                                        strcmp(json_string_value(choice), "auto") == 0)))
        return refuse(r, "tool_choice", "can only be \"none\"");
    const json_t *suffix = member(r, "suffix"), *best_of = member(r, "best_of");
    if (suffix != NULL && json_string_length(suffix) > 0) return refuse(r, "suffix", "is not supported");
    if (best_of != NULL && json_integer_value(best_of) != r->out->n)
        return refuse(r, "best_of", "must equal 'n': responses are not chosen among");
    return true;
}

/* ---- the two forms ---- */

static bool read_logprobs(const reader *r) {
    rt_serve_params *out = r->out;
    int64_t best = 0;
    if (out->chat) {
        if (!read_bool(r, "logprobs", &out->logprobs)) return false;
        if (!read_int(r, "top_logprobs", 0, RT_MAX_CANDIDATES, &best)) return false;
        if (best > 0 && !out->logprobs) return refuse(r, "top_logprobs", "needs \"logprobs\": true");
    } else if (member(r, "logprobs") != NULL) {
        if (!read_int(r, "logprobs", 0, RT_MAX_CANDIDATES, &best)) return false;
        out->logprobs = true;
    }
    out->num_best = (int32_t)best;
    return true;
}

static bool read_stream(const reader *r) {
    rt_serve_params *out = r->out;
    if (!read_bool(r, "stream", &out->stream)) return false;
    const json_t *options = member(r, "stream_options");
    if (options == NULL) return true;
    if (!out->stream || !json_is_object(options)) return refuse(r, "stream_options", "needs \"stream\": true");
    out->include_usage = json_is_true(json_object_get(options, "include_usage"));
    return true;
}

static bool read_seed(const reader *r) {
    const json_t *seed = member(r, "seed");
    int64_t value = 0;
    if (!read_int(r, "seed", INT64_MIN, INT64_MAX, &value)) return false;
    r->out->seeded = seed != NULL;
    r->out->sampling.seed = (uint64_t)value;
    return true;
}

static bool read_sampling(const reader *r) {
    rt_serve_params *out = r->out;
    rt_sampling *s = &out->sampling;
    int64_t top_k = 0;
    *s = (rt_sampling){.temperature = 1, .top_p = 1};
    /* vLLM and llama.cpp write -1 for "all". */
    if (!read_int(r, "top_k", -1, INT32_MAX, &top_k) || !read_real(r, "temperature", 0, 2, &s->temperature) ||
        !read_real(r, "top_p", 0, 1, &s->top_p) || !read_real(r, "min_p", 0, 1, &s->min_p) ||
        !read_real(r, "presence_penalty", -2, 2, &s->presence_penalty) ||
        !read_real(r, "frequency_penalty", -2, 2, &s->frequency_penalty) || !read_bool(r, "ignore_eos", &s->ignore_eos))
        return false;
    s->top_k = top_k > 0 ? (int32_t)top_k : 0;
    if (s->top_p == 0)
        return refuse(r, "top_p", "must be greater than 0; for the most probable token use temperature 0");
    if (s->temperature > 0 && s->temperature < 1e-3f)
        return refuse(r, "temperature", "must be 0 (the most probable token) or at least 0.001");
    return read_seed(r) && read_stop(r) && read_stop_ids(r) && read_bias(r) && read_bans(r) && read_ban_mode(r);
}

static bool read_chat(const reader *r) {
    rt_serve_params *out = r->out;
    out->messages = member(r, "messages");
    if (json_array_size(out->messages) == 0) return refuse(r, "messages", "must be a list of at least one message");
    out->extra = member(r, "chat_template_kwargs");
    if (out->extra != NULL && !json_is_object(out->extra))
        return refuse(r, "chat_template_kwargs", "must be an object");
    out->add_generation_prompt = true;
    out->max_tokens = -1;
    return read_bool(r, "add_generation_prompt", &out->add_generation_prompt) &&
           read_int(r, "max_tokens", 1, INT32_MAX, &out->max_tokens) &&
           read_int(r, "max_completion_tokens", 1, INT32_MAX, &out->max_tokens);
}

static bool read_completion(const reader *r) {
    rt_serve_params *out = r->out;
    out->prompt = member(r, "prompt");
    if (out->prompt == NULL) return refuse(r, "prompt", "is missing");
    out->max_tokens = 16; /* the API's own default */
    if (!read_bool(r, "echo", &out->echo) || !read_int(r, "max_tokens", 0, INT32_MAX, &out->max_tokens)) return false;
    if (out->max_tokens == 0 && !out->echo) return refuse(r, "max_tokens", "can be 0 only with \"echo\": true");
    if (out->max_tokens == 0 && out->n > 1) return refuse(r, "n", "must be 1 where nothing is sampled");
    if (out->stream && out->echo) return refuse(r, "echo", "cannot be streamed");
    return true;
}

bool rt_serve_params_read(const json_t *body, bool chat, rt_serve_params *out, rt_params_error *why) {
    const reader r = {body, out, why};
    *out = (rt_serve_params){.chat = chat, .n = 1};
    *why = (rt_params_error){0};
    if (!json_is_object(body)) {
        rt_fail(&why->reason, RETORT_ERR_FORMAT, "the body must be a JSON object");
        return false;
    }
    const json_t *model = member(&r, "model");
    if (model != NULL && !json_is_string(model)) return refuse(&r, "model", "must be a text");
    out->model = json_string_value(model);
    return check_known(&r) && read_int(&r, "n", 1, RT_SERVE_MAX_N, &out->n) && check_offered(&r) && read_sampling(&r) &&
           read_stream(&r) && read_logprobs(&r) && (chat ? read_chat(&r) : read_completion(&r));
}
