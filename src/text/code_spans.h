/* Code inside text, as Markdown marks it: what a lexicon's `context: prose` leaves out.
 *
 *   fence   a line that begins, after up to three blanks, with three or more ` or ~ (behind ` no further ` on the
 * line), up to and with the line that holds nothing but as many or more of them; without one, to the end of the text
 *   inline  a run of 1 to 32 ` up to and with the next run of as many on the same line; a run without one is no code
 *
 * These are CommonMark's fences, and its code spans except that they end with their line, so that one stray ` cannot
 * take a paragraph away. A fence inside a list or quotation is not looked for.
 */
#ifndef RT_CODE_SPANS_H
#define RT_CODE_SPANS_H

#include "text/tokenizer.h"

/* Appends the spans, ascending and apart. Linear in the length, whatever the text holds. */
retort_status rt_code_spans_find(const char *text, size_t length, rt_spans *out, retort_error *err);
/* True if byte `at` lies in one of them. */
bool rt_code_spans_hold(const rt_spans *spans, size_t at);

#endif
