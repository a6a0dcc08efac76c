/* `retort sample`: responses of a model directory to a prompt file, as JSONL. */
#include "retort/sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/ceilings.h"
#include "core/file.h"
#include "model/calibrate.h"
#include "model/cost.h"
#include "model/lora.h"
#include "retort/plan.h"
#include "sample/ban_list.h"
#include "sample/memory.h"
#include "sample/prompts.h"
#include "verify/grade.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_sample_options, name_), __VA_ARGS__ }

const retort_option retort_sample_option_table[] = {
    ROW(model, STRING, .argument = "DIR", .group = "Input", .required = true, .help = "Model directory."),
    ROW(adapter, STRING, .argument = "DIR",
        .help = "PEFT folder of a LoRA adapter of the model; applied as in training, not merged."),
    ROW(prompts, STRING, .argument = "FILE", .required = true,
        .help = "Prompts, JSONL: id and problem or messages (the model's template is applied), or prompt."),
    ROW(system_prompt, STRING, .argument = "TEXT", .help = RT_HELP_SYSTEM_PROMPT),
    ROW(instruction, STRING, .argument = "TEXT", .help = RT_HELP_INSTRUCTION),
    ROW(output, STRING, .argument = "FILE", .group = "Output",
        .help = "Where the responses go, JSONL; standard output when it is missing or -."),
    ROW(json, BOOL, .help = "Write JSONL to standard output too, instead of text for reading."),
    ROW(n, INT, .default_value = "1", .argument = "N", .group = "Sampling", .minimum = 1, .maximum = 1e6,
        .help = "Responses to each prompt."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 9e15,
        .help = "Fixes every draw; a response depends on it, its prompt, the prompt's id and its number."),
    ROW(max_new_tokens, INT, .default_value = "384", .argument = "N", .minimum = 1, .maximum = 1e7,
        .help = "Longest response, in tokens; with the prompt it must fit in the model's context."),
    ROW(temperature, REAL, .default_value = "1", .argument = "T", .minimum = 0, .maximum = 1000,
        .help = "Divides the logits; 0 takes the most probable token."),
    ROW(top_p, REAL, .default_value = "1", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Keeps the shortest run of most probable tokens whose mass reaches P."),
    ROW(top_k, INT, .default_value = "0", .argument = "K", .minimum = 0, .maximum = 2147483647,
        .help = "Keeps the K most probable tokens; 0 keeps all."),
    ROW(min_p, REAL, .default_value = "0", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Keeps tokens of at least P times the greatest probability."),
    ROW(stop, LIST, .argument = "LIST",
        .help = "Strings before which a response ends; \\n, \\t and \\\\ stand for newline, tab and backslash."),
    ROW(stop_ids, LIST, .argument = "LIST", .help = "Token ids with which a response ends, besides the model's own."),
    ROW(ignore_eos, BOOL, .help = "Go on behind the model's end token, to max_new_tokens."),
    ROW(banned_ids, LIST, .argument = "LIST", .help = "Token ids that are never sampled."),
    ROW(ban_list, LIST, .argument = "LIST",
        .help = "Words and phrases that no response may hold, however they are spelt in tokens: categories of the "
                "shipped lexicons (anthropomorphic, logical), lexicons (.yaml) or files with one a line."),
    ROW(ban_mode, CHOICE, .default_value = "hard", .argument = "NAME", .choices = "hard|penalty|cap",
        .help = "What becomes of tokens that would spell a word of ban_list: never sampled, ban_penalty off their "
                "logits, or together at most ban_cap of the probability."),
    ROW(ban_penalty, REAL, .default_value = "5", .argument = "X", .minimum = 0, .maximum = 1000,
        .help = "Taken off each such logit where ban_mode is penalty."),
    ROW(ban_cap, REAL, .default_value = "0.01", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Most that such tokens may have together where ban_mode is cap."),
    ROW(dtype, CHOICE, .default_value = "auto", .argument = "NAME", .group = "Machine", .choices = RT_WEIGHTS_CHOICES,
        .help = "How weights are held: as the file has them (auto: never changes a byte), or rounded to bf16 or int8."),
    ROW(kv_dtype, CHOICE, .default_value = "f32", .argument = "NAME", .choices = "f32|bf16",
        .help = "How the cache holds keys and values; bf16 takes half the memory and rounds them, as rl does when told "
                "the same."),
    ROW(batch, INT, .default_value = "64", .argument = "N", .minimum = 1, .maximum = 65536,
        .help = "Responses sampled at once; changes speed and memory, never a byte."),
    ROW(threads, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1024,
        .help = "Threads to compute with, 0 for all processors; changes speed, never a byte."),
    ROW(speculative_tokens, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 15,
        .help = RT_HELP_SPECULATIVE_TOKENS),
    ROW(cache_memory, STRING, .argument = "SIZE", .help = RT_HELP_CACHE_MEMORY),
    ROW(memory_limit, STRING, .argument = "SIZE", .help = RT_HELP_MEMORY_LIMIT),
    {0}};

typedef struct command {
    const retort_sample_options *options;
    rt_model model;
    rt_lora_config lora; /* r 0: no adapter */
    rt_tokenizer *tokenizer;
    rt_prompt_file file;
    rt_decoder *decoder;
    rt_bans *bans;
    rt_ids stop_ids;
    uint8_t *banned;
    char **stop;
    int32_t num_stop;
    rt_sampling sampling;
    rt_atomic_file output;
    FILE *stream;
    bool text_form; /* for reading, not JSON */
    rt_buffer line, text;
} command;

/* ---- options ---- */

static retort_status parse_ids(const char *list, const char *name, int64_t vocab, rt_ids *out, retort_error *err) {
    for (const char *at = list; at != NULL && *at != '\0';) {
        char *end;
        errno = 0;
        long long id = strtoll(at, &end, 10);
        RT_CHECK(end != at && (*end == ',' || *end == '\0') && errno == 0 && id >= 0 && id < vocab, err,
                 RETORT_ERR_USAGE, "'%s' has '%.*s', must be a list of token ids from 0 to %lld", name,
                 (int)strcspn(at, ","), at, (long long)vocab - 1);
        RT_TRY(rt_ids_push(out, (int32_t)id, err));
        at = *end == ',' ? end + 1 : end;
    }
    return RETORT_OK;
}

/* \n, \t and \\ in place, so that a stop string can be a newline. */
static void unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        bool escape = from[0] == '\\' && from[1] != '\0' && strchr("nt\\", from[1]) != NULL;
        if (escape) from++;
        *to++ = !escape ? *from : *from == 'n' ? '\n' : *from == 't' ? '\t' : '\\';
    }
    *to = '\0';
}

static retort_status parse_stop(command *c, retort_error *err) {
    const char *list = c->options->stop;
    size_t most = 1;
    if (list == NULL) return RETORT_OK;
    for (const char *at = list; *at != '\0'; at++) most += *at == ',';
    c->stop = rt_calloc(most, sizeof *c->stop);
    RT_CHECK(c->stop != NULL, err, RETORT_ERR_MEMORY, "out of memory: stop strings");
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length > 0) {
            char *text = rt_strndup(at, length);
            RT_CHECK(text != NULL, err, RETORT_ERR_MEMORY, "out of memory: stop strings");
            unescape(text);
            c->stop[c->num_stop++] = text;
        }
        at += length + (at[length] == ',');
    }
    return RETORT_OK;
}

