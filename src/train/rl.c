#include <math.h>
#include <string.h>

#include "compute/ceilings.h"
#include "model/calibrate.h"
#include "model/cost.h"
#include "retort/plan.h"
#include "sample/memory.h"
#include "train/advantage.h"
#include "train/base.h"
#include "train/dataset.h"
#include "train/rl_metrics.h"
#include "train/training_options.h"
#include "train/workload.h"

typedef struct rl {
    const retort_rl_options *options;
    rt_tokenizer *tokenizer;
    rt_model model;      /* until the trainer takes it */
    rt_lora_config lora; /* r 0: all weights are trained */
    rt_model reference;  /* under adapters the trainer's weights without them, borrowed */
    rt_prompt_set prompts;
    rt_trainer trainer;
    rt_rollout rollout;
    rt_policy policy;

    /* The state of a run, part of a checkpoint. */
    int64_t consumed; /* data cursor: problems used so far, over all epochs */
    double num_tokens;
    rt_alarm_state alarms;

    int64_t epoch; /* whose order is in `order`; -1: none yet */
    int32_t *order;
    /* By group of a step: its problem, the group of the rollout that stands for it, whether it must be sampled. */
    int64_t *problem, *group, *pending;
    int64_t *response;
    double *reward, *advantage;
} rl;

/* ---- data ---- */

static int64_t problem_at(rl *r, int64_t cursor) {
    int64_t n = r->prompts.problems.count, epoch = cursor / n;
    if (epoch != r->epoch) {
        rt_shuffled_order((uint64_t)r->options->train.seed, RT_ORDER_RL, (uint64_t)epoch, n, r->order);
        r->epoch = epoch;
    }
    return r->order[cursor % n];
}

/* Purposes of the run's seed. */
enum { SEED_STEP = 1, SEED_PROBE = 2 };

/* ---- sampling of a step ---- */

static bool without_variance(const rl *r, int64_t group) {
    const rt_graded *item = &r->rollout.items[group * r->rollout.n];
    for (int64_t i = 1; i < r->rollout.n; i++) {
        if (item[i].reward != item[0].reward) return false;
    }
    return true;
}

typedef struct sampling_counts {
    int64_t groups, refills, right;
    rt_rollout_cost cost;
    double seconds;
} sampling_counts;

/* Samples a group for each pending place and puts it there. *cursor moves by the problems taken. */
static retort_status fill_places(rl *r, int64_t pending, uint64_t seed, int64_t *cursor, sampling_counts *counts,
                                 retort_error *err) {
    int64_t first = r->rollout.count / r->rollout.n, serial = *cursor;
    for (int64_t i = 0; i < pending; i++) r->problem[i] = problem_at(r, (*cursor)++);
    RT_TRY(rt_rollout_groups(&r->rollout, r->problem, pending, seed, serial, "rollout", &counts->cost, err));
    for (int64_t i = 0; i < pending; i++) r->group[r->pending[i]] = first + i;
    for (int64_t i = first * r->rollout.n; i < r->rollout.count; i++) counts->right += r->rollout.items[i].right;
    counts->groups += pending;
    return RETORT_OK;
}

/* A step's groups. With dynamic sampling (DAPO, arXiv 2503.14476), places whose group has no variance are filled again
 * with further problems; after max_refills rounds the step goes on with what is there. */
static retort_status sample_step(rl *r, uint64_t seed, int64_t *cursor, sampling_counts *counts, retort_error *err) {
    int64_t places = r->options->prompts_per_step, pending = places;
    for (int64_t i = 0; i < places; i++) r->pending[i] = i;
    rt_rollout_clear(&r->rollout);
    RT_TRY(fill_places(r, pending, seed, cursor, counts, err));
    int64_t rounds = r->options->dynamic_sampling ? r->options->max_refills : 0;
    for (int64_t round = 0; round < rounds; round++) {
        pending = 0;
        for (int64_t i = 0; i < places; i++) {
            if (without_variance(r, r->group[i])) r->pending[pending++] = i;
        }
        if (pending == 0) break;
        counts->refills++;
        RT_TRY(fill_places(r, pending, seed, cursor, counts, err));
    }
    return RETORT_OK;
}

