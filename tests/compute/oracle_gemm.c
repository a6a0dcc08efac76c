#include "oracle_gemm.h"

#include <math.h>

void oracle_gemm(int64_t m, int64_t n, int64_t k, oracle_matrix a, oracle_matrix b, float *c, int64_t ldc,
                 bool accumulate) {
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            float acc = accumulate ? c[i * ldc + j] : 0.0f;
            for (int64_t p = 0; p < k; p++)
                acc = fmaf(a.data[i * a.rows + p * a.columns], b.data[p * b.rows + j * b.columns], acc);
            c[i * ldc + j] = acc;
        }
    }
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
uint64_t oracle_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

void oracle_fill(int64_t n, uint64_t *state, float *out) {
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = oracle_random(state);
        float mantissa = (float)(int32_t)(bits >> 32) * 0x1p-31f;
        out[i] = ldexpf(mantissa, (int)(bits & 15) - 8);
    }
}
