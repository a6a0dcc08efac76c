/* How fast this machine computes a model's shape, measured in a second or two on one layer of it and a part of its
 * vocabulary, with weights that are zero: times do not depend on values. Other work on the machine counts in.
 */
#ifndef RT_CALIBRATE_H
#define RT_CALIBRATE_H

#include "model/model.h"

/* Seconds, forward and backward together, with the threads that are set. */
typedef struct rt_training_speed {
    double token;     /* a token in a layer, without its attention */
    double key;       /* an attended key of a token in a layer */
    double scored;    /* a token through the output head */
    double parameter; /* a parameter in an update */
} rt_training_speed;
/* lora: the adapters that are trained, NULL where the weights are. */
retort_status rt_calibrate_training(const rt_config *config, const rt_lora_config *lora, bool recompute,
                                    rt_training_speed *out, retort_error *err);
/* A pass over tokens whose attended keys sum to `keys`, in all layers. */
double rt_training_seconds(const rt_training_speed *speed, const rt_config *config, double tokens, double keys,
                           double scored);

/* Seconds a FLOP when `slots` sequences are decoded together. */
retort_status rt_calibrate_decoding(const rt_config *config, int64_t slots, double *seconds, retort_error *err);

#endif