static void collect(rl *r) {
    int64_t groups = r->options->prompts_per_step, n = r->rollout.n;
    for (int64_t i = 0; i < groups * n; i++) {
        r->response[i] = r->group[i / n] * n + i % n;
        r->reward[i] = r->rollout.items[r->response[i]].reward;
    }
    rt_advantages((rt_scale_rewards)r->options->scale_rewards, groups, n, r->reward, r->advantage);
}

/* ---- a step ---- */

static void account_rollout(rt_trainer *trainer, const rt_rollout_cost *cost) {
    trainer->account.generated_tokens += cost->generated_tokens;
    trainer->account.rollout_flops += cost->flops;
}

static retort_status add_sampling(const rl *r, const sampling_counts *counts, json_t *metrics, retort_error *err) {
    RT_TRY(rt_metric(metrics, "rollout_time", counts->seconds, err));
    RT_TRY(rt_metric(metrics, "num_tokens", r->num_tokens, err));
    RT_TRY(rt_metric(metrics, "epoch", (double)r->consumed / (double)r->prompts.problems.count, err));
    if (!r->options->dynamic_sampling) return RETORT_OK;
    RT_TRY(rt_metric_int(metrics, "sampling/refills", counts->refills, err));
    RT_TRY(rt_metric_int(metrics, "sampling/groups", counts->groups, err));
    return rt_metric(metrics, "sampling/accuracy", (double)counts->right / (double)(counts->groups * r->rollout.n),
                     err);
}

static retort_status step(void *context, rt_trainer *trainer, json_t *metrics, retort_error *err) {
    rl *r = context;
    int64_t cursor = r->consumed, groups = r->options->prompts_per_step, n = r->rollout.n;
    sampling_counts counts = {0};
    rt_policy_stats stats;
    rt_vital_signs signs;
    rt_decoder_update(r->rollout.decoder, &trainer->model);
    uint64_t seed = rt_mix((uint64_t)r->options->train.seed, SEED_STEP, (uint64_t)trainer->step);
    double began = rt_now();
    RT_TRY(sample_step(r, seed, &cursor, &counts, err));
    counts.seconds = rt_now() - began;
    collect(r);
    RT_TRY(rt_policy_step(&r->policy, trainer, r->response, r->advantage, groups * n, &stats, err));
    r->consumed = cursor;
    r->num_tokens += counts.cost.generated_tokens + counts.cost.prompt_tokens;
    account_rollout(trainer, &counts.cost);
    trainer->account.examples = r->consumed;
    trainer->account.distinct_problems =
        r->consumed < r->prompts.problems.count ? r->consumed : r->prompts.problems.count;
    const rt_step_batch batch = {&r->rollout, r->response, groups, n};
    RT_TRY(rt_metrics_of_batch(&batch, metrics, &signs, err));
    RT_TRY(rt_metrics_of_updates(&stats, r->options->beta > 0, metrics, &signs, err));
    RT_TRY(add_sampling(r, &counts, metrics, err));
    return rt_alarms_check(&r->alarms, &signs, metrics, err);
}

static retort_status save(void *context, json_t *cursor, retort_error *err) {
    const rl *r = context;
    RT_TRY(rt_metric_int(cursor, "problems", r->consumed, err));
    RT_TRY(rt_metric(cursor, "num_tokens", r->num_tokens, err));
    return rt_alarms_save(&r->alarms, cursor, err);
}

static retort_status load(void *context, const json_t *cursor, retort_error *err) {
    rl *r = context;
    long long consumed = 0;
    RT_TRY(rt_json_int(cursor, "problems", "checkpoint cursor", 0, INT64_MAX, &consumed, err));
    RT_TRY(rt_json_real(cursor, "num_tokens", "checkpoint cursor", &r->num_tokens, err));
    r->consumed = consumed;
    return rt_alarms_load(&r->alarms, cursor, err);
}

/* ---- the probe ---- */

static retort_status log_probe(rl *r, rt_trainer *trainer, const int64_t share[3], int64_t right, retort_error *err) {
    int64_t problems = share[0] + share[1] + share[2];
    const char *const names[] = {"probe/all_wrong", "probe/mixed", "probe/all_right"};
    json_t *metrics = json_object();
    RT_CHECK(metrics != NULL, err, RETORT_ERR_MEMORY, "out of memory: probe");
    retort_status st = rt_metric_int(metrics, "step", 0, err);
    if (st == RETORT_OK) st = rt_metric_int(metrics, "probe/problems", problems, err);
    if (st == RETORT_OK)
        st = rt_metric(metrics, "probe/accuracy", (double)right / (double)(problems * r->rollout.n), err);
    for (int i = 0; i < 3 && st == RETORT_OK; i++)
        st = rt_metric(metrics, names[i], (double)share[i] / (double)problems, err);
    if (st == RETORT_OK) st = rt_trainer_log(trainer, metrics, err);
    json_decref(metrics);
    return st;
}

