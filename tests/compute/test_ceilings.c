/* What a machine can do: told, or measured here; no figure is compared with a clock's. */
#include "compute/ceilings.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "compute/compute.h"

static void refused(retort_machine machine, const char *what) {
    rt_ceilings ceilings;
    retort_error err = {0};
    assert_int_equal(rt_ceilings_of(&machine, &ceilings, &err), RETORT_ERR_USAGE);
    if (strstr(err.message, what) == NULL) fail_msg("'%s' should say '%s'", err.message, what);
}

static void told(void **state) {
    (void)state;
    retort_error err = {0};
    rt_ceilings ceilings;
    retort_machine server = {.cores = 64, .peak_gflops = 80, .bandwidth_gbs = 300};
    assert_int_equal(rt_ceilings_of(&server, &ceilings, &err), RETORT_OK);
    assert_int_equal(ceilings.cores, 64);
    assert_true(ceilings.peak == 80e9 && ceilings.bandwidth == 300e9);
    assert_false(ceilings.own_peak || ceilings.own_bandwidth);
    assert_true(rt_ceilings_flops(&ceilings) == 64 * 80e9);
    server.cores = 0; /* as many as threads compute here */
    rt_compute_set_threads(3);
    assert_int_equal(rt_ceilings_of(&server, &ceilings, &err), RETORT_OK);
    assert_int_equal(ceilings.cores, 3);
    rt_compute_set_threads(1);
}

static void no_machine_has(void **state) {
    (void)state;
    const double peaks[] = {-1, (double)NAN, (double)INFINITY, 1e300};
    refused((retort_machine){.cores = -1, .peak_gflops = 1, .bandwidth_gbs = 1}, "-1 cores");
    refused((retort_machine){.cores = INT64_MAX, .peak_gflops = 1, .bandwidth_gbs = 1}, "cores");
    for (size_t i = 0; i < sizeof peaks / sizeof peaks[0]; i++) {
        refused((retort_machine){.cores = 1, .peak_gflops = peaks[i], .bandwidth_gbs = 1}, "GFLOP/s");
        refused((retort_machine){.cores = 1, .peak_gflops = 1, .bandwidth_gbs = peaks[i]}, "GB/s");
    }
}

static void measured(void **state) {
    (void)state;
    retort_error err = {0};
    rt_ceilings ceilings;
    const retort_machine half_told = {.cores = 8, .bandwidth_gbs = 100};
    assert_int_equal(rt_ceilings_of(&half_told, &ceilings, &err), RETORT_OK);
    assert_true(ceilings.cores == 8 && ceilings.bandwidth == 100e9 && !ceilings.own_bandwidth);
    assert_true(ceilings.own_peak && ceilings.peak > 0 && isfinite(ceilings.peak));
    assert_int_equal(rt_ceilings_of(NULL, &ceilings, &err), RETORT_OK);
    assert_int_equal(ceilings.cores, 1);
    assert_true(ceilings.own_bandwidth && ceilings.bandwidth > 0 && isfinite(ceilings.bandwidth));
    const rt_fma_rate rate = rt_measure_fma(2, 0.01);
    assert_true(rate.peak > 0 && rate.slowest > 0 && rate.slowest <= rate.peak);
}

static int begin(void **state) {
    (void)state;
    retort_error err = {0};
    const retort_status st = rt_compute_init(&err);
    rt_compute_set_threads(1);
    return st == RETORT_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(told), cmocka_unit_test(no_machine_has),
                                       cmocka_unit_test(measured)};
    return cmocka_run_group_tests(tests, begin, NULL);
}
