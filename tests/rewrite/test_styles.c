/* What rewriting must not touch: equations, their order, the answer, and what the recogniser counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/world_behaviors.h"
#include "core/mem.h"
#include "data/world.h"
#include "rewrite/marked.h"
#include "rewrite/plain.h"
#include "rewrite/plain_phrases.h"
#include "rewrite/sprinkle.h"
#include "verify/answer.h"

enum { TRACES = 4000 };

/* The placeholders and marks of a phrase, in order: "E~N" of "{E}, ~but {N}". */
static void frame_of(const char *phrase, char *out) {
    size_t n = 0;
    for (const char *p = phrase; *p; p++) {
        if (*p == '~' || *p == '^' || *p == '@') out[n++] = *p;
        if (*p == '{') out[n++] = p[1];
    }
    out[n] = '\0';
}

static void assert_unmarked(const rt_marks *marks, const char *text, size_t length) {
    rt_marked marked = {0};
    bool absent = false;
    char word[32] = "a word of the world's lists";
    rt_marked_count(text, length, &marked);
    assert_int_equal(rt_marks_absent(marks, text, length, &absent, word, NULL), RETORT_OK);
    if (!absent || rt_marked_total(&marked) > 0) fail_msg("'%s' holds '%s'", text, word);
}

static void test_phrases_pair_up(void **state) {
    (void)state;
    rt_marks *marks;
    assert_int_equal(rt_marks_create(&marks, NULL), RETORT_OK);
    for (int slot = 0; slot < RT_SLOT_COUNT; slot++) {
        assert_int_equal(rt_phrase_table[slot].count, rt_plain_phrase_table[slot].count);
        for (size_t i = 0; i < rt_phrase_table[slot].count; i++) {
            const char *told = rt_phrase_table[slot].items[i], *plain = rt_plain_phrase_table[slot].items[i];
            char a[64], b[64];
            frame_of(told, a);
            frame_of(plain, b);
            if (strcmp(a, b) != 0) fail_msg("'%s' and '%s' do not have the same frame", told, plain);
            assert_unmarked(marks, plain, strlen(plain));
            for (size_t k = 0; k < i; k++) /* as many ways to say it as before, but for a pause that is nothing */
                if (*plain && strcmp(plain, rt_plain_phrase_table[slot].items[k]) == 0) fail_msg("'%s' twice", plain);
        }
    }
    rt_marks_destroy(marks);
}

/* The equations of a text, one a line, by the recogniser that reads responses. */
static void equations_of(const rt_question *q, const rt_buffer *text, rt_buffer *out) {
    rt_behavior_span *spans;
    size_t count;
    assert_int_equal(rt_world_behavior_spans(q, text->data, text->length, &spans, &count, NULL), RETORT_OK);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(spans[i].kind, "true_steps") != 0 && strcmp(spans[i].kind, "false_steps") != 0) continue;
        assert_int_equal(rt_buffer_append(out, text->data + spans[i].begin, spans[i].end - spans[i].begin, NULL), 0);
        assert_int_equal(rt_buffer_puts(out, spans[i].kind[0] == 't' ? "\n" : "!\n", NULL), RETORT_OK);
    }
    rt_free(spans);
}

static void assert_same_steps(const rt_problem *p, const rt_buffer *a, const rt_buffer *b) {
    rt_buffer x = {0}, y = {0};
    equations_of(&p->question, a, &x);
    equations_of(&p->question, b, &y);
    if (x.length != y.length || (x.length > 0 && memcmp(x.data, y.data, x.length) != 0))
        fail_msg("%s\n%s\n%s", p->problem, a->data, b->data);
    assert_int_equal(rt_answer_grade(&p->question, a->data, a->length, NULL),
                     rt_answer_grade(&p->question, b->data, b->length, NULL));
    assert_true(rt_same_skeleton(a->data, a->length, b->data, b->length, NULL));
    rt_buffer_free(&x);
    rt_buffer_free(&y);
}

