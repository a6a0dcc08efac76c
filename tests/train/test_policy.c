/* The whole gradient of a policy step, through a model, against finite differences of the surrogate loss; and that it
 * does not depend on micro-batches. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "train/policy.h"

enum { RESPONSES = 8, VOCAB = 50 };

static const rt_config CONFIG = {.vocab_size = VOCAB,
                                 .hidden_size = 32,
                                 .intermediate_size = 48,
                                 .num_hidden_layers = 2,
                                 .num_attention_heads = 2,
                                 .num_key_value_heads = 1,
                                 .head_dim = 16,
                                 .max_position_embeddings = 64,
                                 .rope = {.theta = 10000},
                                 .rms_norm_eps = 1e-6,
                                 .initializer_range = 0.2,
                                 .tie_word_embeddings = true,
                                 .qkv_bias = true,
                                 .bos_token_id = -1,
                                 .pad_token_id = -1,
                                 .eos_token_id = {0},
                                 .num_eos = 1};

static void make_model(rt_model *model, uint64_t seed) {
    model->config = CONFIG;
    assert_ok(rt_params_create(&CONFIG, &model->params, &fixture_error));
    rt_params_init(&CONFIG, &model->params, seed);
}

/* A rollout as sampling would leave it, with random tokens; log-probabilities are filled in by `measure`. */
typedef struct scene {
    rt_rollout rollout;
    rt_graded items[RESPONSES];
    float logp[256];
    rt_sequence sequences[RESPONSES];
    int64_t response[RESPONSES];
    double advantage[RESPONSES];
} scene;

static void make_scene(scene *s) {
    rt_rng rng = rt_rng_make(11, 0);
    *s = (scene){.rollout = {.n = 4}};
    for (int i = 0; i < RESPONSES; i++) {
        rt_graded *item = &s->items[i];
        *item = (rt_graded){.begin = s->rollout.ids.count, .logp = s->rollout.tokens, .truncated = i == 3};
        item->prompt = 2 + rt_rng_below(&rng, 4);
        item->count = 1 + rt_rng_below(&rng, 7);
        for (int64_t t = 0; t < item->prompt + item->count; t++)
            assert_ok(rt_ids_push(&s->rollout.ids, (int32_t)rt_rng_below(&rng, VOCAB), &fixture_error));
        s->rollout.tokens += item->count;
        s->response[i] = i;
        s->advantage[i] = i == 5 ? 0 : rt_rng_normal(&rng);
    }
    for (int i = 0; i < RESPONSES; i++) {
        const rt_graded *item = &s->items[i];
        s->sequences[i] = (rt_sequence){
            .ids = s->rollout.ids.data + item->begin, .count = item->prompt + item->count, .prompt = item->prompt};
    }
    s->rollout.items = s->items;
    s->rollout.logp = s->logp;
    s->rollout.count = s->rollout.item_capacity = RESPONSES;
    s->rollout.logp_capacity = 256;
}

static retort_training_options training_options(const char *run, int64_t micro, double rate) {
    return (retort_training_options){.output_dir = fixture_path(run),
                                     .learning_rate = rate,
                                     .lr_scheduler_type = RETORT_SCHEDULE_CONSTANT,
                                     .adam_beta2 = 0.9,
                                     .adam_epsilon = 1e-3,
                                     .logging_steps = 1,
                                     .micro_batch_tokens = micro};
}

static void open_trainer(rt_trainer *trainer, const retort_training_options *options) {
    rt_model model = {0};
    make_model(&model, 1);
    rt_trainer_setup setup = {.options = options,
                              .identity = {.stage = "rl", .hyper_parameters = json_object(), .total_steps = 1},
                              .model = &model,
                              .tokenizer_dir = "",
                              .updates_per_step = 2,
                              .longest = 32,
                              .largest_batch = 256};
    assert_ok(rt_trainer_open(trainer, &setup, &fixture_error));
}

/* Log-probabilities of all response tokens. */
typedef struct measurement {
    const rt_trainer *trainer;
    float *out;
} measurement;

static void keep(void *context, const rt_batch *batch, int64_t first) {
    (void)first;
    measurement *m = context;
    for (int64_t t = 0; t < batch->tokens; t++) {
        if (batch->target[t] >= 0) *m->out++ = m->trainer->logp[t];
    }
}

static void measure(rt_trainer *trainer, const scene *s, const rt_model *model, float temperature, float *out) {
    measurement m = {trainer, out};
    const rt_pass pass = {.model = model, .inv_temperature = 1 / temperature, .after = keep, .context = &m};
    assert_ok(rt_trainer_pass(trainer, s->sequences, RESPONSES, &pass, &fixture_error));
}

