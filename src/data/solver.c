#include "data/solver.h"

#include <string.h>

int32_t rt_apply(int32_t a, char op, int32_t b) {
    int32_t r = -1;
    switch (op) {
    case '+': r = a + b; break;
    case '-': r = a - b; break;
    case '*': r = a > RT_VALUE_MAX || b > RT_VALUE_MAX ? -1 : a * b; break;
    case '/': r = b > 0 && a % b == 0 ? a / b : -1; break;
    default: break;
    }
    return r >= 0 && r <= RT_VALUE_MAX ? r : -1;
}

int rt_tree_leaf(rt_tree *tree, int32_t value) {
    tree->nodes[tree->count] = (rt_node){.value = value};
    return tree->count++;
}

int rt_tree_join(rt_tree *tree, int left, char op, int right) {
    int32_t value = rt_apply(tree->nodes[left].value, op, tree->nodes[right].value);
    tree->nodes[tree->count] = (rt_node){value, op, (int8_t)left, (int8_t)right};
    return tree->count++;
}

static int precedence(char op) {
    return op == 0 ? 3 : op == '*' || op == '/' ? 2 : 1;
}

retort_status rt_tree_print(const rt_tree *tree, int node, rt_buffer *out, retort_error *err) {
    const rt_node *n = &tree->nodes[node];
    if (n->op == 0) return rt_buffer_printf(out, err, "%d", n->value);
    int own = precedence(n->op);
    int left = precedence(tree->nodes[n->left].op), right = precedence(tree->nodes[n->right].op);
    bool paren_left = left < own;
    bool paren_right = right <= own; /* also where a sum of sums would not need them: the steps stay visible */
    if (paren_left) RT_TRY(rt_buffer_puts(out, "(", err));
    RT_TRY(rt_tree_print(tree, n->left, out, err));
    RT_TRY(rt_buffer_printf(out, err, "%s %c %s", paren_left ? ")" : "", n->op, paren_right ? "(" : ""));
    RT_TRY(rt_tree_print(tree, n->right, out, err));
    return paren_right ? rt_buffer_puts(out, ")", err) : RETORT_OK;
}

typedef struct search {
    rt_tree tree; /* a stack: nodes beyond `count` are free */
    rt_rng *rng;
    rt_solutions *out;
    bool ordered;
} search;

/* Orders the parts of a chain: composite parts first, then larger values. */
static int32_t rank(const rt_tree *tree, int node) {
    return tree->nodes[node].value + (tree->nodes[node].op ? 2 * RT_VALUE_MAX : 0);
}

/* One form per chain: a + b + c and a - b - c lean left, sums come before differences (a + b - c, never a - c + b or
 * a - (c - b)), and neighbours descend by rank; likewise products and quotients. */
static bool is_normal(const rt_tree *tree, int left, char op, int right) {
    char l = tree->nodes[left].op, r = tree->nodes[right].op;
    char up = op == '+' || op == '-' ? '+' : '*', down = op == '+' || op == '-' ? '-' : '/';
    if (r == up || r == down) return false;
    if (op == up) {
        if (l == down) return false;
        return rank(tree, l == up ? tree->nodes[left].right : left) >= rank(tree, right);
    }
    return l != down || rank(tree, tree->nodes[left].right) >= rank(tree, right);
}

/* With the order fixed only a + (b +- c) and a * (b * c) are redundant. */
static bool is_left(const rt_tree *tree, char op, int right) {
    char r = tree->nodes[right].op;
    return op == '+' ? r != '+' && r != '-' : op != '*' || (r != '*' && r != '/');
}

static int32_t cost_of(const rt_tree *tree, int node) {
    const rt_node *n = &tree->nodes[node];
    if (n->op == 0) return 0;
    int32_t own = n->op == '/' ? 6 : n->op == '*' ? 2 : 1;
    if (n->value == 0) own += 12;
    return own + cost_of(tree, n->left) + cost_of(tree, n->right);
}

static void record(search *s, int root) {
    int32_t value = s->tree.nodes[root].value;
    if (value < RT_TARGET_MIN || value > RT_TARGET_MAX) return;
    rt_solutions *out = s->out;
    int32_t cost = cost_of(&s->tree, root);
    if (out->seen[value] == 0 || cost < out->cost[value]) {
        out->seen[value] = 1;
    } else {
        if (cost > out->cost[value]) return;
        out->seen[value]++;
        if (rt_rng_below(s->rng, out->seen[value]) != 0) return;
    }
    out->cost[value] = cost;
    out->tree[value] = s->tree;
    out->tree[value].root = root;
}

static void explore(search *s, const int *items, int count) {
    static const char ops[] = "+-*/";
    if (count == 1) {
        record(s, items[0]);
        return;
    }
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            if (i == j || (s->ordered && j != i + 1)) continue;
            int next[RT_MAX_NUMBERS], n = 0;
            for (int k = 0; k < count; k++)
                if (k != j) next[n++] = items[k];
            int slot = s->ordered || i < j ? i : i - 1;
            for (int o = 0; o < 4; o++) {
                if (rt_apply(s->tree.nodes[items[i]].value, ops[o], s->tree.nodes[items[j]].value) < 0) continue;
                if (s->ordered ? !is_left(&s->tree, ops[o], items[j])
                               : !is_normal(&s->tree, items[i], ops[o], items[j]))
                    continue;
                next[slot] = rt_tree_join(&s->tree, items[i], ops[o], items[j]);
                explore(s, next, n);
                s->tree.count--;
            }
        }
    }
}

bool rt_solve(rt_family family, const int32_t *numbers, int32_t count, rt_rng *rng, rt_solutions *out) {
    memset(out->seen, 0, sizeof out->seen);
    if (count < 1 || count > RT_MAX_NUMBERS) return false;
    search s = {.rng = rng, .out = out, .ordered = family == RT_FAMILY_BLANKS};
    int items[RT_MAX_NUMBERS];
    for (int i = 0; i < count; i++) {
        if (numbers[i] < 0 || numbers[i] > RT_VALUE_MAX) return false;
        items[i] = rt_tree_leaf(&s.tree, numbers[i]);
    }
    explore(&s, items, count);
    return true;
}
