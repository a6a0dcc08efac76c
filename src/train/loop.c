#include "train/loop.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "text/tokenizer.h"
#include "train/state.h"

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory while training");
}

/* ---- opening ---- */

int64_t rt_trainer_rows(const rt_trainer_setup *setup) {
    if (setup->largest_micro > 0) return setup->largest_micro;
    int64_t rows = setup->options->micro_batch_tokens;
    if (rows > setup->largest_batch) rows = setup->largest_batch;
    return rows < setup->longest ? setup->longest : rows;
}

static retort_status take_memory(rt_trainer *trainer, const rt_trainer_setup *setup, retort_error *err) {
    const retort_training_options *options = setup->options;
    const int64_t capacity = rt_trainer_rows(setup);
    RT_TRY(rt_optimizer_create(&trainer->model, options, &trainer->optimizer, err));
    RT_TRY(rt_packer_create(capacity, &trainer->packer, err));
    trainer->logp = rt_aligned_alloc((size_t)capacity, sizeof(float));
    trainer->entropy = rt_aligned_alloc((size_t)capacity, sizeof(float));
    if (trainer->logp == NULL || trainer->entropy == NULL) return out_of_memory(err);
    const rt_workspace_shape shape = {
        .max_tokens = capacity,
        .step_tokens = setup->largest_batch > capacity ? setup->largest_batch : capacity,
        .recompute = options->gradient_checkpointing,
        .lora_r = trainer->model.lora != NULL ? trainer->model.lora->config.r : 0,
    };
    return rt_workspace_create(&trainer->model.config, &shape, &trainer->workspace, err);
}

static retort_status resume(rt_trainer *trainer, const char *path, retort_error *err) {
    char *file = rt_path_join(path, "trainer_state.json");
    if (file == NULL) return out_of_memory(err);
    json_t *state = NULL;
    retort_status st = rt_json_load(file, &state, err);
    if (st == RETORT_OK) st = rt_identity_check(&trainer->identity, state, file, err);
    if (st == RETORT_OK) st = rt_state_read(trainer, state, file, err);
    if (st == RETORT_OK) st = rt_checkpoint_load(path, &trainer->model, &trainer->optimizer, err);
    if (st == RETORT_OK) trainer->saved_step = trainer->step;
    json_decref(state);
    rt_free(file);
    return st;
}

/* A run that was completed before: its state is read back and there is nothing left to do. */
static retort_status resume_complete(rt_trainer *trainer, retort_error *err) {
    const char *dir = trainer->options->output_dir;
    json_t *state = NULL;
    RT_TRY(rt_completion_load(dir, trainer->model.lora != NULL, &state, err));
    if (state == NULL) return RETORT_OK;
    retort_status st = rt_identity_check(&trainer->identity, state, dir, err);
    if (st == RETORT_OK) st = rt_state_read(trainer, state, dir, err);
    if (st == RETORT_OK) trainer->complete = true;
    json_decref(state);
    return st;
}

static retort_status find_start(rt_trainer *trainer, retort_error *err) {
    const char *dir = trainer->options->output_dir;
    char *newest = NULL;
    int64_t step = 0;
    RT_TRY(rt_checkpoint_clean(dir, err));
    RT_TRY(rt_checkpoint_find(dir, &newest, &step, err));
    retort_status st = RETORT_OK;
    if (newest != NULL && !trainer->options->resume)
        st = rt_fail(err, RETORT_ERR_STATE,
                     "'%s' already holds '%s': pass --resume to go on from it, or choose another output_dir", dir,
                     newest);
    if (st == RETORT_OK && trainer->options->resume) st = resume_complete(trainer, err);
    if (st == RETORT_OK && !trainer->complete && newest != NULL) st = resume(trainer, newest, err);
    if (st == RETORT_OK && !trainer->complete) st = rt_completion_remove(dir, err);
    rt_free(newest);
    return st;
}

retort_status rt_trainer_open(rt_trainer *trainer, const rt_trainer_setup *setup, retort_error *err) {
    *trainer = (rt_trainer){
        .options = setup->options,
        .progress = setup->progress,
        .identity = setup->identity,
        .tokenizer_dir = setup->tokenizer_dir,
        .model = *setup->model,
        .schedule = rt_schedule_make(setup->options, setup->identity.total_steps * setup->updates_per_step),
        .saved_step = -1,
    };
    *setup->model = (rt_model){0};
    retort_status st = rt_make_dirs(setup->options->output_dir, err);
    if (st == RETORT_OK) st = take_memory(trainer, setup, err);
    if (st == RETORT_OK) st = find_start(trainer, err);
    trainer->first_step = trainer->step;
    if (st == RETORT_OK && !trainer->complete) st = rt_metrics_open(trainer, err);
    if (st != RETORT_OK) rt_trainer_close(trainer);
    return st;
}

