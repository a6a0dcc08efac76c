/* Stages of a study: each is stamped when done, and skipped when its inputs are what they were.
 *
 * A stamp, <out>/stages/<name>.json, holds the hash of the stage's inputs (options and content of the files it reads),
 * what it cost, and the seconds it took. A killed study therefore goes on where it stopped, and a changed recipe runs
 * again exactly the stages that it touches.
 */
#ifndef RT_STAGE_H
#define RT_STAGE_H

#include "core/json.h"
#include "retort/options.h"

/* Inputs of a stage, collected as text and hashed. Zero-initialise; free with rt_inputs_free. */
typedef struct rt_inputs {
    rt_buffer text;
} rt_inputs;
retort_status rt_inputs_add(rt_inputs *inputs, retort_error *err, const char *fmt, ...) RETORT_PRINTF(3, 4);
/* Adds the content hash of a file. */
retort_status rt_inputs_add_file(rt_inputs *inputs, const char *path, retort_error *err);
/* Adds every option of the table but those that cannot change a result: paths, threads, memory, logging. */
retort_status rt_inputs_add_options(rt_inputs *inputs, const retort_option *table, const void *options,
                                    retort_error *err);
void rt_inputs_free(rt_inputs *inputs);

typedef struct rt_stage {
    char name[64], path[4096];
    char inputs[65];
    double started;
    bool done;       /* found stamped with the same inputs */
    json_t *account; /* what the stage reported: from the stamp, or to be filled by the caller (owned) */
    double seconds;
} rt_stage;

/* Looks the stamp up. The caller runs the stage unless stage->done, then calls rt_stage_end. */
retort_status rt_stage_begin(const char *out_dir, const char *name, const rt_inputs *inputs, rt_stage *stage,
                             retort_error *err);
/* Writes the stamp. */
retort_status rt_stage_end(rt_stage *stage, retort_error *err);
void rt_stage_release(rt_stage *stage);

#endif
