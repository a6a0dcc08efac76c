#ifndef TEST_TEXT_SUPPORT_H
#define TEST_TEXT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/json.h"
#include "text/tokenizer.h"

#define assert_ok(expr)                                                                                                \
    do {                                                                                                               \
        if ((expr) != RETORT_OK) fail_msg("%s: %s", #expr, err.message);                                               \
    } while (0)

/* "<GOLDEN>/name"; a static buffer. */
const char *golden(const char *name);
/* A fresh folder; remove with drop_dir, which also frees the path. */
char *make_dir(void);
void drop_dir(char *dir);
void write_text(const char *dir, const char *name, const char *text);
/* A tokenizer folder with the golden file `name` as tokenizer.json and the given configuration. */
char *tokenizer_dir(const char *name, const char *config);
rt_tokenizer *load_golden(const char *name);

#endif
