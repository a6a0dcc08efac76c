/* What training and sampling of a shape cost, without data: the cost model over shapes, contexts and batches. */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "compute/ceilings.h"
#include "core/hub_cache.h"
#include "model/config_json.h"
#include "model/cost.h"
#include "model/shapes.h"
#include "retort/plan.h"
#include "sample/memory.h"
#include "train/workload.h"

enum { MOST = 64 }; /* values of a list */

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_shape_options, name_), __VA_ARGS__ }

const retort_option retort_shape_option_table[] = {
    ROW(shape, LIST, .argument = "NAMES", .group = "Shapes without data",
        .help = "Published shapes: smollm2-135m, qwen2.5-0.5b, -1.5b, -3b, -7b, -14b, -32b; or all."),
    ROW(model, LIST, .argument = "DIRS", .help = "Model folders, of which only config.json is read."),
    ROW(context, LIST, .default_value = "2048", .argument = "N",
        .help = "Tokens of a sequence that is trained on, of a prompt, and before a token that is drawn."),
    ROW(batch, LIST, .default_value = "1,64", .argument = "N", .help = "Sequences that are decoded together."),
    ROW(tokens, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1e9,
        .help = "Tokens of a training step, of which each sequence has a context; 0: one sequence."),
    ROW(micro_batch_tokens, INT, .default_value = "2048", .argument = "N", .minimum = 1, .maximum = 1e9,
        .help = "Tokens of a forward and backward pass, as far as sequences end; a longer one is a pass by itself."),
    ROW(gradient_checkpointing, BOOL, .help = "Layers are computed once more in the backward pass."),
    ROW(dtype, CHOICE, .default_value = "bf16", .argument = "NAME", .choices = "bf16|f32|int8",
        .help = "How weights are held that are sampled from; training is in float32."),
    ROW(threads, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1024,
        .help = "Threads to measure this machine with; 0: all processors."),
    RT_MACHINE_ROWS(retort_shape_options, machine.),
    {0},
};

/* ---- lists ---- */

typedef struct numbers {
    int64_t value[MOST];
    int count;
} numbers;

/* The next word of a comma list into `word`; false behind the last. */
static bool next_word(const char **at, char *word, size_t size) {
    *at += strspn(*at, ", ");
    const size_t length = strcspn(*at, ", ");
    if (length == 0) return false;
    snprintf(word, size, "%.*s", (int)(length < size ? length : size - 1), *at);
    *at += length;
    return true;
}

static retort_status read_numbers(const char *list, const char *option, int64_t most, numbers *out, retort_error *err) {
    char word[32];
    *out = (numbers){0};
    for (const char *at = list != NULL ? list : ""; next_word(&at, word, sizeof word);) {
        char *end = NULL;
        errno = 0;
        const long long value = strtoll(word, &end, 10);
        RT_CHECK(errno == 0 && *end == '\0' && value >= 1 && value <= most, err, RETORT_ERR_USAGE,
                 "'%s' has '%s', must be whole numbers from 1 to %lld", option, word, (long long)most);
        RT_CHECK(out->count < MOST, err, RETORT_ERR_USAGE, "'%s' has more than %d numbers", option, (int)MOST);
        out->value[out->count++] = value;
    }
    RT_CHECK(out->count > 0, err, RETORT_ERR_USAGE, "'%s' is empty", option);
    return RETORT_OK;
}

typedef struct named_config {
    char name[64];
    rt_config config;
} named_config;

typedef struct configs {
    named_config *items; /* [MOST] */
    int count;
} configs;

static retort_status add_config(configs *all, const char *name, const rt_config *config, retort_error *err) {
    RT_CHECK(all->count < MOST, err, RETORT_ERR_USAGE, "more than %d shapes", (int)MOST);
    named_config *item = &all->items[all->count++];
    snprintf(item->name, sizeof item->name, "%s", name);
    item->config = *config;
    return rt_config_validate(config, name, err);
}

