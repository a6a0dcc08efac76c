#include <math.h>
#include <stddef.h>

#include "model/config_json.h"
#include "train/base.h"
#include "train/inspect.h"
#include "train/loop.h"
#include "train/nll.h"
#include "train/training_options.h"

typedef struct distillation {
    const retort_distill_options *options;
    const rt_dataset *dataset;
    int64_t consumed;   /* data cursor: examples used so far, over all epochs */
    int64_t epoch;      /* whose order is in `order`; -1: none yet */
    int32_t *order;     /* [dataset->count] */
    rt_sequence *batch; /* [train_batch_size] */
} distillation;

/* The batch at the cursor; the last one of an epoch may be smaller. */
static int64_t next_batch(distillation *d) {
    int64_t n = d->dataset->count, epoch = d->consumed / n, at = d->consumed % n;
    if (epoch != d->epoch) {
        rt_shuffled_order((uint64_t)d->options->train.seed, RT_ORDER_DISTILL, (uint64_t)epoch, n, d->order);
        d->epoch = epoch;
    }
    int64_t count = n - at < d->options->train_batch_size ? n - at : d->options->train_batch_size;
    for (int64_t i = 0; i < count; i++) d->batch[i] = d->dataset->items[d->order[at + i]];
    return count;
}

static retort_status step(void *context, rt_trainer *trainer, json_t *metrics, retort_error *err) {
    distillation *d = context;
    int64_t count = next_batch(d);
    RT_TRY(rt_metric(metrics, "epoch", (double)(d->consumed + count) / (double)d->dataset->count, err));
    RT_TRY(rt_nll_step(trainer, d->batch, count, metrics, err));
    d->consumed += count;
    trainer->account.examples = d->consumed;
    trainer->account.distinct_problems = d->consumed < d->dataset->count ? d->consumed : d->dataset->count;
    return RETORT_OK;
}

static retort_status save(void *context, json_t *cursor, retort_error *err) {
    const distillation *d = context;
    return rt_metric_int(cursor, "examples", d->consumed, err);
}

static retort_status load(void *context, const json_t *cursor, retort_error *err) {
    distillation *d = context;
    long long consumed = 0;
    RT_TRY(rt_json_int(cursor, "examples", "checkpoint cursor", 0, INT64_MAX, &consumed, err));
    d->consumed = consumed;
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
    rt_dataset dataset;
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

static retort_status read_inputs(const retort_distill_options *options, const retort_progress *progress, inputs *in,
                                 retort_error *err) {
    rt_dataset_settings settings;
    RT_CHECK(options->train.output_dir != NULL, err, RETORT_ERR_USAGE, "'output_dir' is required");
    RT_TRY(rt_base_load(options->model, &options->peft, options->train.seed, &in->model, err));
    RT_TRY(read_examples(options, &in->model.config, in, &settings, err));
    RT_TRY(rt_dataset_limit(&in->dataset, options->dataset, &settings, err));
    if (in->dataset.truncated == 0) return RETORT_OK;
    char line[160];
    const rt_lengths *l = &in->dataset.lengths;
    snprintf(line, sizeof line, "warning: %lld examples cut at %lld tokens, %lld tokens lost", (long long)l->longer,
             (long long)l->limit, (long long)l->lost);
    rt_progress(progress, "data", (double)l->count, (double)l->count, "examples", line);
    return RETORT_OK;
}

/* ---- inspection ---- */

retort_status retort_distill_inspect(const retort_distill_options *options, bool json, bool colour, char **out,
                                     size_t *length, retort_error *err) {
    inputs in = {0};
    rt_config config;
    rt_dataset_settings settings;
    rt_buffer text = {0};
    *out = NULL;
    RT_TRY(rt_training_validate(retort_distill_option_table, options, err));
    RT_TRY(rt_config_load(options->model, &config, err));
    retort_status st = read_examples(options, &config, &in, &settings, err);
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
        .largest_batch = in->dataset.longest * options->train_batch_size,
    };
    int64_t batch = options->train_batch_size;
    if (batch > in->dataset.count) batch = in->dataset.count;
    *d = (distillation){.options = options, .dataset = &in->dataset, .epoch = -1};
    d->order = rt_malloc_array((size_t)in->dataset.count, sizeof *d->order);
    d->batch = rt_malloc_array((size_t)batch, sizeof *d->batch);
    RT_CHECK(d->order != NULL && d->batch != NULL, err, RETORT_ERR_MEMORY, "out of memory: order of the examples");
    RT_TRY(count_steps(options, in->dataset.count, &setup.identity.total_steps, err));
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
    rt_free(d.order);
    rt_free(d.batch);
    release_inputs(&in);
    return st;
}