static retort_status parse_banned_ids(command *c, retort_error *err) {
    int64_t vocab = c->model.config.vocab_size;
    if (c->options->banned_ids == NULL) return RETORT_OK;
    rt_ids ids = {0};
    retort_status st = parse_ids(c->options->banned_ids, "banned_ids", vocab, &ids, err);
    if (st == RETORT_OK) c->banned = rt_calloc((size_t)vocab, 1);
    if (st == RETORT_OK && c->banned == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: banned ids");
    for (int64_t i = 0; st == RETORT_OK && i < ids.count; i++) c->banned[ids.data[i]] = 1;
    rt_ids_free(&ids);
    return st;
}

static retort_status parse_ban_list(command *c, retort_error *err) {
    if (c->options->ban_list == NULL) return RETORT_OK;
    rt_ban_list list = {0};
    retort_status st = rt_ban_list_read(c->options->ban_list, &list, err);
    const rt_ban_terms terms = {list.patterns, list.count, (const char *const *)c->stop, c->num_stop};
    if (st == RETORT_OK) st = rt_bans_create(c->tokenizer, NULL, &terms, &c->bans, err);
    rt_ban_list_free(&list);
    return st;
}

static retort_status set_sampling(command *c, retort_error *err) {
    const retort_sample_options *o = c->options;
    RT_TRY(parse_ids(o->stop_ids, "stop_ids", c->model.config.vocab_size, &c->stop_ids, err));
    RT_TRY(parse_stop(c, err));
    RT_TRY(parse_banned_ids(c, err));
    RT_TRY(parse_ban_list(c, err));
    c->sampling = (rt_sampling){.temperature = (float)o->temperature,
                                .top_p = (float)o->top_p,
                                .top_k = (int32_t)o->top_k,
                                .min_p = (float)o->min_p,
                                .seed = (uint64_t)o->seed,
                                .max_new_tokens = o->max_new_tokens,
                                .stop_ids = c->stop_ids.data,
                                .num_stop_ids = (int32_t)c->stop_ids.count,
                                .stop = (const char *const *)c->stop,
                                .num_stop = c->num_stop,
                                .banned = c->banned,
                                .bans = c->bans,
                                .ban_mode = (rt_ban_mode)o->ban_mode,
                                .ban_penalty = (float)o->ban_penalty,
                                .ban_cap = (float)o->ban_cap,
                                .speculative_tokens = (int32_t)o->speculative_tokens,
                                .ignore_eos = o->ignore_eos};
    return RETORT_OK;
}

/* ---- output ---- */

/* Nine digits bring every float back. JSON wants a point whatever the caller's locale says. */
static retort_status put_real(rt_buffer *out, float value, retort_error *err) {
    size_t begin = out->length;
    RT_TRY(rt_buffer_printf(out, err, "%.9g", (double)value));
    char *comma = strchr(out->data + begin, ',');
    if (comma != NULL) *comma = '.';
    return RETORT_OK;
}

/* Takes the reference. */
static retort_status put_json(rt_buffer *out, json_t *value, retort_error *err) {
    RT_CHECK(value != NULL, err, RETORT_ERR_MEMORY, "out of memory: response line");
    retort_status st = rt_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT, out, err);
    json_decref(value);
    return st;
}

