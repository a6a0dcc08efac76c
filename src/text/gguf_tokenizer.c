/* From a GGUF file's metadata to tokenizer.json and tokenizer_config.json. */
#include "text/gguf_tokenizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/gguf_pre.h"

enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6, MAX_TOKENS = 1 << 24 };

typedef struct reader {
    const rt_gguf *file;
    const rt_gguf_pre *pre; /* NULL: SentencePiece */
    char *block;            /* all texts, each with a NUL */
    const char **text;      /* [count] */
    double *types;
    int64_t count;
    json_t *vocab, *merges, *added, *model, *tokenizer, *config;
    bool failed; /* a member could not be made: checked once at the end */
} reader;

static retort_status out_of_memory(const reader *r, retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "'%s': out of memory for its tokenizer", r->file->path);
}

static void put(reader *r, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0) r->failed = true;
}

/* ---- tokens ---- */

static retort_status copy_texts(reader *r, const rt_gguf_text *texts, retort_error *err) {
    size_t bytes = 1;
    for (int64_t i = 0; i < r->count; i++) bytes += texts[i].length + 1; /* the file holds them: no overflow */
    r->block = rt_malloc(bytes);
    r->text = rt_malloc_array((size_t)r->count + 1, sizeof *r->text);
    if (r->block == NULL || r->text == NULL) return out_of_memory(r, err);
    char *at = r->block;
    for (int64_t i = 0; i < r->count; i++) {
        RT_CHECK(memchr(texts[i].data, '\0', texts[i].length) == NULL, err, RETORT_ERR_FORMAT,
                 "'%s': token %lld has a NUL character", r->file->path, (long long)i);
        memcpy(at, texts[i].data, texts[i].length);
        at[texts[i].length] = '\0';
        r->text[i] = at;
        at += texts[i].length + 1;
    }
    return RETORT_OK;
}

/* The converter fills the embedding's spare rows with "[PAD<id>]"; at the end they are no tokens. */
static bool is_padding(const reader *r, int64_t id) {
    char padding[40];
    snprintf(padding, sizeof padding, "[PAD%lld]", (long long)id);
    return strcmp(r->text[id], padding) == 0;
}

static retort_status read_tokens(reader *r, retort_error *err) {
    rt_gguf_text *texts = NULL;
    RT_TRY(rt_gguf_texts(r->file, "tokenizer.ggml.tokens", &texts, &r->count, err));
    retort_status st = r->count <= MAX_TOKENS ? copy_texts(r, texts, err)
                                              : rt_fail(err, RETORT_ERR_UNSUPPORTED, "'%s' has more than %d tokens",
                                                        r->file->path, MAX_TOKENS);
    rt_free(texts);
    RT_TRY(st);
    int64_t types = 0;
    RT_TRY(rt_gguf_numbers(r->file, "tokenizer.ggml.token_type", &r->types, &types, err));
    RT_CHECK(types == r->count, err, RETORT_ERR_FORMAT, "'%s' has %lld tokens, but %lld token types", r->file->path,
             (long long)r->count, (long long)types);
    while (r->count > 0 && is_padding(r, r->count - 1)) r->count--;
    RT_CHECK(r->count > 0, err, RETORT_ERR_FORMAT, "'%s' has no tokens", r->file->path);
    return RETORT_OK;
}

static int type_of(const reader *r, int64_t id) {
    const double type = r->types[id];
    return type >= NORMAL && type <= BYTE ? (int)type : 0;
}

static json_t *added_token(const reader *r, int64_t id, bool special) {
    return json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)id, "content", r->text[id], "single_word",
                     0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special", (int)special);
}