/* Can the model learn from these problems? A group teaches only where some responses are right and some wrong. */
static retort_status probe(void *context, rt_trainer *trainer, retort_error *err) {
    rl *r = context;
    int64_t n = r->rollout.n, total = r->prompts.problems.count, right = 0, share[3] = {0};
    int64_t problems = r->options->probe_problems < total ? r->options->probe_problems : total;
    if (problems == 0) return RETORT_OK;
    int64_t *chosen = rt_malloc_array((size_t)problems, sizeof *chosen);
    RT_CHECK(chosen != NULL, err, RETORT_ERR_MEMORY, "out of memory: probe");
    rt_shuffled_order((uint64_t)r->options->train.seed, RT_ORDER_PROBE, 0, total, r->order);
    r->epoch = -1;
    for (int64_t i = 0; i < problems; i++) chosen[i] = r->order[i];
    rt_rollout_cost cost = {0};
    uint64_t seed = rt_mix((uint64_t)r->options->train.seed, SEED_PROBE, 0);
    rt_rollout_clear(&r->rollout);
    retort_status st = rt_rollout_groups(&r->rollout, chosen, problems, seed, 0, "probe", &cost, err);
    rt_free(chosen);
    RT_TRY(st);
    for (int64_t g = 0; g < problems; g++) {
        int64_t correct = 0;
        for (int64_t i = 0; i < n; i++) correct += r->rollout.items[g * n + i].right;
        share[correct == 0 ? 0 : correct == n ? 2 : 1]++;
        right += correct;
    }
    account_rollout(trainer, &cost);
    if (share[1] == 0)
        rt_progress(trainer->progress, "probe", (double)problems, (double)problems, "problems",
                    "warning: no problem was solved sometimes and missed sometimes; the policy gradient may be zero");
    return log_probe(r, trainer, share, right, err);
}

/* ---- set-up ---- */

/* With adapters the reference is the base itself. */
static bool has_reference(const retort_rl_options *options) {
    return options->beta > 0 && !options->peft.use_peft;
}

/* All but the weights; the model's configuration is that of the model that will be loaded. */
static retort_status read_data(rl *r, retort_error *err) {
    const retort_rl_options *options = r->options;
    RT_TRY(rt_base_peek(options->model, &options->peft, &r->model.config, &r->lora, err));
    RT_TRY(rt_tokenizer_load(options->model, &r->tokenizer, err));
    RT_TRY(rt_check_vocabulary(r->tokenizer, &r->model.config, options->model, err));
    const rt_prompting_settings settings = {options->system_prompt, options->instruction};
    rt_prompting prompting;
    RT_TRY(rt_prompting_load(options->model, r->tokenizer, &settings, &prompting, err));
    retort_status st = rt_prompt_set_read(options->dataset, &prompting, &r->prompts, err);
    rt_prompting_release(&prompting);
    RT_TRY(st);
    int64_t context = rt_config_context(&r->model.config);
    RT_CHECK(r->prompts.longest + options->max_completion_length <= context, err, RETORT_ERR_USAGE,
             "the longest prompt of '%s' has %lld tokens and 'max_completion_length' is %lld, the context of '%s' ends "
             "at %lld",
             options->dataset, (long long)r->prompts.longest, (long long)options->max_completion_length, options->model,
             (long long)context);
    return RETORT_OK;
}

/* Steps and sizes of the run; the rest of the setup is the caller's. */
static retort_status set_up(const rl *r, rt_trainer_setup *setup, retort_error *err) {
    const retort_rl_options *options = r->options;
    double steps =
        ceil(options->num_train_epochs * (double)r->prompts.problems.count / (double)options->prompts_per_step);
    *setup = (rt_trainer_setup){
        .options = &options->train,
        .identity = {.stage = "rl",
                     .total_steps = options->train.max_steps > 0 ? options->train.max_steps : (int64_t)steps},
        .updates_per_step = options->num_iterations * options->steps_per_generation,
        .longest = r->prompts.longest + options->max_completion_length,
    };
    RT_CHECK(setup->identity.total_steps > 0, err, RETORT_ERR_USAGE,
             "nothing to train: 'num_train_epochs' and 'max_steps' are both 0");
    setup->largest_batch = setup->longest * options->prompts_per_step * options->num_generations;
    return RETORT_OK;
}

