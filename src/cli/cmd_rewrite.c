#include <inttypes.h>

#include "cli.h"
#include "retort/rewrite.h"

static double per_thousand(int64_t count, const retort_rewrite_rates *rates) {
    return rates->lexemes > 0 ? 1000 * (double)count / (double)rates->lexemes : 0;
}

static void print_rates_json(const char *name, const retort_rewrite_rates *r) {
    printf(", \"%s\": {\"tokens\": %" PRId64 ", \"anthropomorphic\": %" PRId64 ", \"logical\": %" PRId64
           ", \"anthropomorphic_per_1000\": %.6g, \"logical_per_1000\": %.6g}",
           name, r->lexemes, r->anthropomorphic, r->logical, per_thousand(r->anthropomorphic, r),
           per_thousand(r->logical, r));
}

static void print_json(const retort_rewrite_account *a, bool remote) {
    printf("{\"traces\": %" PRId64 ", \"written\": %" PRId64 ", \"unchanged\": %" PRId64 ", \"rejected\": %" PRId64,
           a->traces, a->written, a->unchanged, a->rejected);
    print_rates_json("before", &a->before);
    print_rates_json("after", &a->after);
    if (a->matched.lexemes > 0) print_rates_json("matched", &a->matched);
    if (remote) {
        const retort_endpoint_account *e = &a->endpoint;
        printf(", \"prompt\": \"%s\", \"asked\": %" PRId64 ", \"reused\": %" PRId64 ", \"cut\": %" PRId64
               ", \"prompt_tokens\": %" PRId64 ", \"completion_tokens\": %" PRId64,
               a->prompt_version, e->asked, e->reused, e->cut, e->prompt_tokens, e->completion_tokens);
        if (e->cost >= 0) printf(", \"cost\": %.6g", e->cost);
        if (e->estimated_tokens > 0) printf(", \"estimated_tokens\": %" PRId64, e->estimated_tokens);
        if (e->estimated_tokens > 0 && e->estimated_cost >= 0) printf(", \"estimated_cost\": %.6g", e->estimated_cost);
    }
    printf("}\n");
}

static void print_estimate(const retort_endpoint_account *e) {
    printf("would ask for %" PRId64 " replies (%" PRId64 " are in the store): at most %" PRId64 " tokens a round",
           e->asked, e->reused, e->estimated_tokens);
    if (e->estimated_cost >= 0)
        printf(", cost at most %.4g\n", e->estimated_cost);
    else
        printf("; cost unknown without prices\n");
}

static void print_endpoint(const retort_rewrite_account *a) {
    const retort_endpoint_account *e = &a->endpoint;
    printf("%" PRId64 " replies asked for, %" PRId64 " from the store, %" PRId64 " cut; prompt %.40s\n", e->asked,
           e->reused, e->cut, a->prompt_version);
    printf("%" PRId64 " prompt and %" PRId64 " reply tokens (%" PRId64 " replies did not say)", e->prompt_tokens,
           e->completion_tokens, e->without_usage);
    if (e->cost >= 0)
        printf(", cost %.4g\n", e->cost);
    else
        printf("; cost unknown without prices\n");
}

static void print_rates(const char *name, const retort_rewrite_rates *r) {
    printf("%-8s %7.2f anthropomorphic and %6.2f logical in 1,000 of %" PRId64 " lexical tokens\n", name,
           per_thousand(r->anthropomorphic, r), per_thousand(r->logical, r), r->lexemes);
}

static void print_text(const retort_rewrite_account *a) {
    printf("%" PRId64 " traces: %" PRId64 " written (%" PRId64 " had nothing to change), %" PRId64 " rejected\n",
           a->traces, a->written, a->unchanged, a->rejected);
    if (a->rejected > 0) printf("first rejected: %s\n", a->reason);
    print_rates("before", &a->before);
    print_rates("after", &a->after);
    if (a->matched.lexemes > 0) print_rates("matched", &a->matched);
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    retort_rewrite_account account = {0};
    const retort_endpoint_options *endpoint = &((const retort_rewrite_options *)options)->endpoint;
    const bool remote = endpoint->base_url != NULL;
    const retort_status st = retort_rewrite(options, call->progress, &account, err);
    if (st != RETORT_OK) return st;
    if (call->common.json) {
        print_json(&account, remote);
    } else if (remote && endpoint->dry_run) {
        print_estimate(&account.endpoint);
    } else {
        print_text(&account);
        if (remote) print_endpoint(&account);
    }
    return RETORT_OK;
}

const command command_rewrite = {
    .name = "rewrite",
    .summary = "tells traces in another style, their steps unchanged",
    .description =
        "Style or strategy? `plain` takes every anthropomorphic and logical word out of the flexible teacher's traces; "
        "`sprinkled` puts such words into the rigid teacher's, as often as the traces in --match have them. Every "
        "equation, attempt and dead end stays where it was, and so does the answer; both kinds of traces can be "
        "distilled beside their originals.\n\n"
        "With --base-url a model behind an OpenAI-compatible API rewrites any text, by a prompt of ours; every reply "
        "is kept "
        "in the store, and a trace whose reply fails is asked for again, up to --tries times.\n\n"
        "A rewritten trace that does not keep its original's numbers and equations, or still holds a marked word, is "
        "rejected: counted and not written.",
    .examples =
        "retort rewrite flexible.jsonl --style plain --output plain.jsonl\tthe search without its voice\n"
        "retort rewrite rigid.jsonl --style sprinkled --match flexible.jsonl --output sprinkled.jsonl\tthe voice "
        "without the search\n"
        "retort rewrite r1.jsonl --output plain.jsonl --base-url http://127.0.0.1:8080/v1 --model NAME --store "
        "run.db\tany "
        "traces, by a model\n",
    .table = retort_rewrite_option_table,
    .options_size = sizeof(retort_rewrite_options),
    .positional = "input",
    .has_json = true,
    .run = run,
};