/* The strict grader's verdict, which is what rewards stand on; NULL where the prompt's problem cannot be graded. */
static retort_status verdict_of(const command *c, int64_t prompt, const char **out, retort_error *err) {
    *out = NULL;
    if (c->file.problems.count == 0) return RETORT_OK;
    const rt_question *question = &c->file.problems.items[prompt].question;
    if (question->family == RT_FAMILY_TEXT && question->answer == NULL) return RETORT_OK;
    rt_verdict verdict;
    RT_TRY(rt_grade_strict(question, c->text.data, c->text.length, &verdict, err));
    *out = rt_verdict_name(verdict);
    return RETORT_OK;
}

static const char *finish_name(rt_finish finish) {
    return finish == RT_FINISH_STOP ? "stop" : "length";
}

static retort_status put_logprobs(rt_buffer *out, const char *key, const float *values, int64_t count,
                                  retort_error *err) {
    RT_TRY(rt_buffer_printf(out, err, ", \"%s\": [", key));
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) RT_TRY(rt_buffer_puts(out, ", ", err));
        RT_TRY(put_real(out, values[i], err));
    }
    return rt_buffer_puts(out, "]", err);
}

static retort_status json_line(command *c, int64_t prompt, int64_t sample, const rt_response *r, retort_error *err) {
    rt_buffer *out = &c->line;
    RT_TRY(rt_buffer_puts(out, "{\"problem_id\": ", err));
    RT_TRY(put_json(out, json_incref(c->file.names[prompt]), err));
    RT_TRY(rt_buffer_printf(out, err, ", \"sample\": %lld, \"token_ids\": [", (long long)sample));
    for (int64_t i = 0; i < r->count; i++) RT_TRY(rt_buffer_printf(out, err, "%s%d", i > 0 ? ", " : "", r->ids[i]));
    RT_TRY(rt_buffer_puts(out, "]", err));
    RT_TRY(put_logprobs(out, "logprobs", r->logp, r->count, err));
    if (c->bans != NULL) RT_TRY(put_logprobs(out, "drawn_logprobs", r->drawn, r->count, err));
    RT_TRY(rt_buffer_puts(out, ", \"text\": ", err));
    RT_TRY(put_json(out, rt_json_text(c->text.data, c->text.length), err));
    RT_TRY(rt_buffer_printf(out, err, ", \"finish_reason\": \"%s\", \"model\": ", finish_name(r->finish)));
    RT_TRY(put_json(out, rt_json_text(c->options->model, strlen(c->options->model)), err));
    const char *verdict;
    RT_TRY(verdict_of(c, prompt, &verdict, err));
    if (verdict != NULL) RT_TRY(rt_buffer_printf(out, err, ", \"verdict\": \"%s\"", verdict));
    return rt_buffer_puts(out, "}\n", err);
}

