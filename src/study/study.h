/* The inside of a study: what its files share. */
#ifndef RT_STUDY_H
#define RT_STUDY_H

#include "analyze/responses.h"
#include "data/world.h"
#include "retort/study.h"
#include "study/stage.h"

/* Splits that are evaluated. */
typedef enum rt_eval_split { RT_EVAL_TEST, RT_EVAL_HARD, RT_EVAL_TRANSFER, RT_EVAL_SPLITS } rt_eval_split;
const char *rt_eval_split_name(rt_eval_split split);

/* The arms of the comparison. */
typedef enum rt_arm_id {
    RT_ARM_BASE,
    RT_ARM_DISTILLED,
    RT_ARM_RIGID,
    RT_ARM_ZERO_RL,
    RT_ARM_DISTILLED_RL,
    RT_ARM_DISTILLED_BANNED,
    RT_ARM_ZERO_RL_BANNED,
    RT_ARM_PLAIN, /* style or strategy: off unless the recipe names them */
    RT_ARM_SPRINKLED,
    RT_ARMS
} rt_arm_id;

typedef struct rt_arm {
    const char *name, *label, *description;
    rt_arm_id weights;     /* the arm whose model is sampled: itself unless this one only bans tokens */
    rt_arm_id starts_from; /* the arm whose weights its training began with: its cost comes on top */
    bool banned;
} rt_arm;
extern const rt_arm RT_ARM_TABLE[RT_ARMS];

typedef struct rt_study {
    const retort_study_options *options;
    const retort_progress *progress;
    bool on[RT_ARMS]; /* the arms that the recipe names */
    retort_distill_options distill, distill_rigid;
    retort_rl_options rl, rl_after;
    rt_problems problems[RT_EVAL_SPLITS];
    rt_response_set responses[RT_ARMS][RT_EVAL_SPLITS];
    json_t *accounts[RT_ARMS]; /* training accounts, owned */
    json_t *times;             /* {stage: seconds} */
} rt_study;

/* "<out>/<fmt...>" into a fixed buffer; an error if it does not fit. */
retort_status rt_study_path(const rt_study *study, char path[4096], retort_error *err, const char *fmt, ...)
    RETORT_PRINTF(4, 5);
/* A shipped file: as named, or under the installed data folder; owned by the caller (rt_free), NULL when out of memory.
 */
char *rt_study_shipped(const char *name);
/* The folder whose weights an arm samples. */
retort_status rt_arm_model_dir(const rt_study *study, rt_arm_id arm, char path[4096], retort_error *err);

/* Fills study->on from the list `arms`; an arm without those that it needs is an error. */
retort_status rt_study_choose_arms(rt_study *study, retort_error *err);
/* The arm of a name; RT_ARMS if there is none. */
rt_arm_id rt_arm_find(const char *name, size_t length);

/* ---- single steps: each is a stage of its own, under a name that says what it makes ---- */

/* data/<name>.jsonl: `count` problems of a split. */
retort_status rt_study_problems(rt_study *study, rt_split split, int64_t count, const char *name, retort_error *err);
/* The traces of a distilled arm, traces/<...>.jsonl, into path; with those that they are made from. */
retort_status rt_study_traces(rt_study *study, rt_arm_id arm, char path[4096], retort_error *err);

typedef struct rt_training {
    const char *name, *start, *dataset;    /* models/<name>; the folder of the model it starts from; JSONL */
    const retort_distill_options *distill; /* one of the two */
    const retort_rl_options *rl;
} rt_training;
const retort_distill_options *rt_study_distill_options(const rt_study *study, rt_arm_id arm);
/* *account (owned by the caller) is what the training came to. */
retort_status rt_study_train_one(rt_study *study, const rt_training *training, json_t **account, retort_error *err);

/* responses/<name>.<split>.jsonl of the model in a folder. */
retort_status rt_study_sample_one(rt_study *study, const char *name, const char *model, rt_eval_split split,
                                  bool banned, rt_response_set *out, retort_error *err);

/* ---- the stages, in order ---- */
retort_status rt_study_make_data(rt_study *study, retort_error *err);
retort_status rt_study_train(rt_study *study, retort_error *err);
retort_status rt_study_sample(rt_study *study, retort_error *err);

/* The measures; each adds its section to the report. */
retort_status rt_study_measure(rt_study *study, json_t *report, retort_error *err);
retort_status rt_study_claims(rt_study *study, json_t *report, retort_error *err);
retort_status rt_study_browser(rt_study *study, json_t *report, retort_error *err);
retort_status rt_study_curves(rt_study *study, json_t *report, retort_error *err);

/* Style or strategy (style_claims.c): what the four distilled arms' responses to the same problems say. */
retort_status rt_style_claims(const rt_response_set *const sets[RT_ARMS], json_t *claims, retort_error *err);

/* a against b on the same problems, paired: on the mean of right samples, or (breadth) on pass@k with the largest k of
 * 1, 4, 8 and 16 that every problem has samples for. */
retort_status rt_compare_pass(const rt_response_set *a, const rt_response_set *b, bool breadth, int64_t *k,
                              rt_paired *out, retort_error *err);

/* The options of a table as a report's settings: without those that name places or only change time. */
retort_status rt_settings_json(const retort_option *table, const void *options, json_t **out, retort_error *err);

/* How a verdict is written down. */
typedef enum rt_finding { RT_SUPPORTED, RT_CONTRADICTED, RT_UNDECIDED } rt_finding;
void rt_add_claim(json_t *claims, const char *id, const char *statement, rt_finding finding, double statistic, double p,
                  const char *detail);
#define RT_SIGNIFICANT 0.01 /* two-sided p of a paired test below which a difference is decided */

/* a's accuracy against b's on the same problems, paired by problem. */
retort_status rt_compare_accuracy(const rt_response_set *a, const rt_response_set *b, rt_paired *out,
                                  retort_error *err);

/* Seeds of the parts, so that none shares a stream with another. */
enum { RT_SEED_DATA = 101, RT_SEED_TEACHER = 211, RT_SEED_EVAL = 307, RT_SEED_STATISTICS = 401, RT_SEED_REWRITE = 503 };

#endif
