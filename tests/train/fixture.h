/* Small runs for the tests of training: a temporary folder, tiny models and data in it, options, interrupts. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/json.h"
#include "retort/train.h"

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        retort_status status_ = (call);                                                                                \
        if (status_ != RETORT_OK) fail_msg("%s: %s: %s", #call, retort_status_name(status_), fixture_error.message);   \
    } while (0)

extern retort_error fixture_error; /* filled by the calls of the tests */

/* A fresh folder under the system's temporary folder, removed by fixture_remove. */
int fixture_create(void **state);
int fixture_remove(void **state);
/* "folder/name"; valid until 32 more calls. */
char *fixture_path(const char *name);
void fixture_write(const char *name, const char *text);
/* SHA-256 of folder/run/file; hex stays valid until 32 more calls. */
const char *fixture_sha(const char *run, const char *file);

/* A base model of D = 32, L = 2, made once a folder by two steps of pre-training into "base". */
void fixture_base(void);
/* distill.jsonl with `count` examples of the world; problems.jsonl with `count` problems. */
void fixture_examples(const char *name, int count);
void fixture_problems(const char *name, int count);

/* Options with their defaults and small sizes; output_dir is folder/run. Release with the tables. */
void fixture_pretrain_options(retort_pretrain_options *options, const char *run);
void fixture_distill_options(retort_distill_options *options, const char *run);
void fixture_rl_options(retort_rl_options *options, const char *run);
void fixture_set(const retort_option *table, void *options, const char *name, const char *value);

/* Asks for an interrupt at the first report of `stage` with done >= after. Each use is a fresh context, so that its
 * first report is never held back. */
typedef struct fixture_stopper {
    const char *stage;
    double after;
    bool fired;
    retort_progress progress;
} fixture_stopper;
void fixture_stop_after(fixture_stopper *stopper, const char *stage, double after);

/* Number of lines of folder/run/metrics.jsonl, and a figure of its line for `step`. */
int fixture_metric_lines(const char *run);
double fixture_metric(const char *run, int step, const char *key);
bool fixture_has_metric(const char *run, int step, const char *key);
/* The metrics of two runs are the same in everything but times. */
void fixture_same_metrics(const char *a, const char *b);

#endif
