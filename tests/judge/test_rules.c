/* The offline judge: sentences, phrases, rules, the behaviours' YAML, hostile texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "judge/exact.h"
#include "judge/rules.h"

/* ---- sentences ---- */

static void expect_sentences(const char *text, const char *const *expected) {
    rt_sentences s = {0};
    retort_error err;
    assert_int_equal(rt_sentences_cut(text, strlen(text), &s, &err), RETORT_OK);
    size_t i = 0;
    for (; expected[i] != NULL; i++) {
        if (i >= s.count) fail_msg("only %zu sentences in: %s", s.count, text);
        assert_int_equal(s.items[i].end - s.items[i].begin, strlen(expected[i]));
        assert_memory_equal(text + s.items[i].begin, expected[i], strlen(expected[i]));
    }
    assert_int_equal(s.count, i);
    rt_sentences_free(&s);
}

static void test_sentences(void **state) {
    (void)state;
    expect_sentences("", (const char *const[]){NULL});
    expect_sentences("  \n\n ", (const char *const[]){NULL});
    expect_sentences("One. Two! Three? Four", (const char *const[]){"One.", "Two!", "Three?", "Four", NULL});
    expect_sentences("It is 3.5, e.g. here. (Yes.) \"No.\" End.",
                     (const char *const[]){"It is 3.5, e.g. here.", "(Yes.)", "\"No.\"", "End.", NULL});
    expect_sentences("1. First step\n2. Second... And?!\n",
                     (const char *const[]){"1. First step", "2. Second...", "And?!", NULL});
    expect_sentences("So x = 12. 34 is next", (const char *const[]){"So x = 12.", "34 is next", NULL});
}

static void test_features(void **state) {
    (void)state;
    static const char text[] =
        "Let x be 3.\n3 + 5 = 8. Is 4 \\times 2 = 8? Again 3+5 = 8. No, 3 + 5 = 9. So the answer is 9.";
    static const uint32_t expected[] = {
        RT_FEATURE_NUMBER | RT_FEATURE_PARAGRAPH | RT_FEATURE_OPENING,
        RT_FEATURE_NUMBER | RT_FEATURE_PARAGRAPH | RT_FEATURE_EQUATION,
        RT_FEATURE_NUMBER | RT_FEATURE_EQUATION | RT_FEATURE_QUESTION,
        RT_FEATURE_NUMBER | RT_FEATURE_EQUATION | RT_FEATURE_RECOMPUTED,
        RT_FEATURE_NUMBER | RT_FEATURE_EQUATION | RT_FEATURE_RECOMPUTED | RT_FEATURE_CHANGED | RT_FEATURE_BEFORE_ANSWER,
        RT_FEATURE_NUMBER | RT_FEATURE_ANSWER | RT_FEATURE_BEFORE_ANSWER,
    };
    rt_sentences s = {0};
    retort_error err;
    assert_int_equal(rt_sentences_cut(text, sizeof text - 1, &s, &err), RETORT_OK);
    assert_int_equal(s.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < s.count; i++)
        if (s.items[i].features != expected[i])
            fail_msg("sentence %zu: %x, not %x", i, s.items[i].features, expected[i]);
    rt_sentences_free(&s);
}

/* ---- phrases ---- */

typedef struct hits {
    int count;
    size_t at, end;
} hits;

static void note_hit(void *context, int32_t list, size_t at, size_t end) {
    hits *h = context;
    assert_int_equal(list, 0);
    *h = (hits){h->count + 1, at, end};
}

