/* `retort serve`: loading, the engine's loop, draining. */
#include <string.h>
#include <time.h>

#include "core/plan.h"
#include "core/progress.h"
#include "sample/memory.h"
#include "serve/format.h"
#include "serve/server.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_serve_options, name_), __VA_ARGS__ }

const retort_option retort_serve_option_table[] = {
    ROW(model, STRING, .argument = "DIR", .group = "Input", .required = true, .help = "Model directory."),
    ROW(adapter, STRING, .argument = "DIR",
        .help = "PEFT folder of a LoRA adapter of the model; applied as in training, not merged."),
    ROW(served_model_name, STRING, .argument = "NAME",
        .help = "What requests call the model; the directory's last name when missing."),
    ROW(host, STRING, .default_value = "127.0.0.1", .argument = "ADDRESS", .group = "Network",
        .help = "Numeric address to listen on; 0.0.0.0 lets other machines in, which wants --api-key."),
    ROW(port, INT, .default_value = "8080", .argument = "N", .minimum = 0, .maximum = 65535,
        .help = "Port to listen on; 0 takes a free one."),
    ROW(api_key, STRING, .argument = "KEY",
        .help = "Requests must bring this key as a Bearer token; the environment's RETORT_API_KEY when missing, which "
                "other users cannot read off the command line."),
    ROW(max_connections, INT, .default_value = "1000", .argument = "N", .minimum = 1, .maximum = 100000,
        .help = "Connections at once; further ones wait to be accepted."),
    ROW(max_body, INT, .default_value = "16777216", .argument = "BYTES", .minimum = 1024, .maximum = 1e9,
        .help = "Largest body of a request."),
    ROW(read_timeout, REAL, .default_value = "60", .argument = "SECONDS", .minimum = 0.1, .maximum = 86400,
        .help = "A connection that has sent no whole request for so long is closed, idle or slow."),
    ROW(max_tokens, INT, .default_value = "4096", .argument = "N", .group = "Sampling", .minimum = 1, .maximum = 1e7,
        .help = "Longest response of a chat request that names no limit."),
    ROW(ban_list, LIST, .argument = "LIST",
        .help = "Words and phrases that no response may hold: categories of the shipped lexicons (anthropomorphic, "
                "logical), "
                "lexicons (.yaml) or files with one a line. Requests can add their own (ban_list)."),
    ROW(dtype, CHOICE, .default_value = "auto", .argument = "NAME", .group = "Machine", .choices = RT_WEIGHTS_CHOICES,
        .help = "How weights are held: as the file has them (auto: never changes a byte), or rounded to bf16 or int8."),
    ROW(kv_dtype, CHOICE, .default_value = "f32", .argument = "NAME", .choices = "f32|bf16",
        .help = "How the cache holds keys and values; bf16 takes half the memory and rounds them, as rl does when told "
                "the same."),
    ROW(batch, INT, .default_value = "32", .argument = "N", .minimum = 1, .maximum = 65536,
        .help = "Responses sampled at once; changes speed and memory, never a token."),
    ROW(max_model_len, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 16777216,
        .help = "Longest prompt and response together, which sets the cache's memory; 0: the model's context, at most "
                "8192."),
    ROW(speculative_tokens, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 15,
        .help = RT_HELP_SPECULATIVE_TOKENS),
    ROW(cache_memory, STRING, .argument = "SIZE", .help = RT_HELP_CACHE_MEMORY),
    ROW(memory_limit, STRING, .argument = "SIZE", .help = RT_HELP_MEMORY_LIMIT),
    ROW(max_queue, INT, .default_value = "1000", .argument = "N", .minimum = 1, .maximum = 1e6,
        .help = "Requests under way or waiting; further ones are answered 503."),
    ROW(request_timeout, REAL, .default_value = "3600", .argument = "SECONDS", .minimum = 0.1, .maximum = 1e6,
        .help = "A request that takes longer is ended with 504."),
    ROW(drain_timeout, REAL, .default_value = "30", .argument = "SECONDS", .minimum = 0, .maximum = 86400,
        .help = "After SIGTERM or Ctrl-C, how long requests under way may still take."),
    ROW(threads, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1024,
        .help = "Threads to compute with, 0 for all processors; changes speed, never a token."),
    {0}};

enum { DEFAULT_MODEL_LEN = 8192, MAX_ROWS = 512 };
static const double SWEEP_SECONDS = 0.1;

/* ---- the queue between the threads ---- */

bool rt_serve_enqueue(rt_server *server, rt_serve_job *job) {
    rt_arrival *arrival = rt_malloc(sizeof *arrival);
    if (arrival == NULL) return false;
    pthread_mutex_lock(&server->lock);
    const bool room = server->num_requests < server->options->max_queue;
    if (room) {
        *arrival = (rt_arrival){.job = job};
        atomic_fetch_add(&job->references, 1);
        if (server->last != NULL)
            server->last->next = arrival;
        else
            server->first = arrival;
        server->last = arrival;
        server->num_requests++;
        pthread_cond_signal(&server->work);
    }
    pthread_mutex_unlock(&server->lock);
    if (!room) rt_free(arrival);
    return room;
}

