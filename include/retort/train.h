/* Training: pre-training, distillation (supervised fine-tuning) and zero-RL (GRPO). See docs/training.md.
 *
 * Each call runs to its end or to an interrupt, writes a Hugging Face directory, metrics.jsonl and checkpoints under
 * output_dir, and can resume from the newest checkpoint there to the same bits as an uninterrupted run.
 */
#ifndef RETORT_TRAIN_H
#define RETORT_TRAIN_H

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum retort_schedule {
    RETORT_SCHEDULE_COSINE,
    RETORT_SCHEDULE_LINEAR,
    RETORT_SCHEDULE_CONSTANT
} retort_schedule;

/* Shared by the three: names and meanings as in transformers' TrainingArguments and TRL. */
typedef struct retort_training_options {
    char *output_dir;
    double learning_rate;
    int lr_scheduler_type; /* retort_schedule */
    double warmup_ratio;   /* fraction of all steps */
    double min_lr_rate;    /* the cosine or line ends at this fraction of learning_rate */
    double weight_decay, adam_beta1, adam_beta2, adam_epsilon, max_grad_norm;
    int64_t max_steps;                 /* 0: from epochs */
    int64_t logging_steps, save_steps; /* save_steps 0: only at the end */
    int64_t save_total_limit;
    int64_t micro_batch_tokens; /* tokens per forward-backward; changes memory, never bits */
    bool gradient_checkpointing;
    bool resume; /* from the newest checkpoint under output_dir, if there is one */
    int64_t seed, threads;
} retort_training_options;

/* How the model is held, and whether low-rank adapters are trained in place of its weights (LoRA): names and meanings
 * as in TRL's ModelConfig. */
typedef struct retort_peft_options {
    bool use_peft;
    int64_t lora_r;
    double lora_alpha;
    char *lora_target_modules; /* comma list of q_proj .. down_proj, or all-linear */
    int dtype;                 /* auto|f32|bf16|int8: of the frozen weights */
    int kv_dtype;              /* f32|bf16: keys and values, in the cache and in training alike */
} retort_peft_options;

typedef struct retort_pretrain_options {
    retort_training_options train;
    /* model shape */
    int64_t vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads, num_key_value_heads;
    int64_t max_position_embeddings;
    double rope_theta;
    bool tie_word_embeddings;
    /* data */
    double exploratory_rate; /* share of documents with exploratory reasoning */
    int64_t tokenizer_documents;
    int64_t batch_tokens; /* tokens an optimiser step */
    int dtype;            /* f32|bf16 of the saved weights */
} retort_pretrain_options;

typedef struct retort_distill_options {
    retort_training_options train;
    retort_peft_options peft;
    char *model;   /* directory of the base */
    char *dataset; /* JSONL: prompt + completion, or messages, or problem + response */
    double num_train_epochs;
    int64_t train_batch_size; /* examples an optimiser step (global) */
    int64_t max_length;       /* 0: the model's context; longer examples are an error unless truncate */
    bool truncate;
    int64_t max_examples; /* 0: all */
    char *system_prompt;  /* NULL: none */
    char *instruction;    /* a text with {problem}; NULL: the problem alone */
    bool completion_only_loss, assistant_only_loss;
    char *memory_limit; /* "14GiB"; NULL: what the machine has free */
    int64_t inspect;    /* for retort_distill_inspect: examples to show */
} retort_distill_options;

typedef struct retort_rl_options {
    retort_training_options train;
    retort_peft_options peft;
    char *model, *dataset; /* dataset: problems JSONL */
    int64_t prompts_per_step, num_generations, num_iterations, steps_per_generation;
    int64_t max_completion_length;
    double temperature, top_p, min_p;
    int64_t top_k;
    double beta, epsilon, epsilon_high;
    int scale_rewards; /* group|batch|none */
    int loss_type;     /* grpo|bnpo|dr_grpo|dapo */
    bool mask_truncated_completions;
    int reward; /* format: 1 / format_reward / 0; signed: +1 / -1 */
    double format_reward;
    bool dynamic_sampling; /* refill groups without variance, up to max_refills times, then go on with what is there */
    int64_t max_refills;
    int64_t probe_problems; /* pass-rate probe before the first step; 0: none */
    int64_t rollout_batch;  /* slots of the sampler */
    double num_train_epochs;
    char *system_prompt, *instruction; /* as in retort_distill_options, as the next */
    char *memory_limit;
} retort_rl_options;

extern RETORT_API const retort_option retort_pretrain_option_table[];
extern RETORT_API const retort_option retort_distill_option_table[];
extern RETORT_API const retort_option retort_rl_option_table[];

/* What a run cost; zero what does not apply. */
typedef struct retort_training_account {
    int64_t steps, examples, distinct_problems;
    double trained_tokens;    /* tokens through forward and backward, prompts included */
    double supervised_tokens; /* tokens the loss counted */
    double generated_tokens;
    double train_flops, rollout_flops;
    double seconds;
    double final_loss;
    double cut_examples, cut_tokens; /* what max_length with truncate left out of the data set */
} retort_training_account;

RETORT_API retort_status retort_pretrain(const retort_pretrain_options *options, const retort_progress *progress,
                                         retort_training_account *account, retort_error *err);
RETORT_API retort_status retort_distill(const retort_distill_options *options, const retort_progress *progress,
                                        retort_training_account *account, retort_error *err);
/* What retort_distill would train on, without a model's weights, a training run or an output_dir: the first
 * options->inspect examples with text, ids and what of them is trained on, and the histogram of all lengths; for a
 * terminal (colour), a file, or as JSON. All examples are checked. *out, owned by the caller (free), is there although
 * the call fails where examples are too long, else NULL on failure. */
RETORT_API retort_status retort_distill_inspect(const retort_distill_options *options, bool json, bool colour,
                                                char **out, size_t *length, retort_error *err);
RETORT_API retort_status retort_rl(const retort_rl_options *options, const retort_progress *progress,
                                   retort_training_account *account, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