static retort_status unknown_shape(const char *name, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = RETORT_OK;
    for (int i = 0; rt_shape_name(i) != NULL && st == RETORT_OK; i++)
        st = rt_buffer_printf(&text, err, "%s%s", i > 0 ? ", " : "", rt_shape_name(i));
    if (st == RETORT_OK)
        st = rt_fail(err, RETORT_ERR_USAGE,
                     "no shape '%s' is known, there are %s and all; of other models 'model' reads config.json", name,
                     text.data);
    rt_buffer_free(&text);
    return st;
}

static retort_status add_shapes(configs *all, const char *list, retort_error *err) {
    char word[64];
    rt_config config;
    for (const char *at = list != NULL ? list : ""; next_word(&at, word, sizeof word);) {
        const bool every = strcmp(word, "all") == 0;
        for (int i = 0; every && rt_shape_name(i) != NULL; i++)
            if (rt_shape_config(rt_shape_name(i), &config)) RT_TRY(add_config(all, rt_shape_name(i), &config, err));
        if (every) continue;
        if (!rt_shape_config(word, &config)) return unknown_shape(word, err);
        RT_TRY(add_config(all, word, &config, err));
    }
    return RETORT_OK;
}

static retort_status add_model(configs *all, const char *name, retort_error *err) {
    char *dir = NULL;
    rt_config config;
    RT_TRY(rt_model_path(name, &dir, err));
    const char *slash = strrchr(dir, '/');
    const char *last = slash != NULL && slash[1] != '\0' ? slash + 1 : dir;
    retort_status st = rt_config_load(dir, &config, err);
    if (st == RETORT_OK) st = add_config(all, last, &config, err);
    rt_free(dir);
    return st;
}

static retort_status read_configs(const retort_shape_options *options, configs *all, retort_error *err) {
    char word[4096];
    all->items = rt_calloc(MOST, sizeof *all->items);
    RT_CHECK(all->items != NULL, err, RETORT_ERR_MEMORY, "out of memory: shapes");
    RT_TRY(add_shapes(all, options->shape, err));
    for (const char *at = options->model != NULL ? options->model : ""; next_word(&at, word, sizeof word);)
        RT_TRY(add_model(all, word, err));
    RT_CHECK(all->count > 0, err, RETORT_ERR_USAGE,
             "what is to be planned? give shape or model, or a command with a plan (distill, eval, rl, sample) and its "
             "flags, or a recipe");
    return RETORT_OK;
}

/* ---- a row ---- */

typedef struct row {
    const char *shape;
    int64_t parameters, context, batch, tokens;
    double train_flops, train_bytes, sample_bytes;
    rt_cost train, prefill, decode; /* of a step, of a prompt, of a token of each sequence */
} row;

static retort_status count_parameters(const rt_config *config, int64_t *out, retort_error *err) {
    rt_params layout;
    RT_TRY(rt_params_layout(config, &layout, err));
    *out = layout.count;
    rt_params_release(&layout);
    return RETORT_OK;
}

/* `rows` of a pass, `tokens` of the step. */
static double training_bytes(const rt_config *config, const retort_shape_options *options, int64_t rows,
                             int64_t tokens) {
    const retort_training_options training = {.gradient_checkpointing = options->gradient_checkpointing};
    rt_plan plan = {0};
    rt_plan_add(&plan, RT_ALWAYS, rt_aligned_size(rt_params_bytes(config)), "weights");
    rt_plan_training(&plan, config, NULL, &training, rows, tokens);
    return rt_plan_peak(&plan);
}

static double sampling_bytes(const rt_config *config, int64_t context, int64_t batch) {
    enum { LEAST_ROWS = 256 };
    const rt_sampling_size size = {.slots = batch,
                                   .capacity = context,
                                   .rows = batch > LEAST_ROWS ? batch : LEAST_ROWS,
                                   .responses = batch,
                                   .max_new_tokens = 1};
    rt_plan plan = {0};
    rt_plan_sampling(&plan, config, NULL, &size);
    return rt_plan_peak(&plan);
}

