/* What every test of this folder includes: cmocka in the order it wants, a scratch folder, and messages compared by
 * what they must say. */
#ifndef RT_TESTS_CORE_CHECK_H
#define RT_TESTS_CORE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"

static char scratch[64];

static inline int make_scratch(void **state) {
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/retort-test-XXXXXX");
    return mkdtemp(scratch) != NULL ? 0 : -1;
}

static inline int remove_scratch(void **state) {
    (void)state;
    return rt_remove_tree(scratch, NULL) == RETORT_OK ? 0 : -1;
}

/* A path in the scratch folder; the last four stay valid. */
static inline const char *in_scratch(const char *name) {
    static char paths[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", scratch, name);
    return paths[turn];
}

static inline const char *write_text(const char *name, const char *text) {
    const char *path = in_scratch(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void assert_says(const retort_error *err, const char *needle) {
    if (strstr(err->message, needle) == NULL) fail_msg("'%s' is not in: %s", needle, err->message);
}

#endif
