/* The verifier against bodies of answers whose verdicts are known by proof:
 *
 *   data/adversarial.jsonl   hostile answers (data/make_adversarial.py)
 *   data/renderings.jsonl    golds rendered again, rightly and wrongly (perturb.py --synthetic)
 *   RETORT_TEST_SHARED       real problem sets, where they are at hand: every gold is right for itself
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/json.h"
#include "retort/verify.h"

typedef struct corpus {
    bool refusing_is_enough; /* a wrong answer that cannot be read is not called right either */
    int64_t cases, failures, rights, wrongs, unread;
    double slowest; /* seconds of processor time */
    char slowest_id[64];
} corpus;

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* "wrong|over-budget" allows both. */
static bool allows(const char *expect, const char *verdict) {
    size_t length = strlen(verdict);
    for (const char *at = expect; at != NULL; at = strchr(at, '|')) {
        if (*at == '|') at++;
        if (strncmp(at, verdict, length) == 0 && (at[length] == '|' || at[length] == '\0')) return true;
    }
    return false;
}

static retort_status grade_line(void *context, json_t *object, size_t line, retort_error *err) {
    corpus *all = context;
    const char *id, *gold, *pred, *profile, *expect;
    char where[32];
    snprintf(where, sizeof where, "line %zu", line);
    RT_TRY(rt_json_string(object, "id", where, &id, err));
    RT_TRY(rt_json_string(object, "gold", where, &gold, err));
    RT_TRY(rt_json_string(object, "pred", where, &pred, err));
    RT_TRY(rt_json_string(object, "profile", where, &profile, err));
    RT_TRY(rt_json_string(object, "expect", where, &expect, err));
    retort_verify_options options = {.profile = strcmp(profile, "strict") == 0 ? RETORT_PROFILE_STRICT
                                                                               : RETORT_PROFILE_TOLERANT};
    retort_verify_result result;
    const double start = processor_seconds();
    RT_TRY(retort_verify(retort_gold_of(gold), retort_pred_of(pred), &options, &result, err));
    const double seconds = processor_seconds() - start;
    if (seconds > all->slowest) {
        all->slowest = seconds;
        snprintf(all->slowest_id, sizeof all->slowest_id, "%s", id);
    }
    const char *verdict = retort_verdict_name(result.verdict);
    const bool refused = result.verdict != RETORT_VERDICT_RIGHT && !allows(expect, "right");
    all->unread += refused && result.verdict != RETORT_VERDICT_WRONG;
    if (!allows(expect, verdict) && !(all->refusing_is_enough && refused)) {
        print_error("%s: %s, must be %s (gold %.80s, response %.200s): %s\n", id, verdict, expect, gold, pred,
                    result.reason);
        all->failures++;
    }
    all->cases++;
    all->rights += allows(expect, "right");
    all->wrongs += allows(expect, "wrong");
    retort_verify_result_release(&result);
    return RETORT_OK;
}

static void run_corpus(const char *name, bool refusing_is_enough, corpus *all) {
    char path[1024];
    retort_error err = {0};
    const char *folder = getenv("RETORT_TEST_GOLDEN");
    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *all = (corpus){.refusing_is_enough = refusing_is_enough};
    if (rt_jsonl_read(path, grade_line, all, &err) != RETORT_OK) fail_msg("%s", err.message);
    print_message("# %s: %lld answers, slowest %.1f ms (%s)\n", name, (long long)all->cases, 1e3 * all->slowest,
                  all->slowest_id);
    assert_int_equal(all->failures, 0);
}

static void test_adversarial(void **state) {
    (void)state;
    corpus all;
    run_corpus("adversarial.jsonl", false, &all);
    assert_true(all.cases >= 300);
    assert_true(all.rights >= 100 && all.wrongs >= 200);
}

static void test_renderings(void **state) {
    (void)state;
    corpus all;
    run_corpus("renderings.jsonl", true, &all);
    assert_true(all.rights >= 400 && all.wrongs >= 400);
    assert_true(all.unread * 50 <= all.wrongs); /* wrong because it was understood, but for one in fifty */
}

/* ---- golds against themselves ---- */

typedef struct golds {
    const char *set;
    int64_t cases, failures;
} golds;

static retort_status grade_gold(void *context, json_t *object, size_t line, retort_error *err) {
    golds *all = context;
    const char *answer;
    char where[32], boxed[600];
    snprintf(where, sizeof where, "line %zu", line);
    RT_TRY(rt_json_string(object, "answer", where, &answer, err));
    snprintf(boxed, sizeof boxed, "\\boxed{%s}", answer);
    for (int profile = 0; profile < 2; profile++) {
        const retort_verify_options options = {.profile = (retort_profile)profile};
        retort_verify_result result;
        RT_TRY(retort_verify(retort_gold_of(answer), retort_pred_of(boxed), &options, &result, err));
        if (result.verdict != RETORT_VERDICT_RIGHT) {
            print_error("%s line %zu: '%s' against itself is %s: %s\n", all->set, line, answer,
                        retort_verdict_name(result.verdict), result.reason);
            all->failures++;
        }
        retort_verify_result_release(&result);
    }
    all->cases++;
    return RETORT_OK;
}

static void test_golds(void **state) {
    (void)state;
    static const char *const sets[] = {"math500",   "hmmt_feb_2025", "aime_1983_2023", "aime_2024",
                                       "aime_2025", "amc23",         "gsm8k_test",     "gsm8k_train"};
    const char *folder = getenv("RETORT_TEST_SHARED");
    int64_t failures = 0, found = 0;
    for (size_t i = 0; folder != NULL && i < sizeof sets / sizeof *sets; i++) {
        char path[1024];
        retort_error err = {0};
        golds all = {.set = sets[i]};
        snprintf(path, sizeof path, "%s/%s.jsonl", folder, sets[i]);
        if (!rt_path_exists(path)) continue;
        if (rt_jsonl_read(path, grade_gold, &all, &err) != RETORT_OK) fail_msg("%s", err.message);
        found += all.cases;
        failures += all.failures;
    }
    if (found == 0) {
        /* Not skip(): cmocka's TAP form of it counts as a failure under Meson. */
        print_message("# skipped: no problem sets at '%s'\n", folder != NULL ? folder : "");
        return;
    }
    print_message("# %lld golds against themselves\n", (long long)found);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adversarial),
        cmocka_unit_test(test_renderings),
        cmocka_unit_test(test_golds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
