/* How one kernel source becomes one table of functions an instruction set.
 *
 * Every kernel_<family>.c is compiled once for each instruction set in meson.build, with RT_KERNEL_ISA (the word
 * scalar, avx2 or avx512) and RT_KERNEL_LEVEL (0, 1, 2) defined, and ends in one table of function pointers:
 *
 *   // kernels_rows.h
 *   struct rt_rows_kernels {
 *       void (*add)(int64_t n, const float *x, float *y);
 *   };
 *   // kernel_rows.c
 *   const struct rt_rows_kernels RT_KERNEL_TABLE(rows) = {.add = add};
 *   // rows.c, compiled once: threads, and the call
 *   rt_kernels->rows->add(n, x, y);
 *
 * A new family is one more line in RT_KERNEL_FAMILIES and one more file in kernel_sources of meson.build. Kernels are
 * single-threaded; the wrappers that are compiled once split the work. Kernel files test RT_KERNEL_LEVEL, never
 * __AVX2__, which -march=native would also define in the scalar build.
 */
#ifndef RT_COMPUTE_KERNELS_H
#define RT_COMPUTE_KERNELS_H

#include "compute/compute.h"

#define RT_KERNEL_FAMILIES(X) X(attention) X(gemm) X(head) X(int8) X(optim) X(rows)

/* The same condition as in meson.build. */
#ifdef __x86_64__
#define RT_HAVE_X86_KERNELS 1
#endif

#define RT_KERNEL_JOIN_(family, isa) rt_##family##_kernels_##isa
#define RT_KERNEL_JOIN(family, isa)  RT_KERNEL_JOIN_(family, isa)
#define RT_KERNEL_TABLE(family)      RT_KERNEL_JOIN(family, RT_KERNEL_ISA)

#define RT_KERNEL_DECLARE(family)                                                                                      \
    typedef struct rt_##family##_kernels rt_##family##_kernels;                                                        \
    extern const rt_##family##_kernels rt_##family##_kernels_scalar, rt_##family##_kernels_avx2,                       \
        rt_##family##_kernels_avx512;
RT_KERNEL_FAMILIES(RT_KERNEL_DECLARE)
#undef RT_KERNEL_DECLARE

/* The tables of one instruction set. */
typedef struct rt_kernel_set {
#define RT_KERNEL_MEMBER(family) const rt_##family##_kernels *family;
    RT_KERNEL_FAMILIES(RT_KERNEL_MEMBER)
#undef RT_KERNEL_MEMBER
} rt_kernel_set;

/* The chosen set; never NULL (scalar before rt_compute_init). */
extern const rt_kernel_set *rt_kernels;

/* Scratch of one thread for packed operands, taken by rt_compute_init and rt_compute_set_threads; thread is
 * omp_get_thread_num() of the outermost parallel region and must be below rt_compute_threads(). */
float *rt_compute_scratch(int thread);

#endif
