#include "findings.h"

#include <stdio.h>

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

void print_contamination(const json_t *report) {
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

static void print_lines(const json_t *list, const char *heading, const char *key) {
    enum { SHOWN = 20 };
    size_t i;
    json_t *line;
    if (json_array_size(list) == 0) return;
    printf("\n%s:\n", heading);
    json_array_foreach(list, i, line) {
        const char *id = json_string_value(json_object_get(line, "id"));
        if (i == SHOWN) {
            printf("  and more (--json lists up to 100)\n");
            return;
        }
        printf("  %s line %lld%s%s: %s\n", json_string_value(json_object_get(line, "file")),
               (long long)json_integer_value(json_object_get(line, "line")), id != NULL ? ", " : "",
               id != NULL ? id : "", json_string_value(json_object_get(line, key)));
    }
}

void print_teach_details(const char *details) {
    json_t *all = details != NULL ? json_loads(details, 0, NULL) : NULL;
    print_lines(json_object_get(all, "failed"), "results that are errors", "message");
    print_lines(json_object_get(all, "unmatched"), "lines that belong to no problem of this run", "text");
    const json_t *report = json_object_get(all, "contamination");
    if (report != NULL) {
        printf("\n");
        print_contamination(report);
    }
    json_decref(all);
}
