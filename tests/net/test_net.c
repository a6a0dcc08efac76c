/* Header fields and URLs: what a stranger may say, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/headers.h"
#include "net/url.h"

static void add(rt_headers *h, const char *line) {
    assert_int_equal(rt_headers_add(h, line, strlen(line), NULL), RETORT_OK);
}

static void fields(void **state) {
    (void)state;
    rt_headers h = {0};
    assert_null(rt_headers_get(&h, "etag"));
    add(&h, "HTTP/1.1 302 Found\r\n");
    add(&h, "Location: /elsewhere\r\n");
    add(&h, "HTTP/1.1 200 OK\r\n"); /* a new response: what was said before is gone */
    add(&h, "ETag:  \"abc\" \t\r\n");
    add(&h, "etag: second\r\n");
    add(&h, "X-Empty:\r\n");
    add(&h, "no colon\r\n");
    add(&h, "\r\n");
    assert_int_equal(rt_headers_add(&h, "a:\0b\r\n", 6, NULL), RETORT_OK); /* a NUL byte: passed over */
    assert_null(rt_headers_get(&h, "location"));
    assert_null(rt_headers_get(&h, "a"));
    assert_null(rt_headers_get(&h, "eta"));
    assert_string_equal(rt_headers_get(&h, "eTaG"), "\"abc\"");
    assert_string_equal(rt_headers_get(&h, "x-empty"), "");
    char line[1000];
    memset(line, 'x', sizeof line);
    line[1] = ':';
    retort_error err = {0};
    retort_status st = RETORT_OK;
    int lines = 0;
    for (; st == RETORT_OK && lines < 1000; lines++) st = rt_headers_add(&h, line, sizeof line, &err);
    assert_int_equal(st, RETORT_ERR_FORMAT);
    assert_int_equal(lines, RT_HEADERS_MAXIMUM / 1001 + 1);
    rt_headers_free(&h);
}

static void ranges(void **state) {
    (void)state;
    long long first, last, total;
    assert_true(rt_parse_content_range("bytes 100-199/1000", &first, &last, &total));
    assert_int_equal(first, 100);
    assert_int_equal(last, 199);
    assert_int_equal(total, 1000);
    assert_true(rt_parse_content_range("BYTES 0-0/*", &first, &last, &total));
    assert_int_equal(total, -1);
    static const char *const BAD[] = {"",
                                      "bytes",
                                      "bytes */1000",
                                      "bytes 5-4/10",
                                      "bytes 0-10/10",
                                      "bytes -1-3/10",
                                      "bytes 0-3/10x",
                                      "bytes 0-3",
                                      "bytes 0 -3/10",
                                      "octets 0-3/10",
                                      "bytes 0-+3/10",
                                      "bytes 0-99999999999999999999/*"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(rt_parse_content_range(BAD[i], &first, &last, &total));
    assert_false(rt_parse_content_range(NULL, &first, &last, &total));
}

static void waits(void **state) {
    (void)state;
    const time_t now = 1445412475; /* Wed, 21 Oct 2015 07:27:55 GMT */
    assert_true(rt_parse_retry_after("120", now) == 120);
    assert_true(rt_parse_retry_after("0", now) == 0);
    assert_true(rt_parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now) == 5);
    assert_true(rt_parse_retry_after("Wed, 21 Oct 2015 07:00:00 GMT", now) == 0);
    assert_true(rt_parse_retry_after("soon", now) == -1);
    assert_true(rt_parse_retry_after("99999999999999999999999", now) == -1);
    assert_true(rt_parse_retry_after(NULL, now) == -1);
}

static void tags(void **state) {
    (void)state;
    char tag[8];
    bool weak = true;
    assert_true(rt_parse_etag("\"abc\"", tag, sizeof tag, &weak));
    assert_string_equal(tag, "abc");
    assert_false(weak);
    assert_true(rt_parse_etag("W/\"abc\"", tag, sizeof tag, &weak));
    assert_true(weak);
    assert_true(rt_parse_etag("abc", tag, sizeof tag, NULL)); /* some servers leave the marks out */
    static const char *const BAD[] = {"", "\"\"", "\"a\"b\"", "\"a b\"", "\"12345678\"", "\"a\nb\""};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(rt_parse_etag(BAD[i], tag, sizeof tag, NULL));
    assert_false(rt_parse_etag(NULL, tag, sizeof tag, NULL));
}

