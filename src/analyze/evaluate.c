#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"
#include "core/file.h"
#include "core/progress.h"
#include "data/world.h"
#include "retort/analyze.h"

/* What one evaluation holds while it runs. */
typedef struct evaluator {
    const rt_evaluation *what;
    rt_model model;
    rt_tokenizer *tokenizer;
    rt_decoder *decoder;
    rt_bans *bans;
    rt_ids *ids;        /* [problems] */
    rt_prompt *prompts; /* [problems] */
    rt_atomic_file file;
    rt_response_set *set;
    rt_sampling sampling;
} evaluator;

static retort_status render_prompts(evaluator *e, int64_t *longest, retort_error *err) {
    const rt_problems *problems = e->what->problems;
    e->ids = rt_calloc((size_t)problems->count, sizeof *e->ids);
    e->prompts = rt_calloc((size_t)problems->count, sizeof *e->prompts);
    RT_CHECK(e->ids != NULL && e->prompts != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld prompts",
             (long long)problems->count);
    rt_prompting prompting;
    RT_TRY(rt_prompting_load(e->what->model.dir, e->tokenizer, &e->what->prompting, &prompting, err));
    retort_status st = RETORT_OK;
    *longest = 0;
    for (int64_t i = 0; i < problems->count && st == RETORT_OK; i++) {
        st = rt_prompting_problem(&prompting, problems->items[i].problem, &e->ids[i], err);
        e->prompts[i] = (rt_prompt){e->ids[i].data, e->ids[i].count, rt_prompt_key(problems->items[i].id)};
        if (e->ids[i].count > *longest) *longest = e->ids[i].count;
    }
    rt_prompting_release(&prompting);
    return st;
}

static retort_status prepare(evaluator *e, retort_error *err) {
    const rt_evaluation *what = e->what;
    RT_TRY(rt_compute_init(err));
    RT_TRY(rt_model_open(&what->model, &e->model, err));
    RT_TRY(rt_tokenizer_load(what->model.dir, &e->tokenizer, err));
    int64_t longest = 0;
    RT_TRY(render_prompts(e, &longest, err));
    int64_t capacity = longest + what->sampling.max_new_tokens;
    int64_t total = what->problems->count * what->n;
    int64_t slots = total < what->batch ? total : what->batch;
    RT_TRY(rt_decoder_create(&e->model, slots, capacity, slots > longest ? slots : longest, &e->decoder, err));
    e->sampling = what->sampling;
    if (what->bans != NULL && what->bans->count > 0) {
        const rt_ban_terms terms = {what->bans->patterns, what->bans->count, e->sampling.stop, e->sampling.num_stop};
        RT_TRY(rt_bans_create(e->tokenizer, NULL, &terms, &e->bans, err));
        e->sampling.bans = e->bans;
    }
    e->set->records = rt_calloc((size_t)total, sizeof *e->set->records);
    e->set->model = rt_strdup(what->name);
    e->set->problems = what->problems->count;
    RT_CHECK(e->set->records != NULL && e->set->model != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses",
             (long long)total);
    return RETORT_OK;
}

/* Tokens up to the one that closes the graded box. */
static int64_t tokens_to(const evaluator *e, const rt_response *response, size_t end) {
    size_t length = 0;
    for (int64_t i = 0; i < response->count; i++) {
        size_t piece = 0;
        (void)rt_tokenizer_piece(e->tokenizer, response->ids[i], &piece);
        length += piece;
        if (length >= end) return i + 1;
    }
    return response->count;
}

