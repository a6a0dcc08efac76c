/* Published shapes by name, so that a run on a model can be planned before a file of it is here. */
#ifndef RT_MODEL_SHAPES_H
#define RT_MODEL_SHAPES_H

#include "model/model.h"

/* The name of shape i; NULL behind the last. */
const char *rt_shape_name(int i);
/* False for an unknown name (case does not count). Weights and cache are float32. */
bool rt_shape_config(const char *name, rt_config *out);

#endif
