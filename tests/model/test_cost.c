/* The model of time against numbers computed by hand, and its behaviour where no hand computes. */
#include "model/cost.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/lora.h"
#include "model/shapes.h"

static const rt_ceilings UNIT = {.cores = 1, .peak = 1e12, .bandwidth = 1e9};

static rt_config half_billion(void) {
    rt_config config = {0};
    assert_true(rt_shape_config("Qwen2.5-0.5B", &config));
    return config;
}

static void nearly(double value, double wanted) {
    if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted))) fail_msg("%.12g, should be %.12g", value, wanted);
}

/* A layer has 896 (2 896 + 2 128) + 3 896 4864 = 14,909,440 weights, 24 of them 357,826,560, the head 136,134,656. */
static void numbers_by_hand(void **state) {
    (void)state;
    const rt_config config = half_billion();
    const rt_training_load load = {.tokens = 1000, .keys = 500500, .scored = 1000, .passes = 1, .updates = 1};
    const rt_cost cost = rt_training_cost(&config, NULL, &load, &UNIT);
    nearly(cost.products, 6.0 * 1000 * 493961216 / (0.93 * 1e12));
    nearly(cost.attention, 14.0 * 24 * 896 * (500500 + 12 * 1000) / (0.78 * 1e12));
    const rt_training_load update = {.updates = 1};
    nearly(rt_training_cost(&config, NULL, &update, &UNIT).memory, 36.0 * 493961216 / 1e9);
    /* One pass packs a layer's weights for two products, 8 bytes each, and fetches and writes the gradient's 8. */
    const rt_training_load pass = {.passes = 1};
    nearly(rt_training_cost(&config, NULL, &pass, &UNIT).memory, 24.0 * 493961216 / 1e9);
    nearly(rt_cost_seconds(&cost), cost.products + cost.attention + cost.memory);
}

static void decoding_by_hand(void **state) {
    (void)state;
    rt_config config = half_billion();
    const rt_decoding_load one = {.steps = 1, .rows = 1, .scored = 1};
    const rt_ceilings fast = {.cores = 1, .peak = 1e18, .bandwidth = 1e9}; /* only bytes count */
    const double rows = 4.0 * 24 * (12 * 896 + 7 * 896 + 8 * 128 + 4 * 4864);
    const rt_cost whole = rt_decoding_cost(&config, &one, &fast);
    nearly(whole.memory + whole.products, (4.0 * 493961216 / 0.80 + rows) / 1e9);
    config.weights_dtype = RT_DTYPE_BF16;
    const rt_cost half = rt_decoding_cost(&config, &one, &fast);
    nearly(half.memory + half.products, (2.0 * 493961216 / 0.80 + rows) / 1e9);
    const rt_decoding_load many = {.steps = 1, .rows = 1e6, .scored = 1e6};
    nearly(rt_decoding_cost(&config, &many, &UNIT).products, (2e6 + 16) * 493961216 / (0.93 * 1e12));
    config.weights_dtype = RT_DTYPE_INT8; /* read where they lie, each with its scale: 9 bits and 4 FLOPs */
    nearly(rt_decoding_cost(&config, &one, &UNIT).products, 4.0 * 493961216 / (0.93 * 1e12));
    const rt_cost whole8 = rt_decoding_cost(&config, &one, &fast);
    nearly(whole8.memory + whole8.products, (1.125 * 493961216 / 0.80 + rows) / 1e9);
    config.weights_dtype = RT_DTYPE_F32;
    nearly(rt_decoding_cost(&config, &many, &UNIT).products, 2e6 * 493961216 / (0.93 * 1e12));
    /* A cache of 1,000 positions a row, small enough to be kept: 24 layers, 2 x 128 floats, runs of 64 x 64 floats. */
    const rt_decoding_load near = {.steps = 1, .rows = 1, .keys = 1000}, none = {.steps = 1, .rows = 1};
    const rt_cost with = rt_decoding_cost(&config, &near, &fast), without = rt_decoding_cost(&config, &none, &fast);
    nearly(with.memory + with.attention - without.memory, 24.0 * 256 * 4 * 1000 / (16384.0 / (16384 + 12288) * 1e9));
}