static retort_status write_line(evaluator *e, const rt_problem *problem, const rt_record *record, retort_error *err) {
    json_t *text = rt_json_text(record->text, record->length);
    json_t *line = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "problem_id", problem->id, "sample",
                             (int)record->sample, "model", e->what->name, "verdict", rt_verdict_name(record->verdict),
                             "strict", rt_verdict_name(record->by[RT_GRADER_STRICT]), "tolerant",
                             rt_verdict_name(record->by[RT_GRADER_TOLERANT]), "finish_reason",
                             record->finish == RT_FINISH_STOP ? "stop" : "length", "tokens", (json_int_t)record->tokens,
                             "answer_tokens", (json_int_t)record->answer_tokens);
    bool complete = line != NULL && text != NULL && rt_problem_write_gold(problem, line);
    if (complete && record->reason != NULL)
        json_object_set_new(line, "reason", rt_json_text(record->reason, strlen(record->reason)));
    if (!complete || json_object_set(line, "text", text) != 0) {
        json_decref(line);
        line = NULL;
    }
    json_decref(text);
    return rt_jsonl_write(&e->file, line, err);
}

static retort_status take_response(void *context, int64_t problem, int64_t sample, const rt_response *response,
                                   retort_error *err) {
    evaluator *e = context;
    const rt_problem *asked = &e->what->problems->items[problem];
    rt_record *record = &e->set->records[e->set->count++];
    rt_buffer text = {0};
    *record = (rt_record){
        .problem = (int32_t)problem, .sample = (int32_t)sample, .tokens = response->count, .finish = response->finish};
    retort_status st = rt_response_text(&e->model.config, e->tokenizer, &e->sampling, response, &text, err);
    if (st == RETORT_OK) st = rt_buffer_append(&text, "", 0, err);
    if (st != RETORT_OK) {
        rt_buffer_free(&text);
        return st;
    }
    record->text = text.data; /* ownership moves to the record */
    record->length = text.length;
    RT_TRY(rt_record_grade(record, &asked->question, e->what->grader, err));
    size_t begin, end;
    if (rt_answer_boxed(text.data, text.length, &begin, &end)) record->answer_tokens = tokens_to(e, response, end + 1);
    return e->file.stream != NULL ? write_line(e, asked, record, err) : RETORT_OK;
}

static void finish(evaluator *e) {
    if (e->ids != NULL)
        for (int64_t i = 0; i < e->what->problems->count; i++) rt_ids_free(&e->ids[i]);
    rt_free(e->ids);
    rt_free(e->prompts);
    rt_bans_destroy(e->bans);
    rt_decoder_destroy(e->decoder);
    rt_tokenizer_destroy(e->tokenizer);
    rt_model_release(&e->model);
    rt_atomic_abort(&e->file);
}

static retort_status run(evaluator *e, const retort_progress *progress, double *flops, retort_error *err) {
    const rt_evaluation *what = e->what;
    RT_TRY(prepare(e, err));
    if (what->path != NULL) RT_TRY(rt_atomic_open(&e->file, what->path, err));
    rt_response *responses = NULL;
    RT_TRY(rt_sample(e->decoder, &e->model.config, e->tokenizer, e->prompts, what->problems->count, what->n,
                     &e->sampling, take_response, e, progress, what->stage, &responses, err));
    int64_t total = what->problems->count * what->n;
    if (flops != NULL)
        *flops = rt_sample_flops(&e->model.config, e->prompts, what->problems->count, what->n, responses);
    rt_responses_free(responses, total);
    RT_CHECK(e->set->count == total, err, RETORT_ERR_STATE, "%lld responses came back of %lld asked for",
             (long long)e->set->count, (long long)total);
    return e->file.stream != NULL ? rt_atomic_commit(&e->file, err) : RETORT_OK;
}

