/* Block sizes of the matrix product driver. None of them changes a bit: k is walked in ascending blocks, and a block
 * continues the chains that the one before it left in c. */
#ifndef RT_COMPUTE_GEMM_H
#define RT_COMPUTE_GEMM_H

/* RT_GEMM_KC x RT_GEMM_NC floats of B (512 KiB) stay in a 1 MiB second-level cache together with RT_GEMM_MC rows of A.
 * RT_GEMM_MC leaves room for a last block rounded up to the tallest tile. */
enum { RT_GEMM_KC = 256, RT_GEMM_NC = 512, RT_GEMM_MC = 192, RT_GEMM_MR_MAX = 16, RT_THREADS_MAX = 1024 };

/* Panels and blocks lie this many floats more than their size apart: distances of a power of two would put the heads
 * of all of them into one set of the first-level cache. */
enum { RT_GEMM_PAD = 16 };

/* Floats of scratch a thread needs: the panels of B, the blocks of A. */
#define RT_GEMM_SCRATCH_B ((RT_GEMM_KC * 16 + RT_GEMM_PAD) * (RT_GEMM_NC / 16))
#define RT_GEMM_SCRATCH   ((size_t)RT_GEMM_SCRATCH_B + (RT_GEMM_KC + RT_GEMM_PAD) * (RT_GEMM_MC + RT_GEMM_MR_MAX))

#endif
