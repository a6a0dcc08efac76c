#include "text/tokenizer.h"

#include <string.h>

#include "core/file.h"
#include "text/bytes.h"
#include "text/internal.h"
#include "text/nfc.h"

retort_status rt_ids_push(rt_ids *ids, int32_t id, retort_error *err) {
    if (ids->count == ids->capacity) {
        int64_t capacity = ids->capacity == 0 ? 64 : ids->capacity * 2;
        int32_t *data = rt_realloc_array(ids->data, (size_t)capacity, sizeof *data);
        RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of %lld token ids", (long long)capacity);
        ids->data = data;
        ids->capacity = capacity;
    }
    ids->data[ids->count++] = id;
    return RETORT_OK;
}

void rt_ids_free(rt_ids *ids) {
    rt_free(ids->data);
    *ids = (rt_ids){0};
}

void rt_tokenizer_destroy(rt_tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    rt_token_table_free(&tokenizer->tokens);
    rt_merges_free(&tokenizer->merges);
    for (int32_t i = 0; i < tokenizer->num_added; i++) rt_free(tokenizer->added[i].text);
    rt_free(tokenizer->added);
    rt_free(tokenizer->flags);
    rt_free(tokenizer->prompt_template);
    rt_splitter_destroy(tokenizer->splitter);
    rt_free(tokenizer);
}

/* ---- encoding ---- */

typedef struct encoding {
    const rt_tokenizer *tokenizer;
    rt_ids *ids;
    bool parse_special;
} encoding;

static retort_status encode_word(void *context, const char *word, size_t length, retort_error *err) {
    const encoding *e = context;
    const rt_tokenizer *t = e->tokenizer;
    int32_t id = rt_token_table_find(&t->tokens, word, length);
    if (id >= 0 && (t->flags[id] & RT_TOKEN_WHOLE) != 0) return rt_ids_push(e->ids, id, err);
    return rt_bpe_word(&t->merges, t->byte_id, word, length, e->ids, err);
}

/* Most text is its own NFC form, and then the normalizer changes nothing; what is not would need Unicode's composition
 * tables. Bytes that are no UTF-8 are kept as they are. */
static retort_status check_nfc(const char *text, size_t length, retort_error *err) {
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int size = rt_utf8_char(text + i, length - i, &code);
        RT_CHECK(rt_nfc_inert(code), err, RETORT_ERR_UNSUPPORTED,
                 "tokenizer's normalizer 'NFC' is not supported on text with U+%04X (byte %zu)", code, i);
        i += size == 0 ? 1 : (size_t)size;
    }
    return RETORT_OK;
}

static const rt_added_token *added_at(const encoding *e, bool normalized, const char *text, size_t length) {
    const rt_tokenizer *t = e->tokenizer;
    for (int32_t i = t->added_by_first[(uint8_t)text[0]]; i >= 0; i = t->added[i].next) {
        const rt_added_token *a = &t->added[i];
        if (a->normalized != normalized || (a->special && !e->parse_special)) continue;
        if (a->length <= length && memcmp(a->text, text, a->length) == 0) return a;
    }
    return NULL;
}

/* Added tokens are cut out leftmost, longest first: in a first pass those that see the text as it is, in a second one
 * those that see it normalized. What is left is split into words. */
static retort_status encode_segment(encoding *e, int pass, const char *text, size_t length, retort_error *err) {
    if (length == 0) return RETORT_OK;
    if (pass == 1 && e->tokenizer->nfc) RT_TRY(check_nfc(text, length, err));
    if (pass == 2) return rt_splitter_run(e->tokenizer->splitter, text, length, encode_word, e, err);
    size_t begin = 0;
    for (size_t i = 0; e->tokenizer->num_added > 0 && i < length;) {
        const rt_added_token *a = added_at(e, pass == 1, text + i, length - i);
        if (a == NULL) {
            i++;
            continue;
        }
        RT_TRY(encode_segment(e, pass + 1, text + begin, i - begin, err));
        RT_TRY(rt_ids_push(e->ids, a->id, err));
        i += a->length;
        begin = i;
    }
    return encode_segment(e, pass + 1, text + begin, length - begin, err);
}

