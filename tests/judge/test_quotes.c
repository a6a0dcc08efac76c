/* Where a judge's quotes are found, and how long responses are cut and their passages joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge/quotes.h"
#include "judge/segments.h"

static void test_quotes(void **state) {
    (void)state;
    static const struct {
        const char *text, *quote, *found; /* found NULL: not at all */
        rt_quote_match match;
    } cases[] = {
        {"I add. Wait, no.", "Wait, no", "Wait, no", RT_QUOTE_EXACT},
        {"I add.  Wait,\n no.", "add. Wait, no.", "add.  Wait,\n no.", RT_QUOTE_NORMAL},
        {"that\xe2\x80\x99s \xe2\x80\x9cit\xe2\x80\x9d \xe2\x80\x93 fine", "that's \"it\" - fine",
         "that\xe2\x80\x99s \xe2\x80\x9cit\xe2\x80\x9d \xe2\x80\x93 fine", RT_QUOTE_NORMAL},
        {"caf\xc3\xa9 au lait", "cafe\xcc\x81 au", "caf\xc3\xa9 au", RT_QUOTE_NORMAL}, /* composed and not */
        {"\xc2\xbd of it",
         "1\xe2\x81\x84"
         "2 of it",
         "\xc2\xbd of it", RT_QUOTE_NORMAL},
        {"so **bold** move", "so bold move", "so **bold** move", RT_QUOTE_NORMAL},
        {"\\frac{1}{2} is it", "\frac{1}{2} is", "\\frac{1}{2} is", RT_QUOTE_EXACT}, /* what JSON made of it */
        {"a \\times b is", "a \times b", "a \\times b", RT_QUOTE_EXACT},
        {"Wait here", "wait here", NULL, RT_QUOTE_NONE}, /* case counts */
        {"Wait here", "Wait there", NULL, RT_QUOTE_NONE},
        {"Wait here", "it", NULL, RT_QUOTE_NONE}, /* too short to be evidence */
        {"Wait here", "      ", NULL, RT_QUOTE_NONE},
        {"", "Wait", NULL, RT_QUOTE_NONE},
        {"\xff\xfe Wait \x80 here", "Wait", "Wait", RT_QUOTE_EXACT},
        {"x \xe2\x80\x8b  y z and", "x y z and", "x \xe2\x80\x8b  y z and", RT_QUOTE_NORMAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_quotable in = {.text = cases[i].text, .length = strlen(cases[i].text)};
        rt_passages none = {0};
        rt_passage out = {0};
        rt_quote_match match;
        retort_error err;
        assert_int_equal(rt_quote_find(&in, cases[i].quote, strlen(cases[i].quote), 0, &none, &out, &match, &err),
                         RETORT_OK);
        if (match != cases[i].match) fail_msg("'%s' in '%s': %d", cases[i].quote, cases[i].text, (int)match);
        if (cases[i].found != NULL) {
            assert_int_equal(out.end - out.begin, strlen(cases[i].found));
            assert_memory_equal(cases[i].text + out.begin, cases[i].found, out.end - out.begin);
        }
        rt_quotable_free(&in);
    }
}

/* Equal quotes take one place after the other, exact ones and others; then there is none left. */
static void test_places(void **state) {
    (void)state;
    static const char text[] = "wait. wait. Wait.  Then wait";
    static const size_t places[] = {0, 6, 24};
    rt_quotable in = {.text = text, .length = sizeof text - 1};
    rt_passages taken = {0};
    retort_error err;
    for (int i = 0; i < 4; i++) {
        rt_passage out;
        rt_quote_match match;
        assert_int_equal(rt_quote_find(&in, "wait", 4, 0, &taken, &out, &match, &err), RETORT_OK);
        if (i == 3) {
            assert_int_equal(match, RT_QUOTE_NONE);
            assert_int_equal(rt_quote_find(&in, "wait", 4, 1, &taken, &out, &match, &err), RETORT_OK);
            assert_int_equal(match, RT_QUOTE_EXACT); /* for another behaviour all are free */
            break;
        }
        assert_int_equal(out.begin, places[i]);
        assert_int_equal(rt_passages_add(&taken, out, &err), RETORT_OK);
    }
    rt_quotable_free(&in);
    rt_passages_free(&taken);
}

static void test_segments(void **state) {
    (void)state;
    enum { SIZE = 20000 };
    char *text = malloc(SIZE);
    static const char *const pieces[] = {"word ",         "Sentence one. ", "line\n", "para\n\n",
                                         "nospacesatall", "\xe2\x82\xac",   "\x80"};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++)
        for (size_t length = 0; length <= SIZE; length += length < 20 ? 1 : 3331) {
            for (size_t i = 0; i < length; i++) text[i] = pieces[p][i % strlen(pieces[p])];
            rt_segment *s = NULL;
            int64_t count = 0;
            retort_error err;
            const size_t longest = 500 + 37 * p, overlap = p % 3 == 0 ? 0 : longest / 2;
            assert_int_equal(rt_segments_cut(text, length, longest, overlap, &s, &count, &err), RETORT_OK);
            assert_int_equal(s[0].begin, 0);
            assert_int_equal(s[count - 1].end, length);
            for (int64_t i = 0; i < count; i++) {
                rt_segment again;
                assert_true(s[i].end - s[i].begin <= longest);
                assert_true(rt_segment_at(text, length, longest, overlap, i, &again));
                assert_true(again.begin == s[i].begin && again.end == s[i].end);
                if (i == 0) continue;
                assert_true(s[i].begin <= s[i - 1].end && s[i].begin + overlap + 1 >= s[i - 1].end);
                assert_true(s[i].end > s[i - 1].end && s[i].begin > s[i - 1].begin);
                if (p == 5 && i + 1 < count) assert_int_equal(s[i].end % 3, 0); /* whole characters */
            }
            rt_segment more;
            assert_false(rt_segment_at(text, length, longest, overlap, count, &more));
            rt_free(s);
        }
    free(text);
}

static void test_merging(void **state) {
    (void)state;
    static const rt_passage given[] = {{0, 10, 20}, {1, 12, 15}, {0, 15, 25}, {0, 25, 30}, {0, 10, 20}, {1, 2, 3}};
    static const rt_passage expected[] = {{0, 10, 25}, {0, 25, 30}, {1, 2, 3}, {1, 12, 15}};
    rt_passages all = {0};
    retort_error err;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        assert_int_equal(rt_passages_add(&all, given[i], &err), RETORT_OK);
    rt_passages_merge(&all);
    assert_int_equal(all.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < all.count; i++) {
        assert_int_equal(all.items[i].behavior, expected[i].behavior);
        assert_int_equal(all.items[i].begin, expected[i].begin);
        assert_int_equal(all.items[i].end, expected[i].end);
    }
    rt_passages_free(&all);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quotes), cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_segments), cmocka_unit_test(test_merging)};
    return cmocka_run_group_tests_name("quotes", tests, NULL, NULL);
}
