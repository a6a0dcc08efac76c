/* Between which characters a text may be cut without changing an id.
 *
 * A token that reaches over the border between characters a and b was made by a merge whose left piece ends with a and
 * whose right piece begins with b. Where no merge does that, the two sides are encoded as if each stood alone; so a
 * text without a pre-tokenizer (Llama 2) falls into short words, most of which have been met before, and Chinese into
 * single characters.
 */
#ifndef RT_TEXT_JUNCTION_H
#define RT_TEXT_JUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"

enum { RT_JUNCTION_BITS = 18 };
typedef struct rt_junctions {
    uint64_t *bits; /* one for a hash of each pair of characters that a merge joins; NULL: cut nowhere */
} rt_junctions;
retort_status rt_junctions_create(rt_junctions *junctions, retort_error *err);
void rt_junctions_free(rt_junctions *junctions);
/* Notes a merge. Where the texts are not whole characters, or empty, the answer is false, and nothing may be cut. */
bool rt_junctions_add(rt_junctions *junctions, const char *left, const char *right);

static inline uint32_t rt_junction_place(uint32_t left, uint32_t right) {
    return (uint32_t)(((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u >> (64 - RT_JUNCTION_BITS));
}
/* Whether a token may reach over the border between two characters. Sometimes true where none does. */
static inline bool rt_junctions_join(const rt_junctions *junctions, uint32_t left, uint32_t right) {
    uint32_t place = rt_junction_place(left, right);
    return (junctions->bits[place / 64] >> (place % 64) & 1) != 0;
}

#endif
