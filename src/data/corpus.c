/* The pre-training corpus: what a small model has "read" before it is ever trained to reason. docs/world.md has the
 * exact shares. */
#include <string.h>

#include "data/goals.h"
#include "data/phrases.h"

/* Documents in 1000; the exploratory share is drawn before. Arithmetic takes most of the tokens: what was distilled
 * from bases that had read more answers and fewer sums could not carry a search, its steps were wrong; and without
 * drills in reaching a goal and in joining steps to an expression it could not tell when it had arrived (docs/log.md).
 */
enum {
    SHARE_TERSE_3 = 140,
    SHARE_TERSE_4 = 90,
    SHARE_TERSE_BLANKS = 30,
    SHARE_FORMAL = 40,
    SHARE_FACTS = 170,
    SHARE_EXPRESSIONS = 20,
    SHARE_LEAVING = 60,
    SHARE_PAIRS = 40,
    SHARE_GOALS = 60,
    SHARE_REACHING = 180,
    SHARE_COMPOSING = 60,
    SHARE_COMPARISONS = 10,
    SHARE_MEMBERS = 70
};

/* Beyond this, numbers hardly matter for targets below 100: they are kept rare, also so that the tokenizer spends its
 * vocabulary on words rather than on hundreds of three-digit numbers. */
enum { LARGE = 150 };

typedef struct corpus {
    rt_rng rng;
    const char *template;
    rt_buffer *out;
    retort_error *err;
} corpus;

static int32_t between(corpus *c, int32_t low, int32_t high) {
    return low + (int32_t)rt_rng_below(&c->rng, (uint32_t)(high - low + 1));
}

/* Values as countdown meets them: mostly one of the given numbers, else an intermediate result. */
static int32_t value_like(corpus *c) {
    uint32_t kind = rt_rng_below(&c->rng, 10);
    return kind < 4 ? between(c, 1, RT_NUMBER_MAX) : kind < 9 ? between(c, 1, 99) : between(c, 1, 400);
}

/* A true step with at least one operand in 1..25. */
static rt_step draw_step(corpus *c) {
    for (;;) {
        static const char ops[] = "++---***/";
        char op = ops[rt_rng_below(&c->rng, sizeof ops - 1)];
        int32_t a = value_like(c), b = between(c, 1, RT_NUMBER_MAX);
        if (op == '/') {
            b = between(c, 2, RT_NUMBER_MAX);
            a = b * between(c, 1, 99);
        } else if (op == '-') {
            if (rt_rng_below(&c->rng, 3) == 0) b = between(c, 1, 99);
            if (b > a) {
                int32_t t = a;
                a = b;
                b = t;
            }
        } else if (rt_rng_below(&c->rng, 4) == 0) {
            int32_t t = a;
            a = b;
            b = t;
        }
        int32_t value = rt_apply(a, op, b);
        bool large = a > LARGE || b > LARGE || value > LARGE;
        if (value >= 0 && (!large || rt_rng_below(&c->rng, 4) == 0)) return (rt_step){a, b, value, op};
    }
}

static rt_step inverse(rt_step s) {
    switch (s.op) {
    case '+': return (rt_step){s.value, s.b, s.a, '-'};
    case '-': return (rt_step){s.value, s.b, s.a, '+'};
    case '*': return (rt_step){s.value, s.b, s.a, '/'};
    default: return (rt_step){s.value, s.b, s.a, '*'};
    }
}

/* Unrelated steps, or each followed by its inverse: 24 - 5 = 19, 19 + 5 = 24. */
static retort_status put_facts(corpus *c) {
    int count = (int)between(c, 5, 11);
    const char *joint = rt_rng_below(&c->rng, 2) ? ", " : ". ";
    bool pairs = rt_rng_below(&c->rng, 3) == 0;
    rt_step s = {0};
    for (int i = 0; i < count; i++) {
        s = pairs && i % 2 == 1 ? inverse(s) : draw_step(c);
        RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d %c %d = %d", i ? joint : "", s.a, s.op, s.b, s.value));
    }
    return rt_buffer_puts(c->out, ".", c->err);
}