typedef struct setting {
    rt_loss_type type;
    double beta;
    float temperature;
    bool mask;
} setting;

static rt_policy_settings policy_settings(const setting *set, int64_t iterations) {
    return (rt_policy_settings){.loss = {.type = set->type,
                                         .epsilon = 0.2,
                                         .epsilon_high = 0.28,
                                         .beta = set->beta,
                                         .max_completion_length = 9},
                                .temperature = set->temperature,
                                .iterations = iterations,
                                .minibatches = 1,
                                .mask_truncated = set->mask};
}

static double loss_at(rt_trainer *trainer, const scene *s, const setting *set, const float *params, const float *old,
                      const float *ref) {
    const rt_policy_settings settings = policy_settings(set, 1);
    rt_model model = {.config = CONFIG};
    float logp[256];
    double weight[RESPONSES], total = 0;
    int64_t length[RESPONSES];
    bool masked[RESPONSES];
    make_model(&model, 1);
    memcpy(model.params.data, params, (size_t)model.params.count * sizeof(float));
    measure(trainer, s, &model, set->temperature, logp);
    rt_model_release(&model);
    for (int i = 0; i < RESPONSES; i++) {
        length[i] = s->items[i].count;
        masked[i] = set->mask && s->items[i].truncated;
    }
    rt_grpo_weights(&settings.loss, RESPONSES, length, masked, weight);
    for (int i = 0; i < RESPONSES; i++) {
        for (int64_t t = s->items[i].logp; t < s->items[i].logp + length[i]; t++)
            total += weight[i] * rt_grpo_token_loss(&settings.loss, (double)logp[t], (double)old[t], (double)ref[t],
                                                    s->advantage[i])
                                     .loss;
    }
    return total;
}

/* Derivative of the loss along g against |g|. */
static void check_direction(rt_trainer *trainer, const scene *s, const setting *set, const float *params,
                            const float *g, int64_t count, const float *old, const float *ref) {
    double squares = 0;
    for (int64_t i = 0; i < count; i++) squares += (double)g[i] * (double)g[i];
    double norm = sqrt(squares), step = 5e-4;
    float *up = malloc((size_t)count * sizeof *up), *down = malloc((size_t)count * sizeof *down);
    assert_true(norm > 1e-3);
    for (int64_t i = 0; i < count; i++) {
        up[i] = (float)((double)params[i] + step * (double)g[i] / norm);
        down[i] = (float)((double)params[i] - step * (double)g[i] / norm);
    }
    double slope = (loss_at(trainer, s, set, up, old, ref) - loss_at(trainer, s, set, down, old, ref)) / (2 * step);
    if (fabs(slope - norm) > 1e-3 * norm) fail_msg("slope %g, gradient norm %g", slope, norm);
    free(up);
    free(down);
}

/* With beta1 = 0 AdamW's first moment is the gradient of the last update. */
static void check_setting(const setting *set) {
    const retort_training_options options = training_options("policy", 64, 2e-3);
    scene s;
    float old[256], ref[256];
    rt_trainer trainer;
    rt_model reference = {0};
    rt_policy policy;
    rt_policy_stats stats;
    make_scene(&s);
    make_model(&reference, 2);
    open_trainer(&trainer, &options);
    int64_t count = trainer.model.params.count;
    float *start = malloc((size_t)count * sizeof *start), *middle = malloc((size_t)count * sizeof *middle);
    memcpy(start, trainer.model.params.data, (size_t)count * sizeof *start);
    measure(&trainer, &s, NULL, 1, s.logp);
    measure(&trainer, &s, NULL, set->temperature, old);
    measure(&trainer, &s, &reference, set->temperature, ref);

    rt_policy_settings settings = policy_settings(set, 1);
    const rt_model *given = set->beta > 0 ? &reference : NULL;
    assert_ok(rt_policy_create(&settings, given, &s.rollout, trainer.packer.capacity, &policy, &fixture_error));
    assert_ok(rt_policy_step(&policy, &trainer, s.response, s.advantage, RESPONSES, &stats, &fixture_error));
    assert_true(stats.max_ratio_deviation == 0 && stats.low + stats.high == 0);
    memcpy(middle, trainer.model.params.data, (size_t)count * sizeof *middle);
    assert_true(fabs(stats.loss - loss_at(&trainer, &s, set, start, old, ref)) < 1e-9);
    check_direction(&trainer, &s, set, start, trainer.optimizer.m.data, count, old, ref);
    rt_policy_release(&policy);
    rt_trainer_close(&trainer);

    /* The second pass over the same responses is off policy: ratios, clipping and old log-probabilities matter. */
    settings = policy_settings(set, 2);
    open_trainer(&trainer, &options);
    assert_ok(rt_policy_create(&settings, given, &s.rollout, trainer.packer.capacity, &policy, &fixture_error));
    assert_ok(rt_policy_step(&policy, &trainer, s.response, s.advantage, RESPONSES, &stats, &fixture_error));
    assert_int_equal(stats.updates, 2);
    assert_true(stats.max_ratio_deviation == 0);
    check_direction(&trainer, &s, set, middle, trainer.optimizer.m.data, count, old, ref);
    rt_policy_release(&policy);
    rt_trainer_close(&trainer);
    rt_model_release(&reference);
    rt_ids_free(&s.rollout.ids);
    free(start);
    free(middle);
}

