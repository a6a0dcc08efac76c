/* From text to ids: added tokens, normalizer, added tokens again, pre-tokenizer, merges, post-processor. */
#include <string.h>

#include "text/bytes.h"
#include "text/internal.h"

typedef struct encoding {
    const rt_tokenizer *t;
    int flags;
    rt_ids *ids;
    rt_spans *spans; /* NULL: not wanted */
    rt_workspace *work;
    rt_view words; /* the text that is being split into words */
} encoding;

static retort_status push_span(rt_spans *spans, size_t begin, size_t end, retort_error *err) {
    if (spans->count == spans->capacity) {
        int64_t capacity = spans->capacity == 0 ? 64 : spans->capacity * 2;
        rt_span *data = rt_realloc_array(spans->data, (size_t)capacity, sizeof *data);
        RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: spans of %lld tokens", (long long)capacity);
        spans->data = data;
        spans->capacity = capacity;
    }
    spans->data[spans->count++] = (rt_span){begin, end};
    return RETORT_OK;
}

void rt_spans_free(rt_spans *spans) {
    rt_free(spans->data);
    *spans = (rt_spans){0};
}

/* ---- one word ---- */

/* A byte without a token of its own becomes the unknown token. Where there is none it vanishes, as in the tokenizers
 * package: SmolLM2's vocabulary, for one, lacks some control characters. */
static retort_status byte_symbols(const rt_tokenizer *t, const char *word, size_t length, rt_ids *symbols,
                                  retort_error *err) {
    bool unknown = false;
    for (size_t i = 0; i < length; i++) {
        int32_t id = t->byte_id[(uint8_t)word[i]];
        bool fused = id < 0 && unknown && t->fuse_unk;
        unknown = id < 0;
        if (id < 0) id = t->unk;
        if (fused || id < 0) continue;
        RT_TRY(rt_ids_push(symbols, id, err));
    }
    return RETORT_OK;
}

/* The bytes of a character that is no token, where all of them are tokens; *found tells. */
static retort_status fallback(const rt_tokenizer *t, const char *bytes, size_t length, rt_ids *symbols, bool *found,
                              retort_error *err) {
    *found = true;
    for (size_t i = 0; i < length; i++) *found = *found && t->byte_id[(uint8_t)bytes[i]] >= 0;
    for (size_t i = 0; i < length && *found; i++) RT_TRY(rt_ids_push(symbols, t->byte_id[(uint8_t)bytes[i]], err));
    return RETORT_OK;
}

static retort_status character_symbols(const rt_tokenizer *t, const char *word, size_t length, rt_ids *symbols,
                                       retort_error *err) {
    bool unknown = false;
    for (size_t i = 0; i < length;) {
        uint32_t code = RT_CHAR_IDS;
        int size = rt_utf8_char(word + i, length - i, &code);
        size_t width = size == 0 ? 1 : (size_t)size;
        int32_t id = code < RT_CHAR_IDS ? t->char_id[code] : rt_token_table_find(&t->tokens, word + i, width);
        bool found = id >= 0;
        if (found) {
            RT_TRY(rt_ids_push(symbols, id, err));
        } else {
            RT_TRY(fallback(t, word + i, width, symbols, &found, err));
        }
        if (!found && t->unk >= 0 && !(unknown && t->fuse_unk)) RT_TRY(rt_ids_push(symbols, t->unk, err));
        unknown = !found;
        i += width;
    }
    return RETORT_OK;
}

retort_status rt_encode_word(const rt_tokenizer *t, const char *word, size_t length, rt_ids *symbols, rt_ids *ids,
                             retort_error *err) {
    symbols->count = 0;
    if (t->byte_level) {
        RT_TRY(byte_symbols(t, word, length, symbols, err));
    } else {
        RT_TRY(character_symbols(t, word, length, symbols, err));
    }
    return rt_bpe_merge(&t->merges, symbols->data, (size_t)symbols->count, ids, err);
}

/* ---- spans ---- */