static retort_status text_lines(command *c, int64_t prompt, int64_t sample, const rt_response *r, retort_error *err) {
    const char *verdict;
    RT_TRY(verdict_of(c, prompt, &verdict, err));
    RT_TRY(rt_buffer_puts(&c->line, "--- ", err));
    RT_TRY(put_json(&c->line, json_incref(c->file.names[prompt]), err));
    RT_TRY(rt_buffer_printf(&c->line, err, ", sample %lld: %lld tokens, %s%s%s ---\n", (long long)sample,
                            (long long)r->count, finish_name(r->finish), verdict != NULL ? ", " : "",
                            verdict != NULL ? verdict : ""));
    RT_TRY(rt_buffer_append(&c->line, c->text.data, c->text.length, err));
    return rt_buffer_puts(&c->line, "\n\n", err);
}

static retort_status write_response(void *context, int64_t prompt, int64_t sample, const rt_response *response,
                                    retort_error *err) {
    command *c = context;
    rt_buffer_clear(&c->line);
    rt_buffer_clear(&c->text);
    RT_TRY(rt_response_text(&c->model.config, c->tokenizer, &c->sampling, response, &c->text, err));
    RT_TRY(rt_buffer_append(&c->text, "", 0, err)); /* an empty response is "", not NULL */
    RT_TRY(c->text_form ? text_lines(c, prompt, sample, response, err) : json_line(c, prompt, sample, response, err));
    bool written = fwrite(c->line.data, 1, c->line.length, c->stream) == c->line.length && fflush(c->stream) == 0;
    RT_CHECK(written, err, RETORT_ERR_IO, "cannot write %s%s%s: %s", c->output.stream != NULL ? "'" : "",
             c->output.stream != NULL ? c->options->output : "standard output", c->output.stream != NULL ? "'" : "",
             strerror(errno));
    return RETORT_OK;
}

/* ---- the command ---- */

static retort_status open_output(command *c, retort_error *err) {
    const char *output = c->options->output;
    c->stream = stdout;
    c->text_form = !c->options->json;
    if (output == NULL || strcmp(output, "-") == 0) return RETORT_OK;
    RT_TRY(rt_atomic_open(&c->output, output, err));
    c->stream = c->output.stream;
    c->text_form = false;
    return RETORT_OK;
}

static retort_status read_prompts(command *c, retort_error *err) {
    const retort_sample_options *o = c->options;
    const rt_prompting_settings settings = {o->system_prompt, o->instruction};
    rt_prompting prompting;
    RT_TRY(rt_prompting_load(o->model, c->tokenizer, &settings, &prompting, err));
    retort_status st = rt_prompt_file_read(o->prompts, &prompting, &c->model.config, o->max_new_tokens, &c->file, err);
    rt_prompting_release(&prompting);
    return st;
}

static rt_model_source source_of(const command *c) {
    const retort_sample_options *o = c->options;
    return (rt_model_source){o->model, o->adapter, (rt_weights_form)o->dtype, (rt_dtype)o->kv_dtype};
}

/* All that must be read before memory is taken for the model. */
static retort_status read_inputs(command *c, retort_error *err) {
    const retort_sample_options *o = c->options;
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)o->threads);
    const rt_model_source source = source_of(c);
    RT_TRY(rt_model_source_peek(&source, &c->model.config, &c->lora, err));
    RT_TRY(rt_tokenizer_load(o->model, &c->tokenizer, err));
    const rt_config *config = &c->model.config;
    RT_CHECK(rt_tokenizer_vocab_size(c->tokenizer) <= config->vocab_size, err, RETORT_ERR_FORMAT,
             "'%s': the tokenizer has %lld tokens, the model only %lld", o->model,
             (long long)rt_tokenizer_vocab_size(c->tokenizer), (long long)config->vocab_size);
    RT_TRY(set_sampling(c, err));
    return read_prompts(c, err);
}

static retort_status size_of(const command *c, rt_sampling_size *out, retort_error *err) {
    const retort_sample_options *o = c->options;
    int64_t jobs = c->file.count * o->n, slots = jobs < o->batch ? jobs : o->batch;
    *out = (rt_sampling_size){.slots = slots,
                              .capacity = c->file.longest + o->max_new_tokens,
                              .rows = slots > 256 ? slots : 256,
                              .responses = jobs,
                              .max_new_tokens = o->max_new_tokens};
    return rt_cache_size(&c->model.config, o->cache_memory, out, err);
}

static retort_status make_plan(const command *c, rt_plan *plan, retort_error *err) {
    const rt_config *config = &c->model.config;
    rt_sampling_size size;
    RT_TRY(size_of(c, &size, err));
    RT_TRY(rt_plan_begin("sample", "program, tokenizer and prompts", c->options->memory_limit, plan, err));
    const rt_lora_config *lora = c->lora.r > 0 ? &c->lora : NULL;
    rt_plan_taken_weights(plan, config, lora);
    rt_plan_sampling(plan, config, lora, &size);
    plan->at_most = true;
    plan->threads = rt_compute_threads();
    plan->generated_tokens = (double)size.responses * (double)size.max_new_tokens;
    for (int64_t i = 0; i < c->file.count; i++) {
        plan->sample_flops +=
            rt_sample_most_flops(config, c->file.prompts[i].count, c->options->n, size.max_new_tokens);
    }
    return RETORT_OK;
}