static void more_work_takes_longer(void **state) {
    (void)state;
    const rt_config config = half_billion();
    const rt_lora_config lora = {.r = 8, .alpha = 16, .targets = (1U << RT_LORA_MODULES) - 1};
    const rt_training_load base = {.tokens = 2048, .keys = 2048 * 1024, .scored = 2000, .passes = 1, .updates = 1};
    const rt_cost first = rt_training_cost(&config, NULL, &base, &UNIT);
    const double seconds = rt_cost_seconds(&first);
    rt_training_load more[] = {base, base, base, base, base, base};
    more[0].tokens++, more[1].keys++, more[2].scored++, more[3].passes++, more[4].updates++, more[5].recompute = true;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        const rt_cost cost = rt_training_cost(&config, NULL, &more[i], &UNIT);
        assert_true(rt_cost_seconds(&cost) > seconds);
    }
    rt_training_load forward = base;
    forward.forward_only = true;
    rt_cost cost = rt_training_cost(&config, NULL, &forward, &UNIT);
    assert_true(rt_cost_seconds(&cost) < seconds / 2);
    cost = rt_training_cost(&config, &lora, &base, &UNIT);
    assert_true(rt_cost_seconds(&cost) < seconds);
    const rt_ceilings wide = {.cores = 64, .peak = UNIT.peak, .bandwidth = 64 * UNIT.bandwidth};
    cost = rt_training_cost(&config, NULL, &base, &wide);
    assert_true(rt_cost_seconds(&cost) < seconds);
    nearly(cost.products * 64, rt_training_cost(&config, NULL, &base, &UNIT).products);
}

static void batches_and_contexts(void **state) {
    (void)state;
    const rt_config config = half_billion();
    const rt_ceilings machine = {.cores = 2, .peak = 118e9, .bandwidth = 68e9};
    double before = 0, before_each = INFINITY;
    for (int64_t batch = 1; batch <= 256; batch *= 2) {
        const rt_decoding_load load = {
            .steps = 1, .rows = (double)batch, .keys = 512.0 * (double)batch, .scored = (double)batch};
        const rt_cost cost = rt_decoding_cost(&config, &load, &machine);
        const double step = rt_cost_seconds(&cost);
        assert_true(step > before && step / (double)batch <= before_each);
        before = step, before_each = step / (double)batch;
    }
    before = 0;
    for (double context = 512; context <= 32768; context *= 2) {
        const rt_decoding_load load = {.steps = 1, .rows = 8, .keys = 8 * context, .scored = 8};
        const rt_cost cost = rt_decoding_cost(&config, &load, &machine);
        assert_true(rt_cost_seconds(&cost) > before);
        before = rt_cost_seconds(&cost);
    }
    /* Twice the responses, in twice the rounds of as many slots, behind prompts that are read once. */
    const rt_sampling_load some = {.prompts = 4, .prompt = 100, .n = 4, .fresh = 200, .slots = 16};
    rt_sampling_load twice = some;
    twice.n = 8;
    const rt_cost few = rt_sampling_cost(&config, &some, &machine), many = rt_sampling_cost(&config, &twice, &machine);
    assert_true(rt_cost_seconds(&many) > 1.9 * rt_cost_seconds(&few));
    assert_true(rt_cost_seconds(&many) < 2 * rt_cost_seconds(&few));
}

/* Whatever is asked, no figure is negative or no number. */
static void extremes(void **state) {
    (void)state;
    const rt_config config = half_billion();
    const double values[] = {0, 1, 1e18, 1e300};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            const rt_training_load training = {
                .tokens = values[i], .keys = values[j], .scored = values[i], .passes = 1};
            const rt_decoding_load decoding = {.steps = 1, .rows = values[i], .keys = values[j], .scored = values[i]};
            const rt_sampling_load sampling = {
                .prompts = values[i], .prompt = values[j], .n = 1, .fresh = values[i], .slots = 1};
            const rt_cost costs[] = {rt_training_cost(&config, NULL, &training, &UNIT),
                                     rt_decoding_cost(&config, &decoding, &UNIT),
                                     rt_sampling_cost(&config, &sampling, &UNIT)};
            for (size_t k = 0; k < 3; k++) assert_true(rt_cost_seconds(&costs[k]) >= 0);
        }
    }
}

static void shapes_are_the_published_ones(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t parameters;
    } known[] = {{"smollm2-135m", 134515008}, {"qwen2.5-0.5b", 494032768}, {"qwen2.5-1.5b", 1543714304},
                 {"qwen2.5-3b", 3085938688},  {"qwen2.5-7b", 7615616512},  {"qwen2.5-14b", 14770033664},
                 {"qwen2.5-32b", 32763876352}};
    rt_config config;
    retort_error err = {0};
    int count = 0;
    while (rt_shape_name(count) != NULL) count++;
    assert_int_equal(count, sizeof known / sizeof known[0]);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        rt_params layout;
        assert_true(rt_shape_config(known[i].name, &config));
        assert_int_equal(rt_config_validate(&config, known[i].name, &err), RETORT_OK);
        assert_int_equal(rt_params_layout(&config, &layout, &err), RETORT_OK);
        assert_int_equal(layout.count, known[i].parameters);
        rt_params_release(&layout);
    }
    assert_false(rt_shape_config("qwen2.5-0.6b", &config));
    assert_false(rt_shape_config("", &config));
    assert_null(rt_shape_name(-1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(decoding_by_hand),
        cmocka_unit_test(more_work_takes_longer),
        cmocka_unit_test(batches_and_contexts),
        cmocka_unit_test(extremes),
        cmocka_unit_test(shapes_are_the_published_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