/* A drill that reaches a target must not work out a problem of another split. */
static bool of_pretraining(const int32_t *numbers, int count, int32_t target) {
    rt_question q = {.family = RT_FAMILY_COUNTDOWN, .count = count, .target = target};
    memcpy(q.numbers, numbers, sizeof *numbers * (size_t)count);
    if (rt_world_split(&q) != RT_SPLIT_PRETRAIN) return false;
    q.family = RT_FAMILY_BLANKS;
    return rt_world_split(&q) == RT_SPLIT_PRETRAIN;
}

/* Random tree over fresh numbers whose every node is within the limits. */
static bool draw_tree(corpus *c, int leaves, rt_tree *tree) {
    int items[RT_MAX_NUMBERS] = {0};
    int32_t numbers[RT_MAX_NUMBERS];
    tree->count = 0;
    for (int i = 0; i < leaves; i++) {
        numbers[i] = between(c, 1, RT_NUMBER_MAX);
        items[i] = rt_tree_leaf(tree, numbers[i]);
    }
    for (int n = leaves; n > 1; n--) {
        int i = (int)rt_rng_below(&c->rng, (uint32_t)n - 1);
        char op = "++--**/"[rt_rng_below(&c->rng, 7)];
        if (rt_apply(tree->nodes[items[i]].value, op, tree->nodes[items[i + 1]].value) < 0) return false;
        items[i] = rt_tree_join(tree, items[i], op, items[i + 1]);
        for (int k = i + 1; k < n - 1; k++) items[k] = items[k + 1];
    }
    tree->root = items[0];
    if (leaves > 2 && !of_pretraining(numbers, leaves, tree->nodes[tree->root].value)) return false;
    for (int i = 0; i < tree->count; i++)
        if (tree->nodes[i].value > LARGE && rt_rng_below(&c->rng, 4) != 0) return false;
    return true;
}

static retort_status put_expressions(corpus *c) {
    int count = (int)between(c, 2, 4);
    bool steps = rt_rng_below(&c->rng, 4) != 0;
    for (int i = 0; i < count; i++) {
        rt_tree tree = {0};
        while (!draw_tree(c, (int)between(c, 3, 4), &tree)) {
        }
        if (i) RT_TRY(rt_buffer_puts(c->out, " ", c->err));
        RT_TRY(rt_tree_print(&tree, tree.root, c->out, c->err));
        if (steps) {
            rt_step s[RT_MAX_NUMBERS];
            int n = rt_tree_steps(&tree, tree.root, s);
            RT_TRY(rt_buffer_puts(c->out, ":", c->err));
            for (int k = 0; k < n; k++)
                RT_TRY(rt_buffer_printf(c->out, c->err, "%s %d %c %d = %d", k ? "," : "", s[k].a, s[k].op, s[k].b,
                                        s[k].value));
            RT_TRY(rt_buffer_puts(c->out, ".", c->err));
        } else {
            RT_TRY(rt_buffer_printf(c->out, c->err, " = %d.", tree.nodes[tree.root].value));
        }
    }
    return RETORT_OK;
}

/* Joins two of the values by a random step that stays within the limits; the result takes the last place. */
static bool draw_join(corpus *c, int32_t *values, int *count, rt_step *step) {
    int n = *count;
    int i = (int)rt_rng_below(&c->rng, (uint32_t)n), j = (int)rt_rng_below(&c->rng, (uint32_t)n);
    if (i == j) return false;
    char op = "+-*/"[rt_rng_below(&c->rng, 4)];
    int32_t value = rt_apply(values[i], op, values[j]);
    if (value < 0 || (value > LARGE && rt_rng_below(&c->rng, 8) != 0)) return false;
    *step = (rt_step){values[i], values[j], value, op};
    int m = 0;
    for (int k = 0; k < n; k++)
        if (k != i && k != j) values[m++] = values[k];
    values[m++] = value;
    *count = m;
    return true;
}

