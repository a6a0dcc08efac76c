#include "model/rope.h"

#include <math.h>

#include "core/exactmath.h"

static const double PI = 3.14159265358979323846;

static void scale_llama3(const rt_rope_config *rope, int64_t half, float *f) {
    const double length = (double)rope->original_positions;
    const float longest = (float)(length / rope->low_freq_factor), shortest = (float)(length / rope->high_freq_factor);
    const float low = (float)rope->low_freq_factor, span = (float)(rope->high_freq_factor - rope->low_freq_factor);
    const float factor = (float)rope->factor;
    for (int64_t i = 0; i < half; i++) {
        const float wavelength = (float)(2 * PI) / f[i];
        if (wavelength > longest)
            f[i] /= factor;
        else if (wavelength >= shortest) {
            const float kept = ((float)length / wavelength - low) / span;
            f[i] = (1.0F - kept) * f[i] / factor + kept * f[i];
        }
    }
}

/* The (real) pair index that turns so many times within the original length, counted in dimensions of the head. */
static double turning_dimension(const rt_config *c, double turns) {
    const double length = (double)c->rope.original_positions;
    return (double)c->head_dim * rt_log(length / (turns * 2 * PI)) / (2 * rt_log(c->rope.theta));
}

static void scale_yarn(const rt_config *c, float *f) {
    const rt_rope_config *rope = &c->rope;
    double low = turning_dimension(c, rope->beta_fast), high = turning_dimension(c, rope->beta_slow);
    if (rope->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, (double)c->head_dim - 1);
    if (low == high) high += 0.001; /* a step */
    for (int64_t i = 0; i < c->head_dim / 2; i++) {
        const float along = ((float)i - (float)low) / (float)(high - low);
        const float kept = 1.0F - fminf(fmaxf(along, 0.0F), 1.0F);
        const float stretched = 1.0F / ((float)rope->factor * (1.0F / f[i]));
        f[i] = stretched * (1.0F - kept) + f[i] * kept;
    }
}

static double yarn_mscale(double factor, double mscale) {
    return factor <= 1 ? 1.0 : 0.1 * mscale * rt_log(factor) + 1.0;
}

static double yarn_magnitude(const rt_rope_config *rope) {
    if (rope->attention_factor > 0) return rope->attention_factor;
    if (rope->mscale > 0 && rope->mscale_all_dim > 0)
        return yarn_mscale(rope->factor, rope->mscale) / yarn_mscale(rope->factor, rope->mscale_all_dim);
    return yarn_mscale(rope->factor, 1);
}

void rt_rope_scaled(const rt_config *c, float *frequency, float *magnitude) {
    const int64_t half = c->head_dim / 2;
    rt_rope_frequencies(c->head_dim, c->rope.theta, frequency);
    *magnitude = 1.0F;
    switch (c->rope.type) {
    case RT_ROPE_LINEAR:
        for (int64_t i = 0; i < half; i++) frequency[i] /= (float)c->rope.factor;
        break;
    case RT_ROPE_LLAMA3: scale_llama3(&c->rope, half, frequency); break;
    case RT_ROPE_YARN:
        scale_yarn(c, frequency);
        *magnitude = (float)yarn_magnitude(&c->rope);
        break;
    case RT_ROPE_DEFAULT:
    case RT_ROPE_DYNAMIC: break;
    }
}

void rt_rope_fill(const rt_config *config, int64_t positions, float *table) {
    float frequency[RT_MAX_HEAD_DIM / 2], magnitude;
    rt_rope_scaled(config, frequency, &magnitude);
    rt_rope_table(positions, config->head_dim, frequency, magnitude, table);
}
