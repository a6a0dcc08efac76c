/* Conversations rendered by a model's chat template, cut into what is read and what is trained on (see example.h). */
#ifndef RT_CONVERSATION_H
#define RT_CONVERSATION_H

#include "train/example.h"

/* Appends a conversation. Trained on are the assistant's turns from message number `from` (0-based) on. */
retort_status rt_conversation_make(const rt_example_settings *settings, const json_t *messages, size_t from,
                                   rt_examples *out, retort_error *err);
/* Appends the prompt that the messages make, the text as it is, and the token that ends an assistant's turn. */
retort_status rt_conversation_continue(const rt_example_settings *settings, const json_t *messages, const char *text,
                                       size_t length, rt_examples *out, retort_error *err);

/* Room for the marks of all ids. */
retort_status rt_examples_reserve(rt_examples *examples, retort_error *err);
/* Whether generation stops at this token. */
bool rt_example_ends(const rt_example_settings *settings, int32_t id);

#endif