static void links(void **state) {
    (void)state;
    static const struct {
        const char *field, *next;
    } CASES[] = {
        {"<https://h/api?cursor=x>; rel=\"next\"", "https://h/api?cursor=x"},
        {"<a>; rel=prev, <b>; title=\"x, y; rel=next\"; rel=\"next\"", "b"},
        {"<a> ; REL = next", "a"},
        {"<a>; rel=\"prev\"", NULL},
        {"<a>", NULL},
        {"<a; rel=next", NULL},
        {"a; rel=next", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *next = rt_parse_next_link(CASES[i].field);
        if (CASES[i].next == NULL)
            assert_null(next);
        else
            assert_string_equal(next, CASES[i].next);
        rt_free(next);
    }
}

static void redirects(void **state) {
    (void)state;
    static const struct {
        const char *base, *location, *expected; /* NULL: refused */
    } CASES[] = {
        {"https://h/a/b?x=1", "/c", "https://h/c"},
        {"https://h/a/b?x=1", "../c?y", "https://h/c?y"},
        {"https://h/a", "https://other:8443/b?s=1", "https://other:8443/b?s=1"},
        {"https://h/a", "//other/b", "https://other/b"},
        {"http://h/a", "https://h/a", "https://h/a"},
        {"https://h/a", "/with space", "https://h/with%20space"},
        {"https://h/a", "http://h/a", NULL},
        {"https://h/a", "file:///etc/passwd", NULL},
        {"http://h/a", "ftp://h/a", NULL},
        {"http://h/a", "gopher://h:70/1", NULL},
        {"http://h/a", "http://user:pw@h/a", NULL},
        {"http://h/a", "http://h/\x01", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        retort_error err = {0};
        char *url = NULL;
        const retort_status st = rt_url_join(CASES[i].base, CASES[i].location, &url, &err);
        if (CASES[i].expected == NULL) {
            if (st != RETORT_ERR_FORMAT) fail_msg("%s leads to %s", CASES[i].location, url);
        } else {
            if (st != RETORT_OK) fail_msg("%s: %s", CASES[i].location, err.message);
            assert_string_equal(url, CASES[i].expected);
        }
        rt_free(url);
    }
}

static void origins(void **state) {
    (void)state;
    assert_true(rt_url_same_origin("https://h/a", "HTTPS://H:443/b"));
    assert_false(rt_url_same_origin("https://h/a", "http://h/a"));
    assert_false(rt_url_same_origin("https://h/a", "https://h:444/a"));
    assert_false(rt_url_same_origin("https://h/a", "https://h.evil/a"));
    assert_false(rt_url_same_origin("not a url", "not a url"));
    assert_true(rt_url_is_loopback("http://localhost:1/"));
    assert_true(rt_url_is_loopback("http://127.0.0.1"));
    assert_true(rt_url_is_loopback("http://[::1]/"));
    assert_false(rt_url_is_loopback("http://127.0.0.1.evil.example/"));
    assert_false(rt_url_is_loopback("http://example/"));
    char shown[64];
    rt_url_show("https://h:443/path?signature=secret#x", shown, sizeof shown);
    assert_string_equal(shown, "https://h/path");
    rt_url_show("http://user:secret@h:81/p", shown, sizeof shown);
    assert_string_equal(shown, "http://h:81/p");
    rt_buffer text = {0};
    assert_int_equal(rt_url_quote(&text, "refs/pr/1 \xc3\xa4?#%", false, NULL), RETORT_OK);
    assert_string_equal(text.data, "refs%2Fpr%2F1%20%C3%A4%3F%23%25");
    rt_buffer_clear(&text);
    assert_int_equal(rt_url_quote(&text, "a b/c", true, NULL), RETORT_OK);
    assert_string_equal(text.data, "a%20b/c");
    rt_buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields), cmocka_unit_test(ranges),    cmocka_unit_test(waits),   cmocka_unit_test(tags),
        cmocka_unit_test(links),  cmocka_unit_test(redirects), cmocka_unit_test(origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
