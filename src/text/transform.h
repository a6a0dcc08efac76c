/* Changes of the text before it is cut into words: normalizers, and pre-tokenizers that put something in.
 *
 * A token's span is told in the caller's text, so every transform keeps, where spans are wanted, for each byte of its
 * output the span of the original bytes it came from.
 */
#ifndef RT_TEXT_TRANSFORM_H
#define RT_TEXT_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/mem.h"

typedef enum rt_transform_kind {
    RT_TRANSFORM_NFC,
    RT_TRANSFORM_PREPEND, /* `to` before a text that is not empty */
    RT_TRANSFORM_ENSURE,  /* the same, unless the text begins with `to` */
    RT_TRANSFORM_REPLACE  /* every `from` by `to` */
} rt_transform_kind;

typedef struct rt_transform {
    rt_transform_kind kind;
    bool only_at_start; /* ENSURE: only where the text is at the start of the whole input */
    char *from, *to;    /* owned; not empty where used, except `to` of REPLACE */
} rt_transform;

enum { RT_MAX_TRANSFORMS = 16 };
typedef struct rt_transforms {
    rt_transform step[RT_MAX_TRANSFORMS];
    int count;
} rt_transforms;
/* Copies from and to (may be NULL). More than RT_MAX_TRANSFORMS steps are RETORT_ERR_UNSUPPORTED. */
retort_status rt_transforms_add(rt_transforms *transforms, rt_transform_kind kind, const char *from, const char *to,
                                bool only_at_start, retort_error *err);
void rt_transforms_free(rt_transforms *transforms);

/* A text and where its bytes came from. begin and end are NULL where byte i is byte base + i of the original. */
typedef struct rt_view {
    const char *text;
    size_t length;
    const size_t *begin, *end;
    size_t base;
} rt_view;
/* A part of a view. */
rt_view rt_view_part(const rt_view *view, size_t begin, size_t end);
/* The original bytes that bytes [begin, end) of the view came from; an empty range stays empty. */
void rt_view_span(const rt_view *view, size_t begin, size_t end, size_t *first, size_t *last);

/* Memory of a transformed text; zero-initialise, reusable, free with rt_transformed_free. */
typedef struct rt_transformed {
    struct {
        rt_buffer text;
        size_t *begin, *end, capacity;
    } side[2];
} rt_transformed;
void rt_transformed_free(rt_transformed *memory);
/* The same where the memory is more than a megabyte. */
void rt_transformed_trim(rt_transformed *memory);

/* *out is the input itself where nothing changes, else borrowed from memory until its next use. `spans` false: *out
 * has no usable begin and end. */
retort_status rt_transforms_run(const rt_transforms *transforms, const rt_view *in, bool at_start, bool spans,
                                rt_transformed *memory, rt_view *out, retort_error *err);

#endif
