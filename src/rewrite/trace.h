/* One line of a file of traces: where its text is, whether a rewritten one may take its place, and the line with it. */
#ifndef RT_REWRITE_TRACE_H
#define RT_REWRITE_TRACE_H

#include "core/json.h"
#include "retort/rewrite.h"
#include "rewrite/marked.h"

typedef struct rt_trace_text {
    const char *key;  /* "response", "completion", or "messages": the content of the last, an assistant's */
    const char *text; /* borrowed from the object */
    size_t length;
} rt_trace_text;

retort_status rt_trace_find(const json_t *object, const char *path, size_t line, rt_trace_text *out, retort_error *err);

/* RETORT_ERR_FORMAT with the reason if the text must be rejected (retort/rewrite.h). */
retort_status rt_restyled_check(int style, const rt_marks *marks, const rt_trace_text *original, const char *text,
                                size_t length, retort_error *err);

/* Writes the line with the new text; the object is changed. `by` (may be NULL) goes into "rewritten_by". */
retort_status rt_trace_write(rt_atomic_file *file, json_t *object, const rt_trace_text *trace, const char *text,
                             size_t length, int style, const char *by, retort_error *err);

#endif
