#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "compute/gemm.h"
#include "compute/kernels.h"
#include "core/mem.h"

#define SET(isa)                                                                                                       \
    { RT_KERNEL_FAMILIES(MEMBER_##isa) }
#define MEMBER_scalar(family) .family = &rt_##family##_kernels_scalar,
static const rt_kernel_set scalar_set = SET(scalar);
#ifdef RT_HAVE_X86_KERNELS
#define MEMBER_avx2(family)   .family = &rt_##family##_kernels_avx2,
#define MEMBER_avx512(family) .family = &rt_##family##_kernels_avx512,
static const rt_kernel_set avx2_set = SET(avx2);
static const rt_kernel_set avx512_set = SET(avx512);
#endif

const rt_kernel_set *rt_kernels = &scalar_set;

static rt_isa current_isa = RT_ISA_SCALAR;
static bool initialised;
static int thread_count = 1;

/* One block for all threads; replaced when more threads are asked for. */
static float *scratch;
static int scratch_threads;

static const char *const isa_names[] = {[RT_ISA_SCALAR] = "scalar", [RT_ISA_AVX2] = "avx2", [RT_ISA_AVX512] = "avx512"};

const char *rt_isa_name(rt_isa isa) {
    return isa_names[isa];
}

/* __builtin_cpu_supports also asks XGETBV whether the operating system saves the registers. */
static bool isa_supported(rt_isa isa) {
    if (isa == RT_ISA_SCALAR) return true;
#ifdef RT_HAVE_X86_KERNELS
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == RT_ISA_AVX2) return avx2;
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
#else
    return false;
#endif
}

static void choose(rt_isa isa) {
    current_isa = isa;
    rt_kernels = &scalar_set;
#ifdef RT_HAVE_X86_KERNELS
    if (isa == RT_ISA_AVX2) rt_kernels = &avx2_set;
    if (isa == RT_ISA_AVX512) rt_kernels = &avx512_set;
#endif
}

retort_status rt_compute_use_isa(rt_isa isa, retort_error *err) {
    RT_CHECK(isa_supported(isa), err, RETORT_ERR_UNSUPPORTED,
             "this processor cannot run instruction set '%s'; choose a lower one of scalar, avx2, avx512",
             rt_isa_name(isa));
    choose(isa);
    return RETORT_OK;
}

rt_isa rt_compute_isa(void) {
    return current_isa;
}

static rt_isa best_isa(void) {
    if (isa_supported(RT_ISA_AVX512)) return RT_ISA_AVX512;
    return isa_supported(RT_ISA_AVX2) ? RT_ISA_AVX2 : RT_ISA_SCALAR;
}

static bool grow_scratch(int threads) {
    if (threads <= scratch_threads) return true;
    float *block = rt_aligned_alloc((size_t)threads, RT_GEMM_SCRATCH * sizeof(float));
    if (block == NULL) return false;
    rt_free(scratch);
    scratch = block;
    scratch_threads = threads;
    return true;
}

float *rt_compute_scratch(int thread) {
    return scratch + (size_t)thread * RT_GEMM_SCRATCH;
}

retort_status rt_compute_init(retort_error *err) {
    if (initialised) return RETORT_OK;
    rt_isa isa = best_isa();
    const char *wanted = getenv("RETORT_ISA");
    if (wanted != NULL && wanted[0] != '\0') {
        int found = -1;
        for (int i = RT_ISA_SCALAR; i <= RT_ISA_AVX512; i++)
            if (strcmp(wanted, isa_names[i]) == 0) found = i;
        RT_CHECK(found >= 0, err, RETORT_ERR_USAGE,
                 "environment variable RETORT_ISA is '%s'; use scalar, avx2 or avx512", wanted);
        isa = (rt_isa)found;
    }
    RT_TRY(rt_compute_use_isa(isa, err));
    int threads = omp_get_num_procs();
    RT_CHECK(grow_scratch(threads), err, RETORT_ERR_MEMORY, "out of memory: scratch of %d threads", threads);
    thread_count = threads;
    initialised = true;
    return RETORT_OK;
}

void rt_compute_set_threads(int threads) {
    if (threads <= 0) threads = omp_get_num_procs();
    if (threads > RT_THREADS_MAX) threads = RT_THREADS_MAX;
    /* No bit depends on the count, so what memory there is decides instead of an error. */
    thread_count = grow_scratch(threads) ? threads : scratch_threads;
}

int rt_compute_threads(void) {
    return thread_count;
}
