/* What a run will take, before it takes it: memory by part, FLOPs, and time, by what this machine is measured to do and
 * by what the ceilings of this machine, or of another, promise.
 *
 * A plan reads the tokenizer and the data (their lengths decide), and of the model its configuration; of its weights,
 * where there are any, only the header. It then computes on one layer of that shape for a second or two.
 * retort_distill, retort_rl and retort_sample ask the same question, without measuring, before they load a weight, and
 * refuse with RETORT_ERR_USAGE and the table of memory as retort_error.detail where the answer is no: more than the
 * machine has free, than a cgroup or ulimit leaves, or than the option memory_limit says.
 *
 *     const retort_machine server = {.cores = 64, .peak_gflops = 80, .bandwidth_gbs = 300, .memory = "512GiB"};
 *     retort_distill_plan(&options, &server, false, &text, &length, &err);    a laptop asks for a server
 *     retort_shape_plan(&shapes, false, &text, &length, &err);                no data, no weights: published shapes
 */
#ifndef RETORT_PLAN_H
#define RETORT_PLAN_H

#include "retort/machine.h"
#include "retort/sample.h"
#include "retort/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table for reading, or one JSON object: "memory" [{"name", "bytes", "packing", "working"}], "peak_bytes"
 * (resident memory at its most, the program included), "allowed_bytes", "allowed_by", "fits", "steps",
 * "trained_tokens", "generated_tokens", "train_flops", "sample_flops", "train_seconds", "sample_seconds" (as measured
 * here), "threads", and "at_most": true where responses will be sampled, whose lengths nobody knows, so that tokens,
 * FLOPs and seconds are bounds; "machine" {"cores", "peak_gflops", "bandwidth_gbs", "peak_measured",
 * "bandwidth_measured"} and "predicted": for it "train" and "sample", each {"seconds", "products", "attention",
 * "memory"}, the last three adding up to the first (docs/performance.md has the formula); for distill also "lengths".
 *
 * machine: NULL for this one. *out is owned by the caller (free). It is there also where the call fails because the run
 * does not fit (RETORT_ERR_USAGE), else NULL on failure. */
RETORT_API retort_status retort_distill_plan(const retort_distill_options *options, const retort_machine *machine,
                                             bool json, char **out, size_t *length, retort_error *err);
RETORT_API retort_status retort_rl_plan(const retort_rl_options *options, const retort_machine *machine, bool json,
                                        char **out, size_t *length, retort_error *err);
RETORT_API retort_status retort_sample_plan(const retort_sample_options *options, const retort_machine *machine,
                                            bool json, char **out, size_t *length, retort_error *err);

/* Shapes without data: what a step of training, a prompt and a token cost, by context and batch. */
typedef struct retort_shape_options {
    char *shape;    /* comma list of published shapes: qwen2.5-0.5b, ... ; "all" */
    char *model;    /* comma list of model folders, of which only config.json is read */
    char *context;  /* comma list: tokens of a sequence that is trained on, of a prompt, before a token that is drawn */
    char *batch;    /* comma list: sequences that are decoded together */
    int64_t tokens; /* of a training step; 0: one sequence */
    int64_t micro_batch_tokens;
    bool gradient_checkpointing;
    int dtype;       /* of weights that are sampled from: 0 bf16, 1 f32, 2 int8; training is in float32 */
    int64_t threads; /* to measure with; 0: all processors */
    retort_machine machine;
} retort_shape_options;
RETORT_API extern const retort_option retort_shape_option_table[];

/* A row for each shape, context and batch, as a table or as {"machine", "rows": [{"shape", "parameters", "context",
 * "batch", "train_tokens", "train_flops", "train_bytes", "train_seconds", "train_tokens_per_second",
 * "prefill_seconds", "prefill_tokens_per_second", "decode_seconds" (a token of each sequence),
 * "decode_tokens_per_second" (of all together), "sample_bytes"}]}. *out is owned by the caller (free).
 *
 * RETORT_ERR_USAGE: no shape, an unknown one (its message names those there are), a context beyond a shape's, a number
 * that is none. */
RETORT_API retort_status retort_shape_plan(const retort_shape_options *options, bool json, char **out, size_t *length,
                                           retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
