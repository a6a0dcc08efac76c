#include "report/texts.h"

#include "report/block.h"
#include "text/bytes.h"

enum { BLOCK_BYTES = 256 << 10 };

static retort_status write_block(rt_texts *texts, retort_error *err) {
    char name[32];
    snprintf(name, sizeof name, "texts/%zu", json_array_size(texts->first_rows) - 1);
    RT_TRY(rt_buffer_puts(&texts->block, "]", err));
    retort_status st = rt_block_write(texts->folder, name, texts->block.data, texts->block.length, err);
    rt_buffer_clear(&texts->block);
    return st;
}

/* UTF-16 units of the text up to each mark's borders, in one walk: marks are sorted by their begin, but the ends are
 * not, so an end is found from its mark's begin. */
static size_t units(const char *text, size_t begin, size_t end) {
    size_t count = 0;
    while (begin < end) {
        size_t run = rt_ascii_run(text + begin, end - begin);
        count += run;
        begin += run;
        if (begin >= end) break;
        int bytes = rt_utf8_char(text + begin, end - begin, NULL);
        count += bytes == 4 ? 2 : 1;
        begin += bytes > 0 ? (size_t)bytes : 1;
    }
    return count;
}

static json_t *marks_json(const char *text, const rt_mark *marks, int64_t num_marks) {
    json_t *list = json_array();
    size_t before = 0;
    for (int64_t i = 0; i < num_marks; i++) {
        json_array_append_new(list, json_integer(marks[i].kind));
        json_array_append_new(list, json_integer((json_int_t)units(text, before, marks[i].begin)));
        json_array_append_new(list, json_integer((json_int_t)units(text, marks[i].begin, marks[i].end)));
        before = marks[i].begin;
    }
    return list;
}

/* Marks are counted in bytes of the text as it came: one that is no UTF-8 is repaired first, and then has none. */
retort_status rt_texts_add(rt_texts *texts, const char *text, size_t length, const rt_mark *marks, int64_t num_marks,
                           retort_error *err) {
    if (texts->first_rows == NULL) texts->first_rows = json_array();
    bool open = texts->block.length > 0;
    if (!open) json_array_append_new(texts->first_rows, json_integer(texts->rows));
    RT_TRY(rt_buffer_puts(&texts->block, open ? "," : "[", err));
    json_t *string = json_stringn(text, length);
    if (string == NULL) {
        num_marks = 0;
        string = rt_json_text(text, length);
    }
    json_t *entry = json_pack("[o, o]", string, marks_json(text, marks, num_marks));
    RT_CHECK(entry != NULL, err, RETORT_ERR_MEMORY, "out of memory: a response of %zu bytes", length);
    retort_status st = rt_json_dump(entry, JSON_COMPACT, &texts->block, err);
    json_decref(entry);
    RT_TRY(st);
    texts->rows++;
    return texts->block.length >= BLOCK_BYTES ? write_block(texts, err) : RETORT_OK;
}

retort_status rt_texts_finish(rt_texts *texts, retort_error *err) {
    return texts->block.length > 0 ? write_block(texts, err) : RETORT_OK;
}

void rt_texts_free(rt_texts *texts) {
    rt_buffer_free(&texts->block);
    json_decref(texts->first_rows);
    *texts = (rt_texts){0};
}
