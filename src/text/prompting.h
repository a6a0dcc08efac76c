/* How a model is asked: from a problem, a conversation or a text to the token ids that it goes on from.
 *
 * A problem becomes a prompt by the first of these that the model's folder has:
 *   1. "retort_prompt_template" of tokenizer_config.json, a text with {problem} in it (the models that `retort
 * pretrain` makes);
 *   2. its chat template: a system turn (if there is a system prompt), a user's turn with the problem, and the
 *      generation prompt, as transformers' apply_chat_template(add_generation_prompt=True) renders them.
 * The text of 1 and 2 spells its own special tokens: they are recognised and none is added. A plain text gets the
 * tokens that the tokenizer puts around a text (BOS), as transformers' tokenizer(text) does. A prompt that begins with
 * two BOS is refused, whichever way they came there.
 */
#ifndef RT_TEXT_PROMPTING_H
#define RT_TEXT_PROMPTING_H

#include "text/chat.h"
#include "text/tokenizer.h"

typedef struct rt_prompting_settings {
    const char *system_prompt; /* for conversations that bring no system turn; NULL: none */
    const char *instruction;   /* what the user says about a problem, with {problem} in it once; NULL: the problem */
} rt_prompting_settings;

/* Zero-initialise; free with rt_prompting_release. Thread-safe once made. */
typedef struct rt_prompting {
    const rt_tokenizer *tokenizer; /* borrowed */
    rt_chat *chat;                 /* NULL: the model has a prompt template of its own, or none of the two */
    char *system_prompt, *instruction;
    char *dir;
    time_t now; /* what a template's strftime_now sees: one moment for all prompts of a run */
} rt_prompting;

/* Reads dir's chat template where it counts. RETORT_ERR_USAGE: an instruction without {problem}, or a system prompt for
 * a model whose prompt has no place for it. A folder without any template is no error until a problem is to be asked.
 */
retort_status rt_prompting_load(const char *dir, const rt_tokenizer *tokenizer, const rt_prompting_settings *settings,
                                rt_prompting *out, retort_error *err);
void rt_prompting_release(rt_prompting *prompting);

/* Each appends a prompt's ids. */
retort_status rt_prompting_problem(const rt_prompting *prompting, const char *problem, rt_ids *ids, retort_error *err);
/* A list of messages that ends before an assistant's turn. Without a chat template: a single user's turn, which is
 * asked like a problem. */
retort_status rt_prompting_messages(const rt_prompting *prompting, const json_t *messages, rt_ids *ids,
                                    retort_error *err);
retort_status rt_prompting_text(const rt_prompting *prompting, const char *text, size_t length, rt_ids *ids,
                                retort_error *err);

/* For those who render more than a prompt. The messages with the system prompt in front, unless they bring a system
 * turn or there is none; the user's turn of a problem. New references. */
retort_status rt_prompting_open(const rt_prompting *prompting, const json_t *messages, json_t **out, retort_error *err);
retort_status rt_prompting_ask(const rt_prompting *prompting, const char *problem, json_t **messages,
                               retort_error *err);
/* RETORT_ERR_FORMAT where ids begin with the BOS token twice. */
retort_status rt_prompting_check_bos(const rt_prompting *prompting, const int32_t *ids, int64_t count,
                                     retort_error *err);

/* hash becomes the SHA-256 of itself and the ids: what a run was given, template and all. */
retort_status rt_prompting_hash(const int32_t *ids, int64_t count, char hash[65], retort_error *err);

/* Members that the option tables of sample, eval, distill and rl share. */
#define RT_HELP_SYSTEM_PROMPT                                                                                          \
    "System turn that opens each conversation which brings none; needs a model with a chat template."
#define RT_HELP_INSTRUCTION                                                                                            \
    "What the user's turn says about a problem, a text with {problem} in it; without it, the problem alone."

#endif