retort_status rt_evaluate(const rt_evaluation *evaluation, const retort_progress *progress, rt_response_set *out,
                          double *flops, retort_error *err) {
    *out = (rt_response_set){0};
    RT_CHECK(evaluation->problems->count > 0 && evaluation->n > 0, err, RETORT_ERR_USAGE,
             "there is nothing to evaluate: %lld problems, %lld samples", (long long)evaluation->problems->count,
             (long long)evaluation->n);
    evaluator e = {.what = evaluation, .set = out};
    retort_status st = run(&e, progress, flops, err);
    finish(&e);
    if (st != RETORT_OK) rt_response_set_free(out);
    return st;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

#define FIELD(name) offsetof(retort_eval_options, name)
const retort_option retort_eval_option_table[] = {
    {"model", RETORT_OPTION_STRING, FIELD(model), NULL, "DIR", "model directory", "Input", 0, 0, NULL, true},
    {"adapter", RETORT_OPTION_STRING, FIELD(adapter), NULL, "DIR",
     "PEFT folder of a LoRA adapter of the model; applied as in training, not merged", NULL, 0, 0, NULL, false},
    {"problems", RETORT_OPTION_STRING, FIELD(problems), NULL, "FILE",
     "problems, JSONL; default: problems of the world's split", NULL, 0, 0, NULL, false},
    {"split", RETORT_OPTION_STRING, FIELD(split), "validation", "NAME",
     "split of the world when no file is given: validation, test, hard, transfer, ...", NULL, 0, 0, NULL, false},
    {"count", RETORT_OPTION_INT, FIELD(count), "100", "N", "problems taken from the split", NULL, 1, 1e7, NULL, false},
    {"problems_seed", RETORT_OPTION_INT, FIELD(problems_seed), "1", "N", "seed that chooses them", NULL, 0, 1e9, NULL,
     false},
    {"system_prompt", RETORT_OPTION_STRING, FIELD(system_prompt), NULL, "TEXT", RT_HELP_SYSTEM_PROMPT, NULL, 0, 0, NULL,
     false},
    {"instruction", RETORT_OPTION_STRING, FIELD(instruction), NULL, "TEXT", RT_HELP_INSTRUCTION, NULL, 0, 0, NULL,
     false},
    {"output", RETORT_OPTION_STRING, FIELD(output), NULL, "FILE",
     "keep the responses with both graders' verdicts, JSONL", NULL, 0, 0, NULL, false},
    {"grader", RETORT_OPTION_CHOICE, FIELD(grader), "tolerant", "NAME",
     "whose verdicts avg and pass@k count: tolerant, or strict (what rl is rewarded by); both are always shown", NULL,
     0, 0, "strict|tolerant", false},
    {"n", RETORT_OPTION_INT, FIELD(n), "16", "N", "samples a problem (avg@N)", "Sampling", 1, 4096, NULL, false},
    {"seed", RETORT_OPTION_INT, FIELD(seed), "1", "N", "seed of the sampler", NULL, 0, 1e15, NULL, false},
    {"max_new_tokens", RETORT_OPTION_INT, FIELD(max_new_tokens), "384", "N", "longest response, in tokens", NULL, 1,
     1e6, NULL, false},
    {"temperature", RETORT_OPTION_REAL, FIELD(temperature), "0.6", "T", "0: greedy", NULL, 0, 100, NULL, false},
    {"top_p", RETORT_OPTION_REAL, FIELD(top_p), "0.95", "P", "nucleus: smallest set of tokens with this mass", NULL, 0,
     1, NULL, false},
    {"top_k", RETORT_OPTION_INT, FIELD(top_k), "0", "K", "most probable tokens kept; 0: all", NULL, 0, 1e6, NULL,
     false},
    {"min_p", RETORT_OPTION_REAL, FIELD(min_p), "0", "P", "tokens kept have at least P times the top probability", NULL,
     0, 1, NULL, false},
    {"ban_list", RETORT_OPTION_LIST, FIELD(ban_list), NULL, "LIST",
     "categories of the shipped lexicons, lexicons or files of words and phrases that no response may hold", NULL, 0, 0,
     NULL, false},
    {"ban_mode", RETORT_OPTION_CHOICE, FIELD(ban_mode), "hard", "NAME",
     "what becomes of tokens that would spell one: never sampled, ban_penalty off their logits, or at most ban_cap of "
     "the probability",
     NULL, 0, 0, "hard|penalty|cap", false},
    {"ban_penalty", RETORT_OPTION_REAL, FIELD(ban_penalty), "5", "X",
     "taken off each such logit where ban_mode is penalty", NULL, 0, 1000, NULL, false},
    {"ban_cap", RETORT_OPTION_REAL, FIELD(ban_cap), "0.01", "P",
     "most that such tokens may have together where ban_mode is cap", NULL, 0, 1, NULL, false},
    {"dtype", RETORT_OPTION_CHOICE, FIELD(dtype), "auto", "NAME",
     "how weights are held: as the file has them (auto: never changes a result), or rounded to bf16", "Machine", 0, 0,
     "auto|f32|bf16", false},
    {"kv_dtype", RETORT_OPTION_CHOICE, FIELD(kv_dtype), "f32", "NAME",
     "how the cache holds keys and values; bf16 takes half the memory and rounds them, as rl does when told the same",
     NULL, 0, 0, "f32|bf16", false},
    {"batch", RETORT_OPTION_INT, FIELD(batch), "256", "N", "responses sampled at once; never changes a result", NULL, 1,
     4096, NULL, false},
    {"threads", RETORT_OPTION_INT, FIELD(threads), "0", "N", "threads (0: all processors); never changes a result",
     NULL, 0, 1024, NULL, false},
    {0}};

static retort_status load_problems(const retort_eval_options *options, rt_problems *out, retort_error *err) {
    if (options->problems != NULL) return rt_problems_read(options->problems, out, err);
    rt_split split;
    RT_TRY(rt_split_parse(options->split, &split, err));
    return rt_world_problems(split, options->count, (uint64_t)options->problems_seed, out, err);
}

static retort_status add_graders(const rt_problems *problems, const rt_response_set *set,
                                 const retort_eval_options *options, json_t *score, retort_error *err) {
    const char **ids = rt_malloc_array((size_t)problems->count, sizeof *ids);
    RT_CHECK(ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)problems->count);
    for (int64_t i = 0; i < problems->count; i++) ids[i] = problems->items[i].id;
    json_object_set_new(score, "grader", json_string(rt_grader_name((rt_grader)options->grader)));
    retort_status st = rt_graders_json(set, ids, score, err);
    rt_free(ids);
    return st;
}

