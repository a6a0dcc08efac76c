#include "check.h"

#include <signal.h>

#include "core/progress.h"

typedef struct tape {
    int calls;
    double done;
    char stage[32];
} tape;

static void record(void *context, const char *stage, double done, double total, const char *unit, const char *message) {
    tape *t = context;
    assert_string_equal(unit, "steps");
    (void)total;
    (void)message;
    t->calls++;
    t->done = done;
    snprintf(t->stage, sizeof t->stage, "%s", stage);
}

/* A loop may report at every turn: few calls come through, the first and the last among them. */
static void reports_are_thinned(void **state) {
    (void)state;
    tape t = {0};
    retort_progress progress = {record, &t};
    for (int i = 0; i <= 10000; i++) rt_progress(&progress, "work", i, 10000, "steps", NULL);
    assert_in_range(t.calls, 2, 200);
    assert_true(t.done == 10000);
    int before = t.calls;
    rt_progress(&progress, "next", 0, 0, "steps", "a new stage is reported at once");
    assert_int_equal(t.calls, before + 1);
    assert_string_equal(t.stage, "next");
    rt_progress(NULL, "nobody", 0, 0, "steps", NULL);
    retort_progress empty = {0};
    rt_progress(&empty, "nobody", 0, 0, "steps", NULL);
}

static void handler(int number) {
    (void)number;
    retort_interrupt();
}

static void interrupts(void **state) {
    (void)state;
    assert_false(rt_interrupted());
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    assert_true(rt_interrupted());
    retort_interrupt_clear();
    assert_false(rt_interrupted());
}

static void clock_goes_forward(void **state) {
    (void)state;
    double a = rt_now(), b = rt_now();
    assert_true(b >= a && a > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_thinned),
        cmocka_unit_test(interrupts),
        cmocka_unit_test(clock_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
