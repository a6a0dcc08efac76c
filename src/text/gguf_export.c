/* From tokenizer.json and tokenizer_config.json to the metadata of a GGUF file. */
#include <stdio.h>
#include <string.h>

#include "text/gguf_pre.h"
#include "text/gguf_tokenizer.h"
#include "text/tokenizer.h"

enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 };
static const char MARK[] = "\xe2\x96\x81"; /* U+2581, a space in SentencePiece's spelling */

typedef struct exporter {
    rt_gguf_writer *to;
    const json_t *tokenizer, *config, *model, *vocab;
    int64_t count;
    const char **text; /* [count], borrowed from the documents or from spare; NULL: not yet seen */
    int32_t *type;     /* [count] */
    char *spare;       /* texts of unused ids */
    bool pieces;       /* SentencePiece */
} exporter;

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory for the tokenizer of a GGUF file");
}

/* ---- tokens ---- */

static retort_status take(exporter *e, const json_t *value, const char *text, int32_t type, retort_error *err) {
    const json_int_t id = json_integer_value(value);
    RT_CHECK(json_is_integer(value) && id >= 0 && id < e->count, err, RETORT_ERR_FORMAT,
             "token '%.100s' has id %lld, but the model has %lld embeddings", text, (long long)id, (long long)e->count);
    e->text[id] = text;
    e->type[id] = type;
    return RETORT_OK;
}

static bool is_byte(const exporter *e, const char *text) {
    unsigned byte;
    char end;
    return e->pieces && strlen(text) == 6 && sscanf(text, "<0x%2X%c", &byte, &end) == 2 && end == '>';
}

static retort_status collect_tokens(exporter *e, retort_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)e->vocab, key, value)
        RT_TRY(take(e, value, key, is_byte(e, key) ? BYTE : NORMAL, err));
    const char *unknown = json_string_value(json_object_get(e->model, "unk_token"));
    const json_t *added = json_object_get(e->tokenizer, "added_tokens");
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *one = json_array_get(added, i);
        const char *text = json_string_value(json_object_get(one, "content"));
        RT_CHECK(text != NULL, err, RETORT_ERR_FORMAT, "an added token has no 'content'");
        RT_CHECK(!json_is_true(json_object_get(one, "lstrip")) && !json_is_true(json_object_get(one, "rstrip")) &&
                     !json_is_true(json_object_get(one, "single_word")),
                 err, RETORT_ERR_UNSUPPORTED,
                 "added token '%.100s' takes spaces around it or stands only at words, which llama.cpp cannot express",
                 text);
        const bool special = json_is_true(json_object_get(one, "special"));
        const bool is_unknown = e->pieces && unknown != NULL && strcmp(text, unknown) == 0;
        RT_TRY(take(e, json_object_get(one, "id"), text, is_unknown ? UNKNOWN : special ? CONTROL : USER_DEFINED, err));
    }
    return RETORT_OK;
}

/* Embeddings without a token get the name that llama.cpp's converter gives them. */
static retort_status fill_unused(exporter *e, retort_error *err) {
    enum { WIDTH = 32 };
    int64_t unused = 0;
    for (int64_t i = 0; i < e->count; i++) unused += e->text[i] == NULL;
    e->spare = rt_malloc_array((size_t)unused + 1, WIDTH);
    if (e->spare == NULL) return out_of_memory(err);
    char *at = e->spare;
    for (int64_t i = 0; i < e->count; i++) {
        if (e->text[i] != NULL) continue;
        snprintf(at, WIDTH, "[PAD%lld]", (long long)i);
        e->text[i] = at;
        e->type[i] = UNUSED;
        at += WIDTH;
    }
    return RETORT_OK;
}

static retort_status put_tokens(exporter *e, retort_error *err) {
    RT_TRY(rt_gguf_put_strings(e->to, "tokenizer.ggml.tokens", e->text, e->count, err));
    return rt_gguf_put_i32s(e->to, "tokenizer.ggml.token_type", e->type, e->count, err);
}

/* ---- merges ---- */

/* The two parts of a merge, "a b" or ["a", "b"]; scratch holds the first of the older form. */
static retort_status parts_of(const json_t *merge, rt_buffer *scratch, const char *part[2], retort_error *err) {
    const char *text = json_string_value(merge), *space = text != NULL ? strchr(text, ' ') : NULL;
    part[0] = json_string_value(json_array_get(merge, 0));
    part[1] = json_string_value(json_array_get(merge, 1));
    if (space != NULL) {
        rt_buffer_clear(scratch);
        RT_TRY(rt_buffer_append(scratch, text, (size_t)(space - text), err));
        part[0] = scratch->data;
        part[1] = space + 1;
    }
    RT_CHECK(part[0] != NULL && part[1] != NULL, err, RETORT_ERR_FORMAT,
             "a merge is neither \"a b\" nor [\"a\", \"b\"]");
    return RETORT_OK;
}