/* How many bytes of the word an unknown token stands for: up to where the next token's text begins. */
static size_t unknown_width(const rt_tokenizer *t, const char *word, size_t length) {
    size_t width = 0;
    if (length == 0) return 0;
    do {
        int size = t->byte_level ? 1 : rt_utf8_char(word + width, length - width, NULL);
        width += size == 0 ? 1 : (size_t)size;
        size = width < length && !t->byte_level ? rt_utf8_char(word + width, length - width, NULL) : 1;
        size_t next = size == 0 ? 1 : (size_t)size;
        if (width < length && rt_token_table_find(&t->tokens, word + width, next) >= 0) break;
    } while (t->fuse_unk && width < length);
    return width < length ? width : length;
}

/* Where in the rest of the word the token's bytes are: one after another, but for bytes that vanished. */
static void find_token(const char *token, size_t width, const char *word, size_t length, size_t *begin, size_t *end) {
    size_t at = *end;
    *begin = at;
    for (size_t i = 0; i < width && at < length; i++) {
        while (at < length && word[at] != token[i]) at++;
        if (i == 0) *begin = at;
        if (at < length) at++;
    }
    *end = at;
}

static retort_status add_spans(encoding *e, const char *word, size_t length, int64_t from, retort_error *err) {
    const rt_tokenizer *t = e->t;
    size_t begin = 0, end = 0, offset = (size_t)(word - e->words.text);
    for (int64_t i = from; i < e->ids->count; i++) {
        int32_t id = e->ids->data[i];
        size_t width = 0, first, last;
        const char *token = rt_token_table_get(&t->tokens, id, &width);
        if (id == t->unk) {
            begin = end;
            end += unknown_width(t, word + begin, length - begin);
        } else if (!t->byte_level && end < length && t->byte_id[(uint8_t)word[end]] == id) {
            begin = end++;
        } else {
            find_token(token, width, word, length, &begin, &end);
        }
        rt_view_span(&e->words, offset + begin, offset + end, &first, &last);
        RT_TRY(push_span(e->spans, first, last, err));
    }
    return RETORT_OK;
}

static retort_status encode_new_word(encoding *e, const char *word, size_t length, retort_error *err) {
    const rt_tokenizer *t = e->t;
    int32_t id = rt_token_table_find(&t->tokens, word, length);
    if (id >= 0 && (t->flags[id] & RT_TOKEN_WHOLE) != 0) return rt_ids_push(e->ids, id, err);
    return rt_encode_word(t, word, length, &e->work->symbols, e->ids, err);
}

static retort_status encode_short_word(encoding *e, const char *word, size_t length, retort_error *err) {
    bool found = false;
    rt_word_entry *entry = rt_word_cache_find(&e->work->words, word, length, &found);
    if (found) return rt_ids_append(e->ids, entry->ids, entry->count, err);
    int64_t from = e->ids->count;
    retort_status st = encode_new_word(e, word, length, err);
    int64_t count = e->ids->count - from;
    if (st == RETORT_OK) {
        rt_word_cache_fill(entry, count > 0 ? e->ids->data + from : NULL, count);
    } else {
        rt_word_cache_forget(entry);
    }
    return st;
}

static retort_status encode_word(encoding *e, const char *word, size_t length, retort_error *err) {
    int64_t from = e->ids->count;
    if (length <= RT_WORD_MAX && length > 0) {
        RT_TRY(encode_short_word(e, word, length, err));
    } else {
        RT_TRY(encode_new_word(e, word, length, err));
    }
    return e->spans == NULL ? RETORT_OK : add_spans(e, word, length, from, err);
}

/* Cuts a word wherever no merge can reach over (junction.h). */
static retort_status visit_word(void *context, const char *word, size_t length, retort_error *err) {
    encoding *e = context;
    const rt_junctions *junctions = &e->t->junctions;
    if (junctions->bits == NULL) return encode_word(e, word, length, err);
    size_t begin = 0;
    uint32_t before = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = UINT32_MAX;
        int size = rt_utf8_char(word + at, length - at, &code);
        if (at > begin && !rt_junctions_join(junctions, before, code)) {
            RT_TRY(encode_word(e, word + begin, at - begin, err));
            begin = at;
        }
        before = code;
        at += size == 0 ? 1 : (size_t)size;
    }
    return encode_word(e, word + begin, length - begin, err);
}