static void fill_training(const rt_config *config, const retort_shape_options *options, const rt_ceilings *machine,
                          row *r) {
    r->tokens = options->tokens > 0 ? options->tokens : r->context;
    const int64_t sequence = r->context < r->tokens ? r->context : r->tokens;
    const int64_t fitting = options->micro_batch_tokens / sequence * sequence; /* whole sequences */
    const int64_t most = fitting > sequence ? fitting : sequence, rows = most < r->tokens ? most : r->tokens;
    const double whole = floor((double)r->tokens / (double)r->context), n = (double)r->context;
    const double rest = (double)r->tokens - whole * n; /* of a last sequence that is shorter */
    const double keys = whole * n * (n + 1) / 2 + rest * (rest + 1) / 2;
    const rt_training_load load = {.tokens = (double)r->tokens,
                                   .keys = keys,
                                   .scored = (double)r->tokens - whole - (rest > 0),
                                   .passes = ceil((double)r->tokens / (double)rows),
                                   .updates = 1,
                                   .recompute = options->gradient_checkpointing};
    r->train_flops = 3 * rt_model_forward_flops(config, load.tokens, keys, load.scored);
    r->train_bytes = training_bytes(config, options, rows, r->tokens);
    r->train = rt_training_cost(config, NULL, &load, machine);
}

static void fill_sampling(const rt_config *floats, const retort_shape_options *options, const rt_ceilings *machine,
                          row *r) {
    static const rt_dtype DTYPES[] = {RT_DTYPE_BF16, RT_DTYPE_F32, RT_DTYPE_INT8};
    rt_config config = *floats;
    config.weights_dtype = DTYPES[options->dtype];
    const rt_sampling_load prompt = {.prompts = 1, .prompt = (double)r->context, .n = 1, .fresh = 1, .slots = 1};
    const rt_decoding_load token = {.steps = 1,
                                    .rows = (double)r->batch,
                                    .keys = (double)r->batch * (double)r->context,
                                    .scored = (double)r->batch};
    r->prefill = rt_sampling_cost(&config, &prompt, machine);
    r->decode = rt_decoding_cost(&config, &token, machine);
    r->sample_bytes = sampling_bytes(&config, r->context, r->batch);
}

/* ---- output ---- */

static json_t *number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_json(const row *r) {
    const double train = rt_cost_seconds(&r->train), prefill = rt_cost_seconds(&r->prefill);
    const double decode = rt_cost_seconds(&r->decode);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "shape", r->shape,
                     "parameters", (json_int_t)r->parameters, "context", (json_int_t)r->context, "batch",
                     (json_int_t)r->batch, "train_tokens", (json_int_t)r->tokens, "train_flops",
                     number_or_null(r->train_flops), "train_bytes", number_or_null(r->train_bytes), "train_seconds",
                     number_or_null(train), "train_tokens_per_second", number_or_null((double)r->tokens / train),
                     "prefill_seconds", number_or_null(prefill), "prefill_tokens_per_second",
                     number_or_null((double)r->context / prefill), "decode_seconds", number_or_null(decode),
                     "decode_tokens_per_second", number_or_null((double)r->batch / decode), "sample_bytes",
                     number_or_null(r->sample_bytes));
}

static retort_status put_head(const rt_ceilings *machine, rt_buffer *out, retort_error *err) {
    RT_TRY(rt_buffer_puts(out, "predicted for ", err));
    RT_TRY(rt_ceilings_text(machine, out, err));
    return rt_buffer_printf(out, err, "\n%-14s %10s %8s %6s  %12s %10s  %13s  %12s %10s\n", "shape", "parameters",
                            "context", "batch", "train tok/s", "memory", "prefill tok/s", "decode tok/s", "memory");
}

