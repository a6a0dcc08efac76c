#include "retort/analyze.h"
#include "retort/evaluate.h"
#include "tables.h"

/* Where fewer responses came back than were asked for, what came is scored all the same. */
static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *json = NULL;
    retort_status st = retort_eval(options, call->progress, &json, err);
    if (json != NULL) {
        retort_error unheard;
        const retort_status printed = print_result(json, call->common.json, st == RETORT_OK ? err : &unheard);
        if (st == RETORT_OK) st = printed;
    }
    retort_free(json);
    return st;
}

static retort_status plan(const void *options, const retort_machine *machine, bool json, char **out, size_t *length,
                          retort_error *err) {
    return retort_eval_plan(options, machine, json, out, length, err);
}

const command command_eval = {
    .name = "eval",
    .summary = "samples responses, grades them and scores the model",
    .description =
        "Draws --n responses to each problem, grades them exactly and prints avg@n, pass@k (unbiased) and maj@k "
        "(majority of k answers, grouped by what they mean), each with two intervals of 95 %: one over the samples of "
        "these problems, one over the choice of problems. Shares of responses that stopped, ran into the length limit, "
        "gave no answer or never came, and the response lengths, are shown beside them.\n\n"
        "Problems come from JSONL files (--problems), from known sets (--tasks) or from a split of the embedded world "
        "(--split, --count). The model is a directory, or with --base-url one behind an OpenAI-compatible API, whose "
        "every reply is kept in --store. Temperature 0.6, top-p 0.95 and up to 32,768 tokens are DeepSeek-R1's "
        "settings.\n\n"
        "With --output a manifest stands beside the responses, from which --replay makes the same bytes again. "
        "--extend "
        "goes on with those that were cut; --budget shows the score against the number of thinking tokens.\n\n"
        "Exit status 1 where fewer responses came back than were asked for; the score of the others is printed.",
    .examples =
        "retort eval out/student --split test --n 16\tavg@16 on the test split of the embedded world\n"
        "retort eval out/student --tasks aime_2024@64,math500@4 --output run\tseveral benchmarks, responses in run/\n"
        "retort eval out/student --problems mine.jsonl --output r.jsonl --json\tproblems and responses as files\n"
        "retort eval out/student --problems mine.jsonl --extend r.jsonl --max-new-tokens 8192 --output "
        "long.jsonl\tonly "
        "the cut responses go on\n"
        "retort eval --replay r.manifest.json --output again.jsonl\tthe same run once more, the same bytes\n"
        "retort eval out/student --problems mine.jsonl --budget 256,512,1024\tscore against thinking tokens\n"
        "retort eval my-model --base-url http://127.0.0.1:8000/v1 --store run.db --problems mine.jsonl\ta model at an "
        "endpoint\n",
    .table = retort_eval_option_table,
    .options_size = sizeof(retort_eval_options),
    .positional = "model",
    .has_json = true,
    .run = run,
    .plan = plan,
};
