/* The page of the report: what is in it, that no text of a report can leave its data element, and bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/assets.h"
#include "core/file.h"
#include "core/json.h"
#include "retort/report.h"

static char folder[] = "/tmp/retort-report-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static const char *const LEFT_OVER[] = {"page.html", "report.html", "report.json", "bad.json"};

static int remove_folder(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof LEFT_OVER / sizeof LEFT_OVER[0]; i++) {
        char *path = rt_path_join(folder, LEFT_OVER[i]);
        (void)unlink(path);
        rt_free(path);
    }
    return rmdir(folder);
}

static char *in_folder(const char *name) {
    char *path = rt_path_join(folder, name);
    assert_non_null(path);
    return path;
}

static const char *fixture(void) {
    const char *path = getenv("RETORT_TEST_REPORT");
    assert_non_null(path);
    return path;
}

static retort_status make(const char *input, const char *output, retort_error *err) {
    retort_report_options options;
    assert_int_equal(retort_options_defaults(retort_report_option_table, &options, err), RETORT_OK);
    assert_int_equal(retort_options_set(retort_report_option_table, &options, "input", input, err), RETORT_OK);
    if (output != NULL)
        assert_int_equal(retort_options_set(retort_report_option_table, &options, "output", output, err), RETORT_OK);
    retort_status st = retort_report(&options, NULL, err);
    retort_options_release(retort_report_option_table, &options);
    return st;
}

/* The page of the fixture, NUL-terminated. */
static rt_buffer fixture_page(void) {
    char *path = in_folder("page.html");
    retort_error err;
    if (make(fixture(), path, &err) != RETORT_OK) fail_msg("%s", err.message);
    rt_buffer page = {0};
    assert_int_equal(rt_file_read(path, &page, &err), RETORT_OK);
    rt_free(path);
    return page;
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what)) n++;
    return n;
}

/* The data element's content is the report, whatever is in its strings. */
static void data_comes_through(void **state) {
    (void)state;
    static const char OPEN[] = "<script type=\"application/json\" id=\"report-data\">";
    rt_buffer page = fixture_page();
    char *begin = strstr(page.data, OPEN);
    assert_non_null(begin);
    begin += sizeof OPEN - 1;
    const char *end = strchr(begin, '<'); /* every "<" of the data is escaped, so the first one ends the element */
    assert_non_null(end);
    assert_memory_equal(end, "</script>", 9);
    retort_error err;
    json_t *in_page, *in_file;
    assert_int_equal(rt_json_parse(begin, (size_t)(end - begin), "page", &in_page, &err), RETORT_OK);
    assert_int_equal(rt_json_load(fixture(), &in_file, &err), RETORT_OK);
    assert_true(json_equal(in_page, in_file));
    json_decref(in_page);
    json_decref(in_file);
    rt_buffer_free(&page);
}

/* As many script elements as the template has, although a response tries to open its own. */
static void nothing_breaks_out(void **state) {
    (void)state;
    rt_buffer page = fixture_page();
    assert_int_equal(count(page.data, "</script>"), count(RT_REPORT_ASSETS[0].data, "</script>"));
    assert_int_equal(count(page.data, "<!--"), 0);
    assert_int_equal(count(page.data, "<img src=x"), 0);
    assert_null(strstr(page.data, "{{"));
    rt_buffer_free(&page);
}

/* An asset with an end tag of its own element would close it early. */
static void parts_stay_inside(void **state) {
    (void)state;
    for (const rt_asset *asset = RT_REPORT_ASSETS + 1; asset->name != NULL; asset++) {
        if (strstr(asset->name, "-page") != NULL) continue; /* a template itself */
        assert_null(strstr(asset->data, "</script"));
        assert_null(strstr(asset->data, "</style"));
        assert_null(strstr(asset->data, "<!--"));
    }
}

static bool starts_with(const char *text, const char *begin) {
    return strncmp(text, begin, strlen(begin)) == 0;
}

