/* tokenizer.json's model and added tokens. */
#include <stdio.h>
#include <string.h>

#include "text/bytes.h"
#include "text/internal.h"

enum { MAX_VOCAB = 1 << 24, MAX_ADDED = 1 << 16 };

typedef struct reader {
    rt_tokenizer *t;
    const json_t *vocab, *added, *merges;
    const char **text; /* [total] spelling (model) or raw text (added) of each id; borrowed from the JSON */
    int64_t total;
    bool byte_fallback;
    const char *unk; /* NULL: none */
} reader;

/* ---- tokens ---- */

static retort_status check_model(reader *r, const json_t *model, retort_error *err) {
    RT_CHECK(json_is_object(model), err, RETORT_ERR_FORMAT, "there is no 'model'");
    const char *type = json_string_value(json_object_get(model, "type"));
    RT_CHECK(type == NULL || strcmp(type, "BPE") == 0, err, RETORT_ERR_UNSUPPORTED,
             "model is of type '%.100s', only 'BPE' is supported", type);
    const json_t *dropout = json_object_get(model, "dropout");
    RT_CHECK(rt_json_is_off(dropout) || (json_is_number(dropout) && !(json_number_value(dropout) != 0)), err,
             RETORT_ERR_UNSUPPORTED, "model uses 'dropout', which is not supported");
    static const char *const OFF[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < sizeof OFF / sizeof *OFF; i++) RT_TRY(rt_json_expect_off(model, "model", OFF[i], err));
    RT_TRY(rt_json_flag(model, "model", "byte_fallback", false, &r->byte_fallback, err));
    RT_TRY(rt_json_flag(model, "model", "fuse_unk", false, &r->t->fuse_unk, err));
    RT_TRY(rt_json_flag(model, "model", "ignore_merges", false, &r->t->ignore_merges, err));
    if (!rt_json_is_off(json_object_get(model, "unk_token"))) {
        RT_TRY(rt_json_plain_text(model, "model", "unk_token", &r->unk, err));
    }
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

/* The flags of an added token; its texts are made here and owned by it. */
static retort_status fill_added(reader *r, const json_t *token, const char *text, int64_t id, rt_added_token *out,
                                retort_error *err) {
    *out = (rt_added_token){.id = (int32_t)id, .text = rt_strdup(text)};
    RT_CHECK(out->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: added token");
    char where[128];
    snprintf(where, sizeof where, "added token '%.100s'", text);
    RT_TRY(rt_json_flag(token, where, "special", false, &out->special, err));
    RT_TRY(rt_json_flag(token, where, "normalized", !out->special, &out->normalized, err));
    RT_TRY(rt_json_flag(token, where, "single_word", false, &out->single_word, err));
    RT_TRY(rt_json_flag(token, where, "lstrip", false, &out->lstrip, err));
    RT_TRY(rt_json_flag(token, where, "rstrip", false, &out->rstrip, err));
    rt_view view = {.text = text, .length = strlen(text)};
    rt_transformed memory = {0};
    retort_status st = RETORT_OK;
    if (out->normalized) st = rt_transforms_run(&r->t->normalizer, &view, true, false, &memory, &view, err);
    if (st == RETORT_OK) {
        out->pattern = rt_strndup(view.text, view.length);
        out->length = view.length;
        if (out->pattern == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: added token");
    }
    rt_transformed_free(&memory);
    return st;
}

static retort_status read_added(reader *r, const json_t *token, rt_added_token *out, retort_error *err) {
    const json_t *content = json_object_get(token, "content");
    const char *text = json_string_value(content);
    RT_CHECK(text != NULL && text[0] != '\0' && strlen(text) == json_string_length(content), err, RETORT_ERR_FORMAT,
             "an added token has no proper 'content'");
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
    RT_TRY(fill_added(r, token, text, id, out, err));
    if (out->normalized) r->text[id] = out->pattern; /* and so the package decodes it */
    r->t->flags[id] = (uint8_t)(RT_TOKEN_ADDED | (out->special ? RT_TOKEN_SPECIAL : 0));
    return RETORT_OK;
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

/* A token of a ByteLevel vocabulary. One that is not spelt in the alphabet can be found in no text and decodes to
 * itself, as the added tokens do. */
static retort_status add_spelt(reader *r, int64_t id, const char *text, rt_buffer *scratch, retort_error *err) {
    size_t length = strlen(text), bytes = 0;
    rt_buffer_clear(scratch);
    RT_TRY(rt_buffer_append(scratch, text, length, err)); /* bytes are never longer than their spelling */
    bool added = (r->t->flags[id] & RT_TOKEN_ADDED) != 0;
    if (added || !rt_bytes_unspell(text, length, scratch->data, &bytes)) {
        return rt_token_table_add(&r->t->tokens, text, length, true, err);
    }
    return rt_token_table_add(&r->t->tokens, scratch->data, bytes, false, err);
}

/* "<0x41>": the byte, else -1. */
static int fallback_byte(const char *text) {
    static const char HEX[] = "0123456789ABCDEF";
    if (strlen(text) != 6 || strncmp(text, "<0x", 3) != 0 || text[5] != '>') return -1;
    const char *high = memchr(HEX, text[3], 16), *low = memchr(HEX, text[4], 16);
    return high != NULL && low != NULL ? (int)((high - HEX) * 16 + (low - HEX)) : -1;
}

/* What a token of text decodes to. */
static retort_status add_piece(reader *r, int64_t id, const char *text, rt_buffer *scratch, retort_error *err) {
    const rt_decoder *d = &r->t->decoder;
    int byte = fallback_byte(text);
    if (byte >= 0 && r->byte_fallback) r->t->byte_id[byte] = (int32_t)id;
    if (byte >= 0 && d->byte_fallback) {
        char c = (char)(uint8_t)byte;
        r->t->flags[id] |= RT_TOKEN_BYTE;
        return rt_token_table_add(&r->t->pieces, &c, 1, true, err);
    }
    rt_buffer_clear(scratch);
    RT_TRY(rt_buffer_puts(scratch, text, err));
    for (int i = 0; i < d->num_replace; i++) {
        rt_transform step = {.kind = RT_TRANSFORM_REPLACE, .from = d->replace[i].from, .to = d->replace[i].to};
        rt_transforms one = {.step = {step}, .count = 1};
        rt_transformed memory = {0};
        rt_view view = {.text = scratch->data, .length = scratch->length};
        rt_buffer next = {0};
        retort_status st = rt_transforms_run(&one, &view, true, false, &memory, &view, err);
        if (st == RETORT_OK) st = rt_buffer_append(&next, view.text, view.length, err);
        rt_transformed_free(&memory);
        rt_buffer_free(scratch);
        *scratch = next;
        RT_TRY(st);
    }
    return rt_token_table_add(&r->t->pieces, scratch->data, scratch->length, true, err);
}

static retort_status add_token(reader *r, int64_t id, rt_buffer *scratch, retort_error *err) {
    const char *text = r->text[id];
    RT_CHECK(text != NULL, err, RETORT_ERR_FORMAT, "no token has id %lld (ids must be consecutive)", (long long)id);
    RT_CHECK(text[0] != '\0', err, RETORT_ERR_FORMAT, "the token with id %lld is empty", (long long)id);
    if (r->t->byte_level) return add_spelt(r, id, text, scratch, err);
    RT_TRY(rt_token_table_add(&r->t->tokens, text, strlen(text), (r->t->flags[id] & RT_TOKEN_ADDED) != 0, err));
    return add_piece(r, id, text, scratch, err);
}

static retort_status read_unknown(reader *r, retort_error *err) {
    if (r->unk == NULL) return RETORT_OK;
    const json_t *id = json_object_get(r->vocab, r->unk);
    RT_CHECK(id != NULL, err, RETORT_ERR_FORMAT, "'unk_token' '%.100s' is not in the vocabulary", r->unk);
    r->t->unk = (int32_t)json_integer_value(id);
    return RETORT_OK;
}

static retort_status read_tokens(reader *r, const json_t *root, retort_error *err) {
    RT_TRY(count_ids(r, root, err));
    RT_TRY(read_ids(r, err));
    RT_TRY(rt_added_set_create(r->t->added, r->t->num_added, false, &r->t->raw, err));
    RT_TRY(rt_added_set_create(r->t->added, r->t->num_added, true, &r->t->normalized, err));
    for (int byte = 0; byte < 256; byte++) r->t->byte_id[byte] = -1;
    rt_buffer scratch = {0};
    retort_status st = RETORT_OK;
    for (int64_t id = 0; id < r->total && st == RETORT_OK; id++) st = add_token(r, id, &scratch, err);
    rt_buffer_free(&scratch);
    RT_TRY(st);
    for (int byte = 0; byte < 256 && r->t->byte_level; byte++) {
        char c = (char)(uint8_t)byte;
        r->t->byte_id[byte] = rt_token_table_find(&r->t->tokens, &c, 1);
    }
    return read_unknown(r, err);
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

/* A piece that stands for other characters than its text: a byte, or what is unknown. */
static bool is_stand_in(const rt_tokenizer *t, int32_t id, const char *text) {
    return id == t->unk || fallback_byte(text) >= 0;
}

static retort_status read_merge(reader *r, size_t index, rt_buffer *scratch, retort_error *err) {
    const char *part[3] = {NULL, NULL, NULL};
    int32_t id[3];
    rt_junctions *junctions = &r->t->junctions;
    RT_TRY(merge_texts(json_array_get(r->merges, index), index, scratch, part, err));
    for (int i = 0; i < 3; i++) RT_TRY(merge_part(r, index, part[i], &id[i], err));
    rt_merges_put(&r->t->merges, id[0], id[1], id[2], (uint32_t)index);
    if (junctions->bits == NULL) return RETORT_OK;
    bool plain = !is_stand_in(r->t, id[0], part[0]) && !is_stand_in(r->t, id[1], part[1]);
    if (!plain || !rt_junctions_add(junctions, part[0], part[1])) rt_junctions_free(junctions);
    return RETORT_OK;
}

/* Neighbouring unknown characters that become one token must not be parted. */
static bool fuses_unknown(const rt_tokenizer *t) {
    bool all_bytes = true;
    for (int byte = 0; byte < 256; byte++) all_bytes = all_bytes && t->byte_id[byte] >= 0;
    return t->fuse_unk && t->unk >= 0 && !all_bytes;
}

static retort_status read_merges(reader *r, retort_error *err) {
    size_t count = json_array_size(r->merges);
    RT_TRY(rt_merges_create(&r->t->merges, (int64_t)count, err));
    if (!r->t->byte_level && !r->t->ignore_merges && !fuses_unknown(r->t)) {
        RT_TRY(rt_junctions_create(&r->t->junctions, err));
    }
    rt_buffer scratch = {0};
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < count && st == RETORT_OK; i++) st = read_merge(r, i, &scratch, err);
    rt_buffer_free(&scratch);
    return st;
}

/* The tokens of single characters, to be found without a search. */
static retort_status list_characters(rt_tokenizer *t, retort_error *err) {
    if (t->byte_level) return RETORT_OK;
    t->char_id = rt_malloc_array(RT_CHAR_IDS, sizeof *t->char_id);
    RT_CHECK(t->char_id != NULL, err, RETORT_ERR_MEMORY, "out of memory: table of characters");
    memset(t->char_id, 0xFF, RT_CHAR_IDS * sizeof *t->char_id);
    for (int64_t id = 0; id < t->tokens.count; id++) {
        size_t length;
        uint32_t code = 0;
        const char *text = rt_token_table_get(&t->tokens, id, &length);
        bool single = length > 0 && rt_utf8_char(text, length, &code) == (int)length;
        if (single && code < RT_CHAR_IDS) t->char_id[code] = rt_token_table_find(&t->tokens, text, length);
    }
    return RETORT_OK;
}

/* Marks the tokens that a word of the same text becomes, so that encoding most words is one look-up. */
static retort_status mark_whole(rt_tokenizer *t, retort_error *err) {
    rt_ids ids = {0}, symbols = {0};
    retort_status st = RETORT_OK;
    for (int64_t id = 0; id < t->tokens.count && st == RETORT_OK; id++) {
        size_t length;
        const char *text = rt_token_table_get(&t->tokens, id, &length);
        if (rt_token_table_find(&t->tokens, text, length) != id) continue; /* hidden */
        ids.count = 0;
        retort_status one = t->ignore_merges ? RETORT_OK : rt_encode_word(t, text, length, &symbols, &ids, err);
        if (one == RETORT_ERR_MEMORY) st = one; /* other failures: the token has characters that no text can have */
        bool whole = t->ignore_merges || (one == RETORT_OK && ids.count == 1 && ids.data[0] == id);
        if (whole) t->flags[id] |= RT_TOKEN_WHOLE;
    }
    rt_ids_free(&ids);
    rt_ids_free(&symbols);
    return st;
}

retort_status rt_read_vocabulary(rt_tokenizer *t, const json_t *root, retort_error *err) {
    reader r = {.t = t};
    retort_status st;
    RT_GOTO(st, check_model(&r, json_object_get(root, "model"), err), done);
    RT_GOTO(st, read_tokens(&r, root, err), done);
    RT_GOTO(st, list_characters(t, err), done);
    RT_GOTO(st, read_merges(&r, err), done);
    st = mark_whole(t, err);
done:
    rt_free(r.text);
    return st;
}