retort_status rt_tokenizer_encode(const rt_tokenizer *tokenizer, const char *text, size_t length, bool parse_special,
                                  rt_ids *ids, retort_error *err) {
    encoding e = {tokenizer, ids, parse_special};
    int64_t before = ids->count;
    retort_status st = encode_segment(&e, 0, text, length, err);
    if (st != RETORT_OK) ids->count = before;
    return st;
}

/* ---- decoding and look-up ---- */

const char *rt_tokenizer_piece(const rt_tokenizer *tokenizer, int32_t id, size_t *length) {
    if (id < 0 || id >= tokenizer->tokens.count) return NULL;
    return rt_token_table_get(&tokenizer->tokens, id, length);
}

bool rt_tokenizer_is_special(const rt_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && id < tokenizer->tokens.count && (tokenizer->flags[id] & RT_TOKEN_SPECIAL) != 0;
}

retort_status rt_tokenizer_decode(const rt_tokenizer *tokenizer, const int32_t *ids, int64_t count, bool skip_special,
                                  rt_buffer *out, retort_error *err) {
    for (int64_t i = 0; i < count; i++) {
        size_t length = 0;
        const char *piece = rt_tokenizer_piece(tokenizer, ids[i], &length);
        RT_CHECK(piece != NULL, err, RETORT_ERR_FORMAT, "token id %d at place %lld is outside the vocabulary of %lld",
                 (int)ids[i], (long long)i, (long long)tokenizer->tokens.count);
        if (skip_special && rt_tokenizer_is_special(tokenizer, ids[i])) continue;
        RT_TRY(rt_buffer_append(out, piece, length, err));
    }
    return RETORT_OK;
}

int64_t rt_tokenizer_vocab_size(const rt_tokenizer *tokenizer) {
    return tokenizer->tokens.count;
}

int32_t rt_tokenizer_find(const rt_tokenizer *tokenizer, const char *text) {
    for (int32_t i = 0; i < tokenizer->num_added; i++) {
        if (strcmp(tokenizer->added[i].text, text) == 0) return tokenizer->added[i].id;
    }
    return rt_token_table_find(&tokenizer->tokens, text, strlen(text));
}

int32_t rt_tokenizer_eos(const rt_tokenizer *tokenizer) {
    return tokenizer->eos;
}

retort_status rt_tokenizer_render_problem(const rt_tokenizer *tokenizer, const char *problem, rt_buffer *out,
                                          retort_error *err) {
    static const char MARK[] = "{problem}";
    RT_CHECK(tokenizer->prompt_template != NULL, err, RETORT_ERR_NOT_FOUND,
             "tokenizer_config.json has no 'retort_prompt_template': give the whole text as 'prompt' instead of a "
             "problem");
    const char *mark = strstr(tokenizer->prompt_template, MARK); /* checked by the reader */
    RT_TRY(rt_buffer_append(out, tokenizer->prompt_template, (size_t)(mark - tokenizer->prompt_template), err));
    RT_TRY(rt_buffer_puts(out, problem, err));
    return rt_buffer_puts(out, mark + sizeof MARK - 1, err);
}

static retort_status copy_file(const char *from_dir, const char *to_dir, const char *name, retort_error *err) {
    char *from = rt_path_join(from_dir, name), *to = rt_path_join(to_dir, name);
    rt_buffer bytes = {0};
    retort_status st = RETORT_OK;
    if (from == NULL || to == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
        goto done;
    }
    RT_GOTO(st, rt_file_read(from, &bytes, err), done);
    st = rt_file_write(to, bytes.data, bytes.length, err);
done:
    rt_buffer_free(&bytes);
    rt_free(from);
    rt_free(to);
    return st;
}

retort_status rt_tokenizer_copy_files(const char *from_dir, const char *to_dir, retort_error *err) {
    RT_TRY(copy_file(from_dir, to_dir, "tokenizer.json", err));
    return copy_file(from_dir, to_dir, "tokenizer_config.json", err);
}
