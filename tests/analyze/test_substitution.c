/* What rises when the banned falls: counts and figures against plain ones, and worlds whose answer is known. */
#include "folders.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/substitution.h"
#include "core/random.h"

static json_t *compare(const char *dir, const char *free_text, const char *banned_text, int64_t phrase, int64_t least) {
    retort_error err;
    char free_path[4200], banned_path[4200];
    const rt_substitution_options options = {phrase, least, 1000};
    json_t *result = NULL;
    write_text(dir, "free.jsonl", free_text);
    write_text(dir, "banned.jsonl", banned_text);
    snprintf(free_path, sizeof free_path, "%s/free.jsonl", dir);
    snprintf(banned_path, sizeof banned_path, "%s/banned.jsonl", dir);
    assert_ok(rt_substitution(free_path, banned_path, &options, &result, &err));
    return result;
}

static json_t *find_term(const json_t *result, const char *list, const char *term) {
    const json_t *items = json_object_get(result, list);
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        if (strcmp(json_string_value(json_object_get(item, "term")), term) == 0) return item;
    }
    return NULL;
}

static double real_at(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

enum { PROBLEMS = 60 };

/* Filler with `word` at a rate, and `other` at another. */
static void add_response(rt_buffer *out, rt_rng *rng, int problem, const char *word, unsigned per_mille,
                         const char *other, unsigned other_per_mille) {
    retort_error err;
    assert_ok(rt_buffer_printf(out, &err, "{\"problem_id\": \"p%d\", \"correct\": %s, \"text\": \"", problem,
                               rt_rng_below(rng, 2) ? "true" : "false"));
    for (int i = 0; i < 80; i++) {
        const unsigned u = rt_rng_below(rng, 1000);
        const char *w = u < per_mille ? word : u < per_mille + other_per_mille ? other : i % 2 ? "x" : "plus";
        assert_ok(rt_buffer_printf(out, &err, "%s%s", w, i % 7 == 6 ? ", " : " "));
    }
    assert_ok(rt_buffer_puts(out, "\"}\n", &err));
}

static void make_sides(uint64_t seed, rt_buffer sides[2]) {
    rt_rng rng = rt_rng_make(seed, 0);
    for (int p = 0; p < PROBLEMS; p++) {
        for (int s = 0; s < 3; s++) {
            add_response(&sides[0], &rng, p, "Wait", 80, "hold", 20);
            add_response(&sides[1], &rng, p, "waits", 25, "hold", 70);
        }
    }
}

static void test_known_world(void **state) {
    (void)state;
    char *dir = make_dir();
    rt_buffer sides[2] = {{0}, {0}};
    make_sides(1, sides);
    json_t *result = compare(dir, sides[0].data, sides[1].data, 2, 20);
    assert_int_equal(real_at(result, "problems"), PROBLEMS);
    json_t *wait = find_term(result, "falling", "wait"), *hold = find_term(result, "rising", "hold");
    json_t *waits = find_term(result, "rising", "waits");
    assert_non_null(wait);
    assert_non_null(hold);
    assert_non_null(waits);
    assert_int_equal(real_at(wait, "count_banned"), 0);
    assert_true(fabs(real_at(wait, "free") - 80) < 15 && fabs(real_at(hold, "difference") - 50) < 15);
    assert_string_equal(json_string_value(json_object_get(waits, "begins_like")), "wait");
    assert_true(json_is_null(json_object_get(hold, "begins_like")));
    assert_true(real_at(wait, "log_odds") < -5 && real_at(hold, "log_odds") > 0.5);
    const json_t *interval = json_object_get(hold, "interval");
    assert_true(json_number_value(json_array_get(interval, 0)) < 50 &&
                json_number_value(json_array_get(interval, 1)) > 50);
    /* Phrases hold no comma. */
    assert_non_null(find_term(result, "falling", "wait plus"));
    json_decref(result);
    rt_buffer_free(&sides[0]);
    rt_buffer_free(&sides[1]);
    drop_dir(dir);
}

/* Two samples of one distribution: next to nothing is declared different, over many words and worlds. */
static void test_nothing_changes(void **state) {
    (void)state;
    enum { WORLDS = 40, WORDS = 40 };
    char *dir = make_dir();
    int64_t found = 0, tested = 0;
    for (int world = 0; world < WORLDS; world++) {
        retort_error err;
        rt_rng rng = rt_rng_make(100 + (uint64_t)world, 0);
        rt_buffer sides[2] = {{0}, {0}};
        for (int p = 0; p < PROBLEMS; p++) {
            const unsigned favourite = rt_rng_below(&rng, WORDS);
            for (int k = 0; k < 2; k++) {
                assert_ok(rt_buffer_printf(&sides[k], &err, "{\"problem_id\": %d, \"text\": \"", p));
                for (int i = 0; i < 100; i++) {
                    const unsigned w = rt_rng_below(&rng, 3) == 0 ? favourite : rt_rng_below(&rng, WORDS);
                    assert_ok(rt_buffer_printf(&sides[k], &err, "%c%c ", 'a' + (int)w % 26, 'a' + (int)w / 26));
                }
                assert_ok(rt_buffer_puts(&sides[k], "\"}\n", &err));
            }
        }
        json_t *result = compare(dir, sides[0].data, sides[1].data, 1, 20);
        found += json_integer_value(json_object_get(result, "risen")) +
                 json_integer_value(json_object_get(result, "fallen"));
        tested += json_integer_value(json_object_get(result, "tested"));
        json_decref(result);
        rt_buffer_free(&sides[0]);
        rt_buffer_free(&sides[1]);
    }
    print_message("# %lld of %lld terms declared different where none is\n", (long long)found, (long long)tested);
    assert_true(tested > 1000);
    assert_true(found <= 8); /* 5 % of the worlds are allowed one: 2 of 40 */
    drop_dir(dir);
}

static void test_unpaired(void **state) {
    (void)state;
    char *dir = make_dir();
    json_t *result = compare(dir,
                             "{\"problem_id\": 1, \"text\": \"a b a\"}\n{\"problem_id\": 2, \"text\": \"a c\"}\n"
                             "{\"problem_id\": 3, \"text\": \"z z z z\"}\n",
                             "{\"problem_id\": 2, \"text\": \"b, b\"}\n{\"problem_id\": 1, \"text\": \"A\"}\n", 3, 2);
    assert_int_equal(real_at(result, "problems"), 2);
    assert_int_equal(real_at(result, "problems_of_one_side"), 1);
    assert_int_equal(real_at(json_object_get(result, "free"), "words"), 5);
    assert_int_equal(real_at(json_object_get(result, "banned"), "words"), 3);
    assert_true(json_is_null(json_object_get(json_object_get(result, "accuracy"), "difference")));
    /* a and b; z is of a problem that one side only has. */
    assert_int_equal(real_at(result, "tested"), 2);
    json_decref(result);
    drop_dir(dir);
}

static void test_refusals(void **state) {
    (void)state;
    retort_error err;
    char *dir = make_dir(), path[4200], other[4200];
    const rt_substitution_options options = {1, 2, 5};
    json_t *result = NULL;
    snprintf(path, sizeof path, "%s/a.jsonl", dir);
    snprintf(other, sizeof other, "%s/b.jsonl", dir);
    write_text(dir, "a.jsonl", "{\"problem_id\": 1, \"text\": \"a\"}\n");
    write_text(dir, "b.jsonl", "{\"problem_id\": 2, \"text\": \"a\"}\n");
    assert_int_equal(rt_substitution(path, other, &options, &result, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "share 0 problems"));
    write_text(dir, "b.jsonl", "{\"text\": \"a\"}\n");
    assert_int_equal(rt_substitution(path, other, &options, &result, &err), RETORT_ERR_FORMAT);
    assert_non_null(strstr(err.message, "line 1"));
    assert_int_equal(rt_substitution(path, "/nowhere.jsonl", &options, &result, &err), RETORT_ERR_NOT_FOUND);
    assert_null(result);
    drop_dir(dir);
}

static void test_allocation_failures(void **state) {
    (void)state;
    char *dir = make_dir(), paths[2][4200];
    const rt_substitution_options options = {2, 2, 5};
    rt_buffer sides[2] = {{0}, {0}};
    retort_error err;
    retort_status st = RETORT_ERR_MEMORY;
    for (int k = 0; k < 2; k++) {
        for (int p = 0; p < 3; p++)
            assert_ok(rt_buffer_printf(&sides[k], &err, "{\"problem_id\": %d, \"text\": \"one two two\"}\n", p));
        snprintf(paths[k], sizeof paths[k], "%s/%d.jsonl", dir, k);
        write_text(dir, k == 0 ? "0.jsonl" : "1.jsonl", sides[k].data);
        rt_buffer_free(&sides[k]);
    }
    for (long n = 0; st != RETORT_OK; n++) {
        json_t *result = NULL;
        rt_fail_alloc(n, true);
        st = rt_substitution(paths[0], paths[1], &options, &result, &err);
        rt_fail_alloc(-1, false);
        if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
        json_decref(result);
    }
    drop_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_world), cmocka_unit_test(test_nothing_changes),     cmocka_unit_test(test_unpaired),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