static retort_status put_leaving(corpus *c) {
    int32_t values[RT_MAX_NUMBERS];
    int count = (int)between(c, 3, 4);
    for (int i = 0; i < count; i++) values[i] = between(c, 1, RT_NUMBER_MAX);
    RT_TRY(rt_buffer_puts(c->out, "Numbers ", c->err));
    RT_TRY(rt_world_list(values, count, c->out, c->err));
    RT_TRY(rt_buffer_puts(c->out, ".", c->err));
    while (count > 1) {
        rt_step s;
        if (!draw_join(c, values, &count, &s)) continue;
        RT_TRY(rt_buffer_printf(c->out, c->err, " %d %c %d = %d, leaving ", s.a, s.op, s.b, s.value));
        RT_TRY(rt_world_list(values, count, c->out, c->err));
        RT_TRY(rt_buffer_puts(c->out, ".", c->err));
    }
    return RETORT_OK;
}

/* All that two numbers make, and inverse steps from a target: the material of working backward, without a search. */
static retort_status put_pairs(corpus *c) {
    int count = (int)between(c, 2, 4);
    for (int i = 0; i < count; i++) {
        int32_t a = between(c, 1, RT_NUMBER_MAX),
                b = rt_rng_below(&c->rng, 3) ? between(c, 1, RT_NUMBER_MAX) : between(c, 1, 60);
        if (a < b) {
            int32_t t = a;
            a = b;
            b = t;
        }
        RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d and %d:", i ? " " : "", a, b));
        const char *joint = " ";
        for (const char *op = "+-*/"; *op; op++) {
            int32_t value = rt_apply(a, *op, b);
            if (value < 0 || (*op == '/' && b == 1) || (*op == '*' && value > 2 * LARGE)) continue;
            RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d %c %d = %d", joint, a, *op, b, value));
            joint = ", ";
        }
        RT_TRY(rt_buffer_puts(c->out, ".", c->err));
    }
    return RETORT_OK;
}

/* "Goal 24 or 62 from 8 and 3: 8 + 3 = 11, 8 - 3 = 5, 8 * 3 = 24: yes." Stops where a goal is reached; half of them
 * are. */
static retort_status put_goals(corpus *c) {
    int count = (int)between(c, 2, 4);
    for (int i = 0; i < count; i++) {
        int32_t a = between(c, 1, RT_NUMBER_MAX), b = between(c, 1, rt_rng_below(&c->rng, 3) ? RT_NUMBER_MAX : 60);
        if (a < b) {
            int32_t t = a;
            a = b;
            b = t;
        }
        int32_t goals[3], n = between(c, 1, 3), reached = rt_apply(a, "+-*/"[rt_rng_below(&c->rng, 4)], b);
        for (int k = 0; k < n; k++) goals[k] = between(c, 1, 150);
        if (rt_rng_below(&c->rng, 2) && reached > 0 && reached <= 2 * LARGE)
            goals[rt_rng_below(&c->rng, (uint32_t)n)] = reached;
        RT_TRY(rt_buffer_puts(c->out, i ? " Goal " : "Goal ", c->err));
        for (int k = 0; k < n; k++) RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d", k ? " or " : "", goals[k]));
        RT_TRY(rt_buffer_printf(c->out, c->err, " from %d and %d:", a, b));
        bool found = false;
        const char *joint = " ";
        for (const char *op = "+-*/"; *op && !found; op++) {
            int32_t value = rt_apply(a, *op, b);
            if (value < 0 || (*op == '/' && b == 1) || (*op == '*' && value > 2 * LARGE)) continue;
            RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d %c %d = %d", joint, a, *op, b, value));
            joint = ", ";
            for (int k = 0; k < n; k++) found = found || goals[k] == value;
        }
        RT_TRY(rt_buffer_puts(c->out, found ? ": yes." : ", no.", c->err));
    }
    return RETORT_OK;
}

