#include <string.h>

#include "core/file.h"
#include "train/corpus_stream.h"
#include "train/loop.h"
#include "train/nll.h"
#include "train/training_options.h"

static retort_status step(void *context, rt_trainer *trainer, json_t *metrics, retort_error *err) {
    rt_corpus_stream *stream = context;
    int64_t before = stream->next;
    RT_TRY(rt_corpus_stream_fill(stream, err));
    retort_status st = rt_nll_step(trainer, stream->sequences, stream->count, metrics, err);
    if (st == RETORT_ERR_INTERRUPTED) stream->next = before;
    RT_TRY(st);
    trainer->account.examples = stream->next;
    return RETORT_OK;
}

static retort_status save(void *context, json_t *cursor, retort_error *err) {
    const rt_corpus_stream *stream = context;
    return rt_metric_int(cursor, "documents", stream->next, err);
}

static retort_status load(void *context, const json_t *cursor, retort_error *err) {
    rt_corpus_stream *stream = context;
    long long next = 0;
    RT_TRY(rt_json_int(cursor, "documents", "checkpoint cursor", 0, INT64_MAX, &next, err));
    stream->next = next;
    return RETORT_OK;
}

static rt_config make_config(const retort_pretrain_options *options, const rt_tokenizer *tokenizer) {
    rt_config config = {
        .vocab_size = rt_tokenizer_vocab_size(tokenizer),
        .hidden_size = options->hidden_size,
        .intermediate_size = options->intermediate_size,
        .num_hidden_layers = options->num_hidden_layers,
        .num_attention_heads = options->num_attention_heads,
        .num_key_value_heads = options->num_key_value_heads,
        .head_dim = options->hidden_size / options->num_attention_heads,
        .max_position_embeddings = options->max_position_embeddings,
        .rope = {.theta = options->rope_theta},
        .rms_norm_eps = 1e-6,
        .initializer_range = 0.02,
        .tie_word_embeddings = options->tie_word_embeddings,
        .qkv_bias = true,
        .bos_token_id = -1,
        .pad_token_id = -1,
        .num_eos = 1,
    };
    config.eos_token_id[0] = rt_tokenizer_eos(tokenizer);
    return config;
}

static retort_status make_model(const retort_pretrain_options *options, const rt_tokenizer *tokenizer, rt_model *model,
                                retort_error *err) {
    RT_CHECK(options->hidden_size % options->num_attention_heads == 0, err, RETORT_ERR_USAGE,
             "'num_attention_heads' %lld does not divide 'hidden_size' %lld", (long long)options->num_attention_heads,
             (long long)options->hidden_size);
    model->config = make_config(options, tokenizer);
    RT_TRY(rt_params_create(&model->config, &model->params, err));
    rt_params_init(&model->config, &model->params, (uint64_t)options->train.seed);
    return RETORT_OK;
}

/* The corpus is known by what a tokenizer trained on it looks like: its hash stands for the data's. */
static retort_status hash_corpus(const char *tokenizer_dir, char hex[65], retort_error *err) {
    char *path = rt_path_join(tokenizer_dir, "tokenizer.json");
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of the tokenizer");
    retort_status st = rt_sha256_file(path, hex, err);
    rt_free(path);
    return st;
}

typedef struct pretraining {
    const retort_pretrain_options *options;
    char *tokenizer_dir; /* temporary, inside output_dir: nothing of an older run is overwritten before it is checked */
    rt_tokenizer *tokenizer;
    rt_model model; /* until the trainer takes it */
    rt_corpus_stream stream;
    rt_trainer trainer;
} pretraining;

static retort_status make_tokenizer(pretraining *p, retort_error *err) {
    const retort_pretrain_options *options = p->options;
    p->tokenizer_dir = rt_path_join(options->train.output_dir, "tokenizer.tmp");
    RT_CHECK(p->tokenizer_dir != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of the tokenizer");
    RT_TRY(rt_make_dirs(p->tokenizer_dir, err));
    RT_TRY(rt_corpus_tokenizer((uint64_t)options->train.seed, options->exploratory_rate, options->tokenizer_documents,
                               options->vocab_size, options->max_position_embeddings, p->tokenizer_dir, err));
    return rt_tokenizer_load(p->tokenizer_dir, &p->tokenizer, err);
}

static retort_status open_trainer(pretraining *p, const retort_progress *progress, retort_error *err) {
    const retort_pretrain_options *options = p->options;
    int64_t longest = options->max_position_embeddings;
    if (longest > options->batch_tokens) longest = options->batch_tokens;
    p->stream = rt_corpus_stream_make(p->tokenizer, (uint64_t)options->train.seed, options->exploratory_rate,
                                      options->batch_tokens, longest);
    rt_trainer_setup setup = {
        .options = &options->train,
        .progress = progress,
        .identity = {.stage = "pretrain", .total_steps = options->train.max_steps},
        .model = &p->model,
        .tokenizer_dir = p->tokenizer_dir,
        .updates_per_step = 1,
        .longest = longest,
        .largest_batch = options->batch_tokens,
    };
    RT_TRY(hash_corpus(p->tokenizer_dir, setup.identity.data_hash, err));
    RT_TRY(rt_model_hash(&p->model, setup.identity.base_hash, err));
    RT_TRY(rt_training_hyper_parameters(retort_pretrain_option_table, options, &setup.identity.hyper_parameters, err));
    return rt_trainer_open(&p->trainer, &setup, err);
}

static retort_status run(pretraining *p, const retort_progress *progress, retort_training_account *account,
                         retort_error *err) {
    RT_TRY(make_tokenizer(p, err));
    RT_TRY(make_model(p->options, p->tokenizer, &p->model, err));
    RT_TRY(open_trainer(p, progress, err));
    const rt_task task = {.context = &p->stream, .step = step, .save = save, .load = load};
    RT_TRY(rt_trainer_run(&p->trainer, &task, err));
    return rt_trainer_finish(&p->trainer, p->options->dtype == 1 ? RT_DTYPE_BF16 : RT_DTYPE_F32, account, err);
}

retort_status retort_pretrain(const retort_pretrain_options *options, const retort_progress *progress,
                              retort_training_account *account, retort_error *err) {
    RT_TRY(rt_training_validate(retort_pretrain_option_table, options, err));
    RT_CHECK(options->train.max_steps > 0, err, RETORT_ERR_USAGE, "'max_steps' is 0: pre-training has no epochs");
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->train.threads);
    pretraining p = {.options = options};
    retort_status st = run(&p, progress, account, err);
    if (p.tokenizer_dir != NULL) (void)rt_remove_tree(p.tokenizer_dir, NULL);
    rt_trainer_close(&p.trainer);
    rt_corpus_stream_release(&p.stream);
    rt_model_release(&p.model);
    rt_tokenizer_destroy(p.tokenizer);
    rt_free(p.tokenizer_dir);
    return st;
}