static rt_sampling_size sampling_size(const rl *r) {
    enum { PREFILL_ROWS = 512 };
    const retort_rl_options *options = r->options;
    int64_t responses = options->prompts_per_step * options->num_generations;
    int64_t slots = responses < options->rollout_batch ? responses : options->rollout_batch;
    return (rt_sampling_size){.slots = slots,
                              .capacity = r->prompts.longest + options->max_completion_length,
                              .rows = slots > PREFILL_ROWS ? slots : PREFILL_ROWS,
                              .responses = responses,
                              .max_new_tokens = options->max_completion_length};
}

/* Tokens and FLOPs where every response is as long as it may be. */
static void plan_work(const rl *r, rt_plan *plan) {
    const retort_rl_options *options = r->options;
    const rt_config *config = &r->model.config;
    const int64_t count = r->prompts.problems.count, n = options->num_generations;
    const double prompt = ceil((double)r->prompts.ids.count / (double)count),
                 new = (double)options->max_completion_length;
    const double rounds = options->dynamic_sampling ? 1 + (double)options->max_refills : 1;
    const double probe = fmin((double)options->probe_problems, (double)count);
    const double groups = plan->steps * (double)options->prompts_per_step * rounds + probe;
    const double rows = prompt + new - 1, passes = options->beta > 0 ? 4 : 3; /* forward, backward; the reference's */
    const double trained = plan->steps * (double)(options->prompts_per_step * n * options->num_iterations);
    plan->generated_tokens = groups * (double)n * new;
    plan->sample_flops = groups * rt_sample_most_flops(config, (int64_t)prompt, n, options->max_completion_length);
    plan->trained_tokens = trained * rows;
    plan->train_flops = passes * trained * rt_model_forward_flops(config, rows, rows * (rows + 1) / 2, new);
}

static retort_status make_plan(const rl *r, rt_plan *plan, retort_error *err) {
    const retort_rl_options *options = r->options;
    const rt_config *config = &r->model.config;
    const rt_sampling_size size = sampling_size(r);
    const rt_lora_config *lora = r->lora.r > 0 ? &r->lora : NULL;
    rt_config floats = *config;
    floats.weights_dtype = RT_DTYPE_F32;
    rt_trainer_setup setup;
    RT_TRY(set_up(r, &setup, err));
    RT_TRY(rt_plan_begin("rl", "program, tokenizer and problems", options->memory_limit, plan, err));
    rt_plan_add(plan, RT_ALWAYS, rt_aligned_size(rt_params_bytes(config)), "weights");
    rt_plan_add(plan, RT_ALWAYS, has_reference(options) ? rt_aligned_size(rt_params_bytes(&floats)) : 0,
                "weights of the reference model");
    rt_plan_training(plan, config, lora, &options->train, rt_trainer_rows(&setup), setup.largest_batch);
    rt_plan_sampling(plan, config, lora, &size);
    /* A step's responses: ids, log-probabilities of three kinds, and where each row belongs. */
    rt_plan_add(plan, RT_WHILE_WORKING, (size_t)(setup.largest_batch * 32), "a step's responses, graded");
    plan->at_most = true;
    plan->steps = (double)setup.identity.total_steps;
    plan->threads = rt_compute_threads();
    plan_work(r, plan);
    return RETORT_OK;
}

static retort_status read_inputs(rl *r, retort_error *err) {
    const retort_rl_options *options = r->options;
    rt_plan plan;
    RT_CHECK(options->train.output_dir != NULL, err, RETORT_ERR_USAGE, "'output_dir' is required");
    RT_TRY(read_data(r, err));
    RT_TRY(make_plan(r, &plan, err));
    RT_TRY(rt_plan_check(&plan, err));
    RT_TRY(rt_base_load(options->model, &options->peft, options->train.seed, &r->model, err));
    if (has_reference(options)) RT_TRY(rt_model_load(options->model, &r->reference, err));
    r->reference.config.kv_dtype = r->model.config.kv_dtype;
    return RETORT_OK;
}