static retort_status build_vocabulary(reader *r, retort_error *err) {
    for (int64_t id = 0; id < r->count; id++) {
        const int type = type_of(r, id);
        RT_CHECK(type != 0, err, RETORT_ERR_FORMAT, "'%s': token %lld '%.100s' has the unknown type %g", r->file->path,
                 (long long)id, r->text[id], r->types[id]);
        json_t *number = json_integer(id);
        if (number == NULL) return out_of_memory(r, err);
        RT_CHECK(json_object_get(r->vocab, r->text[id]) == NULL, err, RETORT_ERR_FORMAT,
                 "'%s': token %lld '%.100s' is there twice", r->file->path, (long long)id, r->text[id]);
        RT_CHECK(json_object_set_new(r->vocab, r->text[id], number) == 0, err, RETORT_ERR_FORMAT,
                 "'%s': token %lld is no UTF-8", r->file->path, (long long)id);
        if (type != CONTROL && type != USER_DEFINED && type != UNKNOWN) continue;
        if (json_array_append_new(r->added, added_token(r, id, type != USER_DEFINED)) != 0)
            return out_of_memory(r, err);
    }
    return RETORT_OK;
}

/* ---- merges ---- */

static retort_status read_merges(reader *r, retort_error *err) {
    rt_gguf_text *texts = NULL;
    int64_t count = 0;
    RT_TRY(rt_gguf_texts(r->file, "tokenizer.ggml.merges", &texts, &count, err));
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < count && st == RETORT_OK; i++) {
        json_t *merge = json_stringn(texts[i].data, texts[i].length);
        if (merge == NULL)
            st = rt_fail(err, RETORT_ERR_FORMAT, "'%s': merge %lld is no UTF-8", r->file->path, (long long)i);
        else if (json_array_append_new(r->merges, merge) != 0)
            st = out_of_memory(r, err);
    }
    rt_free(texts);
    return st;
}

static retort_status append_pairs(reader *r, const rt_ids *pairs, retort_error *err) {
    for (int64_t i = 0; i + 1 < pairs->count; i += 2) {
        json_t *merge = json_pack("[s, s]", r->text[pairs->data[i]], r->text[pairs->data[i + 1]]);
        if (json_array_append_new(r->merges, merge) != 0) return out_of_memory(r, err);
    }
    return RETORT_OK;
}

static retort_status derive_from(reader *r, const double *scores, retort_error *err) {
    rt_token_table tokens = {0};
    rt_ids pairs = {0};
    bool *normal = rt_malloc_array((size_t)r->count, sizeof *normal);
    retort_status st = normal != NULL ? RETORT_OK : out_of_memory(r, err);
    for (int64_t id = 0; id < r->count && st == RETORT_OK; id++) {
        normal[id] = type_of(r, id) == NORMAL;
        st = rt_token_table_add(&tokens, r->text[id], strlen(r->text[id]), false, err);
    }
    if (st == RETORT_OK) st = rt_gguf_merges_of_scores(&tokens, normal, scores, &pairs, err);
    if (st == RETORT_OK) st = append_pairs(r, &pairs, err);
    rt_free(normal);
    rt_ids_free(&pairs);
    rt_token_table_free(&tokens);
    return st;
}

static retort_status derive_merges(reader *r, retort_error *err) {
    double *scores = NULL;
    int64_t count = 0;
    RT_TRY(rt_gguf_numbers(r->file, "tokenizer.ggml.scores", &scores, &count, err));
    retort_status st = RETORT_OK;
    if (count < r->count)
        st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' has %lld tokens, but %lld scores", r->file->path,
                     (long long)r->count, (long long)count);
    for (int64_t i = 0; i < r->count && st == RETORT_OK; i++)
        if (isnan(scores[i]))
            st = rt_fail(err, RETORT_ERR_FORMAT, "'%s': the score of token %lld is no number", r->file->path,
                         (long long)i);
    if (st == RETORT_OK) st = derive_from(r, scores, err);
    rt_free(scores);
    return st;
}

/* ---- special tokens ---- */

/* The text of a special token; NULL where the file names none. */
static retort_status special_token(const reader *r, const char *name, const char **text, int64_t *id,
                                   retort_error *err) {
    char key[80];
    *id = -1;
    *text = NULL;
    snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", name);
    RT_TRY(rt_gguf_int(r->file, key, false, 0, UINT32_MAX, id, err));
    if (*id < 0) return RETORT_OK;
    RT_CHECK(*id < r->count, err, RETORT_ERR_FORMAT, "'%s': '%s' is %lld, but there are %lld tokens", r->file->path,
             key, (long long)*id, (long long)r->count);
    *text = r->text[*id];
    return RETORT_OK;
}