static void test_plain_keeps_every_step_and_behavior(void **state) {
    (void)state;
    rt_problems problems = {0};
    long doubts = 0, corrections = 0, checks = 0;
    rt_marks *marks;
    assert_int_equal(rt_marks_create(&marks, NULL), RETORT_OK);
    assert_int_equal(rt_world_problems(RT_SPLIT_RL, TRACES, 77, &problems, NULL), RETORT_OK);
    for (int i = 0; i < TRACES; i++) {
        const rt_problem *p = &problems.items[i];
        rt_buffer told = {0}, plain = {0};
        rt_world_behaviors a, b;
        retort_error err = {0};
        const size_t budget = 300 + (size_t)(i % 5) * 300;
        assert_int_equal(rt_teacher_write(RT_TEACHER_FLEXIBLE, p, (uint64_t)i % 11, budget, &told, NULL), RETORT_OK);
        if (rt_plain_write(told.data, told.length, &plain, &err) != RETORT_OK)
            fail_msg("%s: %s: %s", p->problem, told.data, err.message);
        assert_unmarked(marks, plain.data, plain.length);
        assert_same_steps(p, &told, &plain);
        rt_world_behaviors_count(&p->question, told.data, told.length, &a);
        rt_world_behaviors_count(&p->question, plain.data, plain.length, &b);
        if (memcmp(&a, &b, sizeof a) != 0) fail_msg("other behaviours: %s\n%s\n%s", p->problem, told.data, plain.data);
        doubts += a.doubts;
        corrections += a.corrections;
        checks += a.checks;
        rt_buffer_free(&told);
        rt_buffer_free(&plain);
    }
    assert_true(doubts > TRACES / 2 && corrections > 200 && checks > 200);
    rt_marks_destroy(marks);
    rt_problems_free(&problems);
}

static void test_plain_refuses_other_texts(void **state) {
    (void)state;
    static const char *const texts[] = {
        "Hello.",
        "Okay, I need 24 from 3, 5 and 7 . ",
        "Okay, I need 24 from 3, 5 and 7. And so on.",
        "So the answer is \\boxed{3 + 5} or not",
        "So the answer is \\boxed{3 + 5",
        "3 + 5 = ",
        "999999999999999999999999999999 + 1",
        "Okay, I need",
        "Step 1: 3 + 5 = 8. I think Answer: \\boxed{3 + 5}",
        ", ",
        "\xff\xfe",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rt_buffer out = {0};
        retort_error err = {0};
        assert_int_equal(rt_plain_write(texts[i], strlen(texts[i]), &out, &err), RETORT_ERR_FORMAT);
        assert_non_null(strstr(err.message, "byte"));
        rt_buffer_free(&out);
    }
}

static rt_sprinkler *make_sprinkler(const rt_problems *problems, int count) {
    rt_sprinkler *s = rt_calloc(1, sizeof *s);
    assert_non_null(s);
    s->seed = 5;
    for (int i = 0; i < count; i++) {
        rt_buffer told = {0};
        assert_int_equal(rt_teacher_write(RT_TEACHER_FLEXIBLE, &problems->items[i], 3, 900, &told, NULL), RETORT_OK);
        assert_int_equal(rt_sprinkle_reference(s, told.data, told.length, NULL), RETORT_OK);
        rt_buffer_free(&told);
    }
    return s;
}

static void assert_rates(const rt_sprinkler *s) {
    static const rt_category categories[] = {RT_CATEGORY_ANTHROPOMORPHIC, RT_CATEGORY_LOGICAL};
    for (size_t c = 0; c < 2; c++) {
        const double due =
            (double)s->reference.by[categories[c]] / (double)s->reference.lexemes * (double)s->written.lexemes;
        const double owed = due - (double)s->written.by[categories[c]];
        if (owed >= 1 || owed <= -4) fail_msg("%s: %g words in arrears", rt_category_name(categories[c]), owed);
    }
}

/* What is read off equations stays; doubts and corrections are read off words, and words are what is put in. */
static void test_sprinkling_keeps_the_steps(void **state) {
    (void)state;
    rt_problems problems = {0};
    assert_int_equal(rt_world_problems(RT_SPLIT_DISTILL, 2000, 9, &problems, NULL), RETORT_OK);
    rt_sprinkler *s = make_sprinkler(&problems, 500);
    long touched = 0;
    for (int i = 0; i < problems.count; i++) {
        const rt_problem *p = &problems.items[i];
        rt_buffer rigid = {0}, sprinkled = {0};
        rt_world_behaviors a, b;
        assert_int_equal(rt_teacher_write(RT_TEACHER_RIGID, p, 3, 900, &rigid, NULL), RETORT_OK);
        assert_int_equal(rt_sprinkle_write(s, i, rigid.data, rigid.length, &sprinkled, NULL), RETORT_OK);
        assert_same_steps(p, &rigid, &sprinkled);
        rt_world_behaviors_count(&p->question, rigid.data, rigid.length, &a);
        rt_world_behaviors_count(&p->question, sprinkled.data, sprinkled.length, &b);
        b.doubts = a.doubts;
        b.corrections = a.corrections;
        b.metacognitive = a.metacognitive;
        if (memcmp(&a, &b, sizeof a) != 0) fail_msg("other behaviours: %s\n%s", rigid.data, sprinkled.data);
        assert_rates(s);
        touched += sprinkled.length > rigid.length;
        rt_buffer_free(&rigid);
        rt_buffer_free(&sprinkled);
    }
    assert_true(touched > 1500);
    rt_free(s);
    rt_problems_free(&problems);
}