static retort_status take_memory(rl *r, retort_error *err) {
    size_t places = (size_t)r->options->prompts_per_step, n = (size_t)r->options->num_generations;
    r->epoch = -1;
    r->order = rt_malloc_array((size_t)r->prompts.problems.count, sizeof *r->order);
    r->problem = rt_malloc_array(places, sizeof *r->problem);
    r->group = rt_malloc_array(places, sizeof *r->group);
    r->pending = rt_malloc_array(places, sizeof *r->pending);
    r->response = rt_malloc_array(places * n, sizeof *r->response);
    r->reward = rt_malloc_array(places * n, sizeof *r->reward);
    r->advantage = rt_malloc_array(places * n, sizeof *r->advantage);
    bool ok = r->order != NULL && r->problem != NULL && r->group != NULL && r->pending != NULL && r->response != NULL &&
              r->reward != NULL && r->advantage != NULL;
    RT_CHECK(ok, err, RETORT_ERR_MEMORY, "out of memory: a step of %zu responses", places * n);
    return RETORT_OK;
}

static retort_status open_trainer(rl *r, const retort_progress *progress, retort_error *err) {
    const retort_rl_options *options = r->options;
    rt_trainer_setup setup;
    RT_TRY(set_up(r, &setup, err));
    setup.progress = progress;
    setup.model = &r->model;
    setup.tokenizer_dir = options->model;
    memcpy(setup.identity.data_hash, r->prompts.hash, sizeof setup.identity.data_hash);
    RT_TRY(rt_model_hash(&r->model, setup.identity.base_hash, err));
    RT_TRY(rt_training_hyper_parameters(retort_rl_option_table, options, &setup.identity.hyper_parameters, err));
    return rt_trainer_open(&r->trainer, &setup, err);
}

static retort_status open_rollout(rl *r, const retort_progress *progress, retort_error *err) {
    const retort_rl_options *options = r->options;
    const rt_sampling_size size = sampling_size(r);
    r->rollout = (rt_rollout){
        .prompts = &r->prompts,
        .tokenizer = r->tokenizer,
        .config = &r->trainer.model.config,
        .progress = progress,
        .reward = {.is_signed = options->reward == 1, .format = options->format_reward},
        .sampling = {.temperature = (float)options->temperature,
                     .top_p = (float)options->top_p,
                     .top_k = (int32_t)options->top_k,
                     .min_p = (float)options->min_p,
                     .max_new_tokens = options->max_completion_length},
        .n = options->num_generations,
    };
    return rt_sampling_decoder(&r->trainer.model, &size, &r->rollout.decoder, err);
}

static retort_status open_policy(rl *r, retort_error *err) {
    const retort_rl_options *options = r->options;
    const rt_policy_settings settings = {
        .loss = {.type = (rt_loss_type)options->loss_type,
                 .epsilon = options->epsilon,
                 .epsilon_high = options->epsilon_high,
                 .beta = options->beta,
                 .max_completion_length = options->max_completion_length},
        .temperature = (float)options->temperature,
        .iterations = options->num_iterations,
        .minibatches = options->steps_per_generation,
        .mask_truncated = options->mask_truncated_completions,
        .seed = (uint64_t)options->train.seed,
    };
    return rt_policy_create(&settings, options->beta > 0 ? &r->reference : NULL, &r->rollout,
                            r->trainer.packer.capacity, &r->policy, err);
}

static retort_status run(rl *r, const retort_progress *progress, retort_training_account *account, retort_error *err) {
    RT_TRY(read_inputs(r, err));
    RT_TRY(take_memory(r, err));
    RT_TRY(open_trainer(r, progress, err));
    if (r->trainer.model.lora != NULL)
        r->reference = (rt_model){.config = r->trainer.model.config, .params = r->trainer.model.params};
    RT_TRY(open_rollout(r, progress, err));
    RT_TRY(open_policy(r, err));
    const rt_task task = {.context = r, .step = step, .save = save, .load = load, .begin = probe};
    RT_TRY(rt_trainer_run(&r->trainer, &task, err));
    return rt_trainer_finish(&r->trainer, RT_DTYPE_F32, account, err);
}

static void release(rl *r) {
    rt_policy_release(&r->policy);
    rt_rollout_release(&r->rollout);
    rt_trainer_close(&r->trainer);
    rt_prompt_set_free(&r->prompts);
    if (!r->options->peft.use_peft) rt_model_release(&r->reference);
    rt_model_release(&r->model);
    rt_tokenizer_destroy(r->tokenizer);
    rt_free(r->order);
    rt_free(r->problem);
    rt_free(r->group);
    rt_free(r->pending);
    rt_free(r->response);
    rt_free(r->reward);
    rt_free(r->advantage);
}

