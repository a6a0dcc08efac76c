#include "text/junction.h"

#include <string.h>

#include "text/bytes.h"

retort_status rt_junctions_create(rt_junctions *junctions, retort_error *err) {
    junctions->bits = rt_calloc((1u << RT_JUNCTION_BITS) / 64, sizeof *junctions->bits);
    RT_CHECK(junctions->bits != NULL, err, RETORT_ERR_MEMORY, "out of memory: merges of characters");
    return RETORT_OK;
}

void rt_junctions_free(rt_junctions *junctions) {
    rt_free(junctions->bits);
    junctions->bits = NULL;
}

static bool last_char(const char *text, uint32_t *code) {
    size_t length = strlen(text);
    for (size_t size = 1; size <= 4 && size <= length; size++) {
        if (rt_utf8_char(text + length - size, size, code) == (int)size) return true;
    }
    return false;
}

bool rt_junctions_add(rt_junctions *junctions, const char *left, const char *right) {
    uint32_t before = 0, after = 0;
    if (!last_char(left, &before) || right[0] == '\0' || rt_utf8_char(right, strlen(right), &after) == 0) return false;
    uint32_t place = rt_junction_place(before, after);
    junctions->bits[place / 64] |= (uint64_t)1 << (place % 64);
    return true;
}
