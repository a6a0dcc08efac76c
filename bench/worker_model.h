/* The model that the commands of bench_worker share. */
#ifndef BENCH_WORKER_MODEL_H
#define BENCH_WORKER_MODEL_H

#include "model/model.h"

rt_model *loaded_model(void);
/* Ends the program with why->message unless status is RETORT_OK. */
void check(retort_status status, const retort_error *why);

#endif
