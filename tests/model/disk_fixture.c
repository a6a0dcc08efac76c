#include "disk_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/config_json.h"

static char folder[256];

const char *scratch(void) {
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/retort-disk-XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(folder) == NULL) fail_msg("cannot make a scratch folder");
    }
    return folder;
}

void scratch_remove(void) {
    if (folder[0] != '\0') (void)rt_remove_tree(folder, NULL);
    folder[0] = '\0';
}

const char *in_scratch(const char *name) {
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch(), name);
    return path;
}

void put_file(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

void put_safetensors(const char *path, uint64_t header_length, const char *header, const void *data, size_t length) {
    rt_buffer bytes = {0};
    for (int i = 0; i < 8; i++) {
        const unsigned char byte = (unsigned char)(header_length >> (8 * i));
        assert_int_equal(rt_buffer_append(&bytes, &byte, 1, NULL), RETORT_OK);
    }
    assert_int_equal(rt_buffer_puts(&bytes, header, NULL), RETORT_OK);
    assert_int_equal(rt_buffer_append(&bytes, data, length, NULL), RETORT_OK);
    put_file(path, bytes.data, bytes.length);
    rt_buffer_free(&bytes);
}

int files_in(const char *dir) {
    DIR *stream = opendir(dir);
    assert_non_null(stream);
    int count = 0;
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
    closedir(stream);
    return count;
}

void assert_same_config(const rt_config *a, const rt_config *b) {
    json_t *first, *second;
    assert_int_equal(rt_config_to_json(a, RT_DTYPE_F32, &first, NULL), RETORT_OK);
    assert_int_equal(rt_config_to_json(b, RT_DTYPE_F32, &second, NULL), RETORT_OK);
    assert_true(json_equal(first, second));
    json_decref(first);
    json_decref(second);
}

void expect_error(retort_status status, const retort_error *err, retort_status code, const char *fmt, ...) {
    char expected[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(expected, sizeof expected, fmt, args);
    va_end(args);
    assert_int_equal(status, code);
    assert_int_equal(err->code, code);
    assert_string_equal(err->message, expected);
}
