/* The inside of a study: what its files share. */
#ifndef RT_STUDY_H
#define RT_STUDY_H

#include "analyze/responses.h"
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
/* The folder whose weights an arm samples. */
retort_status rt_arm_model_dir(const rt_study *study, rt_arm_id arm, char path[4096], retort_error *err);

/* The stages, in order. */
retort_status rt_study_make_data(rt_study *study, retort_error *err);
retort_status rt_study_train(rt_study *study, retort_error *err);
retort_status rt_study_sample(rt_study *study, retort_error *err);

/* The measures; each adds its section to the report. */
retort_status rt_study_measure(rt_study *study, json_t *report, retort_error *err);
retort_status rt_study_claims(rt_study *study, json_t *report, retort_error *err);
retort_status rt_study_browser(rt_study *study, json_t *report, retort_error *err);
retort_status rt_study_curves(rt_study *study, json_t *report, retort_error *err);

/* a's accuracy against b's on the same problems, paired by problem. */
retort_status rt_compare_accuracy(const rt_response_set *a, const rt_response_set *b, rt_paired *out,
                                  retort_error *err);

/* Seeds of the parts, so that none shares a stream with another. */
enum { RT_SEED_DATA = 101, RT_SEED_TEACHER = 211, RT_SEED_EVAL = 307, RT_SEED_STATISTICS = 401 };

#endif
