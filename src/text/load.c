/* The reader of tokenizer.json and tokenizer_config.json. What this version does not implement is an error that names
 * the key: a tokenizer that is silently read in part gives other ids than the model was trained on. */
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "text/bytes.h"
#include "text/internal.h"

enum { MAX_VOCAB = 1 << 24, MAX_ADDED = 1 << 12, MAX_TEMPLATE = 1 << 20 };

typedef struct reader {
    rt_tokenizer *t;
    const json_t *vocab, *added, *merges;
    const char **text; /* [total] spelling (model) or raw text (added) of each id; borrowed from the JSON */
    int64_t total;
} reader;

static bool is_off(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* The member must be missing, null, false or "". */
static retort_status expect_off(const json_t *object, const char *where, const char *key, retort_error *err) {
    RT_CHECK(is_off(json_object_get(object, key)), err, RETORT_ERR_UNSUPPORTED, "%s uses '%s', which is not supported",
             where, key);
    return RETORT_OK;
}

static retort_status expect_type(const json_t *object, const char *where, const char *type, retort_error *err) {
    const char *found = json_string_value(json_object_get(object, "type"));
    RT_CHECK(found != NULL, err, RETORT_ERR_FORMAT, "%s has no 'type'", where);
    RT_CHECK(strcmp(found, type) == 0, err, RETORT_ERR_UNSUPPORTED, "%s is of type '%.100s', only '%s' is supported",
             where, found, type);
    return RETORT_OK;
}

static retort_status check_keys(const json_t *root, retort_error *err) {
    static const char *const KNOWN[] = {"version",       "truncation",     "padding", "added_tokens", "normalizer",
                                        "pre_tokenizer", "post_processor", "decoder", "model"};
    const char *key;
    json_t *value;
    RT_CHECK(json_is_object(root), err, RETORT_ERR_FORMAT, "top level is not an object");
    json_object_foreach((json_t *)root, key, value) {
        bool known = false;
        for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) known = known || strcmp(key, KNOWN[i]) == 0;
        RT_CHECK(known, err, RETORT_ERR_UNSUPPORTED, "key '%.100s' is not supported", key);
    }
    const json_t *version = json_object_get(root, "version");
    RT_CHECK(version == NULL || (json_is_string(version) && strcmp(json_string_value(version), "1.0") == 0), err,
             RETORT_ERR_UNSUPPORTED, "version is not \"1.0\"");
    RT_TRY(expect_off(root, "tokenizer", "truncation", err));
    return expect_off(root, "tokenizer", "padding", err);
}

/* ---- stages around the model ---- */

static retort_status read_normalizer(reader *r, const json_t *normalizer, retort_error *err) {
    if (is_off(normalizer)) return RETORT_OK;
    RT_TRY(expect_type(normalizer, "normalizer", "NFC", err));
    r->t->nfc = true;
    return RETORT_OK;
}

static retort_status read_byte_level(reader *r, const json_t *stage, retort_error *err) {
    RT_TRY(expect_off(stage, "pre-tokenizer 'ByteLevel'", "add_prefix_space", err));
    const json_t *use_regex = json_object_get(stage, "use_regex");
    RT_CHECK(use_regex == NULL || json_is_boolean(use_regex), err, RETORT_ERR_FORMAT,
             "pre-tokenizer's 'use_regex' is neither true nor false");
    return json_is_false(use_regex) ? RETORT_OK : rt_splitter_add(r->t->splitter, RT_SPLIT_GPT2, err);
}

static retort_status read_split(reader *r, const json_t *stage, retort_error *err) {
    const json_t *regex = json_object_get(json_object_get(stage, "pattern"), "Regex");
    const char *behavior = json_string_value(json_object_get(stage, "behavior"));
    RT_CHECK(json_is_string(regex) && json_string_length(regex) == strlen(json_string_value(regex)), err,
             RETORT_ERR_UNSUPPORTED, "pre-tokenizer 'Split' has no 'pattern' of the form {\"Regex\": text}");
    RT_CHECK(behavior != NULL && strcmp(behavior, "Isolated") == 0, err, RETORT_ERR_UNSUPPORTED,
             "pre-tokenizer 'Split' has behavior '%.100s', only 'Isolated' is supported",
             behavior != NULL ? behavior : "");
    RT_TRY(expect_off(stage, "pre-tokenizer 'Split'", "invert", err));
    return rt_splitter_add(r->t->splitter, json_string_value(regex), err);
}

