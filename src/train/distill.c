#include <math.h>
#include <stddef.h>

#include "compute/ceilings.h"
#include "model/calibrate.h"
#include "model/cost.h"
#include "retort/plan.h"
#include "train/base.h"
#include "train/inspect.h"
#include "train/loop.h"
#include "train/nll.h"
#include "train/training_options.h"
#include "train/workload.h"

typedef struct distillation {
    const retort_distill_options *options;
    rt_epochs epochs;
} distillation;

static retort_status step(void *context, rt_trainer *trainer, json_t *metrics, retort_error *err) {
    distillation *d = context;
    rt_epochs *e = &d->epochs;
    int64_t count = rt_epochs_batch(e), examples = e->dataset->count;
    RT_TRY(rt_metric(metrics, "epoch", (double)(e->consumed + count) / (double)examples, err));
    RT_TRY(rt_nll_step(trainer, e->batch, count, metrics, err));
    e->consumed += count;
    trainer->account.examples = e->consumed;
    trainer->account.distinct_problems = e->consumed < examples ? e->consumed : examples;
    return RETORT_OK;
}

static retort_status save(void *context, json_t *cursor, retort_error *err) {
    const distillation *d = context;
    return rt_metric_int(cursor, "examples", d->epochs.consumed, err);
}

static retort_status load(void *context, const json_t *cursor, retort_error *err) {
    distillation *d = context;
    long long consumed = 0;
    RT_TRY(rt_json_int(cursor, "examples", "checkpoint cursor", 0, INT64_MAX, &consumed, err));
    d->epochs.consumed = consumed;
    return RETORT_OK;
}

static retort_status count_steps(const retort_distill_options *options, int64_t examples, int64_t *steps,
                                 retort_error *err) {
    int64_t an_epoch = (examples + options->train_batch_size - 1) / options->train_batch_size;
    double total = ceil(options->num_train_epochs * (double)an_epoch);
    *steps = options->train.max_steps > 0 ? options->train.max_steps : (int64_t)total;
    RT_CHECK(*steps > 0, err, RETORT_ERR_USAGE, "nothing to train: 'num_train_epochs' and 'max_steps' are both 0");
    return RETORT_OK;
}

/* All that must be read before anything is written. */
typedef struct inputs {
    rt_tokenizer *tokenizer;
    rt_prompting prompting;
    rt_model model;
    rt_config config;    /* of the model that will be loaded */
    rt_lora_config lora; /* r 0: all weights are trained */
    rt_dataset dataset;
    int64_t steps;
    rt_workload work;
} inputs;

static void release_inputs(inputs *in) {
    rt_prompting_release(&in->prompting);
    rt_tokenizer_destroy(in->tokenizer);
    rt_model_release(&in->model);
    rt_dataset_free(&in->dataset);
}

/* The tokenizer, how the model is asked, and the examples at their full length. */
static retort_status read_examples(const retort_distill_options *options, const rt_config *config, inputs *in,
                                   rt_dataset_settings *settings, retort_error *err) {
    RT_TRY(rt_tokenizer_load(options->model, &in->tokenizer, err));
    RT_TRY(rt_check_vocabulary(in->tokenizer, config, options->model, err));
    RT_CHECK(options->max_length <= rt_config_context(config), err, RETORT_ERR_USAGE,
             "'max_length' is %lld, the context of '%s' ends at %lld", (long long)options->max_length, options->model,
             (long long)rt_config_context(config));
    const rt_prompting_settings prompting = {options->system_prompt, options->instruction};
    RT_TRY(rt_prompting_load(options->model, in->tokenizer, &prompting, &in->prompting, err));
    *settings = (rt_dataset_settings){
        .example = {.tokenizer = in->tokenizer,
                    .prompting = &in->prompting,
                    .config = config,
                    .assistant_only = options->assistant_only_loss,
                    .whole = !options->completion_only_loss},
        .max_length = options->max_length > 0 ? options->max_length : rt_config_context(config),
        .max_examples = options->max_examples,
        .truncate = options->truncate,
    };
    return rt_dataset_load(options->dataset, settings, &in->dataset, err);
}

