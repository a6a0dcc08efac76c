/* `retort distill --inspect`: what the trainer will see of a data set, for a person or as JSON. */
#include <string.h>

#include "train/inspect.h"

/* Bytes that would move a terminal's cursor or change its colours are shown by their number. */
static retort_status put_plain(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F;
        bool c1 = byte == 0xC2 && i + 1 < length && (unsigned char)text[i + 1] < 0xA0;
        if (c1)
            RT_TRY(rt_buffer_printf(out, err, "\\x%02x", (unsigned char)text[++i]));
        else if (control)
            RT_TRY(rt_buffer_printf(out, err, "\\x%02x", byte));
        else
            RT_TRY(rt_buffer_append(out, text + i, 1, err));
    }
    return RETORT_OK;
}

static bool trained(const rt_sequence *item, int64_t i) {
    return i > 0 && rt_sequence_supervises(item, i);
}

/* ---- for reading ---- */

static retort_status put_run(const rt_tokenizer *tokenizer, const rt_sequence *item, int64_t begin, int64_t end,
                             bool colour, rt_buffer *out, retort_error *err) {
    bool learn = trained(item, begin);
    rt_buffer text = {0};
    RT_TRY(rt_buffer_printf(out, err, "--- %s, %lld tokens ---\n%s", learn ? "trained on" : "read",
                            (long long)(end - begin),
                            !colour ? ""
                            : learn ? "\033[32m"
                                    : "\033[2m"));
    retort_status st = rt_tokenizer_decode_text(tokenizer, item->ids + begin, end - begin, false, &text, err);
    if (st == RETORT_OK) st = put_plain(text.data, text.length, out, err);
    bool open = text.length == 0 || text.data[text.length - 1] != '\n';
    rt_buffer_free(&text);
    if (st == RETORT_OK) st = rt_buffer_printf(out, err, "%s%s", colour ? "\033[0m" : "", open ? "\n" : "");
    return st;
}

static retort_status put_ids(const rt_sequence *item, bool colour, rt_buffer *out, retort_error *err) {
    enum { WIDTH = 110 };
    size_t column = 0;
    RT_TRY(rt_buffer_puts(out, "--- ids, those trained on with a * ---\n", err));
    for (int64_t i = 0; i < item->count; i++) {
        bool learn = trained(item, i);
        char word[24];
        column += (size_t)snprintf(word, sizeof word, "%d%s", (int)item->ids[i], learn ? "*" : "") + 1;
        bool wrap = i + 1 == item->count || column > WIDTH;
        if (wrap) column = 0;
        RT_TRY(rt_buffer_printf(out, err, "%s%s%s%s", colour && learn ? "\033[32m" : "", word,
                                colour && learn ? "\033[0m" : "", wrap ? "\n" : " "));
    }
    return RETORT_OK;
}

static retort_status put_example(const rt_tokenizer *tokenizer, const rt_dataset *data, int64_t number, bool colour,
                                 rt_buffer *out, retort_error *err) {
    const rt_sequence *item = &data->items[number];
    RT_TRY(rt_buffer_printf(out, err, "=== example %lld, line %zu: %lld tokens, %lld trained on ===\n",
                            (long long)number + 1, data->lines[number], (long long)item->count,
                            (long long)rt_sequence_targets(item)));
    for (int64_t begin = 0, end = 0; begin < item->count; begin = end) {
        for (end = begin + 1; end < item->count && trained(item, end) == trained(item, begin);) end++;
        RT_TRY(put_run(tokenizer, item, begin, end, colour, out, err));
    }
    RT_TRY(put_ids(item, colour, out, err));
    return rt_buffer_puts(out, "\n", err);
}

retort_status rt_inspect_text(const rt_tokenizer *tokenizer, const rt_dataset *data, int64_t examples, bool colour,
                              rt_buffer *out, retort_error *err) {
    for (int64_t i = 0; i < examples && i < data->count; i++) {
        RT_TRY(put_example(tokenizer, data, i, colour, out, err));
    }
    return rt_lengths_text(&data->lengths, out, err);
}

/* ---- JSON ---- */

/* -100 where nothing is trained on, as transformers marks it. */
enum { IGNORED = -100 };

static json_t *example_json(const rt_tokenizer *tokenizer, const rt_dataset *data, int64_t number, retort_error *err) {
    const rt_sequence *item = &data->items[number];
    json_t *ids = json_array(), *labels = json_array(), *pieces = json_array();
    rt_buffer text = {0};
    bool made = ids != NULL && labels != NULL && pieces != NULL;
    for (int64_t i = 0; i < item->count && made; i++) {
        size_t length = 0;
        const char *piece = rt_tokenizer_piece(tokenizer, item->ids[i], &length);
        made = json_array_append_new(ids, json_integer(item->ids[i])) == 0 &&
               json_array_append_new(labels, json_integer(trained(item, i) ? item->ids[i] : IGNORED)) == 0 &&
               json_array_append_new(pieces, rt_json_text(piece != NULL ? piece : "", length)) == 0;
    }
    made = made && rt_tokenizer_decode_text(tokenizer, item->ids, item->count, false, &text, err) == RETORT_OK;
    json_t *object = NULL;
    if (made) {
        object = json_pack("{s:I, s:I, s:I, s:O, s:O, s:O, s:o}", "line", (json_int_t)data->lines[number], "tokens",
                           (json_int_t)item->count, "trained", (json_int_t)rt_sequence_targets(item), "input_ids", ids,
                           "labels", labels, "pieces", pieces, "text", rt_json_text(text.data, text.length));
    }
    json_decref(ids);
    json_decref(labels);
    json_decref(pieces);
    rt_buffer_free(&text);
    return object;
}

retort_status rt_inspect_json(const rt_tokenizer *tokenizer, const rt_dataset *data, int64_t examples, rt_buffer *out,
                              retort_error *err) {
    json_t *root = json_object(), *list = json_array(), *lengths = NULL;
    bool made = root != NULL && list != NULL;
    for (int64_t i = 0; i < examples && i < data->count && made; i++) {
        made = json_array_append_new(list, example_json(tokenizer, data, i, err)) == 0;
    }
    retort_status st = made ? rt_lengths_json(&data->lengths, &lengths, err) : RETORT_ERR_MEMORY;
    made = st == RETORT_OK && json_object_set(root, "examples", list) == 0 &&
           json_object_set_new(root, "lengths", lengths) == 0;
    if (!made) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of the examples");
    if (st == RETORT_OK) st = rt_json_dump(root, JSON_COMPACT, out, err);
    if (st == RETORT_OK) st = rt_buffer_puts(out, "\n", err);
    json_decref(list);
    json_decref(root);
    return st;
}
