#include <jansson.h>
#include <stdlib.h>

#include "retort/contamination.h"
#include "tables.h"

static void print_overlap(const json_t *o) {
    const json_t *same = json_object_get(o, "same_answer");
    printf("  %s = %s: %.0f %% of the shorter problem%s%s\n", json_string_value(json_object_get(o, "id")),
           json_string_value(json_object_get(o, "problem_id")), 100 * json_real_value(json_object_get(o, "share")),
           json_is_true(json_object_get(o, "identical")) ? ", word for word" : "",
           json_is_true(same)    ? ", same answer"
           : json_is_false(same) ? ", another answer"
                                 : "");
    printf("      %s\n", json_string_value(json_object_get(o, "passage")));
}

static void print_report(const json_t *report) {
    printf("%s: %lld problems, %lld also in an evaluation set\n",
           json_string_value(json_object_get(report, "problems")),
           (long long)json_integer_value(json_object_get(report, "count")),
           (long long)json_integer_value(json_object_get(report, "contaminated")));
    size_t i;
    json_t *set;
    json_array_foreach(json_object_get(report, "sets"), i, set) {
        const json_t *overlaps = json_object_get(set, "overlaps");
        printf("\n%s: %zu of %lld problems\n", json_string_value(json_object_get(set, "file")),
               json_array_size(overlaps), (long long)json_integer_value(json_object_get(set, "count")));
        for (size_t k = 0; k < json_array_size(overlaps); k++) print_overlap(json_array_get(overlaps, k));
    }
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    char *text = NULL;
    retort_status st = retort_contamination(options, &text, err);
    if (st != RETORT_OK) return st;
    if (call->common.json) {
        st = print_result(text, true, err);
    } else {
        json_t *report = json_loads(text, 0, NULL);
        if (report != NULL) print_report(report);
        if (report == NULL) st = cli_fail(err, RETORT_ERR_MEMORY, "out of memory: report");
        json_decref(report);
    }
    free(text);
    return st;
}

const command command_contamination = {
    .name = "contamination",
    .summary = "finds evaluation problems in a training set",
    .description =
        "Compares problems by their runs of five words, so that wording, case, punctuation and LaTeX's signs do not "
        "matter, and a problem retold with another question is found by the passage it keeps. Every overlap is shown "
        "with the longest passage in common; docs/data.md says what counts as one.",
    .examples =
        "retort contamination --problems aime.jsonl --against math500.jsonl,aime24.jsonl\tevery overlap, with its "
        "text\n"
        "retort contamination --problems aime.jsonl --against math500.jsonl --clean aime-clean.jsonl\twithout them\n",
    .table = retort_contamination_option_table,
    .options_size = sizeof(retort_contamination_options),
    .has_json = true,
    .run = run,
};
