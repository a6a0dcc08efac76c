/* A small random model and random documents for the tests of src/model. */
#ifndef RT_TEST_MODEL_FIXTURE_H
#define RT_TEST_MODEL_FIXTURE_H

#include "core/random.h"
#include "model/lora.h"

/* Odd sizes on purpose: no multiple of a tile, widths across the kernels' block sizes, three query heads a group. */
rt_config fixture_config(bool tied, bool bias);
/* One configuration for each further feature of the engine (norms of q and k, biases on o, windows, scaled rotation)
 * with documents longer than its window and its original length; number 0 .. FIXTURE_FEATURES - 1. */
enum { FIXTURE_FEATURES = 6 };
rt_config fixture_feature(int number);
/* Weights, biases and norms all random, large enough that every tensor matters. */
rt_model fixture_model(const rt_config *config, uint64_t seed);

/* The same model with matrices held as bfloat16; and back: float32 weights that hold the rounded values. */
rt_model fixture_as(const rt_model *model, rt_dtype weights);
/* Gives the model adapters of rank r of the projections in `targets`, A and B random. */
void fixture_adapt(rt_model *model, int64_t r, unsigned targets, uint64_t seed);

typedef struct corpus {
    int64_t docs, tokens;
    int32_t *doc_start; /* [docs + 1] */
    int32_t *ids, *target;
    float *weight; /* [tokens]: dLoss/dlogp */
} corpus;

/* Documents of 1 .. max_length tokens; a token is scored with probability `scored`, its target is the token that
 * follows (a random one at the end). */
corpus fixture_corpus(const rt_config *config, int64_t docs, int64_t max_length, double scored, uint64_t seed);
void corpus_release(corpus *c);
/* Documents first .. first + count - 1 as a batch; *start owns its doc_start and is to be freed. */
rt_batch corpus_slice(const corpus *c, int64_t first, int64_t count, int32_t **start);

/* What a pass gives, for a whole corpus. */
typedef struct record {
    float *logp, *entropy; /* [tokens] */
    rt_params grads;
} record;

record record_create(const rt_config *config, int64_t tokens);
/* With gradients of what is trained: the weights, or the adapters where the model carries them. */
record record_of(const rt_model *model, int64_t tokens);
void record_release(record *r);
/* Runs documents first .. first + count - 1 and adds to the record's gradients. */
void run_slice(const rt_model *model, rt_workspace *ws, const corpus *c, int64_t first, int64_t count, float inv_t,
               record *r);
/* The whole corpus in micro-batches of `step` documents (0: of random numbers of them), then the flush. */
void run_corpus(const rt_model *model, const corpus *c, bool recompute, int64_t step, float inv_t, record *r);

/* Fail the running test with the message of a failed call. */
void must(retort_status status, const retort_error *err);
void assert_same_floats(const char *what, const float *a, const float *b, int64_t count);
void assert_same_record(int64_t tokens, const record *a, const record *b);

#endif