static retort_status put_special(reader *r, const char *name, const char *to, retort_error *err) {
    const char *text;
    int64_t id;
    RT_TRY(special_token(r, name, &text, &id, err));
    if (text != NULL) put(r, r->config, to, json_string(text));
    return RETORT_OK;
}

/* A token that is put before or behind every text, where the file says so; appended to the template. */
static retort_status around(reader *r, const char *name, bool otherwise, json_t *single, json_t *known,
                            retort_error *err) {
    const char *text;
    int64_t id;
    char key[80];
    bool add = otherwise;
    RT_TRY(special_token(r, name, &text, &id, err));
    snprintf(key, sizeof key, "tokenizer.ggml.add_%s_token", name);
    RT_TRY(rt_gguf_bool(r->file, key, false, &add, err));
    if (!add) return RETORT_OK;
    RT_CHECK(text != NULL, err, RETORT_ERR_FORMAT, "'%s' asks for a '%s' token around texts, but has none",
             r->file->path, name);
    if (json_array_append_new(single, json_pack("{s:{s:s, s:i}}", "SpecialToken", "id", text, "type_id", 0)) != 0)
        r->failed = true;
    put(r, known, text, json_pack("{s:s, s:[I], s:[s]}", "id", text, "ids", (json_int_t)id, "tokens", text));
    return RETORT_OK;
}

/* For two texts the template stands twice, the second time for text B. */
static json_t *pair_of(const json_t *single) {
    json_t *pair = json_deep_copy(single);
    for (size_t i = 0; pair != NULL && i < json_array_size(single); i++) {
        const char *id =
            json_string_value(json_object_get(json_object_get(json_array_get(single, i), "SpecialToken"), "id"));
        const char *kind = id != NULL ? "SpecialToken" : "Sequence";
        json_t *piece = json_pack("{s:{s:s, s:i}}", kind, "id", id != NULL ? id : "B", "type_id", 1);
        if (json_array_append_new(pair, piece) == 0) continue;
        json_decref(pair);
        pair = NULL;
    }
    return pair;
}

static retort_status put_post_processor(reader *r, retort_error *err) {
    json_t *single = json_array(), *known = json_object();
    const bool add_bos = r->pre == NULL || r->pre->add_bos;
    retort_status st = around(r, "bos", add_bos, single, known, err);
    if (json_array_append_new(single, json_pack("{s:{s:s, s:i}}", "Sequence", "id", "A", "type_id", 0)) != 0)
        r->failed = true;
    if (st == RETORT_OK) st = around(r, "eos", false, single, known, err);
    json_t *template = json_pack("{s:s, s:O, s:o, s:O}", "type", "TemplateProcessing", "single", single, "pair",
                                 pair_of(single), "special_tokens", known);
    const bool needed = json_array_size(single) > 1;
    json_decref(single);
    json_decref(known);
    if (st != RETORT_OK) {
        json_decref(template);
        return st;
    }
    json_t *byte_level = r->pre != NULL ? rt_gguf_byte_level(true) : NULL;
    json_t *post = !needed ? r->pre != NULL ? json_incref(byte_level) : json_null()
                   : byte_level == NULL
                       ? json_incref(template)
                       : json_pack("{s:s, s:[O, O]}", "type", "Sequence", "processors", byte_level, template);
    json_decref(byte_level);
    json_decref(template);
    put(r, r->tokenizer, "post_processor", post);
    return RETORT_OK;
}

/* ---- the two kinds ---- */

static json_t *replace(const char *from, const char *to) {
    return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", "String", from, "content", to);
}