static retort_status add_merge(const json_t *merge, char **out, retort_error *err) {
    rt_buffer left = {0}, whole = {0};
    const char *part[2];
    retort_status st = parts_of(merge, &left, part, err);
    if (st == RETORT_OK) st = rt_buffer_printf(&whole, err, "%s %s", part[0], part[1]);
    rt_buffer_free(&left);
    *out = whole.data;
    return st;
}

static retort_status put_merges(exporter *e, retort_error *err) {
    const json_t *merges = json_object_get(e->model, "merges");
    const size_t count = json_array_size(merges);
    char **texts = rt_calloc(count + 1, sizeof *texts);
    retort_status st = texts != NULL ? RETORT_OK : out_of_memory(err);
    for (size_t i = 0; i < count && st == RETORT_OK; i++) st = add_merge(json_array_get(merges, i), &texts[i], err);
    if (st == RETORT_OK)
        st = rt_gguf_put_strings(e->to, "tokenizer.ggml.merges", (const char *const *)texts, (int64_t)count, err);
    for (size_t i = 0; texts != NULL && i < count; i++) rt_free(texts[i]);
    rt_free(texts);
    return st;
}

static retort_status push_part(const rt_token_table *tokens, const char *part, rt_ids *pairs, retort_error *err) {
    const int32_t id = rt_token_table_find(tokens, part, strlen(part));
    RT_CHECK(id >= 0, err, RETORT_ERR_FORMAT, "a merge has the piece '%.100s', which is not in the vocabulary", part);
    return rt_ids_push(pairs, id, err);
}

static retort_status score_tokens(exporter *e, rt_token_table *tokens, bool *normal, rt_ids *pairs, float *scores,
                                  retort_error *err) {
    for (int64_t i = 0; i < e->count; i++) {
        normal[i] = e->type[i] == NORMAL;
        RT_TRY(rt_token_table_add(tokens, e->text[i], strlen(e->text[i]), false, err));
    }
    const json_t *merges = json_object_get(e->model, "merges");
    rt_buffer scratch = {0};
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < json_array_size(merges) && st == RETORT_OK; i++) {
        const char *part[2];
        st = parts_of(json_array_get(merges, i), &scratch, part, err);
        for (int k = 0; k < 2 && st == RETORT_OK; k++) st = push_part(tokens, part[k], pairs, err);
    }
    rt_buffer_free(&scratch);
    RT_TRY(st);
    RT_TRY(rt_gguf_scores_of_merges(tokens, normal, pairs, scores, err));
    return rt_gguf_put_f32s(e->to, "tokenizer.ggml.scores", scores, e->count, err);
}

static retort_status put_scores(exporter *e, retort_error *err) {
    rt_token_table tokens = {0};
    rt_ids pairs = {0};
    bool *normal = rt_malloc_array((size_t)e->count, sizeof *normal);
    float *scores = rt_malloc_array((size_t)e->count, sizeof *scores);
    retort_status st =
        normal != NULL && scores != NULL ? score_tokens(e, &tokens, normal, &pairs, scores, err) : out_of_memory(err);
    rt_free(normal);
    rt_free(scores);
    rt_ids_free(&pairs);
    rt_token_table_free(&tokens);
    return st;
}

/* ---- the two kinds ---- */

static bool has_member(const json_t *object, const char *key, const char *expected) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL && strcmp(value, expected) == 0;
}

/* Llama 2's normalizer: a mark before the text (or not), and for every space. */
static retort_status check_sentencepiece(exporter *e, bool *prefix, retort_error *err) {
    const json_t *normalizer = json_object_get(e->tokenizer, "normalizer");
    const json_t *steps = json_object_get(normalizer, "normalizers"), *last;
    const size_t count = json_is_array(steps) ? json_array_size(steps) : 1;
    last = json_is_array(steps) ? json_array_get(steps, count - 1) : normalizer;
    *prefix = count == 2;
    const json_t *first = json_array_get(steps, 0), *pre = json_object_get(e->tokenizer, "pre_tokenizer");
    const bool good =
        (count == 1 || (count == 2 && has_member(first, "type", "Prepend") && has_member(first, "prepend", MARK))) &&
        has_member(last, "type", "Replace") && has_member(last, "content", MARK) &&
        has_member(json_object_get(last, "pattern"), "String", " ") && (pre == NULL || json_is_null(pre)) &&
        json_is_true(json_object_get(e->model, "byte_fallback")) &&
        !json_is_true(json_object_get(e->model, "ignore_merges"));
    RT_CHECK(good, err, RETORT_ERR_UNSUPPORTED,
             "the tokenizer is neither byte-level BPE nor Llama 2's SentencePiece form: llama.cpp has no name for it");
    return RETORT_OK;
}