/* ByteLevel alone, or a sequence of splits that ends with ByteLevel. */
static retort_status read_pre_tokenizer(reader *r, const json_t *pre, retort_error *err) {
    const char *type = json_string_value(json_object_get(pre, "type"));
    RT_CHECK(type != NULL, err, RETORT_ERR_UNSUPPORTED, "there is no pre-tokenizer with a 'type'");
    if (strcmp(type, "Sequence") != 0) {
        RT_TRY(expect_type(pre, "pre-tokenizer", "ByteLevel", err));
        return read_byte_level(r, pre, err);
    }
    const json_t *stages = json_object_get(pre, "pretokenizers");
    size_t count = json_array_size(stages);
    RT_CHECK(count > 0, err, RETORT_ERR_FORMAT, "pre-tokenizer 'Sequence' has no 'pretokenizers'");
    for (size_t i = 0; i + 1 < count; i++) {
        RT_TRY(expect_type(json_array_get(stages, i), "pre-tokenizer before the last", "Split", err));
        RT_TRY(read_split(r, json_array_get(stages, i), err));
    }
    RT_TRY(expect_type(json_array_get(stages, count - 1), "last pre-tokenizer", "ByteLevel", err));
    return read_byte_level(r, json_array_get(stages, count - 1), err);
}

static retort_status read_stages(reader *r, const json_t *root, retort_error *err) {
    RT_TRY(rt_splitter_create(&r->t->splitter, err));
    RT_TRY(read_normalizer(r, json_object_get(root, "normalizer"), err));
    RT_TRY(read_pre_tokenizer(r, json_object_get(root, "pre_tokenizer"), err));
    const json_t *post = json_object_get(root, "post_processor");
    if (!is_off(post)) RT_TRY(expect_type(post, "post-processor", "ByteLevel", err));
    const json_t *decoder = json_object_get(root, "decoder");
    RT_CHECK(json_is_object(decoder), err, RETORT_ERR_UNSUPPORTED, "there is no decoder of type 'ByteLevel'");
    return expect_type(decoder, "decoder", "ByteLevel", err);
}

/* ---- tokens ---- */

static retort_status check_model(reader *r, const json_t *model, retort_error *err) {
    RT_CHECK(json_is_object(model), err, RETORT_ERR_FORMAT, "there is no 'model'");
    if (json_object_get(model, "type") != NULL) RT_TRY(expect_type(model, "model", "BPE", err));
    const json_t *dropout = json_object_get(model, "dropout");
    RT_CHECK(is_off(dropout) || (json_is_number(dropout) && !(json_number_value(dropout) != 0)), err,
             RETORT_ERR_UNSUPPORTED, "model uses 'dropout', which is not supported");
    static const char *const OFF[] = {"unk_token", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback",
                                      "ignore_merges"};
    for (size_t i = 0; i < sizeof OFF / sizeof *OFF; i++) RT_TRY(expect_off(model, "model", OFF[i], err));
    r->vocab = json_object_get(model, "vocab");
    r->merges = json_object_get(model, "merges");
    RT_CHECK(json_is_object(r->vocab), err, RETORT_ERR_FORMAT, "model has no 'vocab' object");
    RT_CHECK(json_is_array(r->merges), err, RETORT_ERR_FORMAT, "model has no 'merges' array");
    RT_CHECK(json_object_size(r->vocab) <= MAX_VOCAB && json_array_size(r->merges) <= MAX_VOCAB, err,
             RETORT_ERR_UNSUPPORTED, "model has more than %d tokens or merges", MAX_VOCAB);
    return RETORT_OK;
}

static retort_status take_id(reader *r, const json_t *value, const char *text, int64_t *id, retort_error *err) {
    RT_CHECK(json_is_integer(value), err, RETORT_ERR_FORMAT, "token '%.100s' has no integer id", text);
    *id = json_integer_value(value);
    RT_CHECK(*id >= 0 && *id < r->total, err, RETORT_ERR_FORMAT,
             "token '%.100s' has id %lld, outside 0 to %lld (ids must be consecutive)", text, (long long)*id,
             (long long)r->total - 1);
    return RETORT_OK;
}