static void tell_cut(const inputs *in, const retort_progress *progress) {
    char line[160];
    const rt_lengths *l = &in->dataset.lengths;
    if (in->dataset.truncated == 0) return;
    snprintf(line, sizeof line, "warning: %lld examples cut at %lld tokens, %lld tokens lost", (long long)l->longer,
             (long long)l->limit, (long long)l->lost);
    rt_progress(progress, "data", (double)l->count, (double)l->count, "examples", line);
}

/* All but the weights. */
static retort_status read_data(const retort_distill_options *options, inputs *in, retort_error *err) {
    rt_dataset_settings settings;
    RT_TRY(rt_base_peek(options->model, &options->peft, &in->config, &in->lora, err));
    RT_TRY(read_examples(options, &in->config, in, &settings, err));
    RT_TRY(rt_dataset_limit(&in->dataset, options->dataset, &settings, err));
    RT_TRY(count_steps(options, in->dataset.count, &in->steps, err));
    return rt_workload_of(&in->dataset, &options->train, options->train_batch_size, in->steps, &in->work, err);
}

static retort_status make_plan(const retort_distill_options *options, const inputs *in, rt_plan *plan,
                               retort_error *err) {
    const rt_config *config = &in->config;
    const rt_workload *work = &in->work;
    const rt_lora_config *lora = in->lora.r > 0 ? &in->lora : NULL;
    RT_TRY(rt_plan_begin("distill", "program, tokenizer and examples", options->memory_limit, plan, err));
    rt_plan_add(plan, RT_ALWAYS, rt_aligned_size(rt_params_bytes(config)), "weights");
    rt_plan_training(plan, config, lora, &options->train, work->largest_micro, work->largest_step);
    plan->steps = (double)in->steps;
    plan->threads = rt_compute_threads();
    plan->trained_tokens = work->tokens;
    plan->train_flops = 3 * rt_model_forward_flops(config, work->tokens, work->keys, work->scored);
    return RETORT_OK;
}

static retort_status read_inputs(const retort_distill_options *options, const retort_progress *progress, inputs *in,
                                 retort_error *err) {
    rt_plan plan;
    RT_CHECK(options->train.output_dir != NULL, err, RETORT_ERR_USAGE, "'output_dir' is required");
    RT_TRY(read_data(options, in, err));
    RT_TRY(make_plan(options, in, &plan, err));
    RT_TRY(rt_plan_check(&plan, err));
    tell_cut(in, progress);
    return rt_base_load(options->model, &options->peft, options->train.seed, &in->model, err);
}

/* ---- the plan ---- */

static retort_status plan_result(const inputs *in, rt_plan *plan, bool json, char **out, size_t *length,
                                 retort_error *err) {
    json_t *lengths = NULL;
    RT_TRY(rt_lengths_json(&in->dataset.lengths, &lengths, err));
    json_t *more = json_pack("{s:o}", "lengths", lengths);
    retort_status st = more != NULL ? rt_plan_result(plan, json, more, out, length, err)
                                    : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: lengths");
    json_decref(more);
    return st;
}

static retort_status measure(const retort_distill_options *options, const inputs *in, rt_plan *plan,
                             retort_error *err) {
    rt_training_speed speed;
    RT_TRY(rt_calibrate_training(&in->config, in->lora.r > 0 ? &in->lora : NULL, options->train.gradient_checkpointing,
                                 &speed, err));
    double parameters = (double)rt_trained_count(&in->config, in->lora.r > 0 ? &in->lora : NULL);
    plan->train_seconds = rt_training_seconds(&speed, &in->config, in->work.tokens, in->work.keys, in->work.scored) +
                          speed.parameter * parameters * plan->steps;
    return RETORT_OK;
}

static retort_status predict(const retort_distill_options *options, const retort_machine *machine, const inputs *in,
                             rt_plan *plan, retort_error *err) {
    const rt_workload *work = &in->work;
    const rt_training_load load = {.tokens = work->tokens,
                                   .keys = work->keys,
                                   .scored = work->scored,
                                   .passes = work->passes,
                                   .updates = plan->steps,
                                   .recompute = options->train.gradient_checkpointing};
    RT_TRY(rt_plan_elsewhere(plan, machine, err));
    RT_TRY(rt_ceilings_of(machine, &plan->machine, err));
    plan->train_cost = rt_training_cost(&in->config, in->lora.r > 0 ? &in->lora : NULL, &load, &plan->machine);
    return RETORT_OK;
}