/* ": yes. 24 + 19 = 43. 43 = 8 * 3 + 19." */
static retort_status put_arrival(corpus *c, rt_step s, int32_t last, const rt_goal *goal, int32_t target) {
    rt_tree tree = {0};
    int a = rt_tree_leaf(&tree, s.a), b = rt_tree_leaf(&tree, s.b), z = rt_tree_leaf(&tree, last);
    int pair = rt_tree_join(&tree, a, s.op, b);
    tree.root = goal->swapped ? rt_tree_join(&tree, z, goal->op, pair) : rt_tree_join(&tree, pair, goal->op, z);
    RT_TRY(rt_buffer_printf(c->out, c->err, ": yes. %d %c %d = %d. %d = ", goal->swapped ? last : s.value, goal->op,
                            goal->swapped ? s.value : last, target, target));
    RT_TRY(rt_tree_print(&tree, tree.root, c->out, c->err));
    return rt_buffer_puts(c->out, ".", c->err);
}

/* A single look with one number last, hit or miss: "Goal 43 from 8, 3 and 19. 19 last: 43 - 19 = 24 or 43 + 19 = 62
 * from 8 and 3: 8 + 3 = 11, 8 - 3 = 5, 8 * 3 = 24: yes. 24 + 19 = 43. 43 = 8 * 3 + 19." */
static retort_status put_reaching(corpus *c) {
    rt_goal goals[RT_GOALS_MAX];
    int32_t v[3], target;
    int gn;
    do {
        for (int i = 0; i < 3; i++) v[i] = between(c, 1, RT_NUMBER_MAX);
        if (rt_rng_below(&c->rng, 4) == 0) v[0] = between(c, 1, 60);
        target = between(c, 10, rt_rng_below(&c->rng, 4) ? 99 : 150);
        rt_step made[RT_RESULTS_MAX];
        int n = rt_pair_results(v[0], v[1], LARGE, made);
        if (rt_rng_below(&c->rng, 2))
            target = rt_apply(made[rt_rng_below(&c->rng, (uint32_t)n)].value, "++--*/"[rt_rng_below(&c->rng, 6)], v[2]);
        gn = target > 0 && target <= LARGE ? rt_goals_of(target, v[2], rt_reach_of(v[0], v[1]), goals) : 0;
    } while (gn == 0 || !of_pretraining(v, 3, target));
    RT_TRY(rt_buffer_printf(c->out, c->err, "Goal %d from ", target));
    int32_t list[3];
    uint32_t turn = rt_rng_below(&c->rng, 3);
    for (uint32_t i = 0; i < 3; i++) list[i] = v[(i + turn) % 3];
    RT_TRY(rt_world_list(list, 3, c->out, c->err));
    RT_TRY(rt_buffer_printf(c->out, c->err, ". %d last: ", v[2]));
    int32_t largest = 0;
    for (int g = 0; g < gn; g++) {
        rt_step s = goals[g].step;
        RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d %c %d = %d", g ? " or " : "", s.a, s.op, s.b, s.value));
        if (goals[g].value > largest) largest = goals[g].value;
    }
    RT_TRY(rt_buffer_puts(c->out, " from ", c->err));
    RT_TRY(rt_world_list(v, 2, c->out, c->err));
    RT_TRY(rt_buffer_puts(c->out, ":", c->err));
    rt_step steps[RT_RESULTS_MAX];
    int n = rt_pair_results(v[0], v[1], 2 * largest, steps);
    for (int r = 0; r < n; r++) {
        rt_step s = steps[r];
        RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d %c %d = %d", r ? ", " : " ", s.a, s.op, s.b, s.value));
        for (int g = 0; g < gn; g++)
            if (goals[g].value == s.value) return put_arrival(c, s, v[2], &goals[g], target);
    }
    return rt_buffer_puts(c->out, ", no.", c->err);
}