/* The stages of Llama 2's tokenizer.json. */
static retort_status put_sentencepiece(reader *r, retort_error *err) {
    static const char MARK[] = "\xe2\x96\x81"; /* U+2581 */
    bool prefix = true;
    RT_TRY(rt_gguf_bool(r->file, "tokenizer.ggml.add_space_prefix", false, &prefix, err));
    json_t *normalizers = json_array(), *decoders = json_array();
    if (prefix && json_array_append_new(normalizers, json_pack("{s:s, s:s}", "type", "Prepend", "prepend", MARK)) != 0)
        r->failed = true;
    r->failed = json_array_append_new(normalizers, replace(" ", MARK)) != 0 || r->failed;
    r->failed = json_array_append_new(decoders, replace(MARK, " ")) != 0 || r->failed;
    r->failed = json_array_append_new(decoders, json_pack("{s:s}", "type", "ByteFallback")) != 0 || r->failed;
    r->failed = json_array_append_new(decoders, json_pack("{s:s}", "type", "Fuse")) != 0 || r->failed;
    json_t *strip = json_pack("{s:s, s:s, s:i, s:i}", "type", "Strip", "content", " ", "start", 1, "stop", 0);
    if (prefix) r->failed = json_array_append(decoders, strip) != 0 || r->failed;
    json_decref(strip);
    put(r, r->tokenizer, "normalizer", json_pack("{s:s, s:o}", "type", "Sequence", "normalizers", normalizers));
    put(r, r->tokenizer, "pre_tokenizer", json_null());
    put(r, r->tokenizer, "decoder", json_pack("{s:s, s:o}", "type", "Sequence", "decoders", decoders));
    put(r, r->model, "fuse_unk", json_true());
    put(r, r->model, "byte_fallback", json_true());
    put(r, r->model, "ignore_merges", json_false());
    const char *unknown;
    int64_t id;
    RT_TRY(special_token(r, "unknown", &unknown, &id, err));
    put(r, r->model, "unk_token", unknown != NULL ? json_string(unknown) : json_null());
    return derive_merges(r, err);
}

static retort_status put_byte_level(reader *r, retort_error *err) {
    put(r, r->tokenizer, "normalizer", rt_gguf_pre_normalizer(r->pre));
    put(r, r->tokenizer, "pre_tokenizer", rt_gguf_pre_tokenizer(r->pre));
    put(r, r->tokenizer, "decoder", rt_gguf_byte_level(true));
    put(r, r->model, "fuse_unk", json_false());
    put(r, r->model, "byte_fallback", json_false());
    put(r, r->model, "ignore_merges", json_boolean(r->pre->ignore_merges));
    put(r, r->model, "unk_token", json_null());
    return read_merges(r, err);
}

static retort_status read_kind(reader *r, retort_error *err) {
    char *model = NULL, *pre = NULL;
    RT_TRY(rt_gguf_string(r->file, "tokenizer.ggml.model", true, &model, err));
    const bool gpt2 = strcmp(model, "gpt2") == 0, known = gpt2 || strcmp(model, "llama") == 0;
    retort_status st =
        known ? RETORT_OK
              : rt_fail(err, RETORT_ERR_UNSUPPORTED,
                        "'%s' has a tokenizer of kind '%.100s', supported are gpt2 and llama", r->file->path, model);
    rt_free(model);
    if (st == RETORT_OK && gpt2) st = rt_gguf_string(r->file, "tokenizer.ggml.pre", true, &pre, err);
    if (st == RETORT_OK && gpt2) {
        r->pre = rt_gguf_pre_find(pre);
        if (r->pre == NULL)
            st = rt_fail(err, RETORT_ERR_UNSUPPORTED, "'%s' has the pre-tokenizer '%.100s', which is not supported",
                         r->file->path, pre);
    }
    rt_free(pre);
    return st;
}

/* ---- tokenizer_config.json ---- */

static retort_status put_text(reader *r, const char *key, const char *to, retort_error *err) {
    char *text = NULL;
    RT_TRY(rt_gguf_string(r->file, key, false, &text, err));
    if (text == NULL) return RETORT_OK;
    json_t *value = json_string(text);
    rt_free(text);
    RT_CHECK(value != NULL, err, RETORT_ERR_FORMAT, "'%s': the metadata '%s' is no UTF-8", r->file->path, key);
    put(r, r->config, to, value);
    return RETORT_OK;
}

