/* What training and sampling cost on a machine of given ceilings: the one model of time, of which docs/performance.md
 * tells the reasons and how well it meets what was measured.
 *
 *     seconds = products + attention + memory
 *     products  = FLOPs of matrix products / (share of the tile, cores, peak of a core)
 *     attention = FLOPs of attention / (its share, cores, peak of a core)
 *     memory    = bytes that move beside them / bandwidth of all cores
 *
 * Nothing is hidden behind anything else, but for decoding, where a weight is read while the one before it is
 * multiplied: both together take the root of the sum of their squares; and a cache of keys and values, where the longer
 * of reading and computing counts. Not counted: starting threads (some microseconds
 * for each of ten to twenty steps of a layer), waiting for one another, sockets, reading of data, drawing of tokens.
 */
#ifndef RT_COST_H
#define RT_COST_H

#include "core/machine.h"
#include "model/model.h"

/* A pass is one micro-batch, forward and backward; an update is one step of AdamW. Counts are sums over all passes. */
typedef struct rt_training_load {
    double tokens;
    double keys;   /* attended ones of all tokens */
    double scored; /* tokens through the output head */
    double passes, updates;
    bool recompute;    /* layers are computed once more in the backward pass */
    bool forward_only; /* log-probabilities: no backward pass */
} rt_training_load;

/* lora: the adapters that are trained, NULL where the weights are. */
rt_cost rt_training_cost(const rt_config *config, const rt_lora_config *lora, const rt_training_load *load,
                         const rt_ceilings *machine);

/* Steps of the decoder: a prompt in large pieces, or one token of each of several sequences. Counts are sums over all
 * steps. */
typedef struct rt_decoding_load {
    double steps;
    double rows;
    double keys;   /* attended ones of all rows */
    double scored; /* rows whose logits are wanted */
    bool prompt;   /* neighbouring rows are of one sequence, so that its keys and values are read once for several */
} rt_decoding_load;

/* With keys, values and weights in the formats that the configuration names. */
rt_cost rt_decoding_cost(const rt_config *config, const rt_decoding_load *load, const rt_ceilings *machine);

/* Responses of `fresh` tokens each, n to each of `prompts` prompts of `prompt` tokens, of which `slots` are drawn at
 * once: every prompt is read once. */
typedef struct rt_sampling_load {
    double prompts, prompt, n, fresh, slots;
} rt_sampling_load;
rt_cost rt_sampling_cost(const rt_config *config, const rt_sampling_load *load, const rt_ceilings *machine);

#endif
