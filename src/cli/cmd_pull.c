#include <inttypes.h>

#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "retort/hub.h"

static retort_status print_json(const retort_pull_options *own, const retort_pull_result *result, retort_error *err) {
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "repo", own->repo, "revision", own->revision,
                               "commit", result->commit, "path", result->path, "files", (json_int_t)result->files,
                               "bytes", (json_int_t)result->bytes, "transferred", (json_int_t)result->transferred);
    char *text = json_dumps(object, 0);
    json_decref(object);
    if (text == NULL) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of the result");
    printf("%s\n", text);
    free(text);
    return RETORT_OK;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    const retort_pull_options *own = options;
    retort_pull_result result;
    retort_status st = retort_pull(own, call->progress, &result, err);
    if (st != RETORT_OK) return st;
    if (call->common.json)
        st = print_json(own, &result, err);
    else
        printf("%s\n", result.path);
    retort_pull_result_release(&result);
    return st;
}

const command command_pull = {
    .name = "pull",
    .summary = "downloads a model or data set from the Hugging Face Hub",
    .description =
        "Prints the folder in which the files are. They go to the cache that the huggingface_hub package uses, in its "
        "layout, so that what either program has downloaded the other one finds; afterwards every --model of this "
        "program takes the name org/name (or org/name@revision), which is looked up in the cache and never on the "
        "network.\n\n"
        "Of a model only what is used is taken: weights as safetensors, configuration, tokenizer, chat template; "
        "--include chooses otherwise. Each file is verified against the hash that the Hub lists for it. A download "
        "that "
        "was stopped, even by a kill or a power failure, goes on where it stopped when the same command is given "
        "again. "
        "Two programs may pull the same model at once.\n\n"
        "The environment counts as it does for huggingface_hub: HF_TOKEN, HF_TOKEN_PATH, HF_ENDPOINT, HF_HOME, "
        "HF_HUB_CACHE, HF_HUB_OFFLINE, HF_HUB_DISABLE_IMPLICIT_TOKEN; and https_proxy, no_proxy, SSL_CERT_FILE. The "
        "token is sent to the Hub alone, and to no server that it redirects to.",
    .examples = "retort pull HuggingFaceTB/SmolLM2-135M\tinto the shared cache\n"
                "retort pull Qwen/Qwen3-0.6B --local-dir qwen3\tplain files in a folder\n"
                "retort pull org/name --include '*.gguf' --revision v2\tother files, of a tag\n",
    .table = retort_pull_option_table,
    .options_size = sizeof(retort_pull_options),
    .positional = "repo",
    .has_json = true,
    .run = run,
};
