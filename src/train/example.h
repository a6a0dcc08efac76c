/* One example for supervised fine-tuning: a JSON object as token ids, each marked as trained on or only read.
 *
 *   {"messages": [...]}                         turns of system, user, assistant, ...; the last one is an assistant's
 *   {"prompt": [...], "completion": [...]}      the same in two parts (TRL's conversational prompt-completion)
 *   {"prompt": [...], "completion": "..."}      the text follows the generation prompt as it is, closed by the token
 * that ends a turn: for what a template would not render as the model says it
 *   {"prompt": "...", "completion": "..."}      taken as they are, between the tokenizer's BOS and its end token
 *   {"problem": "...", "response": "..."}       what `retort teach` writes: a user's turn and the assistant's
 *
 * Trained on is the completion: of messages the last assistant's turn, or all of them (assistant_only); or everything
 * (whole). An assistant's turn begins behind the generation prompt and ends with the token that generation stops at, so
 * that what is learnt is what sampling will ask for. What the template puts behind that token is never generated: it is
 * not trained on, and left off behind the last turn.
 */
#ifndef RT_EXAMPLE_H
#define RT_EXAMPLE_H

#include "model/model.h"
#include "text/prompting.h"

typedef struct rt_example_settings {
    const rt_tokenizer *tokenizer; /* all borrowed */
    const rt_prompting *prompting;
    const rt_config *config; /* its end tokens; NULL: the tokenizer's */
    bool assistant_only;     /* every assistant's turn of a conversation, as TRL's assistant_only_loss */
    bool whole;              /* prompts too: completion_only_loss off */
} rt_example_settings;

/* The ids of several examples one behind the other, and for each id whether it is trained on. */
typedef struct rt_examples {
    rt_ids ids;
    uint8_t *supervised; /* [ids.capacity at least ids.count] */
    int64_t capacity;
} rt_examples;
void rt_examples_free(rt_examples *examples);

/* Appends an example. RETORT_ERR_FORMAT for an object that is none of the forms and for one that would teach something
 * else than it says: a prompt that begins with two BOS, an answer without the token that ends it, reasoning that the
 * template dropped, a turn that the template renders otherwise than its generation prompt promises. */
retort_status rt_example_make(const rt_example_settings *settings, const json_t *object, rt_examples *out,
                              retort_error *err);

#endif