retort_status retort_rl(const retort_rl_options *options, const retort_progress *progress,
                        retort_training_account *account, retort_error *err) {
    RT_TRY(rt_training_validate(retort_rl_option_table, options, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->train.threads);
    rl r = {.options = options};
    retort_status st = run(&r, progress, account, err);
    release(&r);
    return st;
}

static retort_status measure(const rl *r, rt_plan *plan, retort_error *err) {
    const rt_config *config = &r->model.config;
    const retort_rl_options *options = r->options;
    rt_training_speed speed;
    double seconds = 0;
    RT_TRY(rt_calibrate_training(config, r->lora.r > 0 ? &r->lora : NULL, options->train.gradient_checkpointing, &speed,
                                 err));
    RT_TRY(rt_calibrate_decoding(config, sampling_size(r).slots, &seconds, err));
    const double completion = (double)options->max_completion_length;
    const double rows = ceil((double)r->prompts.ids.count / (double)r->prompts.problems.count) + completion - 1;
    const double passes = options->beta > 0 ? 4.0 / 3 : 1, responses = plan->trained_tokens / rows;
    const double updates = plan->steps * (double)(options->num_iterations * options->steps_per_generation);
    plan->sample_seconds = seconds * plan->sample_flops;
    plan->train_seconds =
        passes * responses * rt_training_seconds(&speed, config, rows, rows * (rows + 1) / 2, completion) +
        updates * speed.parameter * (double)rt_trained_count(config, r->lora.r > 0 ? &r->lora : NULL);
    return RETORT_OK;
}

/* Prompts are of the mean length, responses as long as they may be: plan_work's counts. */
static retort_status predict(const rl *r, const retort_machine *machine, rt_plan *plan, retort_error *err) {
    const rt_config *config = &r->model.config;
    const retort_rl_options *options = r->options;
    const double fresh = (double)options->max_completion_length, n = (double)options->num_generations;
    const double prompt = ceil((double)r->prompts.ids.count / (double)r->prompts.problems.count);
    const double rows = prompt + fresh - 1, responses = plan->trained_tokens / rows;
    rt_trainer_setup setup;
    RT_TRY(set_up(r, &setup, err));
    rt_training_load load = {
        .tokens = plan->trained_tokens,
        .keys = responses * rows * (rows + 1) / 2,
        .scored = responses * fresh,
        .passes = ceil(plan->trained_tokens / (double)rt_trainer_rows(&setup)),
        .updates = plan->steps * (double)(options->num_iterations * options->steps_per_generation),
        .recompute = options->train.gradient_checkpointing,
    };
    const rt_sampling_load sampling = {.prompts = plan->generated_tokens / (n * fresh),
                                       .prompt = prompt,
                                       .n = n,
                                       .fresh = fresh,
                                       .slots = (double)sampling_size(r).slots};
    RT_TRY(rt_plan_elsewhere(plan, machine, err));
    RT_TRY(rt_ceilings_of(machine, &plan->machine, err));
    plan->train_cost = rt_training_cost(config, r->lora.r > 0 ? &r->lora : NULL, &load, &plan->machine);
    load.forward_only = true;
    load.recompute = false;
    if (options->beta > 0) rt_cost_add(&plan->train_cost, rt_training_cost(config, NULL, &load, &plan->machine));
    plan->sample_cost = rt_sampling_cost(config, &sampling, &plan->machine);
    return RETORT_OK;
}

retort_status retort_rl_plan(const retort_rl_options *options, const retort_machine *machine, bool json, char **out,
                             size_t *length, retort_error *err) {
    *out = NULL;
    RT_TRY(rt_training_validate(retort_rl_option_table, options, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->train.threads);
    rl r = {.options = options};
    rt_plan plan;
    retort_status st = read_data(&r, err);
    if (st == RETORT_OK) st = make_plan(&r, &plan, err);
    if (st == RETORT_OK) st = predict(&r, machine, &plan, err);
    if (st == RETORT_OK) st = measure(&r, &plan, err);
    if (st == RETORT_OK) st = rt_plan_result(&plan, json, NULL, out, length, err);
    release(&r);
    return st;
}