static retort_status put_kind(exporter *e, retort_error *err) {
    const rt_gguf_pre *pre = rt_gguf_pre_match(e->tokenizer);
    bool prefix = false;
    e->pieces = json_is_true(json_object_get(e->model, "byte_fallback"));
    RT_CHECK(
        pre != NULL || e->pieces, err, RETORT_ERR_UNSUPPORTED,
        "llama.cpp has no name for the tokenizer's normalizer and pre-tokenizer; known are those of gpt-2, smollm, "
        "qwen2 and llama-bpe");
    if (e->pieces) RT_TRY(check_sentencepiece(e, &prefix, err));
    RT_TRY(rt_gguf_put_string(e->to, "tokenizer.ggml.model", e->pieces ? "llama" : "gpt2", err));
    RT_TRY(rt_gguf_put_string(e->to, "tokenizer.ggml.pre", e->pieces ? "default" : pre->name, err));
    return rt_gguf_put_bool(e->to, "tokenizer.ggml.add_space_prefix", prefix, err);
}

/* ---- special tokens ---- */

static int32_t id_of(const json_t *config, const rt_tokenizer *t, const char *key) {
    const json_t *value = json_object_get(config, key);
    if (json_is_object(value)) value = json_object_get(value, "content");
    return json_is_string(value) ? rt_tokenizer_find(t, json_string_value(value)) : -1;
}

/* What the model's configuration says comes first, and is there already. */
static retort_status put_special(exporter *e, const rt_tokenizer *t, const rt_gguf_special *there, retort_error *err) {
    const struct {
        const char *name, *key;
        bool there;
    } tokens[] = {{"bos_token", "tokenizer.ggml.bos_token_id", there->bos},
                  {"eos_token", "tokenizer.ggml.eos_token_id", there->eos},
                  {"pad_token", "tokenizer.ggml.padding_token_id", there->pad},
                  {"unk_token", "tokenizer.ggml.unknown_token_id", false}};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        const int32_t id = id_of(e->config, t, tokens[i].name);
        if (id >= 0 && !tokens[i].there) RT_TRY(rt_gguf_put_u32(e->to, tokens[i].key, (uint32_t)id, err));
    }
    return RETORT_OK;
}

/* What an empty text becomes tells which tokens are put around. */
static retort_status put_around(exporter *e, const rt_tokenizer *t, retort_error *err) {
    rt_ids ids = {0};
    retort_status st = rt_tokenizer_encode_spans(t, "", 0, RT_ENCODE_POST_PROCESS, &ids, NULL, err);
    const int32_t bos = id_of(e->config, t, "bos_token"), eos = rt_tokenizer_eos(t);
    int64_t at = 0;
    const bool add_bos = at < ids.count && ids.data[at] == bos;
    at += add_bos;
    const bool add_eos = at < ids.count && ids.data[at] == eos;
    at += add_eos;
    if (st == RETORT_OK && at != ids.count)
        st = rt_fail(err, RETORT_ERR_UNSUPPORTED,
                     "the tokenizer puts other tokens around a text than BOS and EOS, which llama.cpp cannot express");
    rt_ids_free(&ids);
    if (st == RETORT_OK) st = rt_gguf_put_bool(e->to, "tokenizer.ggml.add_bos_token", add_bos, err);
    if (st == RETORT_OK) st = rt_gguf_put_bool(e->to, "tokenizer.ggml.add_eos_token", add_eos, err);
    return st;
}

static retort_status put_texts(exporter *e, const char *chat, retort_error *err) {
    const char *prompt = json_string_value(json_object_get(e->config, "retort_prompt_template"));
    if (prompt != NULL) RT_TRY(rt_gguf_put_string(e->to, "retort.prompt_template", prompt, err));
    return chat != NULL ? rt_gguf_put_string(e->to, "tokenizer.chat_template", chat, err) : RETORT_OK;
}

static retort_status export_all(exporter *e, const rt_tokenizer *t, const rt_gguf_special *there, const char *chat,
                                retort_error *err) {
    e->model = json_object_get(e->tokenizer, "model");
    e->vocab = json_object_get(e->model, "vocab");
    RT_TRY(put_kind(e, err));
    RT_TRY(collect_tokens(e, err));
    RT_TRY(fill_unused(e, err));
    RT_TRY(put_tokens(e, err));
    RT_TRY(e->pieces ? put_scores(e, err) : put_merges(e, err));
    RT_TRY(put_special(e, t, there, err));
    RT_TRY(put_around(e, t, err));
    return put_texts(e, chat, err);
}

retort_status rt_gguf_put_tokenizer(rt_gguf_writer *writer, const json_t *tokenizer, const json_t *config,
                                    const char *chat, int64_t vocab_size, const rt_gguf_special *there,
                                    retort_error *err) {
    rt_tokenizer *t = NULL;
    RT_TRY(rt_tokenizer_parse(tokenizer, config, &t, err)); /* what passes here has the members used above */
    exporter e = {.to = writer, .tokenizer = tokenizer, .config = config, .count = vocab_size};
    e.text = rt_calloc((size_t)vocab_size + 1, sizeof *e.text);
    e.type = rt_calloc((size_t)vocab_size + 1, sizeof *e.type);
    retort_status st = e.text != NULL && e.type != NULL ? export_all(&e, t, there, chat, err) : out_of_memory(err);
    rt_free((void *)e.text);
    rt_free(e.type);
    rt_free(e.spare);
    rt_tokenizer_destroy(t);
    return st;
}
