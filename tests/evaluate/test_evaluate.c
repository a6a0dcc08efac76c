/* The parts of an evaluation: lists of benchmarks, budgets, earlier responses, the batch that fits into memory. Whole
 * runs are in tests/cli/cases/eval.sh and eval-endpoint.sh. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/compute.h"
#include "evaluate/benchmarks.h"
#include "evaluate/budget.h"
#include "evaluate/earlier.h"
#include "evaluate/keep.h"
#include "evaluate/manifest.h"
#include "evaluate/memory.h"
#include "evaluate/record.h"
#include "store/metrics.h"
#include "store/scores.h"

static retort_error err;

static void expect_message(retort_status st, retort_status expected, const char *part) {
    assert_int_equal(st, expected);
    if (strstr(err.message, part) == NULL) fail_msg("'%s' lacks '%s'", err.message, part);
}

/* ---- benchmarks ---- */

static const char PROBLEMS[] = "{\"id\": \"p\", \"problem\": \"1+1?\", \"answer\": \"2\"}\n"
                               "{\"id\": \"q\", \"problem\": \"2+2?\", \"answer\": \"4\"}\n";

static void benchmarks_with_samples(void **state) {
    (void)state;
    char *dir = make_dir(), list[600];
    rt_benchmarks found;
    write_text(dir, "a.jsonl", PROBLEMS);
    write_text(dir, "b.c.jsonl", PROBLEMS);
    write_text(dir, "d@7", PROBLEMS); /* a name that only looks like a number of samples */
    snprintf(list, sizeof list, "%s/a.jsonl@64,,%s/b.c.jsonl,%s/d@7", dir, dir, dir);
    assert_ok(rt_benchmarks_read(list, 5, &found, &err));
    assert_int_equal(found.count, 3);
    static const char *const NAMES[] = {"a", "b.c", "d@7"};
    static const int64_t SAMPLES[] = {64, 5, 5};
    for (int i = 0; i < 3; i++) {
        assert_string_equal(found.items[i].name, NAMES[i]);
        assert_int_equal(found.items[i].n, SAMPLES[i]);
        assert_int_equal(found.items[i].problems.count, 2);
    }
    rt_benchmarks_free(&found);
    static const char *const BAD[] = {"@0", "@5000", "@", "@3x", "@-1"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        snprintf(list, sizeof list, "%s/a.jsonl%s", dir, BAD[i]);
        expect_message(rt_benchmarks_read(list, 5, &found, &err), RETORT_ERR_USAGE, "behind @ stands");
        rt_benchmarks_free(&found);
    }
    expect_message(rt_benchmarks_read(",", 5, &found, &err), RETORT_ERR_USAGE, "no benchmark");
    rt_benchmarks_free(&found);
    drop_dir(dir);
}

static void hashes_tell_answers_apart(void **state) {
    (void)state;
    char *dir = make_dir(), list[600], first[65], second[65];
    rt_benchmarks found;
    write_text(dir, "a.jsonl", PROBLEMS);
    write_text(dir, "b.jsonl",
               "{\"id\": \"p\", \"problem\": \"1+1?\", \"answer\": \"2\"}\n"
               "{\"id\": \"q\", \"problem\": \"2+2?\", \"answer\": \"5\"}\n");
    write_text(dir, "c.jsonl",
               "{\"answer\": \"2\", \"id\": \"p\", \"problem\": \"1+1?\", \"note\": 1}\n"
               "{\"id\": \"q\", \"problem\": \"2+2?\", \"answer\": \"4\"}\n");
    snprintf(list, sizeof list, "%s/a.jsonl,%s/b.jsonl,%s/c.jsonl", dir, dir, dir);
    assert_ok(rt_benchmarks_read(list, 1, &found, &err));
    assert_ok(rt_benchmark_hash(&found.items[0], first, &err));
    assert_ok(rt_benchmark_hash(&found.items[1], second, &err));
    assert_string_not_equal(first, second);
    assert_ok(rt_benchmark_hash(&found.items[2], second, &err));
    assert_string_equal(first, second);
    rt_benchmarks_free(&found);
    drop_dir(dir);
}

/* ---- budgets ---- */

