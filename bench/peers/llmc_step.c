/* Training steps of llm.c's CPU program, with the protocol of bench/suite/worker.py.
 *
 *     llmc_step CHECKPOINT
 *
 * Compiled against a checkout of llm.c (bench/peers/llmc.py), whose train_gpt2.c is included as its own test_gpt2.c
 * does: what is timed are the calls of its training loop, forward, zero_grad, backward, update. */
#define TESTING
#include "train_gpt2.c"

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *why) {
    printf("{\"error\": \"%s\"}\n", why);
    exit(1);
}

/* The same ids in every step, spread over the vocabulary. */
static void fill(const GPT2 *model, int *ids, int count) {
    unsigned state = 1;
    for (int i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        ids[i] = (int)((state >> 8) % (unsigned)model->config.vocab_size);
    }
}

static void step(GPT2 *model, int tokens, int length) {
    static int *ids, serial;
    if (length < 1 || tokens < length || tokens % length != 0) fail("step TOKENS LENGTH THREADS, whole sequences");
    if (length > model->config.max_seq_len) fail("sequences longer than the model's");
    if (ids == NULL) {
        ids = mallocCheck(((size_t)tokens + 1) * sizeof(int));
        fill(model, ids, tokens + 1);
    }
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    gpt2_forward(model, ids, ids + 1, (size_t)(tokens / length), (size_t)length);
    gpt2_zero_grad(model);
    gpt2_backward(model);
    gpt2_update(model, 1e-5f, 0.9f, 0.95f, 1e-8f, 0.01f, ++serial);
    printf("{\"seconds\": %.9g, \"cpu\": %.9g, \"loss\": %.9g}\n", now(CLOCK_MONOTONIC) - wall,
           now(CLOCK_PROCESS_CPUTIME_ID) - cpu, (double)model->mean_loss);
}

int main(int argc, char **argv) {
    if (argc != 2) fail("one checkpoint is needed");
    setvbuf(stdout, NULL, _IOLBF, 0);
    GPT2 model;
    gpt2_build_from_checkpoint(&model, argv[1]);
    printf("{\"parameters\": %zu}\n", model.num_parameters);
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        int tokens, length, threads;
        if (sscanf(line, "step %d %d %d", &tokens, &length, &threads) != 3) fail("step TOKENS LENGTH THREADS");
        omp_set_num_threads(threads);
        step(&model, tokens, length);
    }
    gpt2_free(&model);
    return 0;
}
