#include "report/strings.h"

#include <string.h>

#include "text/bytes.h"

/* The slot of a string, or the free one where it would stand; there is always a free one. */
static int32_t *slot_of(const rt_strings *names, const char *bytes, size_t length) {
    size_t mask = names->num_slots - 1;
    for (size_t at = (size_t)rt_bytes_hash(bytes, length) & mask;; at = (at + 1) & mask) {
        int32_t name = names->slots[at];
        if (name < 0 || (names->lengths[name] == length && memcmp(names->items[name], bytes, length) == 0))
            return &names->slots[at];
    }
}

static retort_status grow_slots(rt_strings *names, retort_error *err) {
    size_t old = names->num_slots, wanted = old == 0 ? 256 : 2 * old;
    int32_t *slots = rt_malloc_array(wanted, sizeof *slots);
    RT_CHECK(slots != NULL, err, RETORT_ERR_MEMORY, "out of memory: table of %zu names", wanted);
    memset(slots, 0xff, wanted * sizeof *slots);
    rt_free(names->slots);
    names->slots = slots;
    names->num_slots = wanted;
    for (int32_t i = 0; i < names->count; i++) *slot_of(names, names->items[i], names->lengths[i]) = i;
    return RETORT_OK;
}

static retort_status grow_items(rt_strings *names, retort_error *err) {
    RT_CHECK(names->capacity <= INT32_MAX / 2, err, RETORT_ERR_UNSUPPORTED, "more than %d different names",
             names->capacity);
    int32_t wanted = names->capacity == 0 ? 64 : 2 * names->capacity;
    char **items = rt_realloc_array(names->items, (size_t)wanted, sizeof *items);
    if (items != NULL) names->items = items;
    uint32_t *lengths = rt_realloc_array(names->lengths, (size_t)wanted, sizeof *lengths);
    if (lengths != NULL) names->lengths = lengths;
    RT_CHECK(items != NULL && lengths != NULL, err, RETORT_ERR_MEMORY, "out of memory: %d names", wanted);
    names->capacity = wanted;
    return RETORT_OK;
}

retort_status rt_strings_add(rt_strings *names, const char *bytes, size_t length, int32_t *out, retort_error *err) {
    RT_CHECK(length < UINT32_MAX, err, RETORT_ERR_UNSUPPORTED, "a name of %zu bytes", length);
    if (2 * ((size_t)names->count + 1) > names->num_slots) RT_TRY(grow_slots(names, err));
    int32_t *slot = slot_of(names, bytes, length);
    if (*slot < 0) {
        if (names->count == names->capacity) RT_TRY(grow_items(names, err));
        char *copy = rt_malloc(length + 1);
        RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: a name");
        memcpy(copy, bytes, length);
        copy[length] = '\0';
        names->items[names->count] = copy;
        names->lengths[names->count] = (uint32_t)length;
        *slot = names->count++;
    }
    *out = *slot;
    return RETORT_OK;
}

int32_t rt_strings_find(const rt_strings *names, const char *bytes, size_t length) {
    return names->num_slots == 0 ? -1 : *slot_of(names, bytes, length);
}

void rt_strings_free(rt_strings *names) {
    for (int32_t i = 0; i < names->count; i++) rt_free(names->items[i]);
    rt_free(names->items);
    rt_free(names->lengths);
    rt_free(names->slots);
    *names = (rt_strings){0};
}
