#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static void atomic_writes(void **state) {
    (void)state;
    retort_error err = {0};
    const char *path = in_scratch("a.txt");
    assert_int_equal(rt_file_write(path, "old", 3, &err), RETORT_OK);
    rt_atomic_file file;
    assert_int_equal(rt_atomic_open(&file, path, &err), RETORT_OK);
    assert_int_equal(rt_atomic_printf(&file, &err, "n%d", 1), RETORT_OK);
    rt_buffer seen = {0};
    assert_int_equal(rt_file_read(path, &seen, &err), RETORT_OK);
    assert_string_equal(seen.data, "old"); /* nothing shows before the commit */
    assert_int_equal(rt_atomic_commit(&file, &err), RETORT_OK);
    rt_buffer_clear(&seen);
    assert_int_equal(rt_file_read(path, &seen, &err), RETORT_OK);
    assert_string_equal(seen.data, "n1");
    assert_int_equal(rt_atomic_open(&file, path, &err), RETORT_OK);
    assert_int_equal(rt_atomic_write(&file, "lost", 4, &err), RETORT_OK);
    rt_atomic_abort(&file);
    assert_false(rt_path_exists(in_scratch("a.txt.tmp")));
    rt_buffer_clear(&seen);
    assert_int_equal(rt_file_read(path, &seen, &err), RETORT_OK);
    assert_string_equal(seen.data, "n1");
    rt_buffer_free(&seen);
}

/* A disk without room: /dev/full refuses every write. The file is opened by its name plus ".tmp", so a link stands in.
 */
static void full_disk(void **state) {
    (void)state;
    retort_error err = {0};
    if (!rt_path_exists("/dev/full")) skip();
    assert_int_equal(symlink("/dev/full", in_scratch("full.tmp")), 0);
    assert_int_equal(rt_file_write(in_scratch("full"), "12345", 5, &err), RETORT_ERR_IO);
    assert_says(&err, "No space left");
    assert_false(rt_path_exists(in_scratch("full")));
    assert_false(rt_path_exists(in_scratch("full.tmp")));
}

static void folders(void **state) {
    (void)state;
    retort_error err = {0};
    assert_int_equal(rt_make_dirs(in_scratch("x/y/z"), &err), RETORT_OK);
    assert_int_equal(rt_make_dirs(in_scratch("x/y/z"), &err), RETORT_OK);
    assert_true(rt_path_is_dir(in_scratch("x/y/z")));
    write_text("x/file", "f");
    assert_int_equal(rt_make_dirs(in_scratch("x/file/sub"), &err), RETORT_ERR_IO);
    assert_int_equal(rt_make_dirs(in_scratch("new"), &err), RETORT_OK);
    assert_int_equal(symlink(in_scratch("x"), in_scratch("new/link")), 0);
    /* A link inside a removed folder goes, what it points at stays. */
    assert_int_equal(rt_remove_tree(in_scratch("new"), &err), RETORT_OK);
    assert_true(rt_path_exists(in_scratch("x/file")));
    assert_int_equal(rt_remove_tree(in_scratch("new"), &err), RETORT_OK);
    assert_int_equal(rt_make_dirs(in_scratch("fresh"), &err), RETORT_OK);
    assert_int_equal(rt_dir_commit(in_scratch("fresh"), in_scratch("x"), &err), RETORT_OK);
    assert_true(rt_path_is_dir(in_scratch("x")));
    assert_false(rt_path_exists(in_scratch("x/file")));
    char *joined = rt_path_join("a/", "b");
    assert_string_equal(joined, "a/b");
    rt_free(joined);
}

static void reading_failures(void **state) {
    (void)state;
    retort_error err = {0};
    rt_buffer buffer = {0};
    assert_int_equal(rt_file_read(in_scratch("missing"), &buffer, &err), RETORT_ERR_NOT_FOUND);
    assert_says(&err, "missing");
    assert_int_equal(rt_file_read(scratch, &buffer, &err), RETORT_ERR_IO);
    rt_mapping mapping;
    assert_int_equal(rt_map_file(in_scratch("missing"), &mapping, &err), RETORT_ERR_NOT_FOUND);
    assert_int_equal(rt_map_file(scratch, &mapping, &err), RETORT_ERR_IO);
    assert_int_equal(rt_map_file(write_text("empty", ""), &mapping, &err), RETORT_OK);
    assert_int_equal(mapping.length, 0);
    rt_unmap_file(&mapping);
    rt_buffer_free(&buffer);
    /* Root may write anywhere, so the unwritable folder is one that cannot exist. */
    assert_int_equal(rt_file_write("/proc/retort/none", "x", 1, &err), RETORT_ERR_IO);
}

/* FIPS 180-4 examples. */
static void hashes(void **state) {
    (void)state;
    char hex[65];
    retort_error err = {0};
    rt_sha256("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(rt_sha256_file(write_text("none", ""), hex, &err), RETORT_OK);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(atomic_writes),    cmocka_unit_test(full_disk), cmocka_unit_test(folders),
        cmocka_unit_test(reading_failures), cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
