/* The second operand of a product: a matrix in any format, by rows, transposed or packed, and how its panels are had.
 * The driver of the products (gemm.c) knows no formats. */
#ifndef RT_COMPUTE_OPERAND_H
#define RT_COMPUTE_OPERAND_H

#include "compute/compute.h"

typedef enum rt_operand_form { RT_B_ROWS, RT_B_TRANSPOSED, RT_B_PACKED, RT_B_FORMS } rt_operand_form;

typedef struct rt_operand {
    rt_format format;
    rt_operand_form form;
    rt_matrix w;   /* packed: the panels; those of int8, scales included, are w.int8 */
    int64_t ld;    /* of its rows; packed: from panel to panel */
    int64_t first; /* column of the operand that is the product's first; packed: a multiple of RT_PANEL */
} rt_operand;

rt_operand rt_operand_packed(const rt_packed *w);

/* True where panels of float are read where they lie. */
bool rt_operand_in_place(const rt_operand *b);
/* The panels of float of columns j .. j + n - 1 (counted from the product's first), k positions p .. p + k - 1, where
 * they lie or made in scratch. */
const float *rt_operand_panels(const rt_operand *b, int64_t j, int64_t n, int64_t p, int64_t k, float *scratch,
                               int64_t *stride);

/* So few rows, those of four tiles, read panels of a narrow format where they lie; 0: none do. For more rows than that
 * the panels are widened once for all. */
int rt_operand_few_rows(const rt_operand *b);
/* c[i][j] for rows <= rt_operand_few_rows, all of k. */
void rt_operand_multiply_few(const rt_operand *b, int rows, int64_t n, int64_t k, const float *a, int64_t lda, float *c,
                             int64_t ldc, bool accumulate);

#endif
