#include <math.h>

#include "model/gguf_model.h"

/* transformers modeling_rope_utils.py, _compute_llama3_parameters: long wavelengths are stretched by the factor, short
 * ones are not, and between them the frequency is mixed. */
static float factor_of(double theta, int64_t dim, int64_t pair, const rt_rope_llama3 *scaling) {
    const double pi = 3.14159265358979323846;
    const double wavelength = 2 * pi * pow(theta, 2.0 * (double)pair / (double)dim);
    if (wavelength < scaling->original / scaling->high) return 1;
    if (wavelength > scaling->original / scaling->low) return (float)scaling->factor;
    const double smooth = (scaling->original / wavelength - scaling->low) / (scaling->high - scaling->low);
    return (float)(1 / ((1 - smooth) / scaling->factor + smooth));
}

void rt_rope_llama3_factors(double theta, int64_t dim, const rt_rope_llama3 *scaling, float *factors) {
    for (int64_t i = 0; i < dim / 2; i++) factors[i] = factor_of(theta, dim, i, scaling);
}

static bool fits(double theta, int64_t dim, const float *factors, const rt_rope_llama3 *scaling) {
    for (int64_t i = 0; i < dim / 2; i++) {
        const double expected = (double)factor_of(theta, dim, i, scaling);
        if (!(fabs((double)factors[i] - expected) <= 1e-5 * expected)) return false;
    }
    return true;
}

bool rt_rope_llama3_find(double theta, int64_t dim, const float *factors, rt_rope_llama3 *out) {
    const float last = factors[dim / 2 - 1];
    if (!(last >= 1) || !(last <= 1e6F)) return false;
    for (int64_t original = 16; original <= 1 << 24; original *= 2) {
        const rt_rope_llama3 candidate = {.factor = (double)last, .low = 1, .high = 4, .original = (double)original};
        if (!fits(theta, dim, factors, &candidate)) continue;
        *out = candidate;
        return true;
    }
    return false;
}
