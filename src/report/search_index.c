#include "report/search_index.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "report/block.h"
#include "text/bytes.h"

enum { SHARD_BYTES = 256 << 10 };

typedef enum term_kind { NO_TERM, LETTERS, DIGITS, SYMBOL } term_kind;

/* Beyond ASCII: letters are U+00AA, U+00B5, U+00BA and U+00C0..U+1FFF without the signs of multiplication and division;
 * everything else there is a symbol. */
static term_kind kind_of(uint32_t code) {
    if ((code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z')) return LETTERS;
    if (code >= '0' && code <= '9') return DIGITS;
    if (code < 0x80) return NO_TERM;
    if (code == 0xAA || code == 0xB5 || code == 0xBA) return LETTERS;
    return code >= 0xC0 && code < 0x2000 && code != 0xD7 && code != 0xF7 ? LETTERS : SYMBOL;
}

/* A byte that is no UTF-8 ends a term and is none itself. */
static term_kind next_kind(const char *text, size_t length, int *bytes) {
    uint32_t code = (unsigned char)text[0];
    *bytes = 1;
    if (code < 0x80) return kind_of(code);
    *bytes = rt_utf8_char(text, length, &code);
    if (*bytes > 0) return kind_of(code);
    *bytes = 1;
    return NO_TERM;
}

bool rt_search_term(const char *text, size_t length, size_t *at, char out[RT_SEARCH_TERM_MAX], size_t *out_length) {
    int bytes = 0;
    term_kind kind = NO_TERM;
    for (; *at < length && (kind = next_kind(text + *at, length - *at, &bytes)) == NO_TERM;) *at += (size_t)bytes;
    if (*at >= length) return false;
    bool open = true; /* until a character does not fit: terms are cut between characters */
    *out_length = 0;
    do {
        open = open && *out_length + (size_t)bytes <= RT_SEARCH_TERM_MAX;
        for (int i = 0; open && i < bytes; i++) {
            char c = text[*at + (size_t)i];
            out[(*out_length)++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        *at += (size_t)bytes;
    } while (kind != SYMBOL && *at < length && next_kind(text + *at, length - *at, &bytes) == kind);
    return true;
}

static size_t put_varint(uint8_t out[5], uint32_t value) {
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

static retort_status append_posting(rt_posting *posting, int32_t response, retort_error *err) {
    uint8_t gap[5];
    size_t n = put_varint(gap, (uint32_t)(response - posting->last));
    if (posting->bytes == NULL || posting->length + n > posting->capacity) {
        RT_CHECK(posting->capacity < UINT32_MAX / 2, err, RETORT_ERR_UNSUPPORTED, "too many responses to index");
        uint32_t capacity = posting->capacity == 0 ? 8 : 2 * posting->capacity;
        uint8_t *bytes = rt_realloc_array(posting->bytes, capacity, 1);
        RT_CHECK(bytes != NULL, err, RETORT_ERR_MEMORY, "out of memory: search index");
        posting->bytes = bytes;
        posting->capacity = capacity;
    }
    memcpy(posting->bytes + posting->length, gap, n);
    posting->length += (uint32_t)n;
    posting->last = response;
    posting->responses++;
    return RETORT_OK;
}

retort_status rt_search_add(rt_search_index *index, int32_t response, const char *text, size_t length,
                            retort_error *err) {
    char term[RT_SEARCH_TERM_MAX];
    size_t term_length;
    for (size_t at = 0; rt_search_term(text, length, &at, term, &term_length);) {
        int32_t before = index->terms.count, number;
        RT_TRY(rt_strings_add(&index->terms, term, term_length, &number, err));
        if (number >= index->capacity) {
            int32_t capacity = index->terms.capacity;
            rt_posting *postings = rt_realloc_array(index->postings, (size_t)capacity, sizeof *postings);
            RT_CHECK(postings != NULL, err, RETORT_ERR_MEMORY, "out of memory: search index of %d words", capacity);
            index->postings = postings;
            index->capacity = capacity;
        }
        rt_posting *posting = &index->postings[number];
        if (number == before) *posting = (rt_posting){.last = -1};
        if (posting->last != response) RT_TRY(append_posting(posting, response, err));
    }
    return RETORT_OK;
}

static int by_bytes(const void *a, const void *b, void *opaque) {
    const rt_strings *terms = opaque;
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    uint32_t shorter = terms->lengths[x] < terms->lengths[y] ? terms->lengths[x] : terms->lengths[y];
    int order = memcmp(terms->items[x], terms->items[y], shorter);
    return order != 0 ? order : (terms->lengths[x] > terms->lengths[y]) - (terms->lengths[x] < terms->lengths[y]);
}

static retort_status append_term(const rt_search_index *index, int32_t number, rt_buffer *shard, retort_error *err) {
    const rt_posting *posting = &index->postings[number];
    uint8_t value[5];
    RT_TRY(rt_buffer_append(shard, value, put_varint(value, index->terms.lengths[number]), err));
    RT_TRY(rt_buffer_append(shard, index->terms.items[number], index->terms.lengths[number], err));
    RT_TRY(rt_buffer_append(shard, value, put_varint(value, (uint32_t)posting->responses), err));
    RT_TRY(rt_buffer_append(shard, value, put_varint(value, posting->length), err));
    return rt_buffer_append(shard, posting->bytes, posting->length, err);
}

static retort_status write_shard(const char *folder, rt_buffer *shard, json_t *directory, json_t *first,
                                 retort_error *err) {
    char name[32];
    snprintf(name, sizeof name, "search/%zu", json_array_size(directory));
    bool complete = json_array_append_new(directory, first) == 0;
    RT_CHECK(complete, err, RETORT_ERR_MEMORY, "out of memory: directory of the search index");
    retort_status st = rt_block_write(folder, name, shard->data, shard->length, err);
    rt_buffer_clear(shard);
    return st;
}

retort_status rt_search_write(const rt_search_index *index, const char *folder, json_t *directory, retort_error *err) {
    int32_t count = index->terms.count, *order = rt_malloc_array((size_t)count + 1, sizeof *order);
    RT_CHECK(order != NULL, err, RETORT_ERR_MEMORY, "out of memory: search index");
    for (int32_t i = 0; i < count; i++) order[i] = i;
    if (count > 0) qsort_r(order, (size_t)count, sizeof *order, by_bytes, (void *)(uintptr_t)&index->terms);
    rt_buffer shard = {0};
    int32_t first = 0;
    retort_status st = RETORT_OK;
    for (int32_t i = 0; i < count && st == RETORT_OK; i++) {
        st = append_term(index, order[i], &shard, err);
        if (st == RETORT_OK && (shard.length >= SHARD_BYTES || i + 1 == count)) {
            json_t *name = json_stringn(index->terms.items[order[first]], index->terms.lengths[order[first]]);
            st = write_shard(folder, &shard, directory, name, err);
            first = i + 1;
        }
    }
    rt_buffer_free(&shard);
    rt_free(order);
    return st;
}

void rt_search_free(rt_search_index *index) {
    for (int32_t i = 0; i < index->terms.count && i < index->capacity; i++) rt_free(index->postings[i].bytes);
    rt_free(index->postings);
    rt_strings_free(&index->terms);
    *index = (rt_search_index){0};
}