static retort_status read_added(reader *r, const json_t *token, rt_added_token *out, retort_error *err) {
    const json_t *content = json_object_get(token, "content");
    const char *text = json_string_value(content);
    RT_CHECK(text != NULL && text[0] != '\0' && strlen(text) == json_string_length(content), err, RETORT_ERR_FORMAT,
             "an added token has no proper 'content'");
    static const char *const OFF[] = {"single_word", "lstrip", "rstrip"};
    for (size_t i = 0; i < 3; i++) {
        RT_CHECK(is_off(json_object_get(token, OFF[i])), err, RETORT_ERR_UNSUPPORTED,
                 "added token '%.100s' uses '%s', which is not supported", text, OFF[i]);
    }
    int64_t id = 0;
    RT_TRY(take_id(r, json_object_get(token, "id"), text, &id, err));
    const json_t *model_id = json_object_get(r->vocab, text);
    RT_CHECK(model_id == NULL || json_integer_value(model_id) == id, err, RETORT_ERR_FORMAT,
             "added token '%.100s' has id %lld, but another one in the vocabulary", text, (long long)id);
    const char *other = r->text[id];
    RT_CHECK(other == NULL || (model_id != NULL && strcmp(other, text) == 0), err, RETORT_ERR_FORMAT,
             "tokens '%.100s' and '%.100s' have the same id %lld", other, text, (long long)id);
    RT_CHECK((r->t->flags[id] & RT_TOKEN_ADDED) == 0, err, RETORT_ERR_FORMAT, "added token '%.100s' is given twice",
             text);
    r->text[id] = text;
    bool special = json_is_true(json_object_get(token, "special"));
    r->t->flags[id] = (uint8_t)(RT_TOKEN_ADDED | (special ? RT_TOKEN_SPECIAL : 0));
    *out = (rt_added_token){.text = rt_strdup(text),
                            .length = strlen(text),
                            .id = (int32_t)id,
                            .next = -1,
                            .special = special,
                            .normalized = json_is_true(json_object_get(token, "normalized"))};
    RT_CHECK(out->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: added token");
    return RETORT_OK;
}

/* Longer tokens first; insertion into the list of the first byte. */
static void link_added(rt_tokenizer *t, int32_t index) {
    rt_added_token *a = &t->added[index];
    int32_t *link = &t->added_by_first[(uint8_t)a->text[0]];
    while (*link >= 0 && t->added[*link].length >= a->length) link = &t->added[*link].next;
    a->next = *link;
    *link = index;
}

static retort_status read_ids(reader *r, retort_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)r->vocab, key, value) {
        int64_t id = 0;
        RT_TRY(take_id(r, value, key, &id, err));
        RT_CHECK(r->text[id] == NULL, err, RETORT_ERR_FORMAT, "tokens '%.100s' and '%.100s' have the same id %lld",
                 r->text[id], key, (long long)id);
        r->text[id] = key;
    }
    for (size_t i = 0; i < json_array_size(r->added); i++) {
        retort_status st = read_added(r, json_array_get(r->added, i), &r->t->added[i], err);
        r->t->num_added = (int32_t)i + 1;
        if (st != RETORT_OK) return st;
        link_added(r->t, (int32_t)i);
    }
    return RETORT_OK;
}

/* How many ids there must be: model tokens and those added tokens that are not among them. */
static retort_status count_ids(reader *r, const json_t *root, retort_error *err) {
    r->added = json_object_get(root, "added_tokens");
    size_t count = json_array_size(r->added);
    RT_CHECK(r->added == NULL || json_is_null(r->added) || json_is_array(r->added), err, RETORT_ERR_FORMAT,
             "'added_tokens' is not an array");
    RT_CHECK(count <= MAX_ADDED, err, RETORT_ERR_UNSUPPORTED, "there are more than %d added tokens", MAX_ADDED);
    r->total = (int64_t)json_object_size(r->vocab);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(r->added, i), "content"));
        if (text != NULL && json_object_get(r->vocab, text) == NULL) r->total++;
    }
    RT_CHECK(r->total > 0, err, RETORT_ERR_FORMAT, "vocabulary is empty");
    r->text = rt_calloc((size_t)r->total, sizeof *r->text);
    r->t->flags = rt_calloc((size_t)r->total, 1);
    r->t->added = rt_calloc(count, sizeof *r->t->added);
    RT_CHECK(r->text != NULL && r->t->flags != NULL && r->t->added != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: %lld tokens", (long long)r->total);
    return RETORT_OK;
}

