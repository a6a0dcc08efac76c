/* The block formats of ggml (llama.cpp): what the bytes of a quantised tensor mean.
 *
 * A row is a whole number of blocks. A block of 32 elements (Q4_0 ... Q8_0) has one scale d in F16, some a minimum m;
 * one of 256 (Q4_K, Q5_K, Q6_K) has eight or sixteen groups with scales of 6 or 8 bits under one or two F16 factors.
 * Decoding does the same float32 operations in the same order as ggml's reference (ggml-quants.c, dequantize_row_*),
 * with no fused multiply-add, so that every bit is the same; quantising to Q8_0 does likewise
 * (quantize_row_q8_0_ref).
 *
 * Bytes need no alignment. Scales that are NaN or infinite give such values: callers check what they decoded.
 */
#ifndef RT_GGML_H
#define RT_GGML_H

#include "core/gguf.h"

/* False for a type that is not decoded (rt_ggml_format_of knows its name). */
bool rt_ggml_decodes(uint32_t type);
/* count elements, a multiple of the type's block, from their blocks. */
void rt_ggml_decode(uint32_t type, const void *bytes, int64_t count, float *out);
/* To F32, F16, BF16 (round to nearest even) or Q8_0; other types are not written. Finite values beyond the largest F16
 * become infinite there, and so does the scale of a Q8_0 block whose largest value is beyond 127 times it: the writer
 * looks for both. */
void rt_ggml_encode(uint32_t type, const float *x, int64_t count, void *bytes);

#endif
