#include <stdlib.h>

#include "cli.h"
#include "retort/text.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *result = NULL;
    size_t length = 0;
    retort_status st = retort_template(options, call->common.json, &result, &length, err);
    if (st == RETORT_OK) (void)fwrite(result, 1, length, stdout); /* a failure is seen when the output is finished */
    free(result);
    return st;
}

const command command_template = {
    .name = "template",
    .summary = "prints messages as a model's chat template renders them",
    .description =
        "Renders a conversation with the chat template of a model directory, as transformers' apply_chat_template "
        "does, "
        "and prints the text without a line end of its own. The template runs without access to files or the network "
        "and "
        "under limits of steps, memory and output; a construct that is not implemented is an error with its line.",
    .examples = "retort template --model Qwen3-0.6B --messages chat.json\tthe text of a conversation\n"
                "retort template --model Qwen3-0.6B --messages chat.json --add-generation-prompt | retort tokenize "
                "--model Qwen3-0.6B --no-special-tokens\tthe tokens of a prompt\n",
    .table = retort_template_option_table,
    .options_size = sizeof(retort_template_options),
    .has_json = true,
    .run = run,
};
