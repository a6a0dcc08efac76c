/* Counting on real responses (../shared/data/responses, or the folder that is named): the fast scanner against the slow
 * oracle, response by response; Python's counts; and the table of that folder's README. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/token_count.h"
#include "core/file.h"
#include "retort/analyze.h"
#include "token_oracle.h"

static char folder[1024];
static const char *golden_dir;

static bool missing(void) {
    if (rt_path_is_dir(folder)) return false;
    print_message("# skipped: no folder '%s'\n", folder);
    return true;
}

typedef struct comparison {
    const rt_lexicon *lexicon;
    oracle *slow;
    rt_token_counter *counters[3]; /* by part */
    const char *file;
    long responses;
} comparison;

static void compare_part(comparison *c, json_t *line, const char *text, rt_part part) {
    int32_t entries = c->lexicon->num_entries, categories = c->lexicon->num_categories;
    long *slow_entries = calloc((size_t)entries, sizeof(long)), *slow_places = calloc((size_t)categories, sizeof(long));
    long words = oracle_count(c->slow, text, part, slow_entries, slow_places);
    rt_count_table table;
    retort_error err = {0};
    rt_count_table_init(&table, c->lexicon);
    assert_int_equal(rt_token_count_line(c->counters[part], line, c->file, "line", &table, &err), RETORT_OK);
    const rt_token_group *group = &table.groups[0];
    if (group->problems.count == 0) { /* no such part */
        assert_int_equal(words, 0);
    } else {
        assert_int_equal(group->counts[0].words, words);
        for (int32_t e = 0; e < entries; e++)
            if (group->counts[0].entries[e] != slow_entries[e])
                fail_msg("'%s' of %s: %u, slowly %ld, in: %.2000s", c->lexicon->entries[e].text, c->file,
                         group->counts[0].entries[e], slow_entries[e], text);
        for (int32_t k = 0; k < categories; k++) {
            long places = 0;
            for (int d = 0; d < RT_DECILES; d++) places += group->counts[0].places[k * RT_DECILES + d];
            assert_int_equal(places, slow_places[k]);
            assert_int_equal(places, group->record_places[k]);
        }
    }
    rt_count_table_free(&table);
    free(slow_entries);
    free(slow_places);
}

static retort_status compare_line(void *context, json_t *line, size_t number, retort_error *err) {
    (void)err;
    comparison *c = context;
    const char *text = json_string_value(json_object_get(line, "response"));
    /* The parts have the same scanner behind them; every seventh response says whether they are cut alike. */
    for (int part = 0; part < (number % 7 == 0 ? 3 : 1); part++) compare_part(c, line, text, (rt_part)part);
    c->responses++;
    return RETORT_OK;
}

static void test_against_oracle(void **state) {
    (void)state;
    if (missing()) return;
    rt_lexicon lexicon;
    rt_scanner *scanner;
    retort_error err = {0};
    assert_int_equal(rt_lexicon_read(NULL, &lexicon, &err), RETORT_OK);
    assert_int_equal(rt_scanner_create(&lexicon, &scanner, &err), RETORT_OK);
    comparison c = {.lexicon = &lexicon, .slow = oracle_create(&lexicon)};
    rt_token_rules rules = {
        .lexicon = &lexicon, .scanner = scanner, .keep_truncated = true, .keep_repetitive = true, .first_words = 100};
    for (int part = 0; part < 3; part++) {
        rules.part = (rt_part)part;
        assert_int_equal(rt_token_counter_create(&rules, &c.counters[part], &err), RETORT_OK);
    }
    char **names;
    int64_t count;
    assert_int_equal(rt_dir_list(folder, ".jsonl", &names, &count, &err), RETORT_OK);
    for (int64_t i = 0; i < count; i++) {
        char *path = rt_path_join(folder, names[i]);
        c.file = names[i];
        assert_int_equal(rt_jsonl_read(path, compare_line, &c, &err), RETORT_OK);
        rt_free(path);
    }
    print_message("# %ld responses of %lld files counted twice\n", c.responses, (long long)count);
    assert_true(c.responses > 2000);
    for (int64_t i = 0; i < count; i++) rt_free(names[i]);
    rt_free(names);
    for (int part = 0; part < 3; part++) rt_token_counter_destroy(c.counters[part]);
    oracle_destroy(c.slow);
    rt_scanner_destroy(scanner);
    rt_lexicon_free(&lexicon);
}

/* `retort tokens` on one file with the table's lexicon, nothing left out. */
static json_t *run_tokens(const char *file) {
    retort_tokens_options options;
    retort_error err = {0};
    char *json = NULL, *path = rt_path_join(folder, file), *lexicon = rt_path_join(golden_dir, "table.yaml");
    assert_int_equal(retort_options_defaults(retort_tokens_option_table, &options, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_tokens_option_table, &options, "responses", path, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_tokens_option_table, &options, "lexicon", lexicon, &err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_tokens_option_table, &options, "keep", "truncated,repetitive", &err),
                     RETORT_OK);
    options.resamples = 100;
    if (retort_tokens(&options, NULL, &json, &err) != RETORT_OK) fail_msg("%s", err.message);
    json_t *result;
    assert_int_equal(rt_json_parse(json, strlen(json), "result", &result, &err), RETORT_OK);
    retort_free(json);
    retort_options_release(retort_tokens_option_table, &options);
    rt_free(path);
    rt_free(lexicon);
    return result;
}