/* Nothing that a browser would fetch: no address in src, href, url() or @import of the page's own parts. */
static void needs_no_network(void **state) {
    (void)state;
    static const char *const FETCHES[] = {"src=\"",  "href=\"http", "href='http", "url(",      "@import",
                                          "import(", "fetch(",      "XMLHttp",    "WebSocket", "<link rel=\"style"};
    for (const rt_asset *asset = RT_REPORT_ASSETS; asset->name != NULL; asset++) {
        if (strcmp(asset->name, "chart") == 0) continue; /* the vendored library; the browser check watches it */
        bool explorer = strcmp(asset->name, "explorer-page") == 0; /* loads what lies beside it, and nothing else */
        for (size_t i = 0; i < sizeof FETCHES / sizeof FETCHES[0]; i++)
            for (const char *at = asset->data; (at = strstr(at, FETCHES[i])) != NULL; at++) {
                bool beside =
                    starts_with(at, "src=\"explorer/") || starts_with(at, "<link rel=\"stylesheet\" href=\"explorer/");
                if (!explorer || !beside) fail_msg("'%s' has '%s'", asset->name, FETCHES[i]);
            }
        assert_null(strstr(asset->data, "innerHTML"));
    }
}

/* A folder stands for its report.json, and the page goes beside it. */
static void folder_as_input(void **state) {
    (void)state;
    rt_buffer json = {0};
    retort_error err;
    char *copy = in_folder("report.json"), *page = in_folder("report.html");
    assert_int_equal(rt_file_read(fixture(), &json, &err), RETORT_OK);
    assert_int_equal(rt_file_write(copy, json.data, json.length, &err), RETORT_OK);
    assert_int_equal(make(folder, NULL, &err), RETORT_OK);
    assert_true(rt_path_exists(page));
    assert_int_equal(unlink(page), 0);
    assert_int_equal(make(copy, NULL, &err), RETORT_OK);
    assert_true(rt_path_exists(page));
    rt_buffer_free(&json);
    rt_free(copy);
    rt_free(page);
}

/* Bad input is refused by one sentence that has `said` in it, and leaves no page. */
static void refuses(const char *json, const char *said) {
    char *input = in_folder("bad.json"), *output = in_folder("page.html");
    retort_error err;
    (void)unlink(output);
    assert_int_equal(rt_file_write(input, json, strlen(json), &err), RETORT_OK);
    assert_int_not_equal(make(input, output, &err), RETORT_OK);
    if (strstr(err.message, said) == NULL) fail_msg("'%s' does not say '%s'", err.message, said);
    assert_non_null(strstr(err.message, "bad.json"));
    assert_null(strchr(err.message, '\n'));
    assert_false(rt_path_exists(output));
    rt_free(input);
    rt_free(output);
}

static void bad_input(void **state) {
    (void)state;
    refuses("", "bad.json");
    refuses("{\"arms\": [", "bad.json");
    refuses("{\"arms\": [], \"arms\": []}", "bad.json");
    refuses("[]", "'arms'");
    refuses("{}", "'arms'");
    refuses("{\"arms\": {}}", "'arms'");
    refuses("{\"arms\": [], \"scores\": [], \"tokens\": [], \"bans\": [], \"behaviors\": []}", "'claims'");
    refuses("{\"arms\": [], \"scores\": [], \"tokens\": 1, \"bans\": [], \"behaviors\": [], \"claims\": []}",
            "'tokens'");
    refuses("{\"arms\": [\"\xff\"]}", "bad.json");
}

static void missing_input(void **state) {
    (void)state;
    retort_error err;
    char *input = in_folder("nowhere.json"), *output = in_folder("page.html");
    (void)unlink(output);
    assert_int_not_equal(make(input, output, &err), RETORT_OK);
    assert_non_null(strstr(err.message, "nowhere.json"));
    assert_false(rt_path_exists(output));
    rt_free(input);
    rt_free(output);
}

static void unwritable_output(void **state) {
    (void)state;
    retort_error err;
    assert_int_equal(make(fixture(), "/proc/retort/page.html", &err), RETORT_ERR_IO);
    assert_non_null(strstr(err.message, "/proc/retort/page.html"));
    char *output = in_folder("nowhere/page.html");
    assert_int_equal(make(fixture(), output, &err), RETORT_ERR_IO);
    rt_free(output);
    assert_int_equal(make(fixture(), folder, &err), RETORT_ERR_IO); /* a folder is in the way */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_comes_through), cmocka_unit_test(nothing_breaks_out), cmocka_unit_test(parts_stay_inside),
        cmocka_unit_test(needs_no_network),   cmocka_unit_test(folder_as_input),    cmocka_unit_test(bad_input),
        cmocka_unit_test(missing_input),      cmocka_unit_test(unwritable_output),
    };
    return cmocka_run_group_tests_name("report", tests, make_folder, remove_folder);
}
