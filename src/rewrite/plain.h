/* The plain style: the same trace without a marked word. */
#ifndef RT_REWRITE_PLAIN_H
#define RT_REWRITE_PLAIN_H

#include "core/mem.h"

/* Appends the plain form of a flexible teacher's trace to *out: phrase by phrase its counterpart of plain_phrases.h,
 * equations and box as they are. RETORT_ERR_FORMAT, with the byte, for a text that is not such a trace. */
retort_status rt_plain_write(const char *text, size_t length, rt_buffer *out, retort_error *err);

#endif