/* Not the rate alone: the words come in the reference's mix, as far as there is a filler that carries them. */
static void test_sprinkled_words_have_the_mix_of_the_reference(void **state) {
    (void)state;
    rt_problems problems = {0};
    assert_int_equal(rt_world_problems(RT_SPLIT_DISTILL, 2000, 4, &problems, NULL), RETORT_OK);
    rt_sprinkler *s = make_sprinkler(&problems, 1000);
    for (int i = 0; i < problems.count; i++) {
        rt_buffer rigid = {0}, sprinkled = {0};
        assert_int_equal(rt_teacher_write(RT_TEACHER_RIGID, &problems.items[i], 3, 900, &rigid, NULL), RETORT_OK);
        assert_int_equal(rt_sprinkle_write(s, i, rigid.data, rigid.length, &sprinkled, NULL), RETORT_OK);
        rt_buffer_free(&rigid);
        rt_buffer_free(&sprinkled);
    }
    double off = 0, all = 0;
    for (int w = 0; w < RT_SPRINKLE_WORDS; w++) {
        const double due = (double)s->reference_words[w] / (double)s->reference.lexemes * (double)s->written.lexemes;
        off += due > (double)s->written_words[w] ? due - (double)s->written_words[w] : 0;
        all += due;
    }
    print_message("# %.1f %% of the marked words are others than in the reference\n", 100 * off / all);
    assert_true(all > 1000 && off < 0.05 * all);
    rt_free(s);
    rt_problems_free(&problems);
}

static void test_sprinkling_refuses_other_texts(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "Answer: \\boxed{3 + 5}",
        "Step 1: 3 + 5 = 8. ",
        "Step 1: 3 + 5 = 8. Answer: \\boxed{3 + 5} ",
        "Step : 3 + 5 = 8. Answer: \\boxed{3 + 5}",
        "Step 1: 3 + 5 = 8. So Answer: \\boxed{3 + 5}",
        "Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. "
        "Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. "
        "Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Step 1: 3 + 5 = 8. Answer: \\boxed{3}",
    };
    rt_sprinkler *s = rt_calloc(1, sizeof *s);
    assert_non_null(s);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rt_buffer out = {0};
        assert_int_equal(rt_sprinkle_write(s, 0, texts[i], strlen(texts[i]), &out, NULL), RETORT_ERR_FORMAT);
        rt_buffer_free(&out);
    }
    rt_free(s);
}

static void test_skeletons(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"", "no numbers", true},
        {"So 3 + 5 = 8.", "3 + 5 = 8", true},
        {"3 + 5 = 8", "3 + 5 = 9", false},
        {"3 + 5 = 8", "5 + 3 = 8", false},
        {"3 + 5 = 8, 8 - 1 = 7", "3 + 5 = 8", false},
        {"double-check 3", "verify 3", true},
        {"8 -1", "8 1", false},
        {"\\frac{1}{2}", "\\dfrac{1}{2}", false},
        {"12", "1 2", false},
        {"x-1", "x 1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (rt_same_skeleton(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b), NULL) != cases[i].same)
            fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phrases_pair_up),
        cmocka_unit_test(test_plain_keeps_every_step_and_behavior),
        cmocka_unit_test(test_plain_refuses_other_texts),
        cmocka_unit_test(test_sprinkling_keeps_the_steps),
        cmocka_unit_test(test_sprinkled_words_have_the_mix_of_the_reference),
        cmocka_unit_test(test_sprinkling_refuses_other_texts),
        cmocka_unit_test(test_skeletons),
    };
    return cmocka_run_group_tests_name("styles", tests, NULL, NULL);
}
