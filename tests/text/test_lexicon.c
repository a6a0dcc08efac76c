/* Lexicons: the shipped ones hold what their examples promise, rules do what docs/tokens.md says, and hostile files
 * are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/code_spans.h"
#include "text/lexicon_scan.h"

typedef struct tally {
    int32_t count, last;
    size_t begin, end;
} tally;

static void tally_match(void *context, int32_t entry, size_t begin, size_t end) {
    tally *t = context;
    assert_true(end >= t->end);
    *t = (tally){t->count + 1, entry, begin, end};
}

static tally scan(const char *yaml, const char *text) {
    rt_lexicon lexicon = {0};
    rt_scanner *scanner;
    retort_error err = {0};
    tally t = {0, -1, 0, 0};
    if (rt_lexicon_add(yaml, strlen(yaml), "test", &lexicon, &err) != RETORT_OK) fail_msg("%s", err.message);
    assert_int_equal(rt_scanner_create(&lexicon, &scanner, &err), RETORT_OK);
    assert_int_equal(rt_scanner_run(scanner, text, strlen(text), tally_match, &t, &err), RETORT_OK);
    rt_scanner_destroy(scanner);
    rt_lexicon_free(&lexicon);
    return t;
}

#define ONE(fields) "categories: {c: {entries: [{" fields "}]}}"

/* Reading tries every example; this says so by itself, and that no entry goes without a counterexample. */
static void test_shipped(void **state) {
    (void)state;
    rt_lexicon lexicon;
    retort_error err = {0};
    if (rt_lexicon_read(NULL, &lexicon, &err) != RETORT_OK) fail_msg("%s", err.message);
    assert_int_equal(lexicon.num_categories, 3);
    assert_int_equal(rt_lexicon_prove(&lexicon, &err), RETORT_OK);
    for (int32_t i = 0; i < lexicon.num_entries; i++) assert_true(lexicon.entries[i].num_never > 0);
    static const char *const known[] = {"wait", "maybe", "hmm", "but", "alternatively", "because"};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        bool found = false;
        for (int32_t i = 0; i < lexicon.num_entries; i++) found |= strcmp(lexicon.entries[i].text, known[k]) == 0;
        assert_true(found);
    }
    rt_lexicon_free(&lexicon);
    for (int i = 0; rt_lexicon_shipped(i) != NULL; i++) {
        assert_int_equal(rt_lexicon_read(rt_lexicon_shipped(i), &lexicon, &err), RETORT_OK);
        assert_string_equal(lexicon.categories[0].name, rt_lexicon_shipped(i));
        rt_lexicon_free(&lexicon);
    }
}

static void test_rules(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *text;
        int32_t count;
    } cases[] = {
        {ONE("text: so"), "So, so. SO\nalso solve so-so", 5},
        {ONE("text: so, boundary: whole"), "So, so. SO\nalso solve so-so so-called -so", 4},
        {ONE("text: so, boundary: none"), "So also solve", 3},
        {ONE("text: So, case: exact"), "So so SO", 1},
        {ONE("text: wait"), "wait's 'wait' \"wait\" o'wait wait' \xe2\x80\x98wait\xe2\x80\x99 wait\xe2\x80\x99s", 4},
        {ONE("text: wait"), "\xc3\xa9wait wait\xc3\xa9 wait\xe2\x80\x94no 2wait wait_ _wait", 1},
        {ONE("text: let's"), "let's let\xe2\x80\x99s LET'S lets let", 3},
        {ONE("text: let me"), "let  me let\nme let\n\nme let\tme letme let-me", 3},
        {ONE("text: because"), "\\because \\\\because because \\text{because}", 3},
        {ONE("text: think"), "<think>I think</think> < think >", 2},
        {ONE("text: wait"), "`wait` ``wait ` wait`` wait ` wait", 2},
        {ONE("text: wait, context: anywhere"), "`wait` \\wait <wait>", 3},
        {ONE("text: wait"), "wait\n```c\nwait\n```\nwait\n~~~\nwait\n```\nwait\n~~~~ \nwait", 3},
        {ONE("text: wait"), "wait\n```\nwait\n``` no end\nwait", 1},
        {ONE("text: '-', boundary: operator"), "a - b, 3-4, x-axis, well-known\n- item\n-5, (x) - \\pi, $a$ - $b$", 4},
        {ONE("class: number"), "1 2.5 1,000 x2 3. 4, 5..6 `7`", 8},
        {ONE("class: command"), "\\frac{1}{2} \\\\pi \\\\\\pi \\{ \\", 2},
        {ONE("text: '\\frac', context: anywhere"), "\\frac \\fraction \\dfrac", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t count = scan(cases[i].yaml, cases[i].text).count;
        if (count != cases[i].count) fail_msg("case %zu: %s in '%s': %d", i, cases[i].yaml, cases[i].text, count);
    }
}

static void test_places(void **state) {
    (void)state;
    static const char text[] = "Oh, let\xe2\x80\x99s \n  wait";
    tally t = scan(ONE("text: let's wait"), text);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.begin, 4);
    assert_int_equal(t.end, sizeof text - 1);
    size_t at = 0, begin, end;
    static const char words[] = "It's \\frac, x2y.";
    static const struct { size_t begin, end; } expected[] = {{0, 4}, {6, 10}, {12, 13}, {14, 15}};
    for (size_t i = 0; i < 4; i++) {
        assert_true(rt_word_next(words, sizeof words - 1, &at, &begin, &end));
        assert_int_equal(begin, expected[i].begin);
        assert_int_equal(end, expected[i].end);
    }
    assert_false(rt_word_next(words, sizeof words - 1, &at, &begin, &end));
}

