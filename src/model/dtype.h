/* The three number formats of weights on disk, and their exact relation to float.
 *
 * Every BF16 and F16 value is a float, so decoding is exact. Encoding rounds to nearest, ties to even (IEEE 754
 * roundTiesToEven), subnormals included, as PyTorch and numpy do; what lies beyond the largest finite value becomes
 * infinite, which the writer of model files reports instead of storing.
 *
 * Bytes are little-endian and need no alignment.
 */
#ifndef RT_DTYPE_H
#define RT_DTYPE_H

#include <stddef.h>

#include "model/model.h"

/* "F32", "BF16", "F16", as in safetensors. */
const char *rt_dtype_name(rt_dtype dtype);
/* "float32", "bfloat16", "float16", as in config.json. */
const char *rt_dtype_torch_name(rt_dtype dtype);
/* False for any other name. */
bool rt_dtype_from_name(const char *name, rt_dtype *out);
size_t rt_dtype_size(rt_dtype dtype);

void rt_dtype_decode(rt_dtype dtype, const void *bytes, int64_t count, float *out);
void rt_dtype_encode(rt_dtype dtype, const float *x, int64_t count, void *bytes);

/* Index of the first NaN or infinity, or -1. */
int64_t rt_find_nonfinite(const float *x, int64_t count);
/* The same over encoded values. */
int64_t rt_dtype_find_nonfinite(rt_dtype dtype, const void *bytes, int64_t count);

#endif
