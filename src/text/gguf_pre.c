#include "text/gguf_pre.h"

#include <string.h>

#define RT_WORDS "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define RT_REST  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
static const char QWEN2[] = RT_WORDS "\\p{N}" RT_REST, LLAMA3[] = RT_WORDS "\\p{N}{1,3}" RT_REST;

/* Of rows that mean the same the first is what a tokenizer.json gets. */
static const rt_gguf_pre TABLE[] = {
    {.name = "qwen2", .nfc = true, .pattern = QWEN2},
    {.name = "deepseek-r1-qwen", .nfc = true, .pattern = QWEN2},
    {.name = "llama-bpe", .pattern = LLAMA3, .ignore_merges = true, .add_bos = true},
    {.name = "llama3", .pattern = LLAMA3, .ignore_merges = true, .add_bos = true},
    {.name = "llama-v3", .pattern = LLAMA3, .ignore_merges = true, .add_bos = true},
    {.name = "gpt-2"},
    {.name = "smollm", .digits = true},
    {.name = "starcoder", .digits = true},
    {.name = "refact", .digits = true},
};

const rt_gguf_pre *rt_gguf_pre_find(const char *name) {
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (strcmp(name, TABLE[i].name) == 0) return &TABLE[i];
    return NULL;
}

json_t *rt_gguf_byte_level(bool use_regex) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex",
                     (int)use_regex);
}

json_t *rt_gguf_pre_normalizer(const rt_gguf_pre *pre) {
    return pre->nfc ? json_pack("{s:s}", "type", "NFC") : json_null();
}

json_t *rt_gguf_pre_tokenizer(const rt_gguf_pre *pre) {
    if (pre->pattern != NULL)
        return json_pack("{s:s, s:[{s:s, s:{s:s}, s:s, s:b}, o]}", "type", "Sequence", "pretokenizers", "type", "Split",
                         "pattern", "Regex", pre->pattern, "behavior", "Isolated", "invert", 0,
                         rt_gguf_byte_level(false));
    if (pre->digits)
        return json_pack("{s:s, s:[{s:s, s:b}, o]}", "type", "Sequence", "pretokenizers", "type", "Digits",
                         "individual_digits", 1, rt_gguf_byte_level(true));
    return rt_gguf_byte_level(true);
}

/* ---- what a tokenizer.json amounts to ---- */

static bool is_type(const json_t *step, const char *type) {
    const char *found = json_string_value(json_object_get(step, "type"));
    return found != NULL && strcmp(found, type) == 0;
}

/* Step i of a component that may be a Sequence; NULL behind the last. */
static const json_t *step_of(const json_t *component, const char *list, size_t i) {
    if (is_type(component, "Sequence")) return json_array_get(json_object_get(component, list), i);
    return i == 0 && json_is_object(component) ? component : NULL;
}

/* ByteLevel's defaults are true. */
static bool flag_of(const json_t *step, const char *key) {
    return !json_is_false(json_object_get(step, key));
}

static bool same_pre_tokenizer(const json_t *component, const rt_gguf_pre *pre) {
    size_t i = 0;
    const json_t *step = step_of(component, "pretokenizers", i);
    if (pre->digits) {
        if (!is_type(step, "Digits") || !json_is_true(json_object_get(step, "individual_digits"))) return false;
        step = step_of(component, "pretokenizers", ++i);
    } else if (pre->pattern != NULL) {
        const char *pattern = json_string_value(json_object_get(json_object_get(step, "pattern"), "Regex"));
        const char *behavior = json_string_value(json_object_get(step, "behavior"));
        if (!is_type(step, "Split") || pattern == NULL || strcmp(pattern, pre->pattern) != 0 || behavior == NULL ||
            strcmp(behavior, "Isolated") != 0) /* isolated matches: inverting makes no difference */
            return false;
        step = step_of(component, "pretokenizers", ++i);
    }
    return is_type(step, "ByteLevel") && !flag_of(step, "add_prefix_space") &&
           flag_of(step, "use_regex") == (pre->pattern == NULL) && step_of(component, "pretokenizers", i + 1) == NULL;
}

const rt_gguf_pre *rt_gguf_pre_match(const json_t *tokenizer) {
    const json_t *normalizer = json_object_get(tokenizer, "normalizer");
    const json_t *step = step_of(normalizer, "normalizers", 0);
    const bool nfc = is_type(step, "NFC") && step_of(normalizer, "normalizers", 1) == NULL;
    const bool ignore = json_is_true(json_object_get(json_object_get(tokenizer, "model"), "ignore_merges"));
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (TABLE[i].ignore_merges == ignore && TABLE[i].nfc == nfc && (nfc || step == NULL) &&
            same_pre_tokenizer(json_object_get(tokenizer, "pre_tokenizer"), &TABLE[i]))
            return &TABLE[i];
    return NULL;
}