static const json_t *find_row(const json_t *list, const char *key, const char *value) {
    size_t i;
    const json_t *row;
    json_array_foreach((json_t *)(uintptr_t)list, i, row) {
        if (strcmp(json_string_value(json_object_get(row, key)), value) == 0) return row;
    }
    fail_msg("no %s '%s'", key, value);
    return NULL;
}

static long long integer_of(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static const char *const WORDS[] = {"wait", "maybe", "alternatively", "hmm", "perhaps", "however"};

static void test_golden(void **state) {
    (void)state;
    if (missing()) return;
    json_t *golden, *row;
    retort_error err = {0};
    size_t i;
    char *path = rt_path_join(golden_dir, "tokens.json");
    assert_int_equal(rt_json_load(path, &golden, &err), RETORT_OK);
    rt_free(path);
    json_array_foreach(golden, i, row) {
        json_t *result = run_tokens(json_string_value(json_object_get(row, "file")));
        const json_t *model =
            find_row(json_object_get(result, "models"), "model", json_string_value(json_object_get(row, "model")));
        assert_int_equal(integer_of(model, "counted"), integer_of(row, "responses"));
        assert_int_equal(integer_of(model, "words"), integer_of(row, "words"));
        for (size_t w = 0; w < 6; w++) {
            const json_t *entry = find_row(json_object_get(model, "entries"), "entry", WORDS[w]);
            assert_int_equal(integer_of(entry, "count"), integer_of(row, WORDS[w]));
        }
        json_decref(result);
    }
    json_decref(golden);
}

/* The table of responses/README.md, to the second decimal. */
static void test_table(void **state) {
    (void)state;
    static const struct {
        const char *file, *model;
        const char *rates[6];
    } table[] = {
        {"r1_distill_qwen_1.5b_math500.jsonl",
         "DeepSeek-R1-Distill-Qwen-1.5B (Q4_K_M)",
         {"8.81", "3.94", "1.85", "2.23", "2.58", "0.27"}},
        {"sft_vs_rlvr_qwen2.5_1.5b_gsm8k.jsonl",
         "Qwen2.5-1.5B-Instruct reasoning-SFT",
         {"2.98", "1.87", "0.87", "0.84", "1.17", "1.03"}},
        {"sft_vs_rlvr_qwen2.5_1.5b_gsm8k.jsonl",
         "Qwen2.5-1.5B RLVR-PPO after SFT",
         {"0.17", "0.05", "0.02", "0.07", "0.05", "0.02"}},
        {"qwen2.5_math_1.5b_base_math500.jsonl",
         "Qwen2.5-Math-1.5B (base)",
         {"0.01", "0.01", "0.04", "0.00", "0.00", "0.82"}},
        {"qwen2.5_math_1.5b_instruct_math500.jsonl",
         "Qwen2.5-Math-1.5B-Instruct (Q4_K_M)",
         {"0.00", "0.00", "0.00", "0.00", "0.00", "0.70"}},
        {"qwen_math_instruct_cot100.jsonl",
         "Qwen Math-Instruct (model not named upstream)",
         {"0.00", "0.00", "0.00", "0.00", "0.00", "0.21"}},
        {"zero_rl_grpo_qwen2.5_math_1.5b_train.jsonl",
         "Qwen2.5-Math-1.5B + GRPO (zero-RL)",
         {"0.00", "0.00", "0.02", "0.00", "0.00", "1.26"}},
        {"zero_rl_grpo_qwen2.5_math_1.5b_b.jsonl",
         "Qwen2.5-Math-1.5B + GRPO (zero-RL, second author)",
         {"0.00", "0.00", "0.00", "0.00", "0.00", "2.89"}},
    };
    if (missing()) return;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        json_t *result = run_tokens(table[i].file);
        const json_t *model = find_row(json_object_get(result, "models"), "model", table[i].model);
        for (size_t w = 0; w < 6; w++) {
            const json_t *entry = find_row(json_object_get(model, "entries"), "entry", WORDS[w]);
            char rate[32];
            snprintf(rate, sizeof rate, "%.2f", json_number_value(json_object_get(entry, "per_1000")));
            assert_string_equal(rate, table[i].rates[w]);
        }
        json_decref(result);
    }
}

int main(int count, char **arguments) {
    snprintf(folder, sizeof folder, "%s/responses", count >= 2 ? arguments[1] : "../shared/data");
    golden_dir = getenv("GOLDEN");
    if (golden_dir == NULL) golden_dir = "tests/analyze/golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_oracle),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests_name("token_files", tests, NULL, NULL);
}