static retort_status add_token(reader *r, int64_t id, rt_buffer *scratch, retort_error *err) {
    const char *text = r->text[id];
    RT_CHECK(text != NULL, err, RETORT_ERR_FORMAT, "no token has id %lld (ids must be consecutive)", (long long)id);
    size_t length = strlen(text);
    if ((r->t->flags[id] & RT_TOKEN_ADDED) != 0) return rt_token_table_add(&r->t->tokens, text, length, true, err);
    rt_buffer_clear(scratch);
    RT_TRY(rt_buffer_append(scratch, text, length, err)); /* bytes are never longer than their spelling */
    RT_CHECK(length > 0 && rt_bytes_unspell(text, length, scratch->data, &length), err, RETORT_ERR_FORMAT,
             "token '%.100s' (id %lld) is not spelt in the byte-level alphabet", text, (long long)id);
    return rt_token_table_add(&r->t->tokens, scratch->data, length, false, err);
}

static retort_status read_tokens(reader *r, const json_t *root, retort_error *err) {
    RT_TRY(count_ids(r, root, err));
    RT_TRY(read_ids(r, err));
    rt_buffer scratch = {0};
    retort_status st = RETORT_OK;
    for (int64_t id = 0; id < r->total && st == RETORT_OK; id++) st = add_token(r, id, &scratch, err);
    rt_buffer_free(&scratch);
    RT_TRY(st);
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)(uint8_t)byte;
        r->t->byte_id[byte] = rt_token_table_find(&r->t->tokens, &c, 1);
        RT_CHECK(r->t->byte_id[byte] >= 0, err, RETORT_ERR_UNSUPPORTED, "vocabulary has no token for byte 0x%02X",
                 (unsigned)byte);
    }
    return RETORT_OK;
}

/* ---- merges ---- */

static retort_status merge_part(const reader *r, size_t index, const char *text, int32_t *id, retort_error *err) {
    const json_t *value = json_object_get(r->vocab, text);
    RT_CHECK(value != NULL, err, RETORT_ERR_FORMAT, "merge %zu has the piece '%.100s', which is not in the vocabulary",
             index, text);
    *id = (int32_t)json_integer_value(value);
    return RETORT_OK;
}

/* scratch gets "left NUL right NUL leftright NUL". */
static retort_status merge_texts(const json_t *merge, size_t index, rt_buffer *scratch, const char *part[3],
                                 retort_error *err) {
    const char *text = json_string_value(merge), *left, *right;
    size_t left_length;
    if (text != NULL) {
        const char *space = strchr(text, ' ');
        RT_CHECK(space != NULL && strchr(space + 1, ' ') == NULL && strlen(text) == json_string_length(merge), err,
                 RETORT_ERR_FORMAT, "merge %zu '%.100s' is not two pieces with a space between", index, text);
        left = text;
        left_length = (size_t)(space - text);
        right = space + 1;
    } else {
        left = json_string_value(json_array_get(merge, 0));
        right = json_string_value(json_array_get(merge, 1));
        RT_CHECK(json_array_size(merge) == 2 && left != NULL && right != NULL, err, RETORT_ERR_FORMAT,
                 "merge %zu is neither \"a b\" nor [\"a\", \"b\"]", index);
        left_length = strlen(left);
    }
    size_t right_length = strlen(right);
    rt_buffer_clear(scratch);
    RT_TRY(rt_buffer_append(scratch, left, left_length, err));
    RT_TRY(rt_buffer_append(scratch, "", 1, err));
    RT_TRY(rt_buffer_append(scratch, right, right_length + 1, err));
    RT_TRY(rt_buffer_append(scratch, left, left_length, err));
    RT_TRY(rt_buffer_append(scratch, right, right_length + 1, err));
    part[0] = scratch->data;
    part[1] = part[0] + left_length + 1;
    part[2] = part[1] + right_length + 1;
    return RETORT_OK;
}

static retort_status read_merge(reader *r, size_t index, rt_buffer *scratch, retort_error *err) {
    const char *part[3];
    int32_t id[3];
    RT_TRY(merge_texts(json_array_get(r->merges, index), index, scratch, part, err));
    for (int i = 0; i < 3; i++) RT_TRY(merge_part(r, index, part[i], &id[i], err));
    rt_merges_put(&r->t->merges, id[0], id[1], id[2], (uint32_t)index);
    return RETORT_OK;
}

static retort_status read_merges(reader *r, retort_error *err) {
    size_t count = json_array_size(r->merges);
    RT_TRY(rt_merges_create(&r->t->merges, (int64_t)count, err));
    rt_buffer scratch = {0};
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < count && st == RETORT_OK; i++) st = read_merge(r, i, &scratch, err);
    rt_buffer_free(&scratch);
    return st;
}

