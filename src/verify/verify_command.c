/* retort verify: one pair, or a file of pairs. */
#include <string.h>

#include "core/json.h"
#include "verify/batch.h"

enum { CHUNK = 2048 };

const retort_option retort_verify_option_table[] = {
    {.name = "gold",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_verify_command_options, gold),
     .argument = "ANSWER",
     .help = "The known answer of a single pair.",
     .group = "Input"},
    {.name = "pred",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_verify_command_options, pred),
     .argument = "RESPONSE",
     .help = "The response that is graded against it."},
    {.name = "jsonl",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_verify_command_options, jsonl),
     .argument = "FILE",
     .help = "A file of pairs: gold, pred and optionally id and profile on each line."},
    {.name = "profile",
     .type = RETORT_OPTION_CHOICE,
     .offset = offsetof(retort_verify_command_options, profile),
     .default_value = "strict",
     .choices = "strict|tolerant",
     .help = "strict: only a complete \\boxed{} counts, as for rewards. tolerant: other usual forms count as well.",
     .group = "Grading"},
    {.name = "rounding",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_verify_command_options, rounding),
     .help = "A decimal gold answer is also right for a value that rounds to it."},
    {.name = "budget",
     .type = RETORT_OPTION_INT,
     .offset = offsetof(retort_verify_command_options, budget),
     .default_value = "4000000",
     .argument = "N",
     .minimum = 1,
     .maximum = 1e12,
     .help = "Operations that a pair may cost; beyond, its verdict is over-budget. The same on every machine."},
    {.name = "explain",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_verify_command_options, explain),
     .help = "Prints both canonical forms, where the answer was found and the reason.",
     .group = "Output"},
    {.name = NULL}};

static retort_status write_text(FILE *out, const char *text, size_t length, retort_error *err) {
    RT_CHECK(fwrite(text, 1, length, out) == length, err, RETORT_ERR_IO, "cannot write the verdicts");
    return RETORT_OK;
}

static const char *side_name(retort_verify_side side) {
    return side == RETORT_SIDE_GOLD ? "gold" : side == RETORT_SIDE_PRED ? "pred" : NULL;
}

static retort_status write_json(FILE *out, const rt_verify_job *job, json_t *id, retort_error *err) {
    const retort_verify_result *r = &job->result;
    json_t *reason = rt_json_text(r->reason, strlen(r->reason)), *object = NULL;
    json_t *gold = r->gold == NULL ? json_null() : rt_json_text(r->gold, strlen(r->gold));
    json_t *pred = r->pred == NULL ? json_null() : rt_json_text(r->pred, strlen(r->pred));
    /* The references of gold, pred and reason go to the object, whether it is made or not. */
    object =
        json_pack("{s:s, s:o, s:o, s:o, s:s, s:s?}", "verdict", retort_verdict_name(r->verdict), "gold", gold, "pred",
                  pred, "reason", reason, "rule", retort_extract_rule_name(r->rule), "side", side_name(r->side));
    rt_buffer line = {0};
    retort_status st = object == NULL ? rt_fail(err, RETORT_ERR_MEMORY, "out of memory for a verdict") : RETORT_OK;
    if (st == RETORT_OK && id != NULL) {
        json_t *first = json_pack("{s:O}", "id", id);
        if (first == NULL || json_object_update(first, object) != 0) {
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory for a verdict");
            json_decref(first);
        } else {
            json_decref(object);
            object = first;
        }
    }
    if (st == RETORT_OK) st = rt_json_dump(object, JSON_COMPACT, &line, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&line, "\n", err);
    if (st == RETORT_OK) st = write_text(out, line.data, line.length, err);
    json_decref(object);
    rt_buffer_free(&line);
    return st;
}

static retort_status write_plain(FILE *out, const rt_verify_job *job, const json_t *id, bool explain,
                                 retort_error *err) {
    const retort_verify_result *r = &job->result;
    rt_buffer line = {0};
    retort_status st = RETORT_OK;
    if (json_is_string(id))
        st = rt_buffer_printf(&line, err, "%s  ", json_string_value(id));
    else if (json_is_integer(id))
        st = rt_buffer_printf(&line, err, "%lld  ", (long long)json_integer_value(id));
    if (st == RETORT_OK) st = rt_buffer_printf(&line, err, "%s\n", retort_verdict_name(r->verdict));
    if (st == RETORT_OK && explain)
        st = rt_buffer_printf(&line, err, "  gold    %s\n  pred    %s\n  found   %s\n  reason  %s\n",
                              r->gold == NULL ? "-" : r->gold, r->pred == NULL ? "-" : r->pred,
                              retort_extract_rule_name(r->rule), r->reason);
    if (st == RETORT_OK) st = write_text(out, line.data, line.length, err);
    rt_buffer_free(&line);
    return st;
}

/* Pairs of a file, graded and written a chunk at a time. */
typedef struct bulk {
    const retort_verify_command_options *options;
    const char *path;
    bool json;
    FILE *out;
    rt_verify_job *jobs;
    json_t **lines; /* hold the texts of the jobs */
    char **numbers; /* texts of golds and predictions that are JSON numbers, two a pair */
    size_t count;
} bulk;

static retort_verify_options pair_options(const retort_verify_command_options *options, bool canonical) {
    return (retort_verify_options){.profile = (retort_profile)options->profile,
                                   .rounding = options->rounding,
                                   .canonical = canonical,
                                   .budget = options->budget};
}

