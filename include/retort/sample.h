/* Sampling responses from a model directory. */
#ifndef RETORT_SAMPLE_H
#define RETORT_SAMPLE_H

#include "retort/options.h"
#include "retort/progress.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retort_sample_options {
    char *model;                       /* Hugging Face directory */
    char *adapter;                     /* PEFT folder of an adapter of that model, NULL: none */
    int dtype;                         /* auto|f32|bf16|int8: how the weights are held */
    int kv_dtype;                      /* f32|bf16: keys and values in the cache */
    char *prompts;                     /* JSONL: id + problem | prompt | messages */
    char *output;                      /* JSONL, "-" or NULL: standard output */
    char *system_prompt, *instruction; /* how the model is asked; the instruction has {problem} in it */
    int64_t n, seed, max_new_tokens, batch, threads, top_k;
    double temperature, top_p, min_p;
    char *stop;       /* comma list of stop strings */
    char *stop_ids;   /* comma list */
    char *banned_ids; /* comma list */
    char *ban_list;   /* shipped categories (anthropomorphic, logical), lexicons or files of words, comma list */
    int ban_mode;     /* hard|penalty|cap: what becomes of tokens that would spell one of its words */
    double ban_penalty, ban_cap;
    int64_t speculative_tokens; /* guessed at most and checked in one step; 0: none */
    char *cache_memory;         /* "2GiB" for keys and values; NULL: as much as the batch can need */
    char *memory_limit;         /* "14GiB"; NULL: what the machine has free */
    bool ignore_eos;
    bool json;
} retort_sample_options;

extern RETORT_API const retort_option retort_sample_option_table[];

/* Writes one JSON object a response, in order: problem_id, sample, token_ids, logprobs, text, finish_reason (and model,
 * verdict where the prompt's problem can be graded). logprobs are the model's own, before bans, temperature and
 * truncation; with a ban list, drawn_logprobs are those of the distribution that was drawn from. */
RETORT_API retort_status retort_sample(const retort_sample_options *options, const retort_progress *progress,
                                       retort_error *err);

typedef struct retort_ban_bias_options {
    char *model;    /* directory with a tokenizer, or a GGUF file */
    char *ban_list; /* as for retort_sample */
    int64_t collateral, most, examples;
    char *output; /* the logit_bias object alone, JSON; NULL: not written */
} retort_ban_bias_options;
extern RETORT_API const retort_option retort_ban_bias_option_table[];

/* The best `logit_bias` for a ban list, for endpoints that can do no more: *json is an object with logit_bias (token id
 * to -100), how many spellings of the list's entries it catches and which it does not (holes), and which other words of
 * the vocabulary it hits. docs/bans.md has the rules. The caller frees *json with free. Errors: RETORT_ERR_NOT_FOUND
 * without a tokenizer; RETORT_ERR_USAGE for a list that cannot be banned. */
RETORT_API retort_status retort_ban_bias(const retort_ban_bias_options *options, char **json, retort_error *err);

#ifdef __cplusplus
}
#endif
#endif
