#include "folders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *make_dir(void) {
    char pattern[] = "/tmp/retort-test-XXXXXX";
    assert_non_null(mkdtemp(pattern));
    return strdup(pattern);
}

void drop_dir(char *dir) {
    retort_error err;
    assert_ok(rt_remove_tree(dir, &err));
    free(dir);
}

void write_text(const char *dir, const char *name, const char *text) {
    retort_error err;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_ok(rt_file_write(path, text, strlen(text), &err));
}
