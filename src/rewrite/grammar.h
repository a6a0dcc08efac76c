/* Reads a world teacher's trace back into the parts it was told with.
 *
 * The text is cut from left to right; at each place the longest phrase that fits is taken. That this undoes the teacher
 * exactly is not assumed: the caller puts the parts together again, and what belongs to no phrase is an error. */
#ifndef RT_REWRITE_GRAMMAR_H
#define RT_REWRITE_GRAMMAR_H

#include <stdbool.h>

#include "data/phrases.h"

enum { RT_VALUES_MAX = 6 };

typedef struct rt_value {
    char letter;  /* of the placeholder: 'T' for {T} */
    size_t begin; /* in the text */
    size_t length;
} rt_value;

/* One phrase of a text, and what stood at its placeholders. */
typedef struct rt_phrase_match {
    rt_slot slot;
    size_t index; /* phrase of the slot */
    size_t end;   /* in the text */
    rt_value values[RT_VALUES_MAX];
    int count;
} rt_phrase_match;

/* The longest phrase of the flexible teacher at `at`; false if none fits. Phrases of no letters never do. */
bool rt_phrase_find(const char *text, size_t length, size_t at, rt_phrase_match *out);

/* "24 - 5 = 19" at `at`; the number of its bytes, 0 if there is none. */
size_t rt_scan_equation(const char *text, size_t length, size_t at);
/* "\boxed{...}" at `at`, up to the first closing brace. */
size_t rt_scan_box(const char *text, size_t length, size_t at);

#endif
