#include <jansson.h>
#include <stdlib.h>

#include "retort/data.h"
#include "tables.h"

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static long long count_of(const json_t *object, const char *key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_sets(const json_t *sets) {
    size_t i;
    json_t *set;
    json_array_foreach(sets, i, set) {
        printf("%s%s: %s, %lld problems\n", i > 0 ? "\n" : "", text_of(set, "name"), text_of(set, "title"),
               count_of(set, "problems"));
        if (json_is_string(json_object_get(set, "pull"))) printf("    %s\n", text_of(set, "pull"));
        print_filled(stdout, text_of(set, "elsewhere"), 4, 0, 100);
        printf("\n");
        printf("    licence: %s\n", text_of(set, "licence"));
    }
}

static void print_written(const json_t *result) {
    const json_t *matches = json_object_get(result, "matches");
    printf("%s: %lld problems", text_of(result, "output"), count_of(result, "problems"));
    if (count_of(result, "left_out") > 0) printf(", %lld of other years left out", count_of(result, "left_out"));
    if (count_of(result, "twice") > 0) printf(", %lld stand there twice", count_of(result, "twice"));
    printf("\n");
    if (json_is_string(json_object_get(result, "sha256"))) printf("SHA-256 %s", text_of(result, "sha256"));
    if (json_is_true(matches)) printf(": %s as it is known", text_of(result, "set"));
    if (json_is_false(matches)) printf(": NOT %s as it is known", text_of(result, "set"));
    if (json_is_null(matches)) printf(": nothing recorded to compare it with");
    if (json_is_string(json_object_get(result, "sha256"))) printf("\n");
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *text = NULL;
    retort_status st = retort_data(options, call->progress, &text, err);
    if (st != RETORT_OK) return st;
    json_t *result = json_loads(text, 0, NULL);
    const json_t *sets = json_object_get(result, "sets");
    if (call->common.json)
        st = print_result(text, true, err);
    else if (result == NULL)
        st = cli_fail(err, RETORT_ERR_MEMORY, "out of memory: result");
    else if (sets != NULL)
        print_sets(sets);
    else if (!call->common.quiet)
        print_written(result);
    json_decref(result);
    free(text);
    return st;
}

const command command_data = {
    .name = "data",
    .summary = "writes problem sets: the embedded world's, known benchmarks, your own files",
    .description =
        "Without --set or --input: Countdown problems (reach a target from given numbers, each used exactly once) from "
        "splits that share no problem up to reordering, a pure function of the seed (docs/world.md).\n\n"
        "With them: AIME, HMMT, MATH-500, GPQA Diamond, GSM8K and AMC from files that you have or that 'retort pull' "
        "left, in one form, with answers cleaned of leading zeros and the like; count and SHA-256 tell whether the "
        "problems are those that others report on (docs/data.md).",
    .examples = "retort data --split distill --count 920 --output problems.jsonl\tthe problems the teacher solves\n"
                "retort data --list\tthe known sets and where they are found\n"
                "retort data --set aime_2024 --input test.jsonl --output aime24.jsonl\tfrom a file, checked\n"
                "retort data --set gpqa_diamond --output gpqa.jsonl\tfrom what 'retort pull' left\n",
    .table = retort_data_option_table,
    .options_size = sizeof(retort_data_options),
    .has_json = true,
    .run = run,
};