static retort_status put_row(const row *r, rt_buffer *out, retort_error *err) {
    char train[16], sample[16];
    return rt_buffer_printf(out, err, "%-14s %10.3g %8lld %6lld  %12.3g %10s  %13.3g  %12.3g %10s\n", r->shape,
                            (double)r->parameters, (long long)r->context, (long long)r->batch,
                            (double)r->tokens / rt_cost_seconds(&r->train), rt_size_format(r->train_bytes, train),
                            (double)r->context / rt_cost_seconds(&r->prefill),
                            (double)r->batch / rt_cost_seconds(&r->decode), rt_size_format(r->sample_bytes, sample));
}

typedef struct output {
    bool json;
    json_t *rows;
    rt_buffer text;
} output;

static retort_status put(output *out, const row *r, retort_error *err) {
    if (!out->json) return put_row(r, &out->text, err);
    RT_CHECK(json_array_append_new(out->rows, row_json(r)) == 0, err, RETORT_ERR_MEMORY, "out of memory: rows");
    return RETORT_OK;
}

static retort_status put_shape(const named_config *shape, const numbers *contexts, const numbers *batches,
                               const retort_shape_options *options, const rt_ceilings *machine, output *out,
                               retort_error *err) {
    row r = {.shape = shape->name};
    RT_TRY(count_parameters(&shape->config, &r.parameters, err));
    for (int c = 0; c < contexts->count; c++) {
        r.context = contexts->value[c];
        RT_CHECK(r.context <= rt_config_context(&shape->config), err, RETORT_ERR_USAGE,
                 "a context of %lld tokens, that of '%s' ends at %lld", (long long)r.context, shape->name,
                 (long long)rt_config_context(&shape->config));
        fill_training(&shape->config, options, machine, &r);
        for (int b = 0; b < batches->count; b++) {
            r.batch = batches->value[b];
            fill_sampling(&shape->config, options, machine, &r);
            RT_TRY(put(out, &r, err));
        }
    }
    return RETORT_OK;
}

static retort_status finish(const rt_ceilings *machine, output *out, retort_error *err) {
    if (!out->json) return RETORT_OK;
    json_t *object = json_pack("{s:o, s:O}", "machine", rt_ceilings_json(machine), "rows", out->rows);
    retort_status st = object != NULL ? rt_json_dump(object, JSON_COMPACT, &out->text, err)
                                      : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: rows");
    if (st == RETORT_OK) st = rt_buffer_puts(&out->text, "\n", err);
    json_decref(object);
    return st;
}

static retort_status write_all(const retort_shape_options *options, const configs *all, output *out,
                               retort_error *err) {
    numbers contexts, batches;
    rt_ceilings machine;
    RT_TRY(read_numbers(options->context, "context", 1 << 30, &contexts, err));
    RT_TRY(read_numbers(options->batch, "batch", 1 << 20, &batches, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->threads);
    RT_TRY(rt_ceilings_of(&options->machine, &machine, err));
    if (!out->json) RT_TRY(put_head(&machine, &out->text, err));
    for (int i = 0; i < all->count; i++)
        RT_TRY(put_shape(&all->items[i], &contexts, &batches, options, &machine, out, err));
    return finish(&machine, out, err);
}

retort_status retort_shape_plan(const retort_shape_options *options, bool json, char **out, size_t *length,
                                retort_error *err) {
    configs all = {0};
    output result = {.json = json, .rows = json_array()};
    *out = NULL;
    retort_status st =
        result.rows != NULL ? read_configs(options, &all, err) : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: rows");
    if (st == RETORT_OK) st = write_all(options, &all, &result, err);
    json_decref(result.rows);
    rt_free(all.items);
    if (st != RETORT_OK) {
        rt_buffer_free(&result.text);
        return st;
    }
    *out = result.text.data;
    *length = result.text.length;
    return RETORT_OK;
}