/* Marks the tokens that a word of the same bytes becomes, so that encoding most words is one look-up. */
static retort_status mark_whole(rt_tokenizer *t, retort_error *err) {
    rt_ids ids = {0};
    retort_status st = RETORT_OK;
    for (int64_t id = 0; id < t->tokens.count && st == RETORT_OK; id++) {
        if ((t->flags[id] & RT_TOKEN_ADDED) != 0) continue;
        size_t length;
        const char *bytes = rt_token_table_get(&t->tokens, id, &length);
        ids.count = 0;
        st = rt_bpe_word(&t->merges, t->byte_id, bytes, length, &ids, err);
        if (ids.count == 1 && ids.data[0] == id) t->flags[id] |= RT_TOKEN_WHOLE;
    }
    rt_ids_free(&ids);
    return st;
}

static retort_status read_tokenizer(rt_tokenizer *t, const json_t *root, retort_error *err) {
    reader r = {.t = t};
    retort_status st;
    RT_GOTO(st, check_keys(root, err), done);
    RT_GOTO(st, read_stages(&r, root, err), done);
    RT_GOTO(st, check_model(&r, json_object_get(root, "model"), err), done);
    RT_GOTO(st, read_tokens(&r, root, err), done);
    RT_GOTO(st, read_merges(&r, err), done);
    st = mark_whole(t, err);
done:
    rt_free(r.text);
    return st;
}

/* ---- tokenizer_config.json ---- */

static retort_status read_config(rt_tokenizer *t, const json_t *config, retort_error *err) {
    RT_CHECK(json_is_object(config), err, RETORT_ERR_FORMAT, "top level is not an object");
    RT_TRY(expect_off(config, "tokenizer", "add_prefix_space", err));
    const json_t *eos = json_object_get(config, "eos_token");
    if (json_is_object(eos)) eos = json_object_get(eos, "content");
    if (!is_off(eos)) {
        RT_CHECK(json_is_string(eos), err, RETORT_ERR_FORMAT, "'eos_token' is not a string");
        t->eos = rt_tokenizer_find(t, json_string_value(eos));
        RT_CHECK(t->eos >= 0, err, RETORT_ERR_FORMAT, "'eos_token' '%.100s' is not in the vocabulary",
                 json_string_value(eos));
    }
    const json_t *template = json_object_get(config, "retort_prompt_template");
    if (template == NULL || json_is_null(template)) return RETORT_OK;
    const char *text = json_string_value(template);
    const char *mark = text != NULL ? strstr(text, "{problem}") : NULL;
    RT_CHECK(mark != NULL && strstr(mark + 1, "{problem}") == NULL && json_string_length(template) == strlen(text) &&
                 strlen(text) < MAX_TEMPLATE,
             err, RETORT_ERR_FORMAT, "'retort_prompt_template' is not a text with '{problem}' in it once");
    t->prompt_template = rt_strdup(text);
    RT_CHECK(t->prompt_template != NULL, err, RETORT_ERR_MEMORY, "out of memory: prompt template");
    return RETORT_OK;
}

static retort_status read_part(rt_tokenizer *t, const char *dir, const char *name,
                               retort_status (*read)(rt_tokenizer *, const json_t *, retort_error *),
                               retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
    json_t *root = NULL;
    retort_status st = rt_json_load(path, &root, err);
    if (st == RETORT_OK) {
        st = read(t, root, err);
        if (st != RETORT_OK) st = rt_fail_context(err, st, "'%s'", path);
    }
    json_decref(root);
    rt_free(path);
    return st;
}

retort_status rt_tokenizer_load(const char *dir, rt_tokenizer **out, retort_error *err) {
    rt_tokenizer *t = rt_calloc(1, sizeof *t);
    RT_CHECK(t != NULL, err, RETORT_ERR_MEMORY, "out of memory: tokenizer");
    t->eos = -1;
    for (int i = 0; i < 256; i++) t->added_by_first[i] = -1;
    retort_status st = read_part(t, dir, "tokenizer.json", read_tokenizer, err);
    if (st == RETORT_OK) st = read_part(t, dir, "tokenizer_config.json", read_config, err);
    if (st != RETORT_OK) {
        rt_tokenizer_destroy(t);
        return st;
    }
    *out = t;
    return RETORT_OK;
}
