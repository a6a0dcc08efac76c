/* Block sizes of the matrix product driver. None of them changes a bit: k is walked in ascending blocks, and a block
 * continues the chains that the one before it left in c. */
#ifndef RT_COMPUTE_GEMM_H
#define RT_COMPUTE_GEMM_H

/* A block of B, at most RT_GEMM_B floats (512 KiB), stays in a 1 MiB second-level cache together with RT_GEMM_MC rows
 * of a packed A. Deep blocks touch c less often; where A is packed too, shallow ones leave it room. RT_GEMM_MR_MAX
 * bounds rt_gemm_kernels.rows_max. */
enum {
    RT_GEMM_B = 1 << 17,
    RT_GEMM_KC = 512,
    RT_GEMM_KC_PACKED_A = 256,
    RT_GEMM_NC_MAX = 1024,
    RT_GEMM_MC = 192,
    RT_GEMM_MR_MAX = 16,
    RT_THREADS_MAX = 1024
};

/* Panels and blocks lie this many floats more than their size apart: distances of a power of two would put the heads
 * of all of them into one set of the first-level cache. */
enum { RT_GEMM_PAD = 16 };

/* Floats of scratch a thread needs: the panels of B, the blocks of A. */
#define RT_GEMM_SCRATCH_B (RT_GEMM_B + RT_GEMM_PAD * (RT_GEMM_NC_MAX / 16))
#define RT_GEMM_SCRATCH   ((size_t)RT_GEMM_SCRATCH_B + RT_GEMM_KC_PACKED_A * RT_GEMM_MC + RT_GEMM_PAD * RT_GEMM_MC)

#endif
