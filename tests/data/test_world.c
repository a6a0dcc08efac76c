/* The world's problems: disjoint splits, one text a problem, determinism, solvable within the stated limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/world_internal.h"
#include "verify/answer.h"

static rt_problems draw(rt_split split, int64_t count, uint64_t seed) {
    rt_problems problems = {0};
    retort_error err = {0};
    if (rt_world_problems(split, count, seed, &problems, &err) != RETORT_OK) fail_msg("%s", err.message);
    assert_int_equal(problems.count, count);
    return problems;
}

static const struct {
    rt_split split;
    int64_t count;
} sizes[] = {
    {RT_SPLIT_PRETRAIN, 3000}, {RT_SPLIT_DISTILL, 2000}, {RT_SPLIT_RL, 25000},     {RT_SPLIT_VALIDATION, 500},
    {RT_SPLIT_TEST, 1000},     {RT_SPLIT_HARD, 60},      {RT_SPLIT_TRANSFER, 500},
};
enum { SPLITS = sizeof sizes / sizeof *sizes };

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_splits_share_nothing(void **state) {
    (void)state;
    size_t total = 0, at = 0;
    for (int i = 0; i < SPLITS; i++) total += (size_t)sizes[i].count;
    uint64_t *hashes = malloc(total * sizeof *hashes);
    assert_non_null(hashes);
    for (int i = 0; i < SPLITS; i++) {
        rt_problems problems = draw(sizes[i].split, sizes[i].count, 4);
        for (int64_t k = 0; k < problems.count; k++) {
            const rt_question *q = &problems.items[k].question;
            /* Blanks problems of the corpus are the pre-training split's; their family keeps them apart. */
            assert_int_equal(rt_world_split(q), sizes[i].split);
            hashes[at++] = rt_world_hash(q);
        }
        rt_problems_free(&problems);
    }
    qsort(hashes, total, sizeof *hashes, compare);
    for (size_t i = 1; i < total; i++) assert_true(hashes[i] != hashes[i - 1]);
    free(hashes);
}

static void test_order_does_not_change_the_split(void **state) {
    (void)state;
    rt_question a = {.family = RT_FAMILY_COUNTDOWN, .numbers = {3, 5, 7, 11}, .count = 4, .target = 24}, b = a;
    b.numbers[0] = 11;
    b.numbers[3] = 3;
    assert_true(rt_world_hash(&a) == rt_world_hash(&b));
    b.family = a.family = RT_FAMILY_BLANKS;
    assert_true(rt_world_hash(&a) != rt_world_hash(&b));
    b = a;
    b.target++;
    assert_true(rt_world_hash(&a) != rt_world_hash(&b));
}

static void test_problems_are_well_formed(void **state) {
    (void)state;
    for (int i = 0; i < SPLITS; i++) {
        rt_problems problems = draw(sizes[i].split, sizes[i].count < 500 ? sizes[i].count : 500, 9);
        int threes = 0;
        for (int64_t k = 0; k < problems.count; k++) {
            const rt_problem *p = &problems.items[k];
            const rt_question *q = &p->question;
            threes += q->count == 3;
            assert_in_range(q->count, sizes[i].split == RT_SPLIT_HARD ? 5 : 3, sizes[i].split == RT_SPLIT_HARD ? 5 : 4);
            assert_in_range(q->target, RT_TARGET_MIN, RT_TARGET_MAX);
            for (int n = 0; n < q->count; n++) assert_in_range(q->numbers[n], 1, RT_NUMBER_MAX);
            rt_buffer text = {0}, boxed = {0};
            assert_int_equal(rt_world_text(q, &text, NULL), RETORT_OK);
            assert_string_equal(text.data, p->problem);
            assert_int_equal(rt_buffer_printf(&boxed, NULL, "\\boxed{%s}", p->answer), RETORT_OK);
            const char *reason;
            if (rt_answer_grade(q, boxed.data, boxed.length, &reason) != RT_RIGHT)
                fail_msg("%s: %s: %s", p->problem, p->answer, reason);
            rt_buffer_free(&text);
            rt_buffer_free(&boxed);
        }
        if (sizes[i].split != RT_SPLIT_HARD) assert_int_equal(threes, problems.count / 2);
        rt_problems_free(&problems);
    }
}

