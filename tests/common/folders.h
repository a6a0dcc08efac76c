/* Scratch folders of one test each, and assert_ok for calls that leave a message in a retort_error named err. */
#ifndef TEST_COMMON_FOLDERS_H
#define TEST_COMMON_FOLDERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"

#define assert_ok(expr)                                                                                                \
    do {                                                                                                               \
        if ((expr) != RETORT_OK) fail_msg("%s: %s", #expr, err.message);                                               \
    } while (0)

/* A fresh folder; remove with drop_dir, which also frees the path. */
char *make_dir(void);
void drop_dir(char *dir);
void write_text(const char *dir, const char *name, const char *text);

#endif
