/* From ids to bytes and text. */
#include <string.h>

#include "text/bytes.h"
#include "text/internal.h"

static const char REPLACEMENT[] = "\xef\xbf\xbd";

static retort_status checked_piece(const rt_tokenizer *t, int32_t id, const char **piece, size_t *length,
                                   retort_error *err) {
    *piece = rt_tokenizer_piece(t, id, length);
    RT_CHECK(*piece != NULL, err, RETORT_ERR_FORMAT, "token id %d is outside the vocabulary of %lld", (int)id,
             (long long)t->tokens.count);
    return RETORT_OK;
}

/* The first token's bytes, without the characters that Metaspace drops there. */
static retort_status first_piece(const rt_tokenizer *t, int32_t id, rt_buffer *out, retort_error *err) {
    size_t length = 0, width = strlen(t->decoder.drop_first);
    if (width == 0 || (t->flags[id] & RT_TOKEN_BYTE) != 0) {
        const char *piece = rt_tokenizer_piece(t, id, &length);
        return rt_buffer_append(out, piece, length, err);
    }
    const char *text = rt_token_table_get(&t->tokens, id, &length);
    while (length > 0) {
        const char *mark = length >= width ? memmem(text, length, t->decoder.drop_first, width) : NULL;
        size_t keep = mark != NULL ? (size_t)(mark - text) : length;
        RT_TRY(rt_buffer_append(out, text, keep, err));
        size_t used = keep + (mark != NULL ? width : 0);
        text += used;
        length -= used;
    }
    return RETORT_OK;
}

/* Takes what the decoder strips off the start of the text that begins at `begin`. */
static void strip_start(const rt_tokenizer *t, rt_buffer *out, size_t begin) {
    size_t width = strlen(t->decoder.strip), cut = 0, length = out->length - begin;
    if (width == 0) return;
    for (int32_t i = 0; i < t->decoder.strip_start && length - cut >= width; i++) {
        if (memcmp(out->data + begin + cut, t->decoder.strip, width) != 0) break;
        cut += width;
    }
    if (cut == 0) return;
    memmove(out->data + begin, out->data + begin + cut, length - cut + 1);
    out->length -= cut;
}

retort_status rt_tokenizer_decode(const rt_tokenizer *tokenizer, const int32_t *ids, int64_t count, bool skip_special,
                                  rt_buffer *out, retort_error *err) {
    size_t begin = out->length;
    bool first = true;
    for (int64_t i = 0; i < count; i++) {
        const char *piece;
        size_t length = 0;
        RT_TRY(checked_piece(tokenizer, ids[i], &piece, &length, err));
        if (skip_special && rt_tokenizer_is_special(tokenizer, ids[i])) continue;
        if (first) {
            RT_TRY(first_piece(tokenizer, ids[i], out, err));
        } else {
            RT_TRY(rt_buffer_append(out, piece, length, err));
        }
        first = false;
    }
    strip_start(tokenizer, out, begin);
    return RETORT_OK;
}

/* ---- text ---- */

/* A run of byte tokens is text as a whole or not at all, as in the tokenizers package. */
static retort_status put_run(rt_buffer *run, rt_buffer *out, retort_error *err) {
    bool valid = true;
    for (size_t i = 0; i < run->length && valid;) {
        int size = rt_utf8_char(run->data + i, run->length - i, NULL);
        valid = size > 0;
        i += (size_t)size;
    }
    if (valid) {
        if (run->length > 0) RT_TRY(rt_buffer_append(out, run->data, run->length, err));
    } else {
        for (size_t i = 0; i < run->length; i++) RT_TRY(rt_buffer_puts(out, REPLACEMENT, err));
    }
    rt_buffer_clear(run);
    return RETORT_OK;
}

static retort_status decode_runs(const rt_tokenizer *t, const int32_t *ids, int64_t count, bool skip_special,
                                 rt_buffer *run, rt_buffer *out, retort_error *err) {
    bool first = true;
    for (int64_t i = 0; i < count; i++) {
        const char *piece;
        size_t length = 0;
        RT_TRY(checked_piece(t, ids[i], &piece, &length, err));
        if (skip_special && rt_tokenizer_is_special(t, ids[i])) continue;
        if ((t->flags[ids[i]] & RT_TOKEN_BYTE) != 0) {
            RT_TRY(rt_buffer_append(run, piece, length, err));
        } else {
            RT_TRY(put_run(run, out, err));
            if (first) {
                RT_TRY(first_piece(t, ids[i], out, err));
            } else {
                RT_TRY(rt_buffer_append(out, piece, length, err));
            }
        }
        first = false;
    }
    return put_run(run, out, err);
}