static void test_texts(void **state) {
    (void)state;
    rt_question q = {.family = RT_FAMILY_COUNTDOWN, .numbers = {3, 5, 7, 11}, .count = 4, .target = 24};
    rt_buffer text = {0};
    assert_int_equal(rt_world_text(&q, &text, NULL), RETORT_OK);
    assert_string_equal(text.data, "Use 3, 5, 7 and 11 to make 24.");
    rt_buffer_clear(&text);
    q = (rt_question){.family = RT_FAMILY_BLANKS, .numbers = {3, 5, 7}, .count = 3, .target = 22};
    assert_int_equal(rt_world_text(&q, &text, NULL), RETORT_OK);
    assert_string_equal(text.data, "Fill in 3 _ 5 _ 7 = 22.");
    rt_buffer_free(&text);
}

static void test_same_seed_same_problems(void **state) {
    (void)state;
    rt_problems a = draw(RT_SPLIT_RL, 300, 11), b = draw(RT_SPLIT_RL, 300, 11), c = draw(RT_SPLIT_RL, 300, 12);
    /* A longer draw begins with the shorter one. */
    rt_problems longer = draw(RT_SPLIT_RL, 600, 11);
    int same = 0;
    for (int i = 0; i < 300; i++) {
        assert_string_equal(a.items[i].id, b.items[i].id);
        assert_string_equal(a.items[i].answer, b.items[i].answer);
        assert_string_equal(a.items[i].id, longer.items[i].id);
        same += strcmp(a.items[i].id, c.items[i].id) == 0;
    }
    assert_true(same < 10);
    rt_problems_free(&a);
    rt_problems_free(&b);
    rt_problems_free(&c);
    rt_problems_free(&longer);
}

static void test_a_dry_split_says_so(void **state) {
    (void)state;
    rt_problems problems = {0};
    retort_error err = {0};
    assert_int_equal(rt_world_problems(RT_SPLIT_TEST, -1, 1, &problems, &err), RETORT_ERR_USAGE);
    assert_int_equal(rt_world_problems(RT_SPLIT_TEST, 100000000, 1, &problems, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "1000000"));
    rt_problems_free(&problems);
}

static void test_split_names(void **state) {
    (void)state;
    retort_error err = {0};
    for (int i = 0; i < SPLITS; i++) {
        rt_split split;
        assert_int_equal(rt_split_parse(rt_split_name(sizes[i].split), &split, &err), RETORT_OK);
        assert_int_equal(split, sizes[i].split);
    }
    rt_split split;
    assert_int_equal(rt_split_parse("train", &split, &err), RETORT_ERR_USAGE);
}

/* Every tree the solver returns keeps to non-negative whole numbers up to 999 and has the target's value. */
static void check_tree(const rt_tree *tree, int32_t target, const int32_t *numbers, int32_t count) {
    int64_t sum = 0, want = 0;
    int leaves = 0;
    assert_int_equal(tree->nodes[tree->root].value, target);
    bool used[RT_TREE_NODES] = {false};
    used[tree->root] = true;
    for (int i = tree->root; i >= 0; i--) {
        const rt_node *n = &tree->nodes[i];
        if (!used[i]) continue;
        assert_in_range(n->value, 0, RT_VALUE_MAX);
        if (n->op == 0) {
            leaves++;
            sum += n->value;
            continue;
        }
        assert_true(n->left < i && n->right < i && n->left != n->right);
        assert_int_equal(rt_apply(tree->nodes[n->left].value, n->op, tree->nodes[n->right].value), n->value);
        used[n->left] = used[n->right] = true;
    }
    for (int i = 0; i < count; i++) want += numbers[i];
    assert_int_equal(leaves, count);
    assert_int_equal(sum, want);
}