/* Entries that end in other entries, in several categories, all come out. */
static void test_overlaps(void **state) {
    (void)state;
    const char *yaml = "categories: {a: {entries: [wait a minute, a minute, minute]}, b: {entries: [minute, wait]}}";
    assert_int_equal(scan(yaml, "Wait a minute").count, 5);
    assert_int_equal(scan(yaml, "wait wait a minute").count, 6);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"[]", "'t': a lexicon is a mapping with 'categories'"},
        {"categories: {}", "'t': a lexicon is a mapping with 'categories'"},
        {"categories: {A: {entries: [a]}}", "'t': 'A' cannot name a category"},
        {"categories: {a: {entries: []}}", "'t': category 'a' must have a list 'entries'"},
        {"categories: {a: {entries: [x, X]}}", "'t': category 'a', entry 2: 'X' is there already"},
        {"categories: {a: {entries: [{txt: x}]}}", "'t': category 'a', entry 1: unknown key 'txt'"},
        {"categories: {a: {entries: [{text: x, case: lower}]}}", "'t': category 'a', entry 1: 'case' is 'lower'"},
        {"categories: {a: {entries: [{text: x, not: y}]}}", "'t': category 'a', entry 1: 'not' must be a list"},
        {"categories: {a: {entries: [{text: x, not: [1]}]}}", "'t': category 'a', entry 1: 'not' must hold texts"},
        {"categories: {a: {entries: ['']}}", "'t': category 'a', entry 1: an empty text"},
        {"categories: {a: {entries: [' x']}}", "'t': category 'a', entry 1: ' x' begins, ends or doubles"},
        {"categories: {a: {entries: [\"x\\ty\"]}}", "'t': category 'a', entry 1: a control character"},
        {"categories: {a: {entries: [{class: word}]}}", "'t': category 'a', entry 1: 'class' is 'word'"},
        {"categories: {a: {entries: [[x]]}}", "'t': category 'a', entry 1 must be a text or a mapping"},
        {"categories: {a: {entries: [x]}, a: {entries: [y]}}", "'t' line 1: key 'a' is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_lexicon lexicon = {0};
        retort_error err = {0};
        assert_int_equal(rt_lexicon_add(cases[i].yaml, strlen(cases[i].yaml), "t", &lexicon, &err), RETORT_ERR_FORMAT);
        if (strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("case %zu: %s", i, err.message);
        rt_lexicon_free(&lexicon);
    }
    rt_lexicon lexicon;
    retort_error err = {0};
    assert_int_equal(rt_lexicon_read("logical,logical", &lexicon, &err), RETORT_ERR_FORMAT);
    assert_int_equal(rt_lexicon_read("/nonexistent.yaml", &lexicon, &err), RETORT_ERR_NOT_FOUND);
    assert_int_equal(rt_lexicon_read(",", &lexicon, &err), RETORT_ERR_USAGE);
}

/* An example that does not behave is an error that names it. */
static void test_broken_examples(void **state) {
    (void)state;
    static const char *const yamls[] = {ONE("text: so, not: ['so what']"), ONE("text: so, yes: [solve]"),
                                        ONE("text: '-', boundary: operator")};
    for (size_t i = 0; i < 3; i++) {
        rt_lexicon lexicon = {0};
        retort_error err = {0};
        assert_int_equal(rt_lexicon_add(yamls[i], strlen(yamls[i]), "t", &lexicon, &err), RETORT_OK);
        assert_int_equal(rt_lexicon_prove(&lexicon, &err), RETORT_ERR_FORMAT);
        assert_non_null(strstr(err.message, "category 'c'"));
        rt_lexicon_free(&lexicon);
    }
}

static void test_any_bytes(void **state) {
    (void)state;
    rt_lexicon lexicon;
    rt_scanner *scanner;
    retort_error err = {0};
    static const char parts[] = "wait'\xe2\x80\x99so \n`~\\<>-=1.\xc3";
    char noise[4096];
    uint32_t x = 7;
    for (size_t i = 0; i < sizeof noise; i++) {
        x = x * 1664525u + 1013904223u;
        noise[i] = parts[(x >> 16) % (sizeof parts - 1)];
    }
    assert_int_equal(rt_lexicon_read(NULL, &lexicon, &err), RETORT_OK);
    assert_int_equal(rt_scanner_create(&lexicon, &scanner, &err), RETORT_OK);
    for (size_t from = 0; from < sizeof noise; from += 61) {
        char *piece = malloc(sizeof noise - from); /* its own block, so that a sanitizer sees reads outside */
        tally t = {0, -1, 0, 0};
        memcpy(piece, noise + from, sizeof noise - from);
        assert_int_equal(rt_scanner_run(scanner, piece, sizeof noise - from, tally_match, &t, &err), RETORT_OK);
        if (from == 0) assert_true(t.count > 0);
        free(piece);
    }
    rt_scanner_destroy(scanner);
    rt_lexicon_free(&lexicon);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),   cmocka_unit_test(test_rules),   cmocka_unit_test(test_places),
        cmocka_unit_test(test_overlaps),  cmocka_unit_test(test_refused), cmocka_unit_test(test_broken_examples),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests_name("lexicon", tests, NULL, NULL);
}