void rt_trainer_close(rt_trainer *trainer) {
    if (trainer->metrics != NULL) fclose(trainer->metrics);
    rt_free(trainer->metrics_path);
    json_decref(trainer->cursor);
    json_decref(trainer->identity.hyper_parameters);
    rt_workspace_destroy(trainer->workspace);
    rt_packer_release(&trainer->packer);
    rt_free(trainer->logp);
    rt_free(trainer->entropy);
    rt_optimizer_release(&trainer->optimizer);
    rt_model_release(&trainer->model);
    *trainer = (rt_trainer){0};
}

/* ---- passes and updates ---- */

static void count_work(rt_trainer *trainer, const rt_batch *batch, bool backward) {
    double scored = (double)rt_batch_scored(batch);
    double forward =
        rt_model_forward_flops(&trainer->model.config, (double)batch->tokens, rt_batch_keys(batch), scored);
    /* frozen weights need the gradients of activations only */
    const double passes = !backward ? 1 : trainer->model.lora != NULL ? 2 : 3;
    trainer->account.train_flops += passes * forward;
    if (!backward) return;
    trainer->account.trained_tokens += (double)batch->tokens;
    trainer->account.supervised_tokens += scored;
}

retort_status rt_trainer_pass(rt_trainer *trainer, const rt_sequence *sequences, int64_t count, const rt_pass *pass,
                              retort_error *err) {
    const rt_model *model = pass->model != NULL ? pass->model : &trainer->model;
    rt_objective objective = {
        .inv_temperature = pass->inv_temperature,
        .logp = trainer->logp,
        .entropy = pass->want_entropy ? trainer->entropy : NULL,
        .weight = pass->weight,
        .context = pass->context,
    };
    rt_params *grads = pass->weight != NULL ? &trainer->optimizer.grads : NULL;
    int64_t next = 0;
    while (next < count) {
        if (!trainer->updated && rt_interrupted()) return rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted");
        rt_batch batch;
        int64_t taken =
            rt_packer_fill(&trainer->packer, sequences, count, next, trainer->options->micro_batch_tokens, &batch);
        if (pass->before != NULL) pass->before(pass->context, &batch, next);
        RT_TRY(rt_model_run(model, trainer->workspace, &batch, &objective, grads, err));
        if (pass->after != NULL) pass->after(pass->context, &batch, next);
        count_work(trainer, &batch, pass->weight != NULL);
        next += taken;
    }
    return RETORT_OK;
}

retort_status rt_trainer_update(rt_trainer *trainer, double loss, rt_update_stats *stats, retort_error *err) {
    RT_CHECK(isfinite(loss), err, RETORT_ERR_NUMERIC,
             "loss is not finite; nothing was updated: lower the learning rate, or check the model's weights");
    rt_workspace_flush_grads(trainer->workspace, &trainer->optimizer.grads);
    stats->rate = rt_schedule_rate(&trainer->schedule, trainer->optimizer.updates);
    rt_params *trained = trainer->model.lora != NULL ? &trainer->model.lora->params : &trainer->model.params;
    RT_TRY(rt_optimizer_update(&trainer->optimizer, trained, stats->rate, &stats->norm, err));
    trainer->updated = true;
    trainer->account.final_loss = loss;
    return RETORT_OK;
}

/* ---- the loop ---- */

static retort_status save_checkpoint(rt_trainer *trainer, const rt_task *task, retort_error *err) {
    json_t *state = NULL;
    RT_TRY(rt_state_write(trainer, task, &state, err));
    retort_status st =
        rt_checkpoint_save(trainer->options->output_dir, trainer->step, &trainer->model, &trainer->optimizer,
                           trainer->tokenizer_dir, state, trainer->options->save_total_limit, err);
    json_decref(state);
    if (st == RETORT_OK) trainer->saved_step = trainer->step;
    return st;
}

/* Stops at a step boundary. Before the first step there is nothing worth keeping. */
static retort_status stop(rt_trainer *trainer, const rt_task *task, retort_error *err) {
    const char *dir = trainer->options->output_dir;
    if (trainer->step == 0)
        return rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted before the first step; start '%s' again",
                       trainer->identity.stage);
    if (trainer->saved_step != trainer->step) RT_TRY(save_checkpoint(trainer, task, err));
    return rt_fail(err, RETORT_ERR_INTERRUPTED,
                   "interrupted after step %lld of %lld, saved in '%s/checkpoint-%lld'; give the same command with "
                   "--resume to go on",
                   (long long)trainer->step, (long long)trainer->identity.total_steps, dir, (long long)trainer->step);
}