/* ---- the passes ---- */

static retort_status encode_words(encoding *e, const rt_view *view, bool at_start, retort_error *err) {
    if (view->length == 0) return RETORT_OK;
    RT_TRY(rt_transforms_run(&e->t->pre_transforms, view, at_start, e->spans != NULL, &e->work->pre, &e->words, err));
    return rt_splitter_run(e->t->splitter, e->words.text, e->words.length, visit_word, e, err);
}

static retort_status push_added(encoding *e, const rt_added_token *a, const rt_view *view, size_t begin, size_t end,
                                retort_error *err) {
    size_t first, last;
    RT_TRY(rt_ids_push(e->ids, a->id, err));
    rt_view_span(view, begin, end, &first, &last);
    return e->spans == NULL ? RETORT_OK : push_span(e->spans, first, last, err);
}

/* Pass 0 cuts the tokens that see the text as it is and normalizes what is left; pass 1 cuts those that see it
 * normalized and encodes what is left. */
static retort_status encode_pass(encoding *e, int pass, const rt_view *view, bool at_start, retort_error *err) {
    if (pass == 2) return encode_words(e, view, at_start, err);
    rt_view text = *view;
    if (pass == 1) {
        RT_TRY(rt_transforms_run(&e->t->normalizer, view, at_start, e->spans != NULL, &e->work->normal, &text, err));
    }
    rt_added_scan scan = {.set = pass == 0 ? &e->t->raw : &e->t->normalized,
                          .text = text.text,
                          .length = text.length,
                          .parse_special = (e->flags & RT_ENCODE_PARSE_SPECIAL) != 0};
    size_t done = 0, begin = 0, end = 0;
    for (const rt_added_token *a; (a = rt_added_scan_next(&scan, &begin, &end)) != NULL; done = end) {
        rt_view before = rt_view_part(&text, done, begin);
        if (begin > done) RT_TRY(encode_pass(e, pass + 1, &before, at_start && done == 0, err));
        RT_TRY(push_added(e, a, &text, begin, end, err));
    }
    rt_view rest = rt_view_part(&text, done, text.length);
    return rest.length > 0 ? encode_pass(e, pass + 1, &rest, at_start && done == 0, err) : RETORT_OK;
}

static retort_status push_around(encoding *e, const rt_ids *around, size_t at, retort_error *err) {
    if ((e->flags & RT_ENCODE_POST_PROCESS) == 0) return RETORT_OK;
    for (int64_t i = 0; i < around->count; i++) {
        RT_TRY(rt_ids_push(e->ids, around->data[i], err));
        if (e->spans != NULL) RT_TRY(push_span(e->spans, at, at, err));
    }
    return RETORT_OK;
}

retort_status rt_tokenizer_encode_spans(const rt_tokenizer *tokenizer, const char *text, size_t length, int flags,
                                        rt_ids *ids, rt_spans *spans, retort_error *err) {
    encoding e = {.t = tokenizer, .flags = flags, .ids = ids, .spans = spans};
    int64_t before = ids->count, spans_before = spans != NULL ? spans->count : 0;
    rt_view view = {.text = length > 0 ? text : "", .length = length};
    RT_TRY(rt_workspaces_take(tokenizer->workspaces, &e.work, err));
    retort_status st = push_around(&e, &tokenizer->prefix, 0, err);
    if (st == RETORT_OK) st = encode_pass(&e, 0, &view, true, err);
    if (st == RETORT_OK) st = push_around(&e, &tokenizer->suffix, length, err);
    rt_workspaces_give(tokenizer->workspaces, e.work);
    if (st != RETORT_OK) {
        ids->count = before;
        if (spans != NULL) spans->count = spans_before;
    }
    return st;
}

retort_status rt_tokenizer_encode(const rt_tokenizer *tokenizer, const char *text, size_t length, bool parse_special,
                                  rt_ids *ids, retort_error *err) {
    return rt_tokenizer_encode_spans(tokenizer, text, length, parse_special ? RT_ENCODE_PARSE_SPECIAL : 0, ids, NULL,
                                     err);
}
