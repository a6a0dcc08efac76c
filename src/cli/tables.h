/* Results on standard output, as JSON or as text tables. */
#ifndef RETORT_CLI_TABLES_H
#define RETORT_CLI_TABLES_H

#include "cli.h"
#include "retort/train.h"

/* Prints the library's JSON as it is, or as tables. */
retort_status print_result(const char *json, bool as_json, retort_error *err);

/* What a training run cost; figures that do not apply (zero) are left out of the text form. */
void print_account(const char *what, const retort_training_account *account, bool as_json);

#endif