static void report(const rt_trainer *trainer, const json_t *metrics) {
    char line[256];
    const json_t *loss = json_object_get(metrics, "loss"), *rate = json_object_get(metrics, "learning_rate");
    const json_t *reward = json_object_get(metrics, "reward"), *alarms = json_object_get(metrics, "alarms");
    int used = snprintf(line, sizeof line, "loss %.4g", json_number_value(loss));
    if (reward != NULL)
        used +=
            snprintf(line + used, sizeof line - (size_t)used, ", reward %.3f, accuracy %.3f", json_number_value(reward),
                     json_number_value(json_object_get(metrics, "rewards/accuracy/mean")));
    used += snprintf(line + used, sizeof line - (size_t)used, ", lr %.2e", json_number_value(rate));
    for (size_t i = 0; i < json_array_size(alarms) && used < (int)sizeof line - 64; i++)
        used += snprintf(line + used, sizeof line - (size_t)used, "%s%.50s", i == 0 ? " | alarm: " : ", ",
                         json_string_value(json_array_get(alarms, i)));
    rt_progress(trainer->progress, trainer->identity.stage, (double)trainer->step,
                (double)trainer->identity.total_steps, "steps", line);
}

static retort_status add_times(const rt_trainer *trainer, json_t *metrics, double seconds, double tokens,
                               retort_error *err) {
    double done = (double)(trainer->step - trainer->first_step);
    double mean = (rt_now() - trainer->started) / (done > 0 ? done : 1);
    RT_TRY(rt_metric(metrics, "step_time", seconds, err));
    RT_TRY(rt_metric(metrics, "tokens_per_second", seconds > 0 ? tokens / seconds : 0, err));
    return rt_metric(metrics, "eta", mean * (double)(trainer->identity.total_steps - trainer->step), err);
}

static retort_status one_step(rt_trainer *trainer, const rt_task *task, json_t *metrics, retort_error *err) {
    retort_training_account before = trainer->account;
    double began = rt_now();
    trainer->updated = false;
    RT_TRY(rt_metric_int(metrics, "step", trainer->step + 1, err));
    retort_status st = task->step(task->context, trainer, metrics, err);
    if (st == RETORT_ERR_INTERRUPTED) trainer->account = before;
    if (st == RETORT_ERR_INTERRUPTED) return st;
    if (st != RETORT_OK) return rt_fail_context(err, st, "step %lld", (long long)trainer->step + 1);
    trainer->step++;
    trainer->account.steps = trainer->step;
    double seconds = rt_now() - began, tokens = trainer->account.trained_tokens + trainer->account.generated_tokens -
                                                before.trained_tokens - before.generated_tokens;
    trainer->account.seconds += seconds;
    return add_times(trainer, metrics, seconds, tokens, err);
}

static retort_status step_and_log(rt_trainer *trainer, const rt_task *task, retort_error *err) {
    const retort_training_options *options = trainer->options;
    json_t *metrics = json_object();
    if (metrics == NULL) return out_of_memory(err);
    retort_status st = one_step(trainer, task, metrics, err);
    bool last = trainer->step == trainer->identity.total_steps;
    if (st == RETORT_OK && (last || trainer->step % options->logging_steps == 0))
        st = rt_trainer_log(trainer, metrics, err);
    if (st == RETORT_OK && !last && options->save_steps > 0 && trainer->step % options->save_steps == 0)
        st = save_checkpoint(trainer, task, err);
    if (st == RETORT_OK) report(trainer, metrics);
    json_decref(metrics);
    return st;
}

static retort_status begin(rt_trainer *trainer, const rt_task *task, retort_error *err) {
    if (trainer->cursor != NULL) {
        RT_TRY(task->load(task->context, trainer->cursor, err));
        json_decref(trainer->cursor);
        trainer->cursor = NULL;
    }
    if (trainer->step > 0 || task->begin == NULL) return RETORT_OK;
    return task->begin(task->context, trainer, err);
}

retort_status rt_trainer_run(rt_trainer *trainer, const rt_task *task, retort_error *err) {
    if (trainer->complete) return RETORT_OK;
    retort_status st = begin(trainer, task, err);
    trainer->started = rt_now();
    while (st == RETORT_OK && trainer->step < trainer->identity.total_steps) {
        st = rt_interrupted() ? RETORT_ERR_INTERRUPTED : step_and_log(trainer, task, err);
    }
    return st == RETORT_ERR_INTERRUPTED ? stop(trainer, task, err) : st;
}

retort_status rt_trainer_finish(rt_trainer *trainer, rt_dtype dtype, retort_training_account *account,
                                retort_error *err) {
    const char *dir = trainer->options->output_dir;
    if (!trainer->complete) {
        RT_TRY(rt_trained_save(&trainer->model, dir, trainer->tokenizer_dir, dtype, err));
        if (strcmp(trainer->tokenizer_dir, dir) != 0) RT_TRY(rt_tokenizer_copy_files(trainer->tokenizer_dir, dir, err));
        json_t *state = NULL;
        RT_TRY(rt_state_write(trainer, NULL, &state, err));
        retort_status st = rt_completion_save(dir, trainer->model.lora != NULL, state, err);
        json_decref(state);
        RT_TRY(st);
    }
    if (account != NULL) *account = trainer->account;
    return RETORT_OK;
}
