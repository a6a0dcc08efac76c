/* What a run will take, before it takes it: memory by part, FLOPs, and time by what this machine is measured to do.
 *
 * A plan reads the tokenizer and the data (their lengths decide), and of the model its configuration and the header of
 * its weights. It then computes on one layer of that shape for a second or two. retort_distill, retort_rl and
 * retort_sample ask the same question, without measuring, before they load a weight, and refuse with RETORT_ERR_USAGE
 * and the table of memory as retort_error.detail where the answer is no: more than the machine has free, than a cgroup
 * or ulimit leaves, or than the option memory_limit says.
 */
#ifndef RETORT_PLAN_H
#define RETORT_PLAN_H

#include "retort/sample.h"
#include "retort/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table for reading, or one JSON object: "memory" [{"name", "bytes", "packing", "working"}], "peak_bytes"
 * (resident memory at its most, the program included), "allowed_bytes", "allowed_by", "fits", "steps",
 * "trained_tokens", "generated_tokens", "train_flops", "sample_flops", "train_seconds", "sample_seconds", "threads",
 * and "at_most": true where responses will be sampled, whose lengths nobody knows, so that tokens, FLOPs and seconds
 * are bounds; for distill also "lengths". *out is owned by the caller (free). It is there also where the call fails
 * because the run does not fit (RETORT_ERR_USAGE), else NULL on failure. */
RETORT_API retort_status retort_distill_plan(const retort_distill_options *options, bool json, char **out,
                                             size_t *length, retort_error *err);
RETORT_API retort_status retort_rl_plan(const retort_rl_options *options, bool json, char **out, size_t *length,
                                        retort_error *err);
RETORT_API retort_status retort_sample_plan(const retort_sample_options *options, bool json, char **out, size_t *length,
                                            retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