static void test_gradient(void **state) {
    (void)state;
    static const setting settings[] = {{RT_LOSS_GRPO, 0, 1, false},       {RT_LOSS_BNPO, 0.2, 1, true},
                                       {RT_LOSS_DR_GRPO, 0, 0.7F, false}, {RT_LOSS_DAPO, 0.3, 0.7F, true},
                                       {RT_LOSS_GRPO, 0.1, 1.3F, true},   {RT_LOSS_DAPO, 0, 1, false}};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) check_setting(&settings[i]);
}

/* Several mini-batches and iterations; the bits do not depend on how a mini-batch is cut. */
static void test_same_bits(void **state) {
    (void)state;
    static const int64_t micro[] = {1, 20, 1000};
    float *want = NULL;
    for (size_t i = 0; i < 3; i++) {
        const retort_training_options options = training_options("bits", micro[i], 1e-2);
        const setting set = {RT_LOSS_DAPO, 0.1, 0.9F, true};
        rt_policy_settings settings = policy_settings(&set, 2);
        settings.minibatches = 3;
        scene s;
        rt_trainer trainer;
        rt_model reference = {0};
        rt_policy policy;
        rt_policy_stats stats;
        make_scene(&s);
        make_model(&reference, 2);
        open_trainer(&trainer, &options);
        measure(&trainer, &s, NULL, 1, s.logp);
        assert_ok(
            rt_policy_create(&settings, &reference, &s.rollout, trainer.packer.capacity, &policy, &fixture_error));
        assert_ok(rt_policy_step(&policy, &trainer, s.response, s.advantage, RESPONSES, &stats, &fixture_error));
        assert_int_equal(stats.updates, 6);
        size_t bytes = (size_t)trainer.model.params.count * sizeof(float);
        if (want == NULL) {
            want = malloc(bytes);
            memcpy(want, trainer.model.params.data, bytes);
        }
        assert_memory_equal(trainer.model.params.data, want, bytes);
        rt_policy_release(&policy);
        rt_trainer_close(&trainer);
        rt_model_release(&reference);
        rt_ids_free(&s.rollout.ids);
    }
    free(want);
}

/* One bit of difference between sampler and trainer stops the run before the update. */
static void test_disagreement_is_an_error(void **state) {
    (void)state;
    const retort_training_options options = training_options("bit", 64, 1e-2);
    for (int i = 0; i < 2; i++) {
        const setting set = {RT_LOSS_DAPO, 0, i == 0 ? 1 : 0.5F, false};
        const rt_policy_settings settings = policy_settings(&set, 1);
        scene s;
        rt_trainer trainer;
        rt_policy policy;
        rt_policy_stats stats;
        make_scene(&s);
        open_trainer(&trainer, &options);
        measure(&trainer, &s, NULL, 1, s.logp);
        s.logp[s.items[2].logp] = nextafterf(s.logp[s.items[2].logp], 0);
        float before = trainer.model.params.data[0];
        assert_ok(rt_policy_create(&settings, NULL, &s.rollout, trainer.packer.capacity, &policy, &fixture_error));
        assert_int_equal(rt_policy_step(&policy, &trainer, s.response, s.advantage, RESPONSES, &stats, &fixture_error),
                         RETORT_ERR_NUMERIC);
        assert_non_null(strstr(fixture_error.message, "internal"));
        assert_true(trainer.model.params.data[0] == before && trainer.optimizer.updates == 0);
        rt_policy_release(&policy);
        rt_trainer_close(&trainer);
        rt_ids_free(&s.rollout.ids);
    }
}

static int set_up(void **state) {
    retort_error err;
    return fixture_create(state) == 0 && rt_compute_init(&err) == RETORT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_disagreement_is_an_error),
    };
    return cmocka_run_group_tests_name("policy", tests, set_up, fixture_remove);
}