void rt_serve_leave(rt_server *server) {
    pthread_mutex_lock(&server->lock);
    server->num_requests--;
    pthread_mutex_unlock(&server->lock);
}

/* All that has arrived; waits a moment for something where the engine has nothing to do. */
static rt_arrival *take_arrivals(rt_server *server, bool idle) {
    pthread_mutex_lock(&server->lock);
    if (idle && server->first == NULL) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 50 * 1000 * 1000;
        if (until.tv_nsec >= 1000 * 1000 * 1000) {
            until.tv_sec++;
            until.tv_nsec -= 1000 * 1000 * 1000;
        }
        pthread_cond_timedwait(&server->work, &server->lock, &until);
    }
    rt_arrival *all = server->first;
    server->first = server->last = NULL;
    pthread_mutex_unlock(&server->lock);
    return all;
}

/* ---- jobs under way ---- */

static void drop_job(rt_arrival *item) {
    rt_serve_job_release(item->job);
    rt_free(item);
}

static void start_jobs(rt_server *server, rt_arrival *arrived, rt_arrival **running) {
    while (arrived != NULL) {
        rt_arrival *next = arrived->next;
        rt_serve_job_start(arrived->job, server->engine);
        arrived->next = *running;
        *running = arrived;
        arrived = next;
    }
}

static void retire_jobs(rt_server *server, rt_arrival **running) {
    const double now = rt_now();
    while (*running != NULL) {
        rt_arrival *item = *running;
        bool over = rt_serve_job_over(item->job, server->engine);
        if (!over && now > item->job->deadline) {
            rt_serve_job_stop(item->job, server->engine, 504, rt_serve_error_type(504),
                              "the request took longer than this server allows (--request-timeout)");
            over = true;
        }
        if (over) {
            *running = item->next;
            drop_job(item);
        } else {
            running = &item->next;
        }
    }
}

static void stop_jobs(rt_server *server, rt_arrival **running, int status, const char *message) {
    start_jobs(server, take_arrivals(server, false), running);
    while (*running != NULL) {
        rt_arrival *item = *running;
        *running = item->next;
        rt_serve_job_stop(item->job, server->engine, status, rt_serve_error_type(status), message);
        drop_job(item);
    }
}

static void publish_counts(rt_server *server) {
    const rt_engine_counts c = rt_engine_count(server->engine);
    atomic_store(&server->metrics.sampled, c.sampled_tokens);
    atomic_store(&server->metrics.fed, c.fed_tokens);
    atomic_store(&server->metrics.running, c.running);
    atomic_store(&server->metrics.waiting, c.waiting);
    atomic_store(&server->metrics.put_off, c.put_off);
}

/* ---- the loop ---- */

static retort_status run(rt_server *server, rt_arrival **running, retort_error *err) {
    double swept = rt_now(), drain_until = 0;
    for (;;) {
        start_jobs(server, take_arrivals(server, !rt_engine_busy(server->engine)), running);
        if (rt_engine_busy(server->engine)) {
            RT_TRY(rt_engine_step(server->engine, err));
            atomic_fetch_add(&server->metrics.steps, 1);
        }
        retire_jobs(server, running);
        publish_counts(server);
        const double now = rt_now();
        if (now - swept >= SWEEP_SECONDS) {
            rt_serve_sweep(server);
            swept = now;
        }
        if (rt_interrupted() && drain_until == 0) {
            atomic_store(&server->draining, true);
            rt_serve_close_door(server);
            drain_until = now + server->options->drain_timeout;
        }
        if (drain_until > 0 && (*running == NULL || now > drain_until)) return RETORT_OK;
    }
}

/* What has been answered must also get out. */
static void flush_answers(rt_server *server) {
    const double until = rt_now() + 2;
    while (rt_serve_answering(server) && rt_now() < until) {
        const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
        nanosleep(&moment, NULL);
    }
}

/* ---- set-up ---- */

static const char *last_name(const char *path) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    return path + begin;
}

static retort_status load_bans(rt_server *server, retort_error *err) {
    rt_serve_model *m = &server->model;
    RT_TRY(rt_pieces_create(m->tokenizer, &m->pieces, err));
    if (server->options->ban_list == NULL) return RETORT_OK;
    RT_TRY(rt_ban_list_read(server->options->ban_list, &m->ban_list, err));
    const rt_ban_terms terms = {.patterns = m->ban_list.patterns, .count = m->ban_list.count};
    return rt_bans_create(m->tokenizer, m->pieces, &terms, &m->bans, err);
}

