#ifndef TEST_TEXT_SUPPORT_H
#define TEST_TEXT_SUPPORT_H

#include "core/json.h"
#include "folders.h"
#include "text/tokenizer.h"

/* "<GOLDEN>/name"; a static buffer. */
const char *golden(const char *name);
/* A tokenizer folder with the golden file `name` as tokenizer.json and the given configuration. */
char *tokenizer_dir(const char *name, const char *config);
rt_tokenizer *load_golden(const char *name);

#endif
