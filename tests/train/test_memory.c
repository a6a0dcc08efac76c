/* Every allocation of a run may fail: the run then says so, leaves nothing half-done behind, and goes on to the same
 * weights. Loading makes thousands of allocations, so the Nth ones are taken with a growing stride, first for one
 * failure and then for all from there on. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

typedef enum kind { DISTILL, RL } kind;

static long allocations; /* of the last run while failures were armed */

/* countdown < 0: nothing fails. The options are set outside of the failures. */
static retort_status run(kind what, const char *name, long countdown, bool persistent) {
    retort_distill_options distill;
    retort_rl_options rl;
    fixture_distill_options(&distill, name);
    fixture_rl_options(&rl, name);
    distill.train.max_steps = rl.train.max_steps = 2;
    distill.train.save_steps = rl.train.save_steps = 1;
    distill.train.resume = rl.train.resume = true;
    rl.beta = 0.1;
    rt_fail_alloc(countdown, persistent);
    retort_status st = what == DISTILL ? retort_distill(&distill, NULL, NULL, &fixture_error)
                                       : retort_rl(&rl, NULL, NULL, &fixture_error);
    allocations = rt_alloc_count();
    rt_fail_alloc(-1, false);
    retort_options_release(retort_distill_option_table, &distill);
    retort_options_release(retort_rl_option_table, &rl);
    return st;
}

static void fail_everywhere(kind what, const char *whole, const char *broken) {
    assert_ok(run(what, whole, -1, false));
    const char *want = fixture_sha(whole, "model.safetensors");
    for (int persistent = 0; persistent < 2; persistent++) {
        long stride = 1, at = 0;
        for (;; at += stride, stride += stride / 12 + 1) {
            assert_ok(rt_remove_tree(fixture_path(broken), &fixture_error));
            retort_status st = run(what, broken, at, persistent != 0);
            if (allocations <= at) break;
            if (st == RETORT_OK) { /* one that does no harm, such as the name of a folder to flush */
                assert_string_equal(fixture_sha(broken, "model.safetensors"), want);
                continue;
            }
            if (st != RETORT_ERR_MEMORY) fail_msg("allocation %ld: %s", at, fixture_error.message);
            /* With no memory at all a folder cannot be walked to be removed; the next run does it. */
            assert_true(persistent || !rt_path_exists(fixture_path("broken/checkpoint-1.tmp")));
            if (stride % 5 == 0) {
                assert_ok(run(what, broken, -1, false));
                assert_string_equal(fixture_sha(broken, "model.safetensors"), want);
            }
        }
        assert_true(at > 100);
    }
}

static void test_distill(void **state) {
    (void)state;
    fail_everywhere(DISTILL, "whole", "broken");
}

static void test_rl(void **state) {
    (void)state;
    fail_everywhere(RL, "rl-whole", "broken");
}

static int set_up(void **state) {
    if (fixture_create(state) != 0) return -1;
    fixture_base();
    fixture_examples("distill.jsonl", 6);
    fixture_problems("problems.jsonl", 6);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_distill), cmocka_unit_test(test_rl)};
    return cmocka_run_group_tests_name("memory", tests, set_up, fixture_remove);
}