/* A model without a chat template is served all the same: completions, and chats of one turn. */
static retort_status load_text(rt_server *server, retort_error *err) {
    const retort_serve_options *o = server->options;
    rt_serve_model *m = &server->model;
    RT_TRY(rt_tokenizer_load(o->model, &m->tokenizer, err));
    RT_CHECK(rt_tokenizer_vocab_size(m->tokenizer) <= m->config.vocab_size, err, RETORT_ERR_FORMAT,
             "'%s': the tokenizer has %lld tokens, the model only %lld", o->model,
             (long long)rt_tokenizer_vocab_size(m->tokenizer), (long long)m->config.vocab_size);
    const retort_status st = rt_chat_load(o->model, &m->chat, err);
    if (st != RETORT_OK && st != RETORT_ERR_NOT_FOUND) return st;
    return load_bans(server, err);
}

/* What the decoder takes is checked before the weights are read. */
static retort_status plan_memory(const rt_server *server, const rt_lora_config *lora, const rt_sampling_size *size,
                                 retort_error *err) {
    const rt_config *config = &server->model.config;
    rt_plan plan;
    RT_TRY(rt_plan_begin("serve", "program", server->options->memory_limit, &plan, err));
    rt_plan_taken_weights(&plan, config, lora);
    rt_plan_sampling(&plan, config, lora, size);
    return rt_plan_check(&plan, err);
}

static retort_status size_decoder(rt_server *server, const rt_model_source *source, rt_sampling_size *out,
                                  retort_error *err) {
    const retort_serve_options *o = server->options;
    rt_serve_model *m = &server->model;
    rt_lora_config lora;
    RT_TRY(rt_model_source_peek(source, &m->config, &lora, err));
    const int64_t context = m->config.max_position_embeddings;
    const int64_t length = o->max_model_len > 0 ? o->max_model_len : DEFAULT_MODEL_LEN;
    m->max_model_len = length < context ? length : context;
    *out = (rt_sampling_size){.slots = o->batch,
                              .capacity = m->max_model_len,
                              .rows = o->batch > MAX_ROWS ? o->batch : MAX_ROWS,
                              .responses = o->batch,
                              .max_new_tokens = m->max_model_len};
    RT_TRY(rt_cache_size(&m->config, o->cache_memory, out, err));
    return plan_memory(server, lora.r > 0 ? &lora : NULL, out, err);
}

/* The decoder takes the weights. */
static retort_status make_decoder(rt_server *server, rt_model *model, const rt_sampling_size *size, retort_error *err) {
    rt_serve_model *m = &server->model;
    char hash[65];
    m->config = model->config;
    RT_TRY(rt_model_hash(model, hash, err));
    snprintf(m->fingerprint, sizeof m->fingerprint, "fp_%.16s", hash);
    return rt_sampling_decoder_taking(model, size, &server->decoder, err);
}

static retort_status prepare(rt_server *server, retort_error *err) {
    const retort_serve_options *o = server->options;
    rt_serve_model *m = &server->model;
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)o->threads);
    m->name = o->served_model_name != NULL ? o->served_model_name : last_name(o->model);
    m->max_tokens = o->max_tokens;
    m->speculative_tokens = (int32_t)o->speculative_tokens;
    m->created = time(NULL);
    rt_model model;
    rt_sampling_size size;
    const rt_model_source source = {o->model, o->adapter, (rt_weights_form)o->dtype, (rt_dtype)o->kv_dtype};
    RT_TRY(size_decoder(server, &source, &size, err));
    RT_TRY(rt_model_open(&source, &model, err));
    retort_status st = make_decoder(server, &model, &size, err);
    rt_model_release(&model);
    RT_TRY(st);
    RT_TRY(load_text(server, err));
    return rt_engine_create(server->decoder, &m->config, m->tokenizer, &server->engine, err);
}

static void release(rt_server *server) {
    rt_serve_hang_up(server);
    rt_engine_destroy(server->engine);
    rt_decoder_destroy(server->decoder);
    rt_bans_destroy(server->model.bans);
    rt_ban_list_free(&server->model.ban_list);
    rt_pieces_destroy(server->model.pieces);
    rt_chat_destroy(server->model.chat);
    rt_tokenizer_destroy(server->model.tokenizer);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->work);
}

retort_status retort_serve(const retort_serve_options *options, retort_serve_listening listening, void *context,
                           retort_error *err) {
    rt_server server = {.options = options};
    rt_arrival *running = NULL;
    char address[80];
    pthread_mutex_init(&server.lock, NULL);
    pthread_cond_init(&server.work, NULL);
    retort_status st = prepare(&server, err);
    if (st == RETORT_OK) st = rt_serve_listen(&server, address, err);
    if (st == RETORT_OK) {
        if (listening != NULL) listening(context, address);
        st = run(&server, &running, err);
        atomic_store(&server.draining, true);
        stop_jobs(&server, &running, st == RETORT_OK ? 503 : 500,
                  st == RETORT_OK ? "the server is shutting down" : "the engine has failed");
        flush_answers(&server);
    }
    release(&server);
    return st;
}
