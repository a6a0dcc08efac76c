/* The definition of the matrix products as plain loops: what every kernel is compared with, bit for bit. */
#ifndef ORACLE_GEMM_H
#define ORACLE_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/* A matrix element (i, j) is data[i * rows + j * columns]: any layout, transposed or not. */
typedef struct oracle_matrix {
    const float *data;
    int64_t rows, columns;
} oracle_matrix;

/* c[i * ldc + j] = chain(k: a(i, k), b(k, j)), from 0 or from c. */
void oracle_gemm(int64_t m, int64_t n, int64_t k, oracle_matrix a, oracle_matrix b, float *c, int64_t ldc,
                 bool accumulate);

/* Floats of mixed sign and magnitude (2^-8 to 2^8), so that a changed order of additions changes bits. */
void oracle_fill(int64_t n, uint64_t *state, float *out);
uint64_t oracle_random(uint64_t *state);

#endif