static void test_solver_keeps_the_limits(void **state) {
    (void)state;
    rt_solutions *s = malloc(sizeof *s);
    assert_non_null(s);
    rt_rng rng = rt_rng_make(3, 3);
    for (int round = 0; round < 300; round++) {
        int32_t numbers[5], count = 3 + round % 3;
        for (int i = 0; i < count; i++) numbers[i] = 1 + (int32_t)rt_rng_below(&rng, RT_NUMBER_MAX);
        rt_family family = round % 2 ? RT_FAMILY_BLANKS : RT_FAMILY_COUNTDOWN;
        assert_true(rt_solve(family, numbers, count, &rng, s));
        for (int32_t t = RT_TARGET_MIN; t <= RT_TARGET_MAX; t++)
            if (s->seen[t]) check_tree(&s->tree[t], t, numbers, count);
    }
    int32_t too_many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assert_false(rt_solve(RT_FAMILY_COUNTDOWN, too_many, 9, &rng, s));
    assert_false(rt_solve(RT_FAMILY_COUNTDOWN, (int32_t[]){-1, 2}, 2, &rng, s));
    free(s);
}

/* The normal forms lose no target: compared with a plain search over all ordered pairs. */
static void reach(const int32_t *values, int count, bool *hit) {
    if (count == 1) {
        if (values[0] <= RT_TARGET_MAX) hit[values[0]] = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            if (i == j) continue;
            for (const char *op = "+-*/"; *op; op++) {
                int32_t next[4], n = 0, value = rt_apply(values[i], *op, values[j]);
                if (value < 0) continue;
                for (int k = 0; k < count; k++)
                    if (k != i && k != j) next[n++] = values[k];
                next[n++] = value;
                reach(next, n, hit);
            }
        }
    }
}

static void test_normal_forms_lose_little(void **state) {
    (void)state;
    rt_solutions *s = malloc(sizeof *s);
    assert_non_null(s);
    rt_rng rng = rt_rng_make(5, 5);
    int missing = 0, all = 0;
    for (int round = 0; round < 200; round++) {
        int32_t numbers[4], count = 3 + round % 2;
        for (int i = 0; i < count; i++) numbers[i] = 1 + (int32_t)rt_rng_below(&rng, RT_NUMBER_MAX);
        bool hit[RT_TARGET_MAX + 1] = {false};
        reach(numbers, count, hit);
        assert_true(rt_solve(RT_FAMILY_COUNTDOWN, numbers, count, &rng, s));
        for (int32_t t = RT_TARGET_MIN; t <= RT_TARGET_MAX; t++) {
            assert_true(hit[t] || s->seen[t] == 0);
            all += hit[t];
            missing += hit[t] && s->seen[t] == 0;
        }
    }
    /* Only products that pass RT_VALUE_MAX on the way can be lost. */
    assert_true(all > 4000);
    assert_true(missing * 100 < all);
    free(s);
}

static void test_print_and_read_back(void **state) {
    (void)state;
    rt_tree tree = {.count = 0};
    int a = rt_tree_leaf(&tree, 20), b = rt_tree_leaf(&tree, 6), c = rt_tree_leaf(&tree, 4), d = rt_tree_leaf(&tree, 3);
    int bc = rt_tree_join(&tree, b, '-', c), all = rt_tree_join(&tree, a, '/', bc),
        sum = rt_tree_join(&tree, d, '+', all);
    rt_buffer text = {0};
    assert_int_equal(rt_tree_print(&tree, sum, &text, NULL), RETORT_OK);
    assert_string_equal(text.data, "3 + 20 / (6 - 4)");
    rt_buffer_clear(&text);
    int product = rt_tree_join(&tree, sum, '*', a);
    assert_int_equal(rt_tree_print(&tree, product, &text, NULL), RETORT_OK);
    assert_string_equal(text.data, "(3 + 20 / (6 - 4)) * 20");
    rt_buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits_share_nothing),
        cmocka_unit_test(test_order_does_not_change_the_split),
        cmocka_unit_test(test_problems_are_well_formed),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_same_seed_same_problems),
        cmocka_unit_test(test_a_dry_split_says_so),
        cmocka_unit_test(test_split_names),
        cmocka_unit_test(test_solver_keeps_the_limits),
        cmocka_unit_test(test_normal_forms_lose_little),
        cmocka_unit_test(test_print_and_read_back),
    };
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
