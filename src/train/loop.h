/* The training loop that pre-training, distillation and RL share: steps, updates, metrics, checkpoints, interrupts.
 *
 * A stage sets up its model and data, fills rt_trainer_setup, and supplies an rt_task whose step() adds one step's
 * gradients with rt_trainer_pass and applies them with rt_trainer_update:
 *
 *     rt_trainer trainer;
 *     RT_TRY(rt_trainer_open(&trainer, &setup, err));       // resumes where options->resume says so
 *     st = rt_trainer_run(&trainer, &task, err);
 *     if (st == RETORT_OK) st = rt_trainer_finish(&trainer, RT_DTYPE_F32, account, err);
 *     rt_trainer_close(&trainer);
 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <stdio.h>

#include "core/progress.h"
#include "train/checkpoint.h"
#include "train/pack.h"
#include "train/schedule.h"

/* One stage's part of the loop; context is the stage's own. */
typedef struct rt_trainer rt_trainer;
typedef struct rt_task {
    void *context;
    /* Runs step trainer->step (0-based) and adds its figures to `metrics`. RETORT_ERR_INTERRUPTED only before the
     * step's first update, and then with the stage's own state as it was before the step. */
    retort_status (*step)(void *context, rt_trainer *trainer, json_t *metrics, retort_error *err);
    /* The stage's counters to and from a checkpoint's "cursor" object. */
    retort_status (*save)(void *context, json_t *cursor, retort_error *err);
    retort_status (*load)(void *context, const json_t *cursor, retort_error *err);
    /* Called once before the first step of a run that does not resume; NULL: nothing to do. */
    retort_status (*begin)(void *context, rt_trainer *trainer, retort_error *err);
} rt_task;

typedef struct rt_trainer_setup {
    const retort_training_options *options;
    const retort_progress *progress;
    rt_run_identity identity;  /* hyper_parameters: ownership passes to the trainer, also on failure */
    rt_model *model;           /* ownership passes to the trainer, also on failure */
    const char *tokenizer_dir; /* tokenizer files for checkpoints and the final folder; borrowed */
    int64_t updates_per_step;
    int64_t longest;       /* rows of the longest sequence */
    int64_t largest_batch; /* rows of the largest global batch: no more memory than that is taken */
    int64_t largest_micro; /* rows of the largest micro-batch that will be laid, at least `longest`; 0: not known */
} rt_trainer_setup;

struct rt_trainer {
    const retort_training_options *options;
    const retort_progress *progress;
    rt_run_identity identity;
    const char *tokenizer_dir;

    rt_model model;
    rt_optimizer optimizer;
    rt_schedule schedule;
    rt_workspace *workspace;
    rt_packer packer;
    float *logp, *entropy; /* [packer.capacity] of the micro-batch that ran last */

    int64_t step; /* steps done */
    retort_training_account account;
    bool updated;   /* this step has changed the weights: too late to stop before its end */
    bool complete;  /* output_dir holds the finished run; nothing to do */
    json_t *cursor; /* a checkpoint's, until rt_trainer_run hands it to the task */

    int64_t saved_step; /* newest checkpoint of this run, -1: none */
    int64_t first_step; /* of this process */
    double started;     /* rt_now() when this process's first step began */
    FILE *metrics;
    char *metrics_path;
};

/* Rows that a run of this set-up takes memory for: those of its largest micro-batch. Of the setup only options and
 * sizes are read. */
int64_t rt_trainer_rows(const rt_trainer_setup *setup);

/* Creates output_dir, refuses one with checkpoints unless options->resume, and resumes from the newest. */
retort_status rt_trainer_open(rt_trainer *trainer, const rt_trainer_setup *setup, retort_error *err);
retort_status rt_trainer_run(rt_trainer *trainer, const rt_task *task, retort_error *err);
/* Final save: weights as dtype, tokenizer files, trainer_state.json. *account may be NULL. */
retort_status rt_trainer_finish(rt_trainer *trainer, rt_dtype dtype, retort_training_account *account,
                                retort_error *err);
void rt_trainer_close(rt_trainer *trainer);

/* What happens to each micro-batch of a pass. In the callbacks row t of the micro-batch belongs to the document that
 * doc_start says, document i being sequences[first + i]. */
typedef struct rt_pass {
    const rt_model *model; /* NULL: the trainer's own */
    float inv_temperature;
    bool want_entropy;
    rt_head_weight weight; /* NULL: forward only */
    /* Before and after a micro-batch (either may be NULL); logp and entropy lie in the trainer. */
    void (*before)(void *context, const rt_batch *batch, int64_t first);
    void (*after)(void *context, const rt_batch *batch, int64_t first);
    void *context;
} rt_pass;

/* Runs the sequences in their order, in micro-batches; with a weight function gradients are added to the optimizer's.
 * Counts the work in trainer->account. */
retort_status rt_trainer_pass(rt_trainer *trainer, const rt_sequence *sequences, int64_t count, const rt_pass *pass,
                              retort_error *err);

/* Clips and applies the gradients at the schedule's rate. A loss that is not finite is RETORT_ERR_NUMERIC, as is a
 * gradient; then nothing has changed. */
typedef struct rt_update_stats {
    double norm, rate;
} rt_update_stats;
retort_status rt_trainer_update(rt_trainer *trainer, double loss, rt_update_stats *stats, retort_error *err);

/* metrics[key] = value; a value that is not finite becomes null. */
retort_status rt_metric(json_t *metrics, const char *key, double value, retort_error *err);
retort_status rt_metric_int(json_t *metrics, const char *key, int64_t value, retort_error *err);
/* One line of metrics.jsonl, at once on its way to the file. */
retort_status rt_trainer_log(rt_trainer *trainer, const json_t *metrics, retort_error *err);

#endif
