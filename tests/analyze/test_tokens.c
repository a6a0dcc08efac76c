/* Token statistics against hand counts, and the counting rule's promises. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/token_stats.h"

static rt_category category_of(const char *text, int which) {
    rt_lexeme lexeme;
    size_t at = 0;
    for (int i = 0; rt_lexeme_next(text, strlen(text), &at, &lexeme); i++)
        if (i == which) return rt_lexeme_category(&lexeme);
    fail_msg("'%s' has no lexical token %d", text, which);
    return RT_CATEGORY_OTHER;
}

static int count_lexemes(const char *text, size_t length) {
    rt_lexeme lexeme;
    int count = 0;
    for (size_t at = 0; rt_lexeme_next(text, length, &at, &lexeme);) count++;
    return count;
}

static void counting_rule(void **state) {
    (void)state;
    assert_int_equal(category_of("Wait,", 0), RT_CATEGORY_ANTHROPOMORPHIC);
    assert_int_equal(category_of("WAIT", 0), RT_CATEGORY_ANTHROPOMORPHIC);
    assert_int_equal(category_of("solve", 0), RT_CATEGORY_OTHER);
    assert_int_equal(category_of("so", 0), RT_CATEGORY_LOGICAL);
    assert_int_equal(category_of("\\left(", 0), RT_CATEGORY_MATHEMATICAL);
    assert_int_equal(category_of("let", 0), RT_CATEGORY_ANTHROPOMORPHIC);
    assert_int_equal(category_of("I'm", 0), RT_CATEGORY_ANTHROPOMORPHIC);
    assert_int_equal(category_of("waits", 0), RT_CATEGORY_OTHER);
    assert_int_equal(category_of("12 + 3", 1), RT_CATEGORY_MATHEMATICAL);
    assert_int_equal(category_of("a, b", 1), RT_CATEGORY_OTHER);
    assert_int_equal(count_lexemes("3 * 15 = 45. So \\boxed{45}", 26), 11);
}

static void any_bytes_end(void **state) {
    (void)state;
    char noise[256];
    for (int i = 0; i < 256; i++) noise[i] = (char)i;
    assert_true(count_lexemes(noise, sizeof noise) > 0);
    assert_int_equal(count_lexemes("", 0), 0);
    assert_int_equal(count_lexemes(" \n\t ", 4), 0);
    assert_int_equal(count_lexemes("\\", 1), 1);
}

static rt_response_set make_set(rt_record *records, char **texts, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        records[i] = (rt_record){.problem = i, .text = texts[i], .length = strlen(texts[i])};
    return (rt_response_set){.records = records, .count = count, .problems = count};
}

static void rates_by_hand(void **state) {
    (void)state;
    char one[] = "Wait, 3 + 4 = 7 so yes", two[] = "Hmm. But 2";
    char *texts[] = {one, two};
    rt_record records[2];
    rt_response_set set = make_set(records, texts, 2);
    rt_term_table table;
    json_t *stats;
    assert_int_equal(rt_terms_count(&set, &table, NULL), RETORT_OK);
    assert_int_equal(table.total, 13); /* 9 + 4 */
    assert_int_equal(rt_token_stats_json(&set, &table, 1, &stats, NULL), RETORT_OK);
    json_t *rates = json_object_get(stats, "rates");
    double human = json_number_value(json_object_get(json_object_get(rates, "anthropomorphic"), "per_1000"));
    double logical = json_number_value(json_object_get(json_object_get(rates, "logical"), "per_1000"));
    double maths = json_number_value(json_object_get(json_object_get(rates, "mathematical"), "per_1000"));
    assert_true(fabs(human - 2000.0 / 13) < 1e-6);
    assert_true(fabs(logical - 2000.0 / 13) < 1e-6);
    assert_true(fabs(maths - 6000.0 / 13) < 1e-6);
    json_decref(stats);
    rt_term_table_free(&table);
}

/* A word that only one side uses stands out on that side; a word both use alike does not. */
static void log_odds_have_the_right_sign(void **state) {
    (void)state;
    char talks[] = "wait wait wait wait wait 1 2 3 4 5 6 plus plus", computes[] = "1 2 3 4 5 6 7 8 plus plus 1 2 3";
    char *a_texts[] = {talks}, *b_texts[] = {computes};
    rt_record a_records[1], b_records[1];
    rt_response_set a = make_set(a_records, a_texts, 1), b = make_set(b_records, b_texts, 1);
    rt_term_table a_terms, b_terms;
    json_t *list;
    assert_int_equal(rt_terms_count(&a, &a_terms, NULL), RETORT_OK);
    assert_int_equal(rt_terms_count(&b, &b_terms, NULL), RETORT_OK);
    assert_int_equal(rt_distinctive_json(&a_terms, &b_terms, 50, &list, NULL), RETORT_OK);
    json_t *first = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(first, "token")), "wait");
    assert_true(json_number_value(json_object_get(first, "z")) > 1);
    size_t i;
    json_t *token;
    json_array_foreach(list, i, token) {
        if (strcmp(json_string_value(json_object_get(token, "token")), "plus") == 0)
            assert_true(fabs(json_number_value(json_object_get(token, "z"))) < 0.2);
    }
    json_decref(list);
    rt_term_table_free(&a_terms);
    rt_term_table_free(&b_terms);
}

static void empty_responses_are_no_division_by_zero(void **state) {
    (void)state;
    char nothing[] = "";
    char *texts[] = {nothing};
    rt_record records[1];
    rt_response_set set = make_set(records, texts, 1);
    rt_term_table table;
    json_t *stats, *list;
    assert_int_equal(rt_terms_count(&set, &table, NULL), RETORT_OK);
    assert_int_equal(rt_token_stats_json(&set, &table, 1, &stats, NULL), RETORT_OK);
    assert_int_equal(rt_distinctive_json(&table, &table, 5, &list, NULL), RETORT_OK);
    assert_int_equal(json_array_size(list), 0);
    json_decref(stats);
    json_decref(list);
    rt_term_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting_rule),
        cmocka_unit_test(any_bytes_end),
        cmocka_unit_test(rates_by_hand),
        cmocka_unit_test(log_odds_have_the_right_sign),
        cmocka_unit_test(empty_responses_are_no_division_by_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
