/* The inside of a sweep. */
#ifndef RT_SWEEP_H
#define RT_SWEEP_H

#include "retort/sweep.h"
#include "study/study.h"

enum { RT_SWEEP_LIST = 32, RT_SWEEP_CELLS = 1000 }; /* entries of a list; combinations */

typedef struct rt_int_list {
    int64_t items[RT_SWEEP_LIST];
    int count;
} rt_int_list;

typedef struct rt_sweep_axes {
    rt_int_list seeds, examples, max_lengths;
    rt_arm_id teachers[RT_SWEEP_LIST]; /* the study's arm that a teacher's traces make */
    int teacher_count;
    double exposures[RT_SWEEP_LIST];
    int exposure_count; /* 0: the base as it is */
} rt_sweep_axes;

/* A combination of all lists but the seeds, and what its students answered, seeds one after another: problem p of seed
 * s is problem s * test_problems + p. Of the texts only the boxes are kept. */
typedef struct rt_cell {
    int exposure; /* index; 0 where there is no such list */
    int64_t max_length, examples;
    rt_arm_id teacher;
    rt_response_set pooled;
    json_t *score;
    double averages[RT_SWEEP_LIST]; /* by seed */
    json_t *students;               /* by seed: {seed, avg, pass, training, model} */
} rt_cell;

typedef struct rt_sweep {
    const retort_sweep_options *options;
    const retort_progress *progress;
    rt_sweep_axes axes;
    retort_distill_options distill, distill_rigid;
    retort_pretrain_options pretrain;
    retort_study_options seed_options[RT_SWEEP_LIST]; /* strings are borrowed, `out` owned */
    rt_study seeds[RT_SWEEP_LIST];
    rt_cell *cells; /* exposure-major, then length, teacher, examples */
    int cell_count;
    rt_cell bases[RT_SWEEP_LIST]; /* by exposure: the base itself, without students */
    json_t *times;
} rt_sweep;

retort_status rt_sweep_axes_read(const retort_sweep_options *options, rt_sweep_axes *out, retort_error *err);
const char *rt_sweep_teacher_name(rt_arm_id arm);
/* The cell of these settings; NULL if the sweep has none. */
const rt_cell *rt_sweep_find(const rt_sweep *sweep, int exposure, int64_t max_length, rt_arm_id teacher,
                             int64_t examples);

/* Makes, trains and samples everything. */
retort_status rt_sweep_run(rt_sweep *sweep, retort_error *err);
/* The sections "scores", "claims" and "sweep". */
retort_status rt_sweep_measure(rt_sweep *sweep, json_t *report, retort_error *err);

#endif
