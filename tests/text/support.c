#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *golden(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("GOLDEN"), name);
    return path;
}

char *tokenizer_dir(const char *name, const char *config) {
    retort_error err;
    rt_buffer text = {0};
    char *dir = make_dir();
    assert_ok(rt_file_read(golden(name), &text, &err));
    write_text(dir, "tokenizer.json", text.data);
    write_text(dir, "tokenizer_config.json", config);
    rt_buffer_free(&text);
    return dir;
}

rt_tokenizer *load_golden(const char *name) {
    retort_error err;
    rt_tokenizer *t = NULL;
    char *dir = tokenizer_dir(name, "{\"eos_token\": \"<|endoftext|>\", "
                                    "\"retort_prompt_template\": \"Problem: {problem}\\nAnswer:\"}");
    assert_ok(rt_tokenizer_load(dir, &t, &err));
    drop_dir(dir);
    return t;
}
