#include <signal.h>
#include <stdlib.h>

#include "cli.h"
#include "retort/serve.h"

static void say_address(void *context, const char *address) {
    const retort_serve_options *own = context;
    printf("serving '%s' on %s; Ctrl-C stops\n", own->model, address);
    fflush(stdout);
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    (void)call;
    retort_serve_options own = *(const retort_serve_options *)options;
    if (own.api_key == NULL) own.api_key = getenv("RETORT_API_KEY");
    if (own.api_key != NULL && own.api_key[0] == '\0') own.api_key = NULL;
    signal(SIGPIPE, SIG_IGN);
    return retort_serve(&own, say_address, &own, err);
}

const command command_serve = {
    .name = "serve",
    .summary = "answers OpenAI-compatible HTTP requests",
    .description =
        "Serves a model directory at /v1/chat/completions, /v1/completions and /v1/models, with streaming, logprobs, "
        "seeds, stop strings, logit_bias, banned words, echo, and several choices; also /tokenize, /detokenize, "
        "/health and "
        "/metrics. "
        "Requests of all clients share one batch. A request with a seed gets the same tokens whatever else is in "
        "it.\n\n"
        "Ctrl-C or SIGTERM stops taking requests, answers those under way, and ends.",
    .examples =
        "retort serve --model assets/countdown-base\ton http://127.0.0.1:8080\n"
        "RETORT_API_KEY=secret retort serve --model out/student --host 0.0.0.0 --port 9000\tfor other machines\n",
    .table = retort_serve_option_table,
    .options_size = sizeof(retort_serve_options),
    .run = run,
};
