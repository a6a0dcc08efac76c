/* bench_worker: our side of every paired measurement, as one process that takes commands.
 *
 * A command is one line of words on standard input; the answer is one line of JSON on standard output: at least
 * "seconds" (wall clock) and "cpu" (of all threads of this process), or "error". What a command needs that is not
 * measured (memory, packed weights, a prefix in the cache) is made once and kept, so that the first answer of a kind
 * is a warm-up and the following ones are samples.
 *
 *     peak THREADS MS                          independent fused multiply-adds in registers
 *     read THREADS MIB                         sums of an array
 *     matmul nt|nn|tn M N K THREADS            c[m][n], k terms each
 *     attention forward|both T H G E THREADS   causal, one document
 *     load DIR auto|f32|bf16                   a model folder, for the following
 *     step TOKENS LENGTH THREADS RECOMPUTE [MICRO]   forward, loss, backward, AdamW over documents of LENGTH tokens, in
 *                                              micro-batches of MICRO tokens (all at once when missing)
 *     prefill TOKENS THREADS                   into an empty slot
 *     decode COUNT PREFIX THREADS              tokens one by one behind a prefix
 *     batch SLOTS COUNT CONTEXT THREADS        COUNT tokens of each of SLOTS sequences, each behind its own context
 *     rollout PROMPTS N PREFIX NEW THREADS DIR the sampling engine: N responses a prompt, all of NEW tokens; DIR has
 * the tokenizer
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

enum { WORDS_MAX = 8 };

typedef struct words {
    int count;
    char *word[WORDS_MAX];
} words;

/* Word i as a number; ends the program with a message where there is none. */
int64_t number(const words *w, int i);
/* Ends the program. */
void fail(const char *what) __attribute__((noreturn));

typedef struct stopwatch {
    double wall, cpu;
} stopwatch;
void start(stopwatch *watch);
/* Stops the watch and prints the answer; extra: further members as JSON text, ", \"flops\": 1", or "". */
void answer(const stopwatch *watch, const char *extra);

/* Each is one file. */
void run_peak(const words *w);
void run_read(const words *w);
void run_matmul(const words *w);
void run_attention(const words *w);
void run_load(const words *w);
void run_step(const words *w);
void run_prefill(const words *w);
void run_decode(const words *w);
void run_batch(const words *w);
void run_rollout(const words *w);

#endif