/* Steps and the expression they make: "8 * 3 = 24, 24 + 19 = 43. 43 = 8 * 3 + 19." */
static retort_status put_composing(corpus *c) {
    int count = (int)between(c, 2, 3);
    for (int i = 0; i < count; i++) {
        rt_tree tree = {0};
        rt_step s[RT_MAX_NUMBERS];
        while (!draw_tree(c, (int)between(c, 2, 4), &tree)) {
        }
        int n = rt_tree_steps(&tree, tree.root, s);
        for (int k = 0; k < n; k++)
            RT_TRY(rt_buffer_printf(c->out, c->err, "%s%d %c %d = %d",
                                    k   ? ", "
                                    : i ? " "
                                        : "",
                                    s[k].a, s[k].op, s[k].b, s[k].value));
        RT_TRY(rt_buffer_printf(c->out, c->err, ". %d = ", tree.nodes[tree.root].value));
        RT_TRY(rt_tree_print(&tree, tree.root, c->out, c->err));
        RT_TRY(rt_buffer_puts(c->out, ".", c->err));
    }
    return RETORT_OK;
}

/* "Of 19 and 29: 15 no, 29 yes, 19 yes." The list stands before what is looked up in it, so every answer can be worked
 * out; half of those that are not in it are near misses. */
static retort_status put_members(corpus *c) {
    int32_t values[4], n = between(c, 1, 4), count = between(c, 4, 9);
    for (int32_t k = 0; k < n; k++) values[k] = value_like(c);
    RT_TRY(rt_buffer_puts(c->out, "Of ", c->err));
    RT_TRY(rt_world_list(values, n, c->out, c->err));
    for (int32_t i = 0; i < count; i++) {
        static const int32_t offsets[] = {-10, -2, -1, 1, 2, 10};
        bool member = false;
        int32_t v = values[rt_rng_below(&c->rng, (uint32_t)n)];
        if (rt_rng_below(&c->rng, 2))
            v = rt_rng_below(&c->rng, 2) ? value_like(c) : v + offsets[rt_rng_below(&c->rng, 6)];
        if (v < 1) v = 1;
        for (int32_t k = 0; k < n; k++) member = member || values[k] == v;
        RT_TRY(rt_buffer_printf(c->out, c->err, "%s %d %s", i ? "," : ":", v, member ? "yes" : "no"));
    }
    return rt_buffer_puts(c->out, ".", c->err);
}

static retort_status put_comparisons(corpus *c) {
    int count = (int)between(c, 3, 6);
    for (int i = 0; i < count; i++) {
        int32_t a = value_like(c), b = between(c, 10, 99);
        if (i) RT_TRY(rt_buffer_puts(c->out, " ", c->err));
        if (a == b) {
            RT_TRY(rt_buffer_printf(c->out, c->err, "%d is equal to %d.", a, b));
        } else if (rt_rng_below(&c->rng, 2)) {
            RT_TRY(rt_buffer_printf(c->out, c->err, "%d is %s than %d.", a, a < b ? "less" : "more", b));
        } else {
            RT_TRY(rt_buffer_printf(c->out, c->err, "%d is %d %s than %d.", a, a < b ? b - a : a - b,
                                    a < b ? "less" : "more", b));
        }
    }
    return RETORT_OK;
}

static retort_status put_sentences(corpus *c) {
    int count = (int)between(c, 2, 4);
    for (int i = 0; i < count; i++) {
        if (i) RT_TRY(rt_buffer_puts(c->out, " ", c->err));
        RT_TRY(rt_buffer_puts(c->out, rt_corpus_sentences[rt_rng_below(&c->rng, (uint32_t)rt_corpus_sentence_count)],
                              c->err));
    }
    return RETORT_OK;
}

static retort_status put_prompt(corpus *c, const rt_question *question) {
    static const char mark[] = "{problem}";
    const char *at = strstr(c->template, mark);
    RT_CHECK(at, c->err, RETORT_ERR_USAGE, "prompt template has no '{problem}'");
    RT_TRY(rt_buffer_append(c->out, c->template, (size_t)(at - c->template), c->err));
    RT_TRY(rt_world_text(question, c->out, c->err));
    return rt_buffer_puts(c->out, at + sizeof mark - 1, c->err);
}

