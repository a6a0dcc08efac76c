/* Chat templates of model directories, rendered as transformers' apply_chat_template renders them. */
#ifndef RT_TEXT_CHAT_H
#define RT_TEXT_CHAT_H

#include <time.h>

#include "text/jinja.h"

typedef struct rt_chat rt_chat;

/* Of a model (see rt_model_path): the template inside a GGUF file, or chat_template.jinja, else "chat_template" of its
 * tokenizer_config.json (a text, or a list of which the one called "default" counts), and the special tokens that
 * templates name (bos_token, eos_token, ...), also from special_tokens_map.json. RETORT_ERR_NOT_FOUND where there is no
 * template. */
retort_status rt_chat_load(const char *name, rt_chat **out, retort_error *err);
/* The same from a template and a parsed tokenizer_config.json (NULL: no special tokens), for templates that come inside
 * another file. `name` stands in messages. */
retort_status rt_chat_parse(const char *name, const char *template_text, size_t length, const json_t *config,
                            rt_chat **out, retort_error *err);
/* The template alone, appended as it stands in the folder or the GGUF file at `path`. */
retort_status rt_chat_text(const char *path, rt_buffer *out, retort_error *err);
void rt_chat_destroy(rt_chat *chat);

/* The moment that templates are rendered for: SOURCE_DATE_EPOCH where it is set, else the present. */
retort_status rt_chat_now(time_t *now, retort_error *err);

/* Appends the rendered text of a list of messages. Members of `extra` (an object or NULL; for example "tools" or
 * "enable_thinking") become variables. `now` is what strftime_now formats, in local time. Thread-safe on a const chat.
 */
retort_status rt_chat_render(const rt_chat *chat, const json_t *messages, const json_t *extra,
                             bool add_generation_prompt, time_t now, rt_buffer *out, retort_error *err);

#endif
