#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "text/bytes.h"
#include "text/unicode.h"

static int by_pattern(const void *a, const void *b) {
    const rt_added_token *x = *(const rt_added_token *const *)a, *y = *(const rt_added_token *const *)b;
    int order = strcmp(x->pattern, y->pattern);
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

retort_status rt_added_set_create(const rt_added_token *tokens, int32_t count, bool normalized, rt_added_set *out,
                                  retort_error *err) {
    *out = (rt_added_set){0};
    out->sorted = rt_malloc_array((size_t)count + 1, sizeof *out->sorted);
    RT_CHECK(out->sorted != NULL, err, RETORT_ERR_MEMORY, "out of memory: %d added tokens", (int)count);
    for (int32_t i = 0; i < count; i++) {
        if (tokens[i].normalized != normalized || tokens[i].length == 0) continue;
        out->sorted[out->count++] = &tokens[i];
        out->first[(uint8_t)tokens[i].pattern[0]] = true;
    }
    qsort(out->sorted, (size_t)out->count, sizeof *out->sorted, by_pattern);
    return RETORT_OK;
}

void rt_added_set_free(rt_added_set *set) {
    rt_free(set->sorted);
    *set = (rt_added_set){0};
}

/* The first of sorted[low..high) whose byte at `depth` is not below `byte` (a pattern that has ended counts as -1). */
static int32_t first_not_below(const rt_added_set *set, int32_t low, int32_t high, size_t depth, int byte) {
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const rt_added_token *a = set->sorted[middle];
        int there = depth < a->length ? (uint8_t)a->pattern[depth] : -1;
        if (there < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The longest pattern at text: the range of patterns that share its first bytes is narrowed byte by byte. */
static const rt_added_token *longest_at(const rt_added_set *set, const char *text, size_t length) {
    const rt_added_token *best = NULL;
    int32_t low = 0, high = set->count;
    for (size_t depth = 0; depth < length; depth++) {
        int byte = (uint8_t)text[depth];
        low = first_not_below(set, low, high, depth, byte);
        high = first_not_below(set, low, high, depth, byte + 1);
        if (low == high) break;
        if (set->sorted[low]->length == depth + 1) best = set->sorted[low];
    }
    return best;
}

/* The character that ends at `end`; 0 if the bytes there are none. */
static uint32_t char_before(const char *text, size_t end, size_t *size) {
    for (*size = 1; *size <= 4 && *size <= end; (*size)++) {
        uint32_t code = 0;
        if (rt_utf8_char(text + end - *size, *size, &code) == (int)*size) return code;
    }
    *size = 1;
    return 0;
}

static bool stands_alone(const rt_added_scan *scan, size_t begin, size_t end) {
    uint32_t after = 0;
    size_t size = 0;
    if (begin > 0 && rt_unicode_is_word(char_before(scan->text, begin, &size))) return false;
    if (end < scan->length && rt_utf8_char(scan->text + end, scan->length - end, &after) == 0) after = 0;
    return end == scan->length || !rt_unicode_is_word(after);
}

static size_t strip_left(const rt_added_scan *scan, size_t begin) {
    size_t size = 0;
    while (begin > scan->done && rt_unicode_is_space(char_before(scan->text, begin, &size))) begin -= size;
    return begin > scan->done ? begin : scan->done;
}

static size_t strip_right(const rt_added_scan *scan, size_t end) {
    while (end < scan->length) {
        uint32_t code = 0;
        int size = rt_utf8_char(scan->text + end, scan->length - end, &code);
        if (size == 0 || !rt_unicode_is_space(code)) break;
        end += (size_t)size;
    }
    return end;
}

const rt_added_token *rt_added_scan_next(rt_added_scan *scan, size_t *begin, size_t *end) {
    if (scan->set->count == 0) return NULL;
    while (scan->from < scan->length) {
        if (!scan->set->first[(uint8_t)scan->text[scan->from]]) {
            scan->from++;
            continue;
        }
        const rt_added_token *a = longest_at(scan->set, scan->text + scan->from, scan->length - scan->from);
        if (a == NULL) {
            scan->from++;
            continue;
        }
        *begin = scan->from;
        *end = scan->from + a->length;
        scan->from = *end;
        if (a->special && !scan->parse_special) continue;
        if (a->single_word && !stands_alone(scan, *begin, *end)) continue;
        if (a->lstrip) *begin = strip_left(scan, *begin);
        if (a->rstrip) *end = strip_right(scan, *end);
        if (*begin < scan->done) *begin = scan->done;
        if (*end < scan->done) *end = scan->done;
        scan->done = *end;
        return a;
    }
    return NULL;
}