static void budgets_are_sorted(void **state) {
    (void)state;
    int64_t *budgets;
    int32_t count;
    assert_ok(rt_budgets_parse("512,64,1024", &budgets, &count, &err));
    assert_int_equal(count, 3);
    assert_true(budgets[0] == 64 && budgets[1] == 512 && budgets[2] == 1024);
    rt_free(budgets);
    assert_ok(rt_budgets_parse(NULL, &budgets, &count, &err));
    assert_true(budgets == NULL && count == 0);
    static const char *const BAD[] = {"0", "-4", "1,,2", "4x", "99999999999999999999", "8,8", "10000001"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        expect_message(rt_budgets_parse(BAD[i], &budgets, &count, &err), RETORT_ERR_USAGE, "'budget' has");
}

/* A thought is closed unless it ended within the budget, wherever its end tag is cut into tokens. */
static void thoughts_are_closed(void **state) {
    (void)state;
    rt_tokenizer *tokenizer = make_tokenizer();
    static const char *const TEXTS[] = {"so 1 < 2 </think> 3", "so 1 <</think> 3 and more", "no end of it at all"};
    for (size_t t = 0; t < sizeof TEXTS / sizeof *TEXTS; t++) {
        rt_ids ids = {0};
        const char *mark = strstr(TEXTS[t], RT_THOUGHT_END);
        const size_t end = mark != NULL ? (size_t)(mark - TEXTS[t]) + strlen(RT_THOUGHT_END) : SIZE_MAX;
        assert_ok(rt_tokenizer_encode(tokenizer, TEXTS[t], strlen(TEXTS[t]), false, &ids, &err));
        const rt_response response = {.ids = ids.data, .count = ids.count};
        size_t length = 0;
        for (int64_t budget = 1; budget <= ids.count + 1; budget++) {
            size_t piece = 0;
            if (budget <= ids.count) (void)rt_tokenizer_piece(tokenizer, ids.data[budget - 1], &piece);
            length += piece;
            assert_int_equal(rt_budget_closes(tokenizer, &response, budget), budget < ids.count && length < end);
        }
        rt_ids_free(&ids);
    }
    rt_tokenizer_destroy(tokenizer);
}

static void budget_paths(void **state) {
    (void)state;
    rt_buffer path = {0};
    assert_ok(rt_budget_path("out/r.jsonl", 512, &path, &err));
    assert_string_equal(path.data, "out/r.budget-512.jsonl");
    rt_buffer_clear(&path);
    assert_ok(rt_budget_path("r", 8, &path, &err));
    assert_string_equal(path.data, "r.budget-8.jsonl");
    rt_buffer_clear(&path);
    assert_ok(rt_manifest_path("out/r.jsonl", false, &path, &err));
    assert_string_equal(path.data, "out/r.manifest.json");
    rt_buffer_free(&path);
}

/* ---- earlier responses ---- */

#define LINE(problem, sample, tokens, finish, more)                                                                    \
    "{\"problem_id\":\"" problem "\",\"sample\":" sample ",\"tokens\":" tokens ",\"finish_reason\":\"" finish          \
    "\",\"text\":\"t\"" more "}\n"

static void earlier_responses(void **state) {
    (void)state;
    char *dir = make_dir(), list[600];
    rt_benchmarks found;
    rt_earlier earlier;
    write_text(dir, "a.jsonl", PROBLEMS);
    write_text(dir, "r.jsonl",
               LINE("q", "0", "2", "length", ",\"token_ids\":[5,6]") LINE("p", "1", "3", "stop", "")
                   LINE("p", "0", "1", "length", ",\"token_ids\":[9]") LINE("q", "1", "4", "length", ""));
    snprintf(list, sizeof list, "%s/a.jsonl", dir);
    assert_ok(rt_benchmarks_read(list, 2, &found, &err));
    const rt_problems *problems = &found.items[0].problems;
    char *path = rt_path_join(dir, "r.jsonl");
    assert_ok(rt_earlier_read(path, problems, 2, &earlier, &err));
    assert_int_equal(earlier.longest, 4);
    assert_true(earlier.items[0].cut && earlier.items[0].ids[0] == 9 && !earlier.items[1].cut);
    assert_true(earlier.items[2].ids[1] == 6 && earlier.items[3].cut && earlier.items[3].ids == NULL);
    rt_earlier_free(&earlier);
    static const struct {
        const char *text, *part;
        retort_status expected;
    } BAD[] = {
        {LINE("p", "0", "1", "stop", ""), "no response of problem 'p', sample 1", RETORT_ERR_NOT_FOUND},
        {LINE("p", "0", "1", "stop", "") LINE("p", "0", "1", "stop", ""), "stands there twice", RETORT_ERR_FORMAT},
        {LINE("x", "0", "1", "stop", ""), "'x' is not among", RETORT_ERR_NOT_FOUND},
        {LINE("p", "2", "1", "stop", ""), "'sample'", RETORT_ERR_FORMAT},
        {LINE("p", "0", "2", "length", ",\"token_ids\":[1]"), "is not a list of the 2 tokens", RETORT_ERR_FORMAT},
        {LINE("p", "0", "1", "length", ",\"token_ids\":[-1]"), "no token id", RETORT_ERR_FORMAT},
        {LINE("p", "0", "1", "length", ",\"token_ids\":[99999999999]"), "no token id", RETORT_ERR_FORMAT},
        {LINE("p", "0", "1", "length", ",\"token_ids\":7"), "is not a list", RETORT_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_text(dir, "r.jsonl", BAD[i].text);
        expect_message(rt_earlier_read(path, problems, 2, &earlier, &err), BAD[i].expected, BAD[i].part);
    }
    rt_free(path);
    rt_benchmarks_free(&found);
    drop_dir(dir);
}

/* ---- memory ---- */

static void the_batch_is_what_fits(void **state) {
    (void)state;
    rt_tokenizer *tokenizer = make_tokenizer();
    rt_model model = make_model(tokenizer, 0, 32768, 1);
    rt_plan plan, least, most;
    rt_sampling_size decoder;
    char note[200];
    rt_eval_size size = {.config = &model.config, .responses = 1000, .capacity = 20000, .max_new_tokens = 100};
    size.batch = 1;
    assert_ok(rt_eval_memory(&size, &least, &decoder, note, &err));
    size.batch = 200;
    assert_ok(rt_eval_memory(&size, &most, &decoder, note, &err));
    assert_true(decoder.slots == 200 && decoder.blocks == 0);
    assert_string_equal(note, "");
    /* Between the two; what was asked for stays and fails its check, what was not is lowered and passes. */
    char limit[40];
    snprintf(limit, sizeof limit, "%.0f", rt_plan_peak(&least) + (rt_plan_peak(&most) - rt_plan_peak(&least)) / 10);
    size.memory_limit = limit;
    assert_ok(rt_eval_memory(&size, &plan, &decoder, note, &err));
    assert_int_equal(decoder.slots, 200);
    assert_int_equal(rt_plan_check(&plan, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.detail, "keys and values"));
    size.batch = 0;
    assert_ok(rt_eval_memory(&size, &plan, &decoder, note, &err));
    const int64_t whole = decoder.blocks / rt_kv_blocks(size.capacity);
    assert_in_range(whole, 10, 25);
    assert_int_equal(decoder.slots, 4 * whole);
    assert_non_null(strstr(note, "responses at once instead of 256"));
    assert_ok(rt_plan_check(&plan, &err));
    size.memory_limit = NULL;
    size.responses = 3;
    assert_ok(rt_eval_memory(&size, &plan, &decoder, note, &err));
    assert_true(decoder.slots == 3 && decoder.blocks == 0);
    rt_model_release(&model);
    rt_tokenizer_destroy(tokenizer);
}

/* ---- the store ---- */

static retort_status count_metric(void *context, const rt_stored_metric *metric, retort_error *why) {
    int *found = context;
    (void)why;
    if (strcmp(metric->name, "a/avg@2") == 0 && strcmp(metric->method, "problems") == 0) {
        assert_true(metric->value == 0.5 && metric->n == 4 && metric->low == 0.1 && metric->high == 0.9);
        ++*found;
    }
    if (strcmp(metric->name, "a/maj@4") == 0 && strcmp(metric->method, "sampling") == 0) {
        assert_true(metric->value == 1 && isnan(metric->low));
        ++*found;
    }
    if (strcmp(metric->name, "a/budget-8/avg@2") == 0 && strcmp(metric->method, "sampling") == 0) {
        assert_true(metric->value == 0.25 && metric->low == 0.125 && metric->n == 3);
        ++*found;
    }
    if (strcmp(metric->name, "a/stop_rate") == 0 && metric->value == 0.75) ++*found;
    return RETORT_OK;
}

static retort_status check_scores(void *context, const rt_stored_response *response, retort_error *why) {
    (void)why;
    char **keys = context;
    for (int i = 0; i < 4; i++) {
        if (keys[i] != NULL) continue;
        keys[i] = strdup(response->key);
        assert_string_equal(response->text, i < 2 ? "\\boxed{2}" : "\\boxed{3}");
        return RETORT_OK;
    }
    fail_msg("more than four responses");
    return RETORT_OK;
}

/* Kept twice, it is there once; another seed is another run. */
static void a_run_is_kept_once(void **state) {
    (void)state;
    char *dir = make_dir(), list[600];
    rt_benchmarks found;
    write_text(dir, "a.jsonl", PROBLEMS);
    snprintf(list, sizeof list, "%s/a.jsonl", dir);
    assert_ok(rt_benchmarks_read(list, 2, &found, &err));
    rt_round round = {.problems = &found.items[0].problems, .n = 2, .prompts = "hash", .max_new_tokens = 9};
    assert_ok(rt_records_create(&round.set, "m", 2, 4, &err));
    for (int i = 0; i < 4; i++) {
        rt_buffer text = {0};
        const rt_answered answered = {.problem = i / 2, .sample = i % 2, .tokens = 5};
        assert_ok(rt_buffer_puts(&text, i < 2 ? "\\boxed{2}" : "\\boxed{3}", &err));
        assert_ok(rt_records_add(&round.set, &answered, &text, &found.items[0].problems.items[i / 2].question,
                                 RT_GRADER_STRICT, &err));
        rt_buffer_free(&text);
    }
    json_t *score = NULL, *manifest = NULL;
    static const char SCORE[] =
        "{\"avg\": 0.5, \"problems_interval\": [0.1, 0.9], \"maj_at\": {\"4\": 1}, \"maj_at_interval\": {\"4\": [0, "
        "1]}, "
        "\"maj_at_sampling_interval\": {\"4\": [null, null]}, \"stop_rate\": 0.75, \"curve\": [{\"budget\": 8, "
        "\"avg\": "
        "0.25, \"n\": 3, \"sampling_interval\": [0.125, 0.5]}, {\"budget\": null, \"avg\": 1}]}";
    static const char MANIFEST[] =
        "{\"files\": {\"model/x\": \"hash\"}, \"options\": {\"seed\": \"1\", \"temperature\": \"1\", "
        "\"top_p\": \"1\", \"top_k\": \"0\", \"min_p\": \"0\", \"ban_list\": \"\", \"ban_mode\": "
        "\"hard\", \"ban_penalty\": \"5\", \"ban_cap\": \"1\", \"dtype\": \"auto\", \"kv_dtype\": "
        "\"f32\"}}";
    assert_ok(rt_json_parse(SCORE, strlen(SCORE), "score", &score, &err));
    assert_ok(rt_json_parse(MANIFEST, strlen(MANIFEST), "manifest", &manifest, &err));
    char *path = rt_path_join(dir, "run.db"), *keys[4] = {NULL};
    const json_t *scores[] = {score};
    const rt_keeping keeping = {path, "m", manifest, &found, &round, scores};
    assert_ok(rt_eval_keep(&keeping, &err));
    assert_ok(rt_eval_keep(&keeping, &err));
    rt_store *store;
    int metrics = 0;
    assert_ok(rt_store_open(path, &store, &err));
    assert_ok(rt_store_each(store, check_scores, keys, &err));
    assert_ok(rt_store_each_metric(store, NULL, count_metric, &metrics, &err));
    assert_int_equal(metrics, 4);
    for (int i = 0; i < 4; i++) {
        rt_stored_score stored;
        assert_ok(rt_store_get_score(store, keys[i], "tolerant", &stored, &err));
        assert_string_equal(stored.verdict, i < 2 ? "right" : "wrong");
    }
    rt_store_close(store);
    json_object_set_new(json_object_get(manifest, "options"), "seed", json_string("2"));
    assert_ok(rt_eval_keep(&keeping, &err));
    rt_store_totals totals;
    assert_ok(rt_store_open(path, &store, &err));
    assert_ok(rt_store_total(store, &totals, &err));
    assert_int_equal(totals.responses, 8);
    rt_store_close(store);
    for (int i = 0; i < 4; i++) free(keys[i]);
    json_decref(score);
    json_decref(manifest);
    rt_free(path);
    rt_round_free(&round, 0);
    rt_benchmarks_free(&found);
    drop_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(benchmarks_with_samples),
        cmocka_unit_test(hashes_tell_answers_apart),
        cmocka_unit_test(budgets_are_sorted),
        cmocka_unit_test(thoughts_are_closed),
        cmocka_unit_test(budget_paths),
        cmocka_unit_test(earlier_responses),
        cmocka_unit_test(the_batch_is_what_fits),
        cmocka_unit_test(a_run_is_kept_once),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
