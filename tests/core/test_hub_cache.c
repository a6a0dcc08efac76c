/* Lookups in the Hub's cache: which folder, which names are allowed, what `--model NAME` means. */
#include "core/hub_cache.h"

#include "check.h"

#include <stdlib.h>
#include <unistd.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void put_environment(void) {
    static const char *const NAMES[] = {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) unsetenv(NAMES[i]);
    setenv("HOME", "/home/someone", 1);
}

static void assert_root(const char *expected) {
    retort_error err = {0};
    char *root = NULL;
    assert_int_equal(rt_hub_root(&root, &err), RETORT_OK);
    assert_string_equal(root, expected);
    rt_free(root);
}

/* The order and the expansion are those of huggingface_hub/constants.py. */
static void roots(void **state) {
    (void)state;
    retort_error err = {0};
    char *root = NULL;
    put_environment();
    assert_root("/home/someone/.cache/huggingface/hub");
    setenv("XDG_CACHE_HOME", "/xdg", 1);
    assert_root("/xdg/huggingface/hub");
    setenv("HF_HOME", "~/models", 1);
    assert_root("/home/someone/models/hub");
    setenv("HUGGINGFACE_HUB_CACHE", "$HOME/old${XDG_CACHE_HOME}/$UNSET_VARIABLE$", 1);
    assert_root("/home/someone/old/xdg/$UNSET_VARIABLE$");
    setenv("HF_HUB_CACHE", "/new", 1);
    assert_root("/new");
    put_environment();
    unsetenv("HOME");
    assert_int_equal(rt_hub_root(&root, &err), RETORT_ERR_USAGE);
    assert_says(&err, "HF_HOME");
    put_environment();
}

static void names(void **state) {
    (void)state;
    static const char *const GOOD[] = {"gpt2", "a", "Qwen/Qwen2.5-0.5B", "org_x/a_.b-c", "0/1"};
    static const char *const BAD[] = {"",        "/",    "a/",         "/a",   "a/b/c", "../a",
                                      "a/..",    ".a/b", "a/b-",       "-a/b", "a--b",  "a/b..c",
                                      "a/b.git", "a b",  "a/\xc3\xa4", "a\\b", "~",     "a/b@c"};
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) assert_true(rt_hub_is_repo_id(GOOD[i]));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(rt_hub_is_repo_id(BAD[i]));
    char longest[98];
    memset(longest, 'x', 97);
    longest[97] = '\0';
    assert_false(rt_hub_is_repo_id(longest));
    longest[96] = '\0';
    assert_true(rt_hub_is_repo_id(longest));
    assert_true(rt_hub_is_revision("main"));
    assert_true(rt_hub_is_revision("refs/pr/1"));
    assert_true(rt_hub_is_revision("v1.0-rc.2"));
    static const char *const BAD_REVISION[] = {"", "..", "a/../b", "/a", "a/", "a//b", "a b", ".x", "a\nb", "a\\b"};
    for (size_t i = 0; i < sizeof BAD_REVISION / sizeof *BAD_REVISION; i++)
        assert_false(rt_hub_is_revision(BAD_REVISION[i]));
    assert_true(rt_hub_is_commit(COMMIT));
    assert_false(rt_hub_is_commit("0123456789ABCDEF0123456789abcdef01234567"));
    assert_false(rt_hub_is_commit(COMMIT "0"));
    assert_false(rt_hub_is_commit("main"));
}

static void assert_path(const char *name, const char *expected) {
    retort_error err = {0};
    char *path = NULL;
    if (rt_model_path(name, &path, &err) != RETORT_OK) fail_msg("%s: %s", name, err.message);
    assert_string_equal(path, expected);
    rt_free(path);
}

static void model_paths(void **state) {
    (void)state;
    retort_error err = {0};
    char *path = NULL, snapshot[256];
    put_environment();
    setenv("HF_HUB_CACHE", in_scratch("hub"), 1);
    snprintf(snapshot, sizeof snapshot, "%s", in_scratch("hub/models--org--name/snapshots/" COMMIT));
    assert_int_equal(rt_make_dirs(snapshot, &err), RETORT_OK);
    assert_int_equal(rt_make_dirs(in_scratch("hub/models--org--name/refs/refs/pr"), &err), RETORT_OK);
    write_text("hub/models--org--name/refs/main", COMMIT);
    write_text("hub/models--org--name/refs/refs/pr/1", COMMIT "\n");
    write_text("hub/models--org--name/refs/broken", "../../..");
    write_text("hub/models--org--name/refs/gone", "ffffffffffffffffffffffffffffffffffffffff");
    assert_path("org/name", snapshot);
    assert_path("org/name@main", snapshot);
    assert_path("org/name@refs/pr/1", snapshot);
    assert_path("org/name@" COMMIT, snapshot);
    /* A path wins over the cache, be it a folder or a file. */
    assert_int_equal(chdir(scratch), 0);
    assert_int_equal(rt_make_dirs("org/name", &err), RETORT_OK);
    assert_path("org/name", "org/name");
    assert_path("hub/models--org--name/refs/main", "hub/models--org--name/refs/main");
    assert_int_equal(rt_model_path("org/name@gone", &path, &err), RETORT_ERR_NOT_FOUND);
    assert_says(&err, "run 'retort pull org/name --revision gone' first");
    assert_int_equal(rt_model_path("org/other", &path, &err), RETORT_ERR_NOT_FOUND);
    assert_says(&err, "run 'retort pull org/other' first");
    assert_int_equal(rt_model_path("org/name@broken", &path, &err), RETORT_ERR_FORMAT);
    assert_says(&err, "names no commit");
    assert_int_equal(rt_model_path("/no/such/folder", &path, &err), RETORT_ERR_NOT_FOUND);
    assert_says(&err, "there is no model folder '/no/such/folder'");
    assert_int_equal(rt_model_path("org/name@../main", &path, &err), RETORT_ERR_NOT_FOUND);
    put_environment();
}

static void out_of_memory(void **state) {
    (void)state;
    retort_error err = {0};
    put_environment();
    setenv("HF_HUB_CACHE", in_scratch("hub"), 1);
    setenv("TMP_NAME", "x", 1);
    for (long i = 0; i < 32; i++) {
        char *path = NULL;
        rt_fail_alloc(i, true);
        retort_status st = rt_model_path("org/name@main", &path, &err);
        const long count = rt_alloc_count();
        rt_fail_alloc(-1, false);
        rt_free(path);
        if (count <= i) return; /* all of them went well */
        assert_int_equal(st, RETORT_ERR_MEMORY);
    }
    fail();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots),
        cmocka_unit_test(names),
        cmocka_unit_test(model_paths),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