static retort_status prepare(command *c, retort_error *err) {
    rt_plan plan;
    RT_TRY(read_inputs(c, err));
    RT_TRY(make_plan(c, &plan, err));
    RT_TRY(rt_plan_check(&plan, err));
    const rt_model_source source = source_of(c);
    RT_TRY(rt_model_open(&source, &c->model, err));
    rt_sampling_size size;
    RT_TRY(size_of(c, &size, err));
    RT_TRY(rt_sampling_decoder_taking(&c->model, &size, &c->decoder, err));
    return open_output(c, err);
}

static void release(command *c) {
    rt_atomic_abort(&c->output);
    rt_decoder_destroy(c->decoder);
    rt_prompt_file_free(&c->file);
    rt_bans_destroy(c->bans);
    rt_tokenizer_destroy(c->tokenizer);
    rt_model_release(&c->model);
    for (int32_t i = 0; i < c->num_stop; i++) rt_free(c->stop[i]);
    rt_free(c->stop);
    rt_free(c->banned);
    rt_ids_free(&c->stop_ids);
    rt_buffer_free(&c->line);
    rt_buffer_free(&c->text);
}

/* What was finished before an interrupt stays under the temporary name. */
static retort_status keep_partial(command *c, retort_error *err) {
    if (c->output.stream == NULL) return RETORT_ERR_INTERRUPTED;
    retort_status st = rt_fail(err, RETORT_ERR_INTERRUPTED,
                               "interrupted; the responses finished so far are in '%s', run the command again for all",
                               c->output.temporary);
    fclose(c->output.stream);
    rt_free(c->output.temporary);
    c->output.stream = NULL;
    c->output.temporary = NULL;
    return st;
}

static retort_status run(command *c, const retort_progress *progress, retort_error *err) {
    rt_response *responses = NULL;
    RT_TRY(prepare(c, err));
    retort_status st = rt_sample(c->decoder, &c->model.config, c->tokenizer, c->file.prompts, c->file.count,
                                 c->options->n, &c->sampling, write_response, c, progress, "sample", &responses, err);
    if (st == RETORT_ERR_INTERRUPTED) return keep_partial(c, err);
    RT_TRY(st);
    rt_responses_free(responses, c->file.count * c->options->n);
    return c->output.stream != NULL ? rt_atomic_commit(&c->output, err) : RETORT_OK;
}

retort_status retort_sample(const retort_sample_options *options, const retort_progress *progress, retort_error *err) {
    command c = {.options = options};
    retort_status st = run(&c, progress, err);
    release(&c);
    return st;
}

static retort_status predict(const command *c, const retort_machine *machine, const rt_sampling_size *size,
                             rt_plan *plan, retort_error *err) {
    rt_sampling_load load = {.prompts = (double)c->file.count,
                             .n = (double)c->options->n,
                             .fresh = (double)size->max_new_tokens,
                             .slots = (double)size->slots};
    for (int64_t i = 0; i < c->file.count; i++) load.prompt += (double)c->file.prompts[i].count / load.prompts;
    RT_TRY(rt_plan_elsewhere(plan, machine, err));
    RT_TRY(rt_ceilings_of(machine, &plan->machine, err));
    plan->sample_cost = rt_sampling_cost(&c->model.config, &load, &plan->machine);
    return RETORT_OK;
}

retort_status retort_sample_plan(const retort_sample_options *options, const retort_machine *machine, bool json,
                                 char **out, size_t *length, retort_error *err) {
    command c = {.options = options};
    rt_plan plan;
    rt_sampling_size size;
    double seconds = 0;
    *out = NULL;
    retort_status st = read_inputs(&c, err);
    if (st == RETORT_OK) st = make_plan(&c, &plan, err);
    if (st == RETORT_OK) st = size_of(&c, &size, err);
    if (st == RETORT_OK) st = predict(&c, machine, &size, &plan, err);
    if (st == RETORT_OK) st = rt_calibrate_decoding(&c.model.config, size.slots, &seconds, err);
    if (st == RETORT_OK) {
        plan.sample_seconds = seconds * plan.sample_flops;
        st = rt_plan_result(&plan, json, NULL, out, length, err);
    }
    release(&c);
    return st;
}
