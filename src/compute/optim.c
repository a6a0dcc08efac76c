/* The optimiser: scalars of a step, and the split over threads. */
#include <math.h>

#include "compute/kernels_optim.h"
#include "compute/parallel.h"

enum { UNIT = 16, BLOCKS = 256 };

void rt_adamw(int64_t n, float *p, const float *grad, float *m, float *v, const rt_adamw_args *args) {
    const rt_adamw_scalars scalars = {
        .decay = (float)(1 - args->lr * args->weight_decay),
        .one_minus_b1 = (float)(1 - args->beta1),
        .b2 = (float)args->beta2,
        .one_minus_b2 = (float)(1 - args->beta2),
        .step = (float)(-args->lr / args->bias1),
        .root_bias2 = (float)sqrt(args->bias2),
        .eps = (float)args->eps,
        .grad_scale = args->grad_scale,
    };
#pragma omp parallel num_threads(rt_threads_for(4 * n))
    {
        rt_range own = rt_my_share(n, UNIT);
        int64_t at = own.first;
        rt_kernels->optim->adamw(own.count, p + at, grad + at, m + at, v + at, &scalars);
    }
}

/* Block sums are added in ascending order by the caller's thread, BLOCKS of them at a time. */
double rt_sum_squares(int64_t n, const float *x) {
    double total = 0, partial[BLOCKS];
    for (int64_t first = 0; first < n; first += (int64_t)BLOCKS * RT_SQUARES_BLOCK) {
        int64_t left = n - first, blocks = (left + RT_SQUARES_BLOCK - 1) / RT_SQUARES_BLOCK;
        if (blocks > BLOCKS) blocks = BLOCKS;
#pragma omp parallel for num_threads(rt_threads_for(left))
        for (int64_t b = 0; b < blocks; b++) {
            int64_t at = b * RT_SQUARES_BLOCK, count = left - at;
            if (count > RT_SQUARES_BLOCK) count = RT_SQUARES_BLOCK;
            partial[b] = rt_kernels->optim->sum_squares(count, x + first + at);
        }
        for (int64_t b = 0; b < blocks; b++) total += partial[b];
    }
    return total;
}

bool rt_has_nonfinite(int64_t n, const float *x) {
    bool found = false;
#pragma omp parallel num_threads(rt_threads_for(n)) reduction(|| : found)
    {
        rt_range own = rt_my_share(n, UNIT);
        found = rt_kernels->optim->has_nonfinite(own.count, x + own.first);
    }
    return found;
}