retort_status retort_eval(const retort_eval_options *options, const retort_progress *progress, char **json,
                          retort_error *err) {
    RT_TRY(retort_options_check(retort_eval_option_table, options, err));
    RT_TRY(rt_compute_init(err));
    rt_compute_set_threads((int)options->threads);
    rt_problems problems = {0};
    rt_ban_list bans = {0};
    rt_response_set set = {0};
    json_t *score = NULL;
    double flops = 0;
    retort_status st = load_problems(options, &problems, err);
    if (st == RETORT_OK && options->ban_list != NULL) st = rt_ban_list_read(options->ban_list, &bans, err);
    if (st == RETORT_OK) {
        rt_evaluation evaluation = {
            .model = {options->model, options->adapter, (rt_weights_form)options->dtype, (rt_dtype)options->kv_dtype},
            .name = options->model,
            .problems = &problems,
            .grader = (rt_grader)options->grader,
            .n = options->n,
            .batch = options->batch,
            .sampling = {.temperature = (float)options->temperature,
                         .top_p = (float)options->top_p,
                         .top_k = (int32_t)options->top_k,
                         .min_p = (float)options->min_p,
                         .seed = (uint64_t)options->seed,
                         .max_new_tokens = options->max_new_tokens,
                         .ban_mode = (rt_ban_mode)options->ban_mode,
                         .ban_penalty = (float)options->ban_penalty,
                         .ban_cap = (float)options->ban_cap},
            .bans = &bans,
            .path = options->output,
            .prompting = {options->system_prompt, options->instruction},
            .stage = "eval",
        };
        st = rt_evaluate(&evaluation, progress, &set, &flops, err);
    }
    if (st == RETORT_OK) st = rt_score_json(&set, &score, err);
    if (st == RETORT_OK) st = add_graders(&problems, &set, options, score, err);
    if (st == RETORT_OK) {
        json_object_set_new(score, "model", json_string(options->model));
        rt_json_set_real(score, "flops", flops);
        st = rt_json_result(score, json, err);
        score = NULL;
    }
    json_decref(score);
    rt_response_set_free(&set);
    rt_ban_list_free(&bans);
    rt_problems_free(&problems);
    return st;
}
