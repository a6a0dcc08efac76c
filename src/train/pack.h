/* Sequences, their order, and the micro-batches they are laid into.
 *
 * A global batch is a list of sequences in a fixed order. It runs as micro-batches of consecutive sequences, as many
 * as fit; where the cuts fall changes memory and speed but, since gradients continue one chain over all tokens, never
 * a bit of the result.
 */
#ifndef RT_PACK_H
#define RT_PACK_H

#include "model/model.h"

/* One document: `prompt` ids that are only read, then count - prompt ids that are predicted. The first id of a document
 * cannot be predicted, so prompt >= 1; the last id is never an input, so a sequence takes count - 1 rows. */
typedef struct rt_sequence {
    const int32_t *ids;        /* borrowed */
    int64_t count;             /* >= 2 */
    int64_t prompt;            /* 1 .. count - 1 */
    const uint8_t *supervised; /* [count], 1: predicted; NULL: every id from `prompt` on */
} rt_sequence;

static inline int64_t rt_sequence_rows(const rt_sequence *sequence) {
    return sequence->count - 1;
}
/* Whether id i >= 1 is predicted. */
static inline bool rt_sequence_supervises(const rt_sequence *sequence, int64_t i) {
    return i >= sequence->prompt && (sequence->supervised == NULL || sequence->supervised[i] != 0);
}
/* How many ids are predicted. */
int64_t rt_sequence_targets(const rt_sequence *sequence);

/* Memory of one micro-batch of up to `capacity` rows. Zero-initialise; free with rt_packer_release. */
typedef struct rt_packer {
    int64_t capacity;
    int32_t *ids, *target, *doc_start;
} rt_packer;
retort_status rt_packer_create(int64_t capacity, rt_packer *out, retort_error *err);
void rt_packer_release(rt_packer *packer);

/* How many of sequences[next], sequences[next + 1], ... fit into `limit` rows, at least one; *rows is what they take.
 */
int64_t rt_pack_fitting(const rt_sequence *sequences, int64_t count, int64_t next, int64_t limit, int64_t *rows);

/* Lays sequences[next], sequences[next + 1], ... into *batch while they fit into min(budget, capacity) rows, at least
 * one (which must fit into capacity); returns how many. The batch borrows the packer's memory. */
int64_t rt_packer_fill(rt_packer *packer, const rt_sequence *sequences, int64_t count, int64_t next, int64_t budget,
                       rt_batch *batch);

/* Sum over the batch's rows of the keys that each attends to: n (n + 1) / 2 a document of n rows. */
double rt_batch_keys(const rt_batch *batch);
int64_t rt_batch_scored(const rt_batch *batch);

/* order[0 .. count-1] = a permutation of 0 .. count-1 (Fisher and Yates), a function of seed, purpose and epoch. */
enum { RT_ORDER_DISTILL = 1, RT_ORDER_RL = 2, RT_ORDER_PROBE = 3, RT_ORDER_MINIBATCH = 4 };
void rt_shuffled_order(uint64_t seed, uint64_t purpose, uint64_t epoch, int64_t count, int32_t *order);

/* 64 well-mixed bits of three words (Philox): seeds and keys that must not repeat. */
uint64_t rt_mix(uint64_t seed, uint64_t a, uint64_t b);

#endif