retort_status retort_distill_plan(const retort_distill_options *options, const retort_machine *machine, bool json,
                                  char **out, size_t *length, retort_error *err) {
    inputs in = {0};
    rt_plan plan;
    *out = NULL;
    RT_TRY(rt_training_validate(retort_distill_option_table, options, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->train.threads);
    retort_status st = read_data(options, &in, err);
    if (st == RETORT_OK) st = make_plan(options, &in, &plan, err);
    if (st == RETORT_OK) st = predict(options, machine, &in, &plan, err);
    if (st == RETORT_OK) st = measure(options, &in, &plan, err);
    if (st == RETORT_OK) st = plan_result(&in, &plan, json, out, length, err);
    release_inputs(&in);
    return st;
}

/* ---- inspection ---- */

retort_status retort_distill_inspect(const retort_distill_options *options, bool json, bool colour, char **out,
                                     size_t *length, retort_error *err) {
    inputs in = {0};
    rt_dataset_settings settings;
    rt_buffer text = {0};
    *out = NULL;
    RT_TRY(rt_training_validate(retort_distill_option_table, options, err));
    RT_TRY(rt_base_peek(options->model, &options->peft, &in.config, &in.lora, err));
    retort_status st = read_examples(options, &in.config, &in, &settings, err);
    if (st == RETORT_OK) {
        st = json ? rt_inspect_json(in.tokenizer, &in.dataset, options->inspect, &text, err)
                  : rt_inspect_text(in.tokenizer, &in.dataset, options->inspect, colour, &text, err);
    }
    if (st == RETORT_OK) {
        *out = text.data;
        *length = text.length;
        st = rt_dataset_limit(&in.dataset, options->dataset, &settings, err);
        if (st != RETORT_OK && err != NULL) err->detail[0] = '\0'; /* the histogram stands in the output */
    } else {
        rt_buffer_free(&text);
    }
    release_inputs(&in);
    return st;
}

/* ---- training ---- */

static retort_status prepare(const retort_distill_options *options, const retort_progress *progress, inputs *in,
                             distillation *d, rt_trainer *trainer, retort_error *err) {
    rt_trainer_setup setup = {
        .options = &options->train,
        .progress = progress,
        .identity = {.stage = "distill"},
        .model = &in->model,
        .tokenizer_dir = options->model,
        .updates_per_step = 1,
        .longest = in->dataset.longest,
        .largest_batch = in->work.largest_step,
        .largest_micro = in->work.largest_micro,
    };
    *d = (distillation){.options = options};
    RT_TRY(rt_epochs_create(&in->dataset, (uint64_t)options->train.seed, options->train_batch_size, &d->epochs, err));
    setup.identity.total_steps = in->steps;
    snprintf(setup.identity.data_hash, sizeof setup.identity.data_hash, "%s", in->dataset.hash);
    RT_TRY(rt_model_hash(&in->model, setup.identity.base_hash, err));
    RT_TRY(rt_training_hyper_parameters(retort_distill_option_table, options, &setup.identity.hyper_parameters, err));
    return rt_trainer_open(trainer, &setup, err);
}

retort_status retort_distill(const retort_distill_options *options, const retort_progress *progress,
                             retort_training_account *account, retort_error *err) {
    inputs in = {0};
    distillation d = {0};
    rt_trainer trainer = {0};
    RT_TRY(rt_training_validate(retort_distill_option_table, options, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->train.threads);
    retort_status st = read_inputs(options, progress, &in, err);
    if (st == RETORT_OK) st = prepare(options, progress, &in, &d, &trainer, err);
    const rt_task task = {.context = &d, .step = step, .save = save, .load = load};
    if (st == RETORT_OK) st = rt_trainer_run(&trainer, &task, err);
    if (st == RETORT_OK) st = rt_trainer_finish(&trainer, RT_DTYPE_F32, account, err);
    if (st == RETORT_OK && account != NULL && in.dataset.truncated > 0) {
        account->cut_examples = (double)in.dataset.lengths.longer;
        account->cut_tokens = (double)in.dataset.lengths.lost;
    }
    rt_trainer_close(&trainer);
    rt_epochs_release(&d.epochs);
    release_inputs(&in);
    return st;
}
