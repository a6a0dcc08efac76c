#include "train/training_options.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/plan.h"
#include "model/model.h"
#include "text/prompting.h"

#define MAX_ROWS 16777216 /* more rows than any micro-batch that fits a machine's memory */

/* One row of a table. `field` is the struct's member, and the option's name unless it sits in `train`. */
#define ROW(type_, kind, name_, field, ...)                                                                            \
    { .name = (name_), .type = RETORT_OPTION_##kind, .offset = offsetof(type_, field), __VA_ARGS__ }
#define NUMBER(type_, kind, name_, field, word, value, low, high, ...)                                                 \
    ROW(type_, kind, name_, field, .argument = (word), .default_value = (value), .minimum = (low), .maximum = (high),  \
        __VA_ARGS__)
#define INT_OPTION(type_, field, value, low, high, ...)                                                                \
    NUMBER(type_, INT, #field, field, "N", value, low, high, __VA_ARGS__)
#define REAL_OPTION(type_, field, value, low, high, ...)                                                               \
    NUMBER(type_, REAL, #field, field, "X", value, low, high, __VA_ARGS__)
#define CHOICE_OPTION(type_, field, value, list, ...)                                                                  \
    ROW(type_, CHOICE, #field, field, .argument = "NAME", .default_value = (value), .choices = (list), __VA_ARGS__)
#define FLAG_OPTION(type_, field, value, ...) ROW(type_, BOOL, #field, field, .default_value = (value), __VA_ARGS__)
#define PATH_OPTION(type_, field, word, ...)                                                                           \
    ROW(type_, STRING, #field, field, .argument = (word), .required = true, __VA_ARGS__)

/* The rows every table has; the arguments are the defaults that differ between the commands. */
#define TRAIN_INT(type_, field, value, low, high, ...)                                                                 \
    NUMBER(type_, INT, #field, train.field, "N", value, low, high, __VA_ARGS__)
#define TRAIN_REAL(type_, field, value, low, high, ...)                                                                \
    NUMBER(type_, REAL, #field, train.field, "X", value, low, high, __VA_ARGS__)

#define OPTIMISER_OPTIONS(type_, rate, schedule, min_rate, warmup, decay, beta2)                                       \
    TRAIN_REAL(type_, learning_rate, rate, 0, 10, .group = "Optimiser", .help = "Peak learning rate of AdamW."),       \
        ROW(type_, CHOICE, "lr_scheduler_type", train.lr_scheduler_type, .argument = "NAME",                           \
            .default_value = (schedule), .choices = "cosine|linear|constant",                                          \
            .help = "How the rate falls after the warm-up: half a cosine, a straight line, or not at all."),           \
        TRAIN_REAL(type_, warmup_ratio, warmup, 0, 1,                                                                  \
                   .help = "Share of all updates in which the rate rises in a line from 0."),                          \
        TRAIN_REAL(type_, min_lr_rate, min_rate, 0, 1,                                                                 \
                   .help = "The cosine or the line ends at this fraction of learning_rate."),                          \
        TRAIN_REAL(type_, weight_decay, decay, 0, 10,                                                                  \
                   .help = "Decoupled weight decay of the matrices (norms and biases take none)."),                    \
        TRAIN_REAL(type_, adam_beta1, "0.9", 0, 0.999999, .help = "Decay of AdamW's mean of gradients."),              \
        TRAIN_REAL(type_, adam_beta2, beta2, 0, 0.999999, .help = "Decay of AdamW's mean of squared gradients."),      \
        TRAIN_REAL(type_, adam_epsilon, "1e-8", 1e-30, 1,                                                              \
                   .help = "Added to the square root of AdamW's second moment."),                                      \
        TRAIN_REAL(type_, max_grad_norm, "1.0", 0, 1e9,                                                                \
                   .help = "Gradients are scaled down to this global norm; 0 turns clipping off.")

#define RUN_OPTIONS(type_, steps, save, micro, needed)                                                                 \
    ROW(type_, STRING, "output_dir", train.output_dir, .argument = "DIR", .group = "Run", .required = (needed),        \
        .help = "Folder for the trained model, metrics.jsonl and the checkpoints; made if it is missing."),            \
        TRAIN_INT(type_, max_steps, steps, 0, 1e9,                                                                     \
                  .help = "Steps to train; 0 takes them from num_train_epochs where the command has it."),             \
        TRAIN_INT(type_, seed, "1", 0, 9e15, .help = "Fixes every random choice of the run."),                         \
        TRAIN_INT(type_, threads, "0", 0, 1024,                                                                        \
                  .help = "Threads to compute with, 0 for all processors; changes speed, never a result."),            \
        TRAIN_INT(type_, micro_batch_tokens, micro, 1, MAX_ROWS,                                                       \
                  .help = "Tokens of one forward and backward pass; changes memory, never a result."),                 \
        ROW(type_, BOOL, "gradient_checkpointing", train.gradient_checkpointing,                                       \
            .help = "Keeps only each layer's input and computes the rest again in the backward pass: less memory, a "  \
                    "third more time, the same result."),                                                              \
        TRAIN_INT(type_, logging_steps, "1", 1, 1e9,                                                                   \
                  .help = "A line goes to metrics.jsonl every N steps and after the last."),                           \
        TRAIN_INT(type_, save_steps, save, 0, 1e9,                                                                     \
                  .help = "A checkpoint is written every N steps; 0 writes one only on an interrupt."),                \
        TRAIN_INT(type_, save_total_limit, "1", 0, 1e9, .help = "Newest checkpoints to keep; 0 keeps all."),           \
        ROW(type_, BOOL, "resume", train.resume,                                                                       \
            .help = "Goes on from the newest checkpoint in output_dir, to the same bits as an uninterrupted run; "     \
                    "starts from the beginning if there is none.")

/* How a model is asked (text/prompting.h). */
#define PROMPT_OPTIONS(type_)                                                                                          \
    ROW(type_, STRING, "system_prompt", system_prompt, .argument = "TEXT", .group = "Prompt",                          \
        .help = RT_HELP_SYSTEM_PROMPT),                                                                                \
        ROW(type_, STRING, "instruction", instruction, .argument = "TEXT", .help = RT_HELP_INSTRUCTION)

#define PEFT_OPTIONS(type_)                                                                                            \
    ROW(type_, BOOL, "use_peft", peft.use_peft, .group = "Model",                                                      \
        .help =                                                                                                        \
            "Freezes the weights and trains low-rank adapters beside them (LoRA); output_dir gets a PEFT folder."),    \
        NUMBER(type_, INT, "lora_r", peft.lora_r, "N", "16", 1, 4096, .help = "Rank of the adapters."),                \
        NUMBER(type_, REAL, "lora_alpha", peft.lora_alpha, "X", "32", 1e-6, 1e6,                                       \
               .help = "What the adapters add is scaled by lora_alpha / lora_r."),                                     \
        ROW(type_, LIST, "lora_target_modules", peft.lora_target_modules, .argument = "LIST",                          \
            .default_value = "all-linear",                                                                             \
            .help = "Projections with an adapter: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, or "  \
                    "all-linear."),                                                                                    \
        ROW(type_, CHOICE, "dtype", peft.dtype, .argument = "NAME", .default_value = "auto",                           \
            .choices = RT_WEIGHTS_CHOICES,                                                                             \
            .help = "How frozen weights are held: as the file has them (auto), or rounded to bf16 or int8 for half "   \
                    "or a quarter of the memory; weights that are trained are float32."),                              \
        ROW(type_, CHOICE, "kv_dtype", peft.kv_dtype, .argument = "NAME", .default_value = "f32",                      \
            .choices = "f32|bf16",                                                                                     \
            .help = "Rounds keys and values to bf16, as a sampler does whose cache holds them so.")

#define MEMORY_OPTION(type_)                                                                                           \
    ROW(type_, STRING, "memory_limit", memory_limit, .argument = "SIZE", .help = RT_HELP_MEMORY_LIMIT)

#define P retort_pretrain_options
const retort_option retort_pretrain_option_table[] = {
    INT_OPTION(P, vocab_size, "512", 258, 1000000, .group = "Model",
               .help = "Largest number of tokens the byte-level BPE tokenizer is trained to."),
    INT_OPTION(P, hidden_size, "256", 8, 65536, .help = "Width of the residual stream."),
    INT_OPTION(P, intermediate_size, "640", 8, 1048576, .help = "Width of the SwiGLU feed-forward block."),
    INT_OPTION(P, num_hidden_layers, "5", 1, 1000, .help = "Decoder layers."),
    INT_OPTION(P, num_attention_heads, "4", 1, 1024, .help = "Query heads; must divide hidden_size."),
    INT_OPTION(P, num_key_value_heads, "2", 1, 1024,
               .help = "Key and value heads that the query heads share (grouped-query attention)."),
    INT_OPTION(P, max_position_embeddings, "1024", 16, 1048576,
               .help = "Longest context in tokens; longer documents are cut."),
    REAL_OPTION(P, rope_theta, "10000", 1, 1e9, .help = "Base of the rotary position frequencies."),
    FLAG_OPTION(P, tie_word_embeddings, "true", .help = "Uses the token embedding as the output head, too."),
    CHOICE_OPTION(P, dtype, "bf16", "f32|bf16",
                  .help = "Number format of the saved weights; training itself is in float32."),
    REAL_OPTION(P, exploratory_rate, "0.02", 0, 1, .group = "Data",
                .help = "Share of corpus documents that hold exploratory reasoning."),
    INT_OPTION(P, tokenizer_documents, "20000", 1, 100000000,
               .help = "The tokenizer is trained on the first N documents of the corpus."),
    INT_OPTION(P, batch_tokens, "16384", 2, MAX_ROWS,
               .help = "Tokens of one step: whole documents, as many as fit, each ended by the end token."),
    OPTIMISER_OPTIONS(P, "2e-3", "cosine", "0.1", "0.02", "0.1", "0.95"),
    RUN_OPTIONS(P, "1000", "100", "2048", true),
    {.name = NULL}};
#undef P

#define D retort_distill_options
const retort_option retort_distill_option_table[] = {
    PATH_OPTION(D, model, "DIR", .group = "Data", .help = "Hugging Face directory of the base model."),
    PATH_OPTION(D, dataset, "FILE",
                .help = "JSONL of examples: prompt and completion, or messages, or problem and response."),
    INT_OPTION(D, max_examples, "0", 0, 1e9, .help = "Uses only the first N examples; 0 uses all."),
    INT_OPTION(D, max_length, "0", 0, 16777216,
               .help = "Longest example in tokens, prompt and end token included; 0 takes the model's context."),
    FLAG_OPTION(D, truncate, "false", .help = "Cuts longer examples at max_length instead of refusing them."),
    NUMBER(D, INT, "inspect", inspect, "[N]", "0", 0, 1e9,
           .help = "Shows the first N examples (1) as they will be trained on, checks all, and stops there."),
    PROMPT_OPTIONS(D),
    FLAG_OPTION(D, completion_only_loss, "true",
                .help = "Trains on the completion only, not on the prompt: of messages, on the last assistant's turn."),
    FLAG_OPTION(D, assistant_only_loss, "false", .help = "Of messages, trains on every assistant's turn."),
    REAL_OPTION(D, num_train_epochs, "5", 0, 100000, .group = "Training",
                .help = "Times each example is seen, in a new seeded order each time."),
    INT_OPTION(D, train_batch_size, "16", 1, 1000000, .help = "Examples of one step."),
    PEFT_OPTIONS(D),
    OPTIMISER_OPTIONS(D, "5e-4", "cosine", "0", "0.05", "0.01", "0.95"),
    RUN_OPTIONS(D, "0", "100", "2048", false),
    MEMORY_OPTION(D),
    {.name = NULL}};
#undef D

#define R retort_rl_options
const retort_option retort_rl_option_table[] = {
    PATH_OPTION(R, model, "DIR", .group = "Data", .help = "Hugging Face directory of the model to start from."),
    PATH_OPTION(R, dataset, "FILE", .help = "JSONL of problems with what is needed to grade an answer."),
    PROMPT_OPTIONS(R),
    REAL_OPTION(R, num_train_epochs, "1", 0, 100000, .group = "Training",
                .help = "Times each problem is used, in a new seeded order each time, unless max_steps is given."),
    INT_OPTION(R, prompts_per_step, "32", 1, 1000000, .help = "Problems of one step."),
    INT_OPTION(R, num_generations, "16", 2, 100000, .help = "Responses sampled for each problem: the group of GRPO."),
    INT_OPTION(R, steps_per_generation, "1", 1, 100000,
               .help = "Mini-batches, one update each, that a step's responses are split into."),
    INT_OPTION(R, num_iterations, "1", 1, 1000,
               .help = "Passes over a step's mini-batches (mu of GRPO, arXiv 2402.03300)."),
    CHOICE_OPTION(R, loss_type, "dapo", "grpo|bnpo|dr_grpo|dapo",
                  .help = "What the token losses are divided by: each response's length (grpo), counted tokens (bnpo), "
                          "responses times max_completion_length (dr_grpo), or all tokens (dapo)."),
    CHOICE_OPTION(R, scale_rewards, "group", "group|batch|none",
                  .help = "Advantages are divided by the standard deviation of their group, of the step, or not."),
    REAL_OPTION(R, epsilon, "0.2", 0, 10, .help = "The probability ratio is clipped below at 1 - epsilon."),
    REAL_OPTION(R, epsilon_high, "0.2", 0, 1000,
                .help = "The probability ratio is clipped above at 1 + epsilon_high (DAPO, arXiv 2503.14476: 0.28)."),
    REAL_OPTION(R, beta, "0", 0, 1000,
                .help = "Weight of the divergence from the model at the start; 0 loads no reference model."),
    FLAG_OPTION(R, mask_truncated_completions, "false",
                .help = "Leaves responses that hit max_completion_length out of the loss."),
    CHOICE_OPTION(R, reward, "format", "format|signed", .group = "Reward",
                  .help = "format: 1 for a right answer, format_reward for a wrong one that can be read, else 0; "
                          "signed: +1 or -1."),
    REAL_OPTION(R, format_reward, "0.1", -100, 100,
                .help = "Reward of a readable wrong answer where reward is format."),
    FLAG_OPTION(R, dynamic_sampling, "false",
                .help = "Samples other problems in place of those whose rewards are all equal."),
    INT_OPTION(R, max_refills, "2", 0, 1000,
               .help = "Rounds of dynamic_sampling in one step; then it goes on with what is there."),
    INT_OPTION(R, probe_problems, "64", 0, 1000000,
               .help = "Problems on which the pass rate is measured before the first step; 0 for none."),
    INT_OPTION(R, max_completion_length, "256", 1, 1048576, .group = "Sampling",
               .help = "Longest response in tokens, end token included."),
    REAL_OPTION(R, temperature, "1", 0.01, 100, .help = "Sampling temperature; the loss uses the same."),
    REAL_OPTION(R, top_p, "1", 0, 1,
                .help = "Samples from the smallest set of tokens with this probability; 1 is off."),
    INT_OPTION(R, top_k, "0", 0, 1e9, .help = "Samples from the N most probable tokens; 0 is off."),
    REAL_OPTION(R, min_p, "0", 0, 1,
                .help = "Samples tokens of at least this share of the largest probability; 0 is off."),
    INT_OPTION(R, rollout_batch, "128", 1, 65536,
               .help = "Responses sampled at the same time; changes memory and speed, never a result."),
    PEFT_OPTIONS(R),
    OPTIMISER_OPTIONS(R, "1e-4", "constant", "0", "0.05", "0", "0.999"),
    RUN_OPTIONS(R, "0", "50", "2048", false),
    MEMORY_OPTION(R),
    {.name = NULL}};
#undef R

static const void *field_of(const retort_option *option, const void *options) {
    return (const char *)options + option->offset;
}

static bool in_range(const retort_option *option, double value) {
    if (option->minimum == 0 && option->maximum == 0) return isfinite(value);
    return value >= option->minimum && value <= option->maximum;
}

retort_status rt_training_validate(const retort_option *table, const void *options, retort_error *err) {
    RT_TRY(retort_options_check(table, options, err));
    for (const retort_option *option = table; option->name != NULL; option++) {
        double value = 0, limit = 0;
        if (option->type == RETORT_OPTION_INT) {
            value = (double)*(const int64_t *)field_of(option, options);
        } else if (option->type == RETORT_OPTION_REAL) {
            value = *(const double *)field_of(option, options);
        } else if (option->type == RETORT_OPTION_CHOICE) {
            value = *(const int *)field_of(option, options);
            for (const char *c = option->choices; *c != '\0'; c++) limit += *c == '|';
            RT_CHECK(value >= 0 && value <= limit, err, RETORT_ERR_USAGE, "'%s' is %g, must be from 0 to %g",
                     option->name, value, limit);
            continue;
        } else {
            continue;
        }
        RT_CHECK(in_range(option, value), err, RETORT_ERR_USAGE, "'%s' is %g, must be from %g to %g", option->name,
                 value, option->minimum, option->maximum);
    }
    return RETORT_OK;
}

static bool may_differ(const char *name) {
    static const char *const NAMES[] = {"output_dir",       "model",         "dataset",
                                        "threads",          "resume",        "micro_batch_tokens",
                                        "logging_steps",    "save_steps",    "gradient_checkpointing",
                                        "save_total_limit", "rollout_batch", "inspect",
                                        "memory_limit"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strcmp(name, NAMES[i]) == 0) return true;
    }
    return false;
}

/* Options that runs before them did not have are recorded only where they ask for something new, so that checkpoints of
 * such runs still fit. */
static bool is_unused(const char *name, const char *value) {
    static const struct {
        const char *name, *value;
    } DEFAULTS[] = {{"use_peft", "false"}, {"lora_r", "16"},
                    {"lora_alpha", "32"},  {"lora_target_modules", "all-linear"},
                    {"dtype", "auto"},     {"kv_dtype", "f32"}};
    for (size_t i = 0; i < sizeof DEFAULTS / sizeof DEFAULTS[0]; i++) {
        if (strcmp(name, DEFAULTS[i].name) == 0 && strcmp(value, DEFAULTS[i].value) == 0) return true;
    }
    return false;
}

retort_status rt_training_hyper_parameters(const retort_option *table, const void *options, json_t **out,
                                           retort_error *err) {
    json_t *object = json_object();
    for (const retort_option *option = table; object != NULL && option->name != NULL; option++) {
        if (may_differ(option->name)) continue;
        char *text = NULL;
        retort_status st = retort_options_get(table, options, option->name, &text, err);
        if (st != RETORT_OK) {
            json_decref(object);
            return st;
        }
        if (!is_unused(option->name, text) && json_object_set_new(object, option->name, json_string(text)) != 0) {
            json_decref(object);
            object = NULL;
        }
        rt_free(text);
    }
    RT_CHECK(object != NULL, err, RETORT_ERR_MEMORY, "out of memory: hyper-parameters");
    *out = object;
    return RETORT_OK;
}