static void test_phrases(void **state) {
    (void)state;
    static const struct {
        const char *phrase, *text;
        int hits;
        const char *found; /* the last */
    } cases[] = {
        {"wait", "Wait, await waiting \\wait wait_ WAIT", 2, "WAIT"},
        {"no wait", "No, wait. No  wait. No-wait", 2, "No  wait"},
        {"not #", "not 24, not it, not 1,000.5!", 2, "not 1,000.5"},
        {"# last", "with 5 last and at last", 1, "5 last"},
        {"plug ... back", "Plug the value back in, then plug it.", 1, "Plug the value back"},
        {"doesn't work", "It doesn\xe2\x80\x99t work", 1, "doesn\xe2\x80\x99t work"},
        {"no,", "no, know, No", 1, "no,"},
        {"let", "\\left( let outlet", 1, "let"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_phrases p;
        retort_error err;
        hits h = {0};
        rt_phrases_init(&p);
        assert_int_equal(rt_phrases_add(&p, 0, cases[i].phrase, &err), RETORT_OK);
        const size_t length = strlen(cases[i].text);
        rt_phrases_scan(&p, cases[i].text, 0, length, length, note_hit, &h);
        if (h.count != cases[i].hits) fail_msg("'%s' in '%s': %d", cases[i].phrase, cases[i].text, h.count);
        assert_int_equal(h.end - h.at, strlen(cases[i].found));
        assert_memory_equal(cases[i].text + h.at, cases[i].found, h.end - h.at);
        rt_phrases_free(&p);
    }
    static const char *const refused[] = {"", " a", "... a", "a ...", "a ... b ... c"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        rt_phrases p;
        retort_error err;
        rt_phrases_init(&p);
        assert_int_equal(rt_phrases_add(&p, 0, refused[i], &err), RETORT_ERR_FORMAT);
        rt_phrases_free(&p);
    }
}

/* ---- rules ---- */

static int32_t count_of(const rt_behaviors *b, const char *text, const char *name) {
    rt_rules_work work = {0};
    rt_passages found = {0};
    retort_error err;
    assert_int_equal(rt_rules_judge(b, text, strlen(text), &work, &found, &err), RETORT_OK);
    for (size_t i = 0; i < found.count; i++)
        assert_true(found.items[i].begin < found.items[i].end && found.items[i].end <= strlen(text));
    const int32_t count = rt_passages_count(&found, rt_behaviors_find(b, name));
    rt_rules_work_free(&work);
    rt_passages_free(&found);
    return count;
}

static void test_shipped(void **state) {
    (void)state;
    static const struct {
        const char *behavior, *text;
        int32_t count;
    } cases[] = {
        {"perspective", "Let me factor it. Alternatively, I could use the formula. Another way is to guess.", 2},
        {"perspective", "There is no other way. It goes round the other way round.", 0},
        {"metacognitive", "I add. Wait, that is not right. Hmm, let me think.", 2},
        {"metacognitive", "3 * 4 = 12. So 3 * 4 = 11.", 1}, /* taken back without a word */
        {"metacognitive", "The waiter awaits the checkers.", 0},
        {"verification", "Let me double-check this. Fine.", 1},
        {"verification", "The answer is 4.", 0},
        {"backtracking", "5 + 5 = 10, too big. Let me go back and try 2.", 1},
        {"backtracking", "Let me try 2. It gives 4.", 0}, /* nothing had failed */
        {"subgoal_setting", "Read it. First, I need to find the radius. Then we need to find the area.", 2},
        {"subgoal_setting", "I need to find the area.", 0}, /* the problem restated */
        {"backward_chaining", "Let me work backward from the target.", 1},
        {"backward_chaining", "The number must end with 0.", 0},
    };
    rt_behaviors b;
    retort_error err;
    assert_int_equal(rt_behaviors_load(NULL, &b, &err), RETORT_OK);
    assert_int_equal(b.count, 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int32_t count = count_of(&b, cases[i].text, cases[i].behavior);
        if (count != cases[i].count)
            fail_msg("%s in '%s': %d, not %d", cases[i].behavior, cases[i].text, count, cases[i].count);
    }
    assert_int_equal(rt_exact_known(&b), 0x3F);
    rt_behaviors_free(&b);
}

static const char OWN[] = "name: own\n"
                          "lists: {greet: [hello, good morning]}\n"
                          "behaviors:\n"
                          "  - name: polite\n"
                          "    definition: greets\n"
                          "    gap: 1\n"
                          "    rules:\n"
                          "      - any: [$greet]\n"
                          "        at_start: true\n"
                          "        not: [goodbye]\n"
                          "  - name: thanks\n"
                          "    definition: thanks after a greeting\n"
                          "    rules:\n"
                          "      - {any: [thank you], after: [$greet], reach: 2, also: [very much]}\n"
                          "  - name: defined_only\n"
                          "    definition: for models that judge\n";

static void test_own(void **state) {
    (void)state;
    rt_behaviors b;
    retort_error err = {0};
    assert_int_equal(rt_behaviors_parse(OWN, sizeof OWN - 1, "own.yaml", &b, &err), RETORT_OK);
    assert_int_equal(count_of(&b, "So, hello. Fine. Good morning! One. Two. Hello again.", "polite"), 2); /* gap 1 */
    assert_int_equal(count_of(&b, "I say hello. Hello and goodbye.", "polite"), 0);
    assert_int_equal(count_of(&b, "Thank you very much. Hello. A. Thank you very much.", "thanks"), 1);
    assert_int_equal(count_of(&b, "Hello. A. B. Thank you very much. Hello, thank you.", "thanks"), 0);
    assert_int_equal(count_of(&b, "Thank you very much, hello.", "thanks"), 0); /* the greeting comes later */
    assert_int_equal(count_of(&b, "Hello and thank you very much.", "thanks"), 1);
    assert_int_equal(b.items[2].rule_count, 0);
    rt_behaviors_free(&b);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\n", "unknown key 'a'"},
        {"name: x\n", "'behaviors' must be a list of 1 to 32"},
        {"name: x\nbehaviors: [{name: Bad, definition: d}]\n", "behaviors[0]: 'name' must be 1 to 40 of a-z"},
        {"name: x\nbehaviors: [{name: a}]\n", "behaviors[0]: 'definition' is missing"},
        {"name: x\nbehaviors: [{name: a, definition: d}, {name: a, definition: d}]\n", "there are two behaviours 'a'"},
        {"name: x\nbehaviors: [{name: a, definition: d, rules: [{any: [$none]}]}]\n",
         "rules[0]: there is no list 'none'"},
        {"name: x\nbehaviors: [{name: a, definition: d, rules: [{any: [7]}]}]\n", "a phrase must be text"},
        {"name: x\nbehaviors: [{name: a, definition: d, rules: [{not: [b]}]}]\n", "a rule needs 'any'"},
        {"name: x\nbehaviors: [{name: a, definition: d, rules: [{any: [b], needs: [magic]}]}]\n",
         "unknown feature 'magic'"},
        {"name: x\nbehaviors: [{name: a, definition: d, rules: [{any: [b], reach: 99}]}]\n",
         "'reach' must be a whole number from 0 to 20"},
        {"name: x\nlists: {l: [$l]}\nbehaviors: [{name: a, definition: d, rules: [{any: [$l]}]}]\n", "inside a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_behaviors b;
        retort_error err = {0};
        assert_int_equal(rt_behaviors_parse(cases[i].text, strlen(cases[i].text), "x.yaml", &b, &err),
                         RETORT_ERR_FORMAT);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("'%s' is not in: %s", cases[i].message, err.message);
    }
}

/* Any bytes, and long ones in linear time: a megabyte of each takes well under the test's patience. */
static void test_hostile(void **state) {
    (void)state;
    static const char *const pieces[] = {"no, ",  "= 1 + ", "1.", "\n", " ", "...", "\xff\xfe", "\\frac{1}{2} = 3 ",
                                         "plug ", "wait "};
    enum { SIZE = 1 << 20 };
    rt_behaviors b;
    retort_error err;
    rt_rules_work work = {0};
    rt_passages found = {0};
    char *text = malloc(SIZE);
    assert_int_equal(rt_behaviors_load(NULL, &b, &err), RETORT_OK);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        const size_t n = strlen(pieces[p]);
        for (size_t i = 0; i < SIZE; i++) text[i] = pieces[p][i % n];
        found.count = 0;
        assert_int_equal(rt_rules_judge(&b, text, SIZE, &work, &found, &err), RETORT_OK);
        for (size_t i = 0; i < found.count; i++) assert_true(found.items[i].end <= SIZE);
    }
    memset(text, 0, SIZE);
    assert_int_equal(rt_rules_judge(&b, text, SIZE, &work, &found, &err), RETORT_OK);
    free(text);
    rt_rules_work_free(&work);
    rt_passages_free(&found);
    rt_behaviors_free(&b);
}

static void test_memory(void **state) {
    (void)state;
    for (long fail = 0;; fail++) {
        rt_behaviors b;
        retort_error err;
        rt_rules_work work = {0};
        rt_passages found = {0};
        rt_fail_alloc(fail, false);
        retort_status st = rt_behaviors_parse(OWN, sizeof OWN - 1, "own.yaml", &b, &err);
        if (st == RETORT_OK) {
            static const char text[] = "Hello. 1 + 1 = 2. Thank you very much.";
            st = rt_rules_judge(&b, text, sizeof text - 1, &work, &found, &err);
            rt_behaviors_free(&b);
        }
        const bool reached = rt_alloc_count() > fail;
        rt_fail_alloc(-1, false);
        rt_rules_work_free(&work);
        rt_passages_free(&found);
        if (!reached) {
            assert_int_equal(st, RETORT_OK);
            return;
        }
        assert_int_equal(st, RETORT_ERR_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences), cmocka_unit_test(test_features), cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_shipped),   cmocka_unit_test(test_own),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hostile),   cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
