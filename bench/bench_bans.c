/* What banned words cost at decoding: the same sampling with and without them, in alternating runs.
 *
 *   bench_bans MODEL [LIST [PAIRS [RESPONSES [TOKENS [THREADS]]]]]
 *
 * Every response has exactly TOKENS tokens, so both sides do the same work. A pair is two runs, their order changing
 * from pair to pair, after one of each that is not counted; masks are made anew in every banned run. Speed is told by
 * the time of the processor, which other programs on the machine disturb least, and by the clock on the wall.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compute/compute.h"
#include "model/lora.h"
#include "sample/ban_list.h"
#include "sample/sampler.h"

enum { SLOTS = 32, MAX_PAIRS = 100 };

typedef struct bench {
    rt_model model;
    rt_tokenizer *tokenizer;
    rt_decoder *decoder;
    rt_pieces *pieces;
    rt_ban_list list;
    rt_ids prompt;
    int64_t responses, tokens, masks;
    size_t mask_bytes;
} bench;

typedef struct speed {
    double cpu, wall; /* tokens a second */
} speed;

static void check(retort_status st, const retort_error *err) {
    if (st == RETORT_OK) return;
    fprintf(stderr, "bench_bans: %s\n", err->message);
    exit(1);
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static speed run(bench *b, bool banned, uint64_t seed) {
    retort_error err;
    rt_sampling settings = {
        .temperature = 1, .top_p = 1, .seed = seed, .max_new_tokens = b->tokens, .ignore_eos = true};
    const rt_ban_terms terms = {.patterns = b->list.patterns, .count = b->list.count};
    const rt_prompt prompt = {b->prompt.data, b->prompt.count, 1};
    rt_response *out = NULL;
    const double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
    if (banned) check(rt_bans_create(b->tokenizer, b->pieces, &terms, &settings.bans, &err), &err);
    check(rt_sample(b->decoder, &b->model.config, b->tokenizer, &prompt, 1, b->responses, &settings, NULL, NULL, NULL,
                    "sample", &out, &err),
          &err);
    const double total = (double)(b->responses * b->tokens);
    const speed s = {total / (now(CLOCK_PROCESS_CPUTIME_ID) - cpu), total / (now(CLOCK_MONOTONIC) - wall)};
    if (banned) rt_bans_memory(settings.bans, &b->masks, &b->mask_bytes);
    rt_bans_destroy(settings.bans);
    rt_responses_free(out, b->responses);
    return s;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_costs(const char *what, double *costs, int count) {
    qsort(costs, (size_t)count, sizeof *costs, by_size);
    const double median = (costs[(count - 1) / 2] + costs[count / 2]) / 2;
    printf("cost by %s: median %+.2f %%, quartiles %+.2f to %+.2f %%, all %+.2f to %+.2f %%\n", what, median,
           costs[count / 4], costs[count - 1 - count / 4], costs[0], costs[count - 1]);
}

static void measure(bench *b, int pairs) {
    double cpu[MAX_PAIRS], wall[MAX_PAIRS];
    (void)run(b, false, 1);
    (void)run(b, true, 1);
    for (int i = 0; i < pairs; i++) {
        speed s[2];
        for (int k = 0; k < 2; k++) {
            const bool banned = (k + i) % 2 == 1;
            s[banned] = run(b, banned, (uint64_t)i + 2);
        }
        cpu[i] = 100 * (s[0].cpu / s[1].cpu - 1);
        wall[i] = 100 * (s[0].wall / s[1].wall - 1);
        printf(
            "pair %2d: free %8.0f tokens/s of processor time, banned %8.0f (%+.2f %%); on the wall %8.0f and %8.0f\n",
            i + 1, s[0].cpu, s[1].cpu, cpu[i], s[0].wall, s[1].wall);
        fflush(stdout);
    }
    print_costs("processor time", cpu, pairs);
    print_costs("the clock", wall, pairs);
    printf("masks made in a run: %lld, %zu bytes\n", (long long)b->masks, b->mask_bytes);
}

static int64_t number(int argc, char **argv, int at, int64_t otherwise, int64_t most) {
    const long long value = argc > at ? atoll(argv[at]) : otherwise;
    return value < 1 ? 1 : value > most ? most : value;
}

int main(int argc, char **argv) {
    static const char TEXT[] = "Find all integers n such that n squared plus one is divisible by five.";
    retort_error err;
    bench b = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: bench_bans MODEL [LIST [PAIRS [RESPONSES [TOKENS [THREADS]]]]]\n");
        return 2;
    }
    const int pairs = (int)number(argc, argv, 3, 11, MAX_PAIRS);
    b.responses = number(argc, argv, 4, SLOTS, 100000);
    b.tokens = number(argc, argv, 5, 128, 100000);
    check(rt_compute_init(&err), &err);
    rt_compute_set_threads((int)number(argc, argv, 6, 1, 256));
    check(rt_model_open(&(rt_model_source){.dir = argv[1]}, &b.model, &err), &err);
    check(rt_tokenizer_load(argv[1], &b.tokenizer, &err), &err);
    check(rt_pieces_create(b.tokenizer, &b.pieces, &err), &err);
    check(rt_ban_list_read(argc > 2 ? argv[2] : "anthropomorphic,logical", &b.list, &err), &err);
    check(rt_tokenizer_encode(b.tokenizer, TEXT, sizeof TEXT - 1, false, &b.prompt, &err), &err);
    check(rt_decoder_create(&b.model, SLOTS, b.prompt.count + b.tokens, 256, &b.decoder, &err), &err);
    measure(&b, pairs);
    rt_decoder_destroy(b.decoder);
    rt_ids_free(&b.prompt);
    rt_ban_list_free(&b.list);
    rt_pieces_destroy(b.pieces);
    rt_tokenizer_destroy(b.tokenizer);
    rt_model_release(&b.model);
    return 0;
}
