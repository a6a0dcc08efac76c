#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compute/compute.h"

void fail(const char *what) {
    printf("{\"error\": \"%s\"}\n", what);
    fprintf(stderr, "bench_worker: %s\n", what);
    exit(1);
}

int64_t number(const words *w, int i) {
    char *end = NULL;
    const long long value = i < w->count ? strtoll(w->word[i], &end, 10) : 0;
    if (end == NULL || *end != '\0' || value < 0) fail("a command lacks a number");
    return value;
}

static double clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void start(stopwatch *watch) {
    watch->cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    watch->wall = clock_of(CLOCK_MONOTONIC);
}

void answer(const stopwatch *watch, const char *extra) {
    const double wall = clock_of(CLOCK_MONOTONIC) - watch->wall;
    const double cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - watch->cpu;
    printf("{\"seconds\": %.9f, \"cpu\": %.9f%s}\n", wall, cpu, extra);
    fflush(stdout);
}

static words split(char *line) {
    words w = {0};
    for (char *word = strtok(line, " \n"); word != NULL && w.count < WORDS_MAX; word = strtok(NULL, " \n"))
        w.word[w.count++] = word;
    return w;
}

static void obey(const words *w) {
    static const struct {
        const char *name;
        void (*run)(const words *);
    } commands[] = {{"peak", run_peak},           {"read", run_read},     {"matmul", run_matmul},
                    {"attention", run_attention}, {"load", run_load},     {"step", run_step},
                    {"prefill", run_prefill},     {"decode", run_decode}, {"batch", run_batch},
                    {"rollout", run_rollout}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(w->word[0], commands[i].name) != 0) continue;
        commands[i].run(w);
        return;
    }
    fail("unknown command");
}

int main(void) {
    char line[4096];
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) fail(err.message);
    printf("{\"isa\": \"%s\", \"threads\": %d}\n", rt_isa_name(rt_compute_isa()), rt_compute_threads());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        const words w = split(line);
        if (w.count > 0) obey(&w);
    }
    return 0;
}
