/* What a language model that rewrites is told: a prompt of ours for each style, built in from assets/rewrite. */
#ifndef RT_REWRITE_INSTRUCTIONS_H
#define RT_REWRITE_INSTRUCTIONS_H

#include "core/mem.h"
#include "rewrite/marked.h"

typedef struct rt_instructions {
    rt_buffer system;  /* the lexicons' words filled in */
    const char *user;  /* template of the message, with {check} and {text} */
    char version[100]; /* "plain-1:<SHA-256 of what is said>": another word in a lexicon is another version */
} rt_instructions;

/* style: retort_rewrite_style. */
retort_status rt_instructions_load(int style, const rt_marks *marks, rt_instructions *out, retort_error *err);
void rt_instructions_free(rt_instructions *instructions);
/* Appends the message for a text. The code of its marker lines comes from the text itself, so that no text can hold its
 * own end. */
retort_status rt_instructions_write(const rt_instructions *instructions, const char *text, size_t length,
                                    rt_buffer *out, retort_error *err);

#endif
