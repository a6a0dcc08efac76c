/* The model that distillation and RL start from, with what the options say about number formats and adapters. */
#ifndef RT_BASE_H
#define RT_BASE_H

#include "model/lora.h"
#include "retort/train.h"

/* Loads dir. With use_peft the weights stay as they are, in the file's format or the one asked for, and adapters are
 * added, started from `seed`; without it all weights are trained and must be float32. */
retort_status rt_base_load(const char *dir, const retort_peft_options *options, int64_t seed, rt_model *out,
                           retort_error *err);

/* The configuration that it would load, and that of the adapters (r 0 without use_peft), before memory is taken. */
retort_status rt_base_peek(const char *dir, const retort_peft_options *options, rt_config *config, rt_lora_config *lora,
                           retort_error *err);

#endif