/* Like the web, the corpus does not always answer in the asked form: 11 in 20 terse answers are boxed, the others are
 * the bare expression or an equation. That a verifiable reward can teach a base the form of an answer is a known part
 * of what zero-RL does, and a base that always boxed would hide it. */
static retort_status put_terse(corpus *c, const rt_question *question, const rt_tree *solution) {
    uint32_t form = rt_rng_below(&c->rng, 20);
    if (form < 11) return rt_formal_write(RT_TEACHER_TERSE, solution, c->out, c->err);
    RT_TRY(rt_tree_print(solution, solution->root, c->out, c->err));
    if (form < 16) return RETORT_OK;
    return rt_buffer_printf(c->out, c->err, " = %d", question->target);
}

typedef enum answer_style { ANSWER_TERSE, ANSWER_FORMAL, ANSWER_EXPLORATORY } answer_style;

static retort_status put_problem(corpus *c, rt_family family, int32_t numbers, answer_style style) {
    rt_solutions *scratch = rt_malloc(sizeof *scratch);
    RT_CHECK(scratch, c->err, RETORT_ERR_MEMORY, "out of memory for the solver");
    rt_question question;
    rt_tree solution;
    while (!rt_world_draw(family, numbers, RT_SPLIT_PRETRAIN, &c->rng, scratch, &question, &solution)) {
    }
    rt_free(scratch);
    RT_TRY(put_prompt(c, &question));
    if (style == ANSWER_EXPLORATORY) return rt_exploratory_write(&question, &solution, &c->rng, c->out, c->err);
    if (style == ANSWER_TERSE) return put_terse(c, &question, &solution);
    return rt_formal_write(RT_TEACHER_RIGID, &solution, c->out, c->err);
}

static int32_t three_or_four(corpus *c) {
    return 3 + (int32_t)rt_rng_below(&c->rng, 2);
}

retort_status rt_corpus_document(uint64_t seed, uint64_t index, double exploratory_rate, const char *prompt_template,
                                 rt_buffer *out, retort_error *err) {
    corpus c = {.rng = rt_rng_make(seed, index), .template = prompt_template, .out = out, .err = err};
    if (rt_rng_double(&c.rng) < exploratory_rate)
        return put_problem(&c, RT_FAMILY_COUNTDOWN, three_or_four(&c), ANSWER_EXPLORATORY);
    int32_t kind = (int32_t)rt_rng_below(&c.rng, 1000);
    if ((kind -= SHARE_TERSE_3) < 0) return put_problem(&c, RT_FAMILY_COUNTDOWN, 3, ANSWER_TERSE);
    if ((kind -= SHARE_TERSE_4) < 0) return put_problem(&c, RT_FAMILY_COUNTDOWN, 4, ANSWER_TERSE);
    if ((kind -= SHARE_TERSE_BLANKS) < 0) return put_problem(&c, RT_FAMILY_BLANKS, three_or_four(&c), ANSWER_TERSE);
    if ((kind -= SHARE_FORMAL) < 0) return put_problem(&c, RT_FAMILY_COUNTDOWN, three_or_four(&c), ANSWER_FORMAL);
    if ((kind -= SHARE_FACTS) < 0) return put_facts(&c);
    if ((kind -= SHARE_EXPRESSIONS) < 0) return put_expressions(&c);
    if ((kind -= SHARE_LEAVING) < 0) return put_leaving(&c);
    if ((kind -= SHARE_PAIRS) < 0) return put_pairs(&c);
    if ((kind -= SHARE_GOALS) < 0) return put_goals(&c);
    if ((kind -= SHARE_REACHING) < 0) return put_reaching(&c);
    if ((kind -= SHARE_COMPOSING) < 0) return put_composing(&c);
    if ((kind -= SHARE_COMPARISONS) < 0) return put_comparisons(&c);
    if (kind < SHARE_MEMBERS) return put_members(&c);
    return put_sentences(&c);
}