static retort_status build_config(reader *r, retort_error *err) {
    put(r, r->config, "tokenizer_class", json_string("PreTrainedTokenizerFast"));
    /* See write.c: makes transformers 5 take tokenizer.json as it is. */
    put(r, r->config, "auto_map",
        json_pack("{s:[n, s]}", "AutoTokenizer", "needs_no_remote_code.PreTrainedTokenizerFast"));
    if (r->pre != NULL) put(r, r->config, "add_prefix_space", json_false());
    put(r, r->config, "clean_up_tokenization_spaces", json_false());
    RT_TRY(put_special(r, "bos", "bos_token", err));
    RT_TRY(put_special(r, "eos", "eos_token", err));
    RT_TRY(put_special(r, "unknown", "unk_token", err));
    RT_TRY(put_special(r, "padding", "pad_token", err));
    char *architecture = NULL, key[160];
    int64_t context = 0;
    RT_TRY(rt_gguf_string(r->file, "general.architecture", true, &architecture, err));
    snprintf(key, sizeof key, "%.100s.context_length", architecture);
    rt_free(architecture);
    RT_TRY(rt_gguf_int(r->file, key, false, 1, INT64_MAX, &context, err));
    if (context > 0) put(r, r->config, "model_max_length", json_integer(context));
    RT_TRY(put_text(r, "retort.prompt_template", "retort_prompt_template", err));
    return put_text(r, "tokenizer.chat_template", "chat_template", err);
}

/* ---- all of it ---- */

static retort_status build(reader *r, retort_error *err) {
    RT_TRY(read_kind(r, err));
    RT_TRY(read_tokens(r, err));
    put(r, r->tokenizer, "version", json_string("1.0"));
    put(r, r->tokenizer, "truncation", json_null());
    put(r, r->tokenizer, "padding", json_null());
    put(r, r->tokenizer, "added_tokens", json_incref(r->added));
    put(r, r->model, "type", json_string("BPE"));
    put(r, r->model, "dropout", json_null());
    put(r, r->model, "continuing_subword_prefix", json_null());
    put(r, r->model, "end_of_word_suffix", json_null());
    RT_TRY(build_vocabulary(r, err));
    RT_TRY(r->pre != NULL ? put_byte_level(r, err) : put_sentencepiece(r, err));
    RT_TRY(put_post_processor(r, err));
    put(r, r->model, "vocab", json_incref(r->vocab));
    put(r, r->model, "merges", json_incref(r->merges));
    put(r, r->tokenizer, "model", json_incref(r->model));
    RT_TRY(build_config(r, err));
    return r->failed ? out_of_memory(r, err) : RETORT_OK;
}

static void release(reader *r) {
    json_decref(r->vocab);
    json_decref(r->merges);
    json_decref(r->added);
    json_decref(r->model);
    json_decref(r->tokenizer);
    json_decref(r->config);
    rt_free(r->block);
    rt_free(r->text);
    rt_free(r->types);
}

static bool create(reader *r, const rt_gguf *file) {
    *r = (reader){.file = file,
                  .vocab = json_object(),
                  .merges = json_array(),
                  .added = json_array(),
                  .model = json_object(),
                  .tokenizer = json_object(),
                  .config = json_object()};
    return r->vocab != NULL && r->merges != NULL && r->added != NULL && r->model != NULL && r->tokenizer != NULL &&
           r->config != NULL;
}

retort_status rt_gguf_tokenizer(const rt_gguf *file, json_t **tokenizer, json_t **config, retort_error *err) {
    reader r;
    retort_status st = create(&r, file) ? build(&r, err) : out_of_memory(&r, err);
    if (st == RETORT_OK) {
        *tokenizer = json_incref(r.tokenizer);
        *config = json_incref(r.config);
    }
    release(&r);
    return st;
}

retort_status rt_gguf_tokenizer_config(const rt_gguf *file, json_t **config, retort_error *err) {
    reader r;
    retort_status st = create(&r, file) ? read_kind(&r, err) : out_of_memory(&r, err);
    if (st == RETORT_OK) st = read_tokens(&r, err);
    if (st == RETORT_OK) st = build_config(&r, err);
    if (st == RETORT_OK && r.failed) st = out_of_memory(&r, err);
    if (st == RETORT_OK) *config = json_incref(r.config);
    release(&r);
    return st;
}