static retort_status flush_chunk(bulk *b, retort_error *err) {
    retort_status st = rt_verify_batch(b->jobs, b->count, err);
    bool graded = st == RETORT_OK;
    for (size_t i = 0; i < b->count; i++) {
        json_t *id = json_object_get(b->lines[i], "id");
        if (st == RETORT_OK && b->json)
            st = write_json(b->out, &b->jobs[i], id, err);
        else if (st == RETORT_OK)
            st = write_plain(b->out, &b->jobs[i], id, b->options->explain, err);
        if (graded) retort_verify_result_release(&b->jobs[i].result);
        json_decref(b->lines[i]);
        rt_free(b->numbers[2 * i]);
        rt_free(b->numbers[2 * i + 1]);
    }
    b->count = 0;
    return st;
}

/* A string, or a number as its JSON text. */
static retort_status member_text(bulk *b, const json_t *object, const char *key, size_t line, char **number,
                                 const char **text, size_t *length, retort_error *err) {
    const json_t *value = json_object_get(object, key);
    *number = NULL;
    if (json_is_string(value)) {
        *text = json_string_value(value);
        *length = json_string_length(value);
        return RETORT_OK;
    }
    RT_CHECK(json_is_number(value), err, RETORT_ERR_FORMAT, "'%s' line %zu: '%s' must be a string or a number", b->path,
             line, key);
    rt_buffer buffer = {0};
    RT_TRY(rt_json_dump(value, JSON_ENCODE_ANY, &buffer, err));
    *number = buffer.data;
    *text = buffer.data;
    *length = buffer.length;
    return RETORT_OK;
}

static retort_status add_pair(void *context, json_t *object, size_t line, retort_error *err) {
    bulk *b = context;
    rt_verify_job job = {.options = pair_options(b->options, b->json || b->options->explain)};
    char **numbers = &b->numbers[2 * b->count];
    const json_t *profile = json_object_get(object, "profile");
    if (profile != NULL && !json_is_null(profile)) {
        const char *name = json_is_string(profile) ? json_string_value(profile) : "";
        RT_CHECK(strcmp(name, "strict") == 0 || strcmp(name, "tolerant") == 0, err, RETORT_ERR_FORMAT,
                 "'%s' line %zu: 'profile' must be strict or tolerant", b->path, line);
        job.options.profile = strcmp(name, "strict") == 0 ? RETORT_PROFILE_STRICT : RETORT_PROFILE_TOLERANT;
    }
    RT_TRY(member_text(b, object, "gold", line, &numbers[0], &job.gold.text, &job.gold.length, err));
    retort_status st = member_text(b, object, "pred", line, &numbers[1], &job.pred.text, &job.pred.length, err);
    if (st != RETORT_OK) {
        rt_free(numbers[0]);
        return st;
    }
    b->jobs[b->count] = job;
    b->lines[b->count++] = json_incref(object);
    return b->count == CHUNK ? flush_chunk(b, err) : RETORT_OK;
}

static retort_status verify_file(const retort_verify_command_options *options, bool json, FILE *out,
                                 retort_error *err) {
    bulk b = {.options = options, .path = options->jsonl, .json = json, .out = out};
    b.jobs = rt_malloc_array(CHUNK, sizeof *b.jobs);
    b.lines = rt_malloc_array(CHUNK, sizeof *b.lines);
    b.numbers = rt_calloc(2 * (size_t)CHUNK, sizeof *b.numbers);
    retort_status st = RETORT_OK;
    if (b.jobs == NULL || b.lines == NULL || b.numbers == NULL)
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory for a chunk of pairs");
    if (st == RETORT_OK) st = rt_jsonl_read(options->jsonl, add_pair, &b, err);
    /* After an error in a line those before it are still written. */
    retort_error second = {0};
    retort_status flushed =
        b.jobs != NULL && b.lines != NULL && b.numbers != NULL ? flush_chunk(&b, &second) : RETORT_OK;
    if (st == RETORT_OK && flushed != RETORT_OK) {
        st = flushed;
        if (err != NULL) *err = second;
    }
    rt_free(b.numbers);
    rt_free(b.lines);
    rt_free(b.jobs);
    return st;
}

retort_status retort_verify_command(const retort_verify_command_options *options, bool json, FILE *out,
                                    retort_error *err) {
    bool pair = options->gold != NULL || options->pred != NULL;
    RT_CHECK(pair != (options->jsonl != NULL), err, RETORT_ERR_USAGE,
             "verify needs either --gold with --pred, or --jsonl FILE");
    if (options->jsonl != NULL) return verify_file(options, json, out, err);
    RT_CHECK(options->gold != NULL, err, RETORT_ERR_USAGE, "verify needs --gold beside --pred");
    rt_verify_job job = {.gold = retort_gold_of(options->gold),
                         .pred = retort_pred_of(options->pred == NULL ? "" : options->pred),
                         .options = pair_options(options, json || options->explain)};
    RT_TRY(retort_verify(job.gold, job.pred, &job.options, &job.result, err));
    retort_status st = json ? write_json(out, &job, NULL, err) : write_plain(out, &job, NULL, options->explain, err);
    retort_verify_result_release(&job.result);
    return st;
}
