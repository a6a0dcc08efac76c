#include <inttypes.h>
#include <stdlib.h>

#include "cli.h"
#include "findings.h"
#include "retort/teach.h"

static void print_json(const retort_teach_account *a, bool remote, bool imports) {
    printf("{\"traces\": %" PRId64 ", \"right\": %" PRId64 ", \"wrong\": %" PRId64 ", \"unparsed\": %" PRId64
           ", \"characters\": %" PRId64,
           a->traces, a->right, a->wrong, a->unparsed, a->characters);
    if (remote) {
        printf(", \"asked\": %" PRId64 ", \"reused\": %" PRId64 ", \"failed\": %" PRId64 ", \"left_out\": %" PRId64
               ", \"cut\": %" PRId64 ", \"prompt_tokens\": %" PRId64 ", \"completion_tokens\": %" PRId64
               ", \"without_usage\": %" PRId64,
               a->endpoint.asked, a->endpoint.reused, a->endpoint.failed, a->left_out, a->endpoint.cut,
               a->endpoint.prompt_tokens, a->endpoint.completion_tokens, a->endpoint.without_usage);
        if (a->endpoint.cost >= 0) printf(", \"cost\": %.6g", a->endpoint.cost);
        if (a->endpoint.estimated_tokens > 0) printf(", \"estimated_tokens\": %" PRId64, a->endpoint.estimated_tokens);
        if (a->endpoint.estimated_tokens > 0 && a->endpoint.estimated_cost >= 0)
            printf(", \"estimated_cost\": %.6g", a->endpoint.estimated_cost);
    }
    if (a->batch_written > 0) printf(", \"batch_written\": %" PRId64, a->batch_written);
    if (imports)
        printf(", \"imported\": %" PRId64 ", \"imported_again\": %" PRId64 ", \"import_failed\": %" PRId64
               ", \"import_unmatched\": %" PRId64 ", \"missing\": %" PRId64,
               a->imported, a->imported_again, a->import_failed, a->import_unmatched, a->missing);
    if (a->details != NULL) printf(", \"details\": %s", a->details);
    printf("}\n");
}

static void print_estimate(const retort_teach_account *a) {
    printf("would ask for %" PRId64 " replies (%" PRId64 " are in the store): at most %" PRId64 " tokens",
           a->endpoint.asked, a->endpoint.reused, a->endpoint.estimated_tokens);
    if (a->endpoint.estimated_cost >= 0)
        printf(", cost at most %.4g\n", a->endpoint.estimated_cost);
    else
        printf("; cost unknown without prices\n");
}

static void print_imports(const retort_teach_options *own, const retort_teach_account *a) {
    if (own->import_traces != NULL)
        printf("%" PRId64 " traces taken, %" PRId64 " twice or beyond --n, %" PRId64 " of no problem; %" PRId64
               " problems have none\n",
               a->imported, a->imported_again, a->import_unmatched, a->missing);
    if (own->batch_results != NULL)
        printf("%" PRId64 " replies from batch results, %" PRId64 " there already, %" PRId64 " errors, %" PRId64
               " of another run\n",
               a->imported, a->imported_again, a->import_failed, a->import_unmatched);
    if (own->batch_requests != NULL) printf("%" PRId64 " requests in %s\n", a->batch_written, own->batch_requests);
}

static void print_text(const retort_teach_options *own, const retort_teach_account *a, bool remote) {
    printf("%" PRId64 " traces: %" PRId64 " right, %" PRId64 " wrong, %" PRId64 " without an answer; %" PRId64
           " characters\n",
           a->traces, a->right, a->wrong, a->unparsed, a->characters);
    print_imports(own, a);
    if (!remote) return;
    printf("%" PRId64 " asked for, %" PRId64 " from the store, %" PRId64 " cut at the token limit, %" PRId64
           " left out by --keep\n",
           a->endpoint.asked, a->endpoint.reused, a->endpoint.cut, a->left_out);
    printf("%" PRId64 " prompt and %" PRId64 " reply tokens (%" PRId64 " replies did not say)",
           a->endpoint.prompt_tokens, a->endpoint.completion_tokens, a->endpoint.without_usage);
    if (a->endpoint.cost >= 0)
        printf(", cost %.4g\n", a->endpoint.cost);
    else
        printf("; cost unknown without prices\n");
}

static void print_run(const retort_teach_options *own, const retort_teach_account *a, bool json) {
    const bool imports = own->import_traces != NULL || own->batch_results != NULL;
    const bool remote = own->endpoint.base_url != NULL || own->batch_requests != NULL || imports;
    if (json)
        print_json(a, remote, imports);
    else if (own->endpoint.base_url != NULL && own->endpoint.dry_run)
        print_estimate(a);
    else
        print_text(own, a, remote && own->import_traces == NULL);
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    const retort_teach_options *own = options;
    retort_teach_account account = {0};
    const retort_status st = retort_teach(own, call->progress, &account, err);
    if (st == RETORT_OK) print_run(own, &account, call->common.json);
    if (!call->common.json) print_teach_details(account.details); /* also of a run that failed: it may say why */
    free(account.details);
    return st;
}

const command command_teach = {
    .name = "teach",
    .summary = "writes a teacher's traces: of the embedded world's, or of a model at an endpoint",
    .description =
        "The world's flexible teacher solves by honest search and tells it as a thoughtful person would: it tries, "
        "checks, notices what fails, changes its approach and verifies the end. The rigid teacher writes only the "
        "correct "
        "derivation, in formal steps. Nothing is screened: a trace that gives up at the length budget stays in.\n\n"
        "With --base-url the teacher is a model behind an OpenAI-compatible API. Every reply is kept in the store "
        "before "
        "the next one is asked for; after a stop the same command asks only for what is missing. The traces are "
        "written "
        "when all replies are there. --batch-requests writes down what is missing for a batch API, --batch-results "
        "reads "
        "what it answered, --import-traces takes traces that somebody else has made. --against shows which problems "
        "are "
        "also in an evaluation set.",
    .examples =
        "retort teach problems.jsonl --teacher flexible --output traces.jsonl\ttraces to distil from\n"
        "retort teach aime.jsonl --base-url https://api.deepseek.com/v1 --model deepseek-reasoner --store run.db "
        "--output traces.jsonl --dry-run\twhat it would cost\n"
        "retort teach aime.jsonl --model M --store run.db --output traces.jsonl --batch-requests ask.jsonl\tfor a "
        "batch "
        "API; then the same with --batch-results answers.jsonl\n"
        "retort teach aime.jsonl --import-traces theirs.jsonl --store run.db --output traces.jsonl --against "
        "math500.jsonl\tsomebody else's traces\n",
    .table = retort_teach_option_table,
    .options_size = sizeof(retort_teach_options),
    .positional = "problems",
    .has_json = true,
    .run = run,
};
