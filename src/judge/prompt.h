/* What a language model that judges is told. The text that ships is assets/prompts/judge-1.txt; docs/behaviors.md says
 * how one of one's own is written. */
#ifndef RT_JUDGE_PROMPT_H
#define RT_JUDGE_PROMPT_H

#include "judge/behaviors.h"

typedef struct rt_prompt {
    char *version;    /* "judge-1:SHA-256" of the template with the behaviours in it: another text is another version */
    rt_buffer system; /* the same for every response */
    rt_buffer user;   /* with {part}, {check} and {response} */
} rt_prompt;

/* path NULL: what ships. The template has {behaviors} before its line "===== user" and {check} and {response} behind
 * it; {names} and {part} may stand there. RETORT_ERR_FORMAT where one is missing. */
retort_status rt_prompt_load(const char *path, const rt_behaviors *behaviors, rt_prompt *out, retort_error *err);
void rt_prompt_free(rt_prompt *prompt);

/* The code that ties a reply to the part of a response it judges; what the response says cannot know it. */
void rt_prompt_check(const rt_prompt *prompt, const char *key, int64_t segment, char check[13]);
/* The user's message: part `segment` of `segments` (0-based), [length] bytes. Bytes that are not UTF-8, and NULs,
 * become U+FFFD. */
retort_status rt_prompt_write(const rt_prompt *prompt, const char *text, size_t length, const char *check,
                              int64_t segment, int64_t segments, rt_buffer *out, retort_error *err);

#endif
