/* A program of a user of the library: every public header, options filled and checked, an error shown. */
#include <stdio.h>

#include <retort/analyze.h>
#include <retort/model.h>
#include <retort/options.h>
#include <retort/progress.h>
#include <retort/report.h>
#include <retort/sample.h>
#include <retort/status.h>
#include <retort/study.h>
#include <retort/teach.h>
#include <retort/train.h>

int main(void) {
    retort_distill_options options;
    retort_error err;
    retort_status st = retort_options_defaults(retort_distill_option_table, &options, &err);
    if (st == RETORT_OK) st = retort_options_set(retort_distill_option_table, &options, "model", "no/such/dir", &err);
    if (st == RETORT_OK) st = retort_options_check(retort_distill_option_table, &options, &err);
    retort_options_release(retort_distill_option_table, &options);
    printf("%s: %s\n", retort_status_name(st), err.message);
    retort_model_info info;
    if (retort_model_inspect("no/such/dir", &info, &err) == RETORT_OK) return 1;
    return st == RETORT_ERR_USAGE ? 0 : 1; /* the data set was not given */
}