retort_status rt_tokenizer_decode_text(const rt_tokenizer *tokenizer, const int32_t *ids, int64_t count,
                                       bool skip_special, rt_buffer *out, retort_error *err) {
    rt_buffer bytes = {0};
    size_t begin = out->length;
    retort_status st;
    if (tokenizer->byte_level) {
        st = rt_tokenizer_decode(tokenizer, ids, count, skip_special, &bytes, err);
        if (st == RETORT_OK) st = rt_utf8_replace(bytes.length > 0 ? bytes.data : "", bytes.length, out, err);
    } else {
        st = decode_runs(tokenizer, ids, count, skip_special, &bytes, out, err);
        if (st == RETORT_OK && out->length > begin) strip_start(tokenizer, out, begin);
    }
    rt_buffer_free(&bytes);
    return st;
}

/* ---- stream ---- */

/* Appends the whole characters of held and bytes, and holds what is cut off at the end. */
static retort_status emit(rt_decode_stream *s, rt_buffer *bytes, rt_buffer *out, retort_error *err) {
    size_t i = 0;
    s->num_held = 0;
    while (i < bytes->length) {
        int size = rt_utf8_char(bytes->data + i, bytes->length - i, NULL);
        if (size > 0) {
            RT_TRY(rt_buffer_append(out, bytes->data + i, (size_t)size, err));
        } else {
            bool cut = false;
            size = rt_utf8_broken(bytes->data + i, bytes->length - i, &cut);
            if (cut) {
                memcpy(s->held, bytes->data + i, (size_t)size);
                s->num_held = size;
                return RETORT_OK;
            }
            RT_TRY(rt_buffer_puts(out, REPLACEMENT, err));
        }
        i += (size_t)size;
    }
    return RETORT_OK;
}

static retort_status emit_token(rt_decode_stream *s, const rt_tokenizer *t, int32_t id, rt_buffer *bytes,
                                rt_buffer *out, retort_error *err) {
    size_t length = 0, begin = out->length, width = strlen(t->decoder.strip);
    const char *piece = rt_tokenizer_piece(t, id, &length);
    RT_TRY(rt_buffer_append(bytes, s->held, (size_t)s->num_held, err));
    if (s->started) {
        RT_TRY(rt_buffer_append(bytes, piece, length, err));
    } else {
        RT_TRY(first_piece(t, id, bytes, err));
    }
    s->started = true;
    RT_TRY(emit(s, bytes, out, err));
    while (!s->past_start && s->stripped < t->decoder.strip_start && width > 0 && out->length - begin >= width &&
           memcmp(out->data + begin, t->decoder.strip, width) == 0) {
        memmove(out->data + begin, out->data + begin + width, out->length - begin - width + 1);
        out->length -= width;
        s->stripped++;
    }
    s->past_start = s->past_start || out->length > begin;
    return RETORT_OK;
}

retort_status rt_decode_stream_push(rt_decode_stream *stream, const rt_tokenizer *tokenizer, int32_t id,
                                    bool skip_special, rt_buffer *out, retort_error *err) {
    const char *piece;
    size_t length;
    RT_TRY(checked_piece(tokenizer, id, &piece, &length, err));
    if (skip_special && rt_tokenizer_is_special(tokenizer, id)) return RETORT_OK;
    rt_buffer bytes = {0};
    retort_status st = emit_token(stream, tokenizer, id, &bytes, out, err);
    rt_buffer_free(&bytes);
    return st;
}

retort_status rt_decode_stream_finish(rt_decode_stream *stream, rt_buffer *out, retort_error *err) {
    bool held = stream->num_held > 0;
    *stream = (rt_decode_stream){0};
    return held ? rt_buffer_puts(out, REPLACEMENT, err) : RETORT_OK;
}
