/* The flexible teacher: an honest search, told as a thoughtful person would tell it.
 *
 * It never consults the solver. With two numbers left it lists what they make and compares with what is needed; with
 * three it asks, number by number, what the other two would have to make if this one came last; with four it first
 * joins two numbers (forward) or fixes the last one (backward) and then does the same. Which way to go first is a rough
 * estimate with noise that cannot tell a hit from a near miss (ROUGH). docs/world.md describes the procedure.
 */
#include <string.h>

#include "data/goals.h"
#include "data/phrases.h"
#include "data/world_internal.h"

enum {
    ITEMS_MAX = 4,
    ROUGH = 3,         /* distances up to this look alike to the estimate */
    NOISE = 6,         /* uniform noise added to an estimate */
    NOISE_TOP = 80,    /* with three numbers given there is room to look at all, so hardly any estimate is needed */
    BRANCHES_MAX = 64, /* first steps remembered as tried */
    TAIL = 170         /* characters kept for the verification and the answer */
};

typedef struct item {
    int32_t value;
    int node;
} item;

typedef struct state {
    item items[ITEMS_MAX];
    int count;
    int32_t target;
} state;

typedef struct teller {
    rt_rng rng;
    rt_buffer *out;
    size_t start, budget;
    retort_error *err;
    retort_status status; /* sticky: the first failure of a write */
    rt_tree tree;
    rt_flexible_plan *plan;
    rt_step shown[16]; /* equations of the attempt at hand, for a re-check */
    int shown_count;
    bool failed_before;
    rt_step approaches[2 * BRANCHES_MAX]; /* distinct first steps, operands of + and * in descending order */
} teller;

typedef struct words {
    const char *t, *l, *e, *g, *n, *z, *r, *d, *c;
} words;

typedef struct text {
    char s[256];
} text;

static bool chance(teller *w, uint32_t percent) {
    return rt_rng_below(&w->rng, 100) < percent;
}

static void put(teller *w, const char *s, size_t n) {
    if (w->status == RETORT_OK) w->status = rt_buffer_append(w->out, s, n, w->err);
}

static void say(teller *w, rt_slot slot, const words *v) {
    const rt_phrases *p = &rt_phrase_table[slot];
    const char *s = p->items[rt_rng_below(&w->rng, (uint32_t)p->count)];
    for (; *s; s++) {
        const char *insert = NULL;
        if (*s == '~') {
            w->plan->doubts++;
        } else if (*s == '^') {
            w->plan->checks++;
        } else if (*s == '@') {
            w->plan->corrections++;
        } else if (*s != '{') {
            put(w, s, 1);
        } else {
            switch (s[1]) {
            case 'T': insert = v->t; break;
            case 'L': insert = v->l; break;
            case 'E': insert = v->e; break;
            case 'G': insert = v->g; break;
            case 'N': insert = v->n; break;
            case 'Z': insert = v->z; break;
            case 'R': insert = v->r; break;
            case 'D': insert = v->d; break;
            case 'C': insert = v->c; break;
            default: break;
            }
            if (insert) put(w, insert, strlen(insert));
            s += 2;
        }
    }
}

static text number_text(int32_t value) {
    text t;
    snprintf(t.s, sizeof t.s, "%d", value);
    return t;
}

static text step_text(rt_step s) {
    text t;
    snprintf(t.s, sizeof t.s, "%d %c %d = %d", s.a, s.op, s.b, s.value);
    return t;
}

static text list_text(const item *items, int count) {
    text t = {""};
    size_t at = 0;
    for (int i = 0; i < count; i++)
        at += (size_t)snprintf(t.s + at, sizeof t.s - at, "%s%d",
                               i == 0           ? ""
                               : i == count - 1 ? " and "
                                                : ", ",
                               items[i].value);
    return t;
}

static void note(teller *w, rt_step s) {
    w->plan->true_steps++;
    if (w->shown_count < (int)(sizeof w->shown / sizeof *w->shown)) w->shown[w->shown_count++] = s;
}

static bool same_step(rt_step s, rt_step t) {
    return s.a == t.a && s.b == t.b && s.op == t.op;
}

/* The first step of an attempt that starts from the given numbers. */
static void open_approach(teller *w, rt_step s) {
    if ((s.op == '+' || s.op == '*') && s.a < s.b) {
        int32_t t = s.a;
        s.a = s.b;
        s.b = t;
    }
    int n = w->plan->approaches;
    for (int i = 0; i < n; i++)
        if (same_step(w->approaches[i], s)) return;
    if (n == (int)(sizeof w->approaches / sizeof *w->approaches)) return;
    w->approaches[n] = s;
    w->plan->approaches++;
}

static int32_t distance(int32_t a, int32_t b) {
    return a < b ? b - a : a - b;
}

/* How promising it looks to end with item z: the smallest distance between a goal and a result, blurred. Lower is
 * better; a large number if no goal is in reach. */
static int32_t estimate_last(const state *s, int z) {
    int32_t xy[2];
    for (int i = 0, n = 0; i < 3; i++)
        if (i != z) xy[n++] = s->items[i].value;
    rt_goal goals[RT_GOALS_MAX];
    rt_step steps[4];
    int gn = rt_goals_of(s->target, s->items[z].value, rt_reach_of(xy[0], xy[1]), goals);
    int rn = rt_pair_results(xy[0], xy[1], RT_VALUE_MAX, steps);
    int32_t best = 1000;
    for (int g = 0; g < gn; g++) {
        for (int r = 0; r < rn; r++) {
            int32_t d = distance(goals[g].value, steps[r].value);
            if (d < ROUGH) d = ROUGH;
            if (d < best) best = d;
        }
    }
    return best;
}

static void set_last(const state *s, int z, item rest[2]) {
    for (int i = 0, n = 0; i < 3; i++)
        if (i != z) rest[n++] = s->items[i];
}

/* Writes one step of a list, now and then turned round or taken back first. */
static void tell_step(teller *w, rt_step s) {
    if (s.op == '-' && s.a != s.b && chance(w, 8)) {
        text a = number_text(s.a), b = number_text(s.b), e = step_text(s);
        say(w, RT_SLOT_NEGATIVE, &(words){.z = b.s, .r = a.s, .e = e.s});
    } else {
        if (s.value > 10 && chance(w, 1)) {
            rt_step wrong = s;
            wrong.value += chance(w, 50) ? 1 : chance(w, 50) ? 10 : -2;
            text e = step_text(wrong);
            say(w, RT_SLOT_SLIP, &(words){.e = e.s});
            w->plan->false_steps++;
        }
        text e = step_text(s);
        put(w, e.s, strlen(e.s));
    }
    note(w, s);
}

static void tell_failure(teller *w, const rt_goal *goals, int gn, const char *goal_values, const rt_step *steps,
                         int rn) {
    bool small = true, big = true;
    int32_t near = 1000, near_value = 0, near_goal = 0;
    for (int g = 0; g < gn; g++) {
        for (int r = 0; r < rn; r++) {
            small = small && steps[r].value < goals[g].value;
            big = big && steps[r].value > goals[g].value;
            int32_t d = distance(steps[r].value, goals[g].value);
            if (d < near) {
                near = d;
                near_value = steps[r].value;
                near_goal = goals[g].value;
            }
        }
    }
    rt_slot slot = RT_SLOT_FAIL;
    if (small && chance(w, 60)) slot = RT_SLOT_FAIL_SMALL;
    if (big && chance(w, 60)) slot = RT_SLOT_FAIL_BIG;
    say(w, slot, &(words){.n = goal_values});
    w->failed_before = true;
    if (near <= 2 && chance(w, 15)) {
        text r = number_text(near_value), d = number_text(near), n = number_text(near_goal);
        say(w, RT_SLOT_NEAR, &(words){.r = r.s, .d = d.s, .n = n.s});
    }
    if (w->shown_count > 0 && chance(w, 7)) {
        rt_step s = w->shown[rt_rng_below(&w->rng, (uint32_t)w->shown_count)];
        text e = step_text(s);
        say(w, RT_SLOT_RECHECK, &(words){.e = e.s});
        w->plan->true_steps++;
    }
}

/* Lists what x and y make until a goal is met. Returns the tree node of the met goal joined with z (z < 0: the goal
 * itself), or -1. */
static int tell_pair(teller *w, item x, item y, const rt_goal *goals, int gn, const item *z) {
    rt_step steps[4];
    int32_t largest = 0;
    for (int g = 0; g < gn; g++)
        if (goals[g].value > largest) largest = goals[g].value;
    int rn = rt_pair_results(x.value, y.value, 2 * largest, steps);
    if (x.value < y.value) {
        item t = x;
        x = y;
        y = t;
    }
    text values = {""};
    size_t at = 0;
    for (int g = 0; g < gn; g++)
        at += (size_t)snprintf(values.s + at, sizeof values.s - at, "%s%d", g ? " or " : "", goals[g].value);
    say(w, RT_SLOT_LIST, &(words){0});
    for (int r = 0; r < rn; r++) {
        if (r) put(w, ", ", 2);
        tell_step(w, steps[r]);
        for (int g = 0; g < gn; g++) {
            if (steps[r].value != goals[g].value) continue;
            text result = number_text(steps[r].value);
            say(w, RT_SLOT_HIT, &(words){.r = result.s});
            int node = rt_tree_join(&w->tree, x.node, steps[r].op, y.node);
            if (!z) return node;
            return goals[g].swapped ? rt_tree_join(&w->tree, z->node, goals[g].op, node)
                                    : rt_tree_join(&w->tree, node, goals[g].op, z->node);
        }
    }
    tell_failure(w, goals, gn, values.s, steps, rn);
    return -1;
}

/* One attempt with three items: item z comes last. */
static int tell_last(teller *w, const state *s, int z, bool again, bool top) {
    item rest[2];
    set_last(s, z, rest);
    rt_goal goals[RT_GOALS_MAX];
    int gn = rt_goals_of(s->target, s->items[z].value, rt_reach_of(rest[0].value, rest[1].value), goals);
    text g = {""}, target = number_text(s->target), last = number_text(s->items[z].value), list = list_text(rest, 2);
    size_t at = 0;
    for (int i = 0; i < gn; i++) {
        text e = step_text(goals[i].step);
        at += (size_t)snprintf(g.s + at, sizeof g.s - at, "%s%s", i ? " or " : "", e.s);
    }
    w->plan->attempts++;
    w->plan->goals++;
    if (w->failed_before) w->plan->backtracks++;
    if (top) open_approach(w, goals[0].step);
    say(w, again ? RT_SLOT_LAST_AGAIN : RT_SLOT_LAST, &(words){.t = target.s, .z = last.s, .g = g.s, .l = list.s});
    for (int i = 0; i < gn; i++) note(w, goals[i].step);
    return tell_pair(w, rest[0], rest[1], goals, gn, &s->items[z]);
}

static bool over(const teller *w) {
    return w->status != RETORT_OK || w->out->length - w->start + TAIL > w->budget;
}

/* Ends with each of three items in turn, most promising first. Returns the solution's node or -1. */
static int search_three(teller *w, const state *s, bool top, int looks) {
    int32_t score[3];
    bool done[3] = {false};
    for (int i = 0; i < 3; i++) {
        score[i] = estimate_last(s, i);
        if (score[i] < 1000) score[i] += (int32_t)rt_rng_below(&w->rng, top ? NOISE_TOP : NOISE);
    }
    for (int k = 0; k < looks && (!over(w) || (k == 0 && !top)); k++) {
        int z = -1;
        for (int i = 0; i < 3; i++)
            if (!done[i] && score[i] < 1000 && (z < 0 || score[i] < score[z])) z = i;
        if (z < 0) return -1;
        for (int i = 0; i < z; i++)
            if (done[i] && chance(w, 5)) {
                text t = number_text(s->items[i].value);
                say(w, RT_SLOT_TRIED, &(words){.z = t.s});
                break;
            }
        done[z] = true;
        w->shown_count = 0;
        int node = tell_last(w, s, z, k > 0 || (top && w->failed_before), top);
        if (node >= 0) return node;
        /* Equal numbers give equal looks. */
        for (int i = 0; i < 3; i++)
            if (s->items[i].value == s->items[z].value) done[i] = true;
    }
    return -1;
}

/* A first step with four items: join two (forward) or fix the last one (backward). */
typedef struct branch {
    state next;
    rt_step step;
    rt_goal goal; /* backward only */
    item last;    /* backward only */
    int joined;   /* forward: the tree node made by the step is made when the branch is taken */
    item x, y;
    bool backward;
    int32_t score;
} branch;

static void offer(teller *w, branch *best, branch *candidate, const rt_step *tried, int tried_count) {
    for (int i = 0; i < tried_count; i++)
        if (same_step(tried[i], candidate->step)) return;
    int32_t score = 1000;
    for (int z = 0; z < 3; z++) {
        int32_t e = estimate_last(&candidate->next, z);
        if (e < score) score = e;
    }
    if (score == 1000) return;
    candidate->score = score + (int32_t)rt_rng_below(&w->rng, NOISE);
    if (best->score > candidate->score) *best = *candidate;
}

static bool choose_branch(teller *w, const state *s, const rt_step *tried, int tried_count, branch *best) {
    best->score = 1000;
    for (int i = 0; i < s->count; i++) {
        for (int j = i + 1; j < s->count; j++) {
            rt_step steps[4];
            item x = s->items[i], y = s->items[j];
            if (x.value < y.value) {
                x = s->items[j];
                y = s->items[i];
            }
            int n = rt_pair_results(x.value, y.value, 200, steps);
            for (int r = 0; r < n; r++) {
                if (steps[r].value == 0) continue;
                branch b = {.step = steps[r], .x = x, .y = y, .next.target = s->target};
                for (int k = 0; k < s->count; k++)
                    if (k != i && k != j) b.next.items[b.next.count++] = s->items[k];
                b.next.items[b.next.count++] = (item){steps[r].value, -1};
                offer(w, best, &b, tried, tried_count);
            }
        }
        rt_goal goals[RT_GOALS_MAX];
        int gn = rt_goals_of(s->target, s->items[i].value, 120, goals);
        for (int g = 0; g < gn; g++) {
            if (goals[g].value < 2) continue;
            branch b = {.step = goals[g].step, .goal = goals[g], .last = s->items[i], .backward = true};
            b.next.target = goals[g].value;
            for (int k = 0; k < s->count; k++)
                if (k != i) b.next.items[b.next.count++] = s->items[k];
            offer(w, best, &b, tried, tried_count);
        }
    }
    return best->score < 1000;
}

static int take_branch(teller *w, const state *s, branch *b, bool again) {
    text e = step_text(b->step), list = list_text(b->next.items, b->next.count), t = number_text(s->target);
    open_approach(w, b->step);
    w->shown_count = 0;
    int nodes = w->tree.count;
    if (b->backward) {
        w->plan->goals++;
        text z = number_text(b->last.value), r = number_text(b->goal.value);
        say(w, again ? RT_SLOT_BACKWARD_AGAIN : RT_SLOT_BACKWARD,
            &(words){.t = t.s, .z = z.s, .e = e.s, .r = r.s, .l = list.s});
    } else {
        b->next.items[b->next.count - 1].node = rt_tree_join(&w->tree, b->x.node, b->step.op, b->y.node);
        say(w, again ? RT_SLOT_FORWARD_AGAIN : RT_SLOT_FORWARD, &(words){.t = t.s, .e = e.s, .l = list.s});
    }
    note(w, b->step);
    if (chance(w, 5)) say(w, RT_SLOT_UNSURE, &(words){0});
    int node = search_three(w, &b->next, false, chance(w, 50) ? 1 : 2);
    if (node < 0) {
        w->tree.count = nodes;
        return -1;
    }
    if (!b->backward) return node;
    return b->goal.swapped ? rt_tree_join(&w->tree, b->last.node, b->goal.op, node)
                           : rt_tree_join(&w->tree, node, b->goal.op, b->last.node);
}

/* A first impression with three numbers: the join whose result looks nearest to the target, then all that can be done
 * with the last number. Returns the solution's node or -1. */
static int tell_impression(teller *w, const state *s) {
    rt_step best = {0};
    int pair[2] = {0, 1}, z = 2;
    int32_t best_score = 100000;
    for (int k = 0; k < 3; k++) {
        rt_step steps[4];
        int i = k == 0 ? 1 : 0, j = k == 2 ? 1 : 2;
        int n = rt_pair_results(s->items[i].value, s->items[j].value, 200, steps);
        for (int r = 0; r < n; r++) {
            if (steps[r].value == 0) continue;
            int32_t score = distance(steps[r].value, s->target) + (int32_t)rt_rng_below(&w->rng, NOISE_TOP);
            if (score >= best_score) continue;
            best_score = score;
            best = steps[r];
            z = k;
            pair[0] = i;
            pair[1] = j;
        }
    }
    item x = s->items[pair[0]], y = s->items[pair[1]];
    int nodes = w->tree.count;
    int node = x.value < y.value ? rt_tree_join(&w->tree, y.node, best.op, x.node)
                                 : rt_tree_join(&w->tree, x.node, best.op, y.node);
    item left[2] = {s->items[z], {best.value, node}};
    text e = step_text(best), list = list_text(left, 2);
    w->plan->attempts++;
    open_approach(w, best);
    if (w->failed_before) w->plan->backtracks++;
    w->shown_count = 0;
    say(w, RT_SLOT_FORWARD, &(words){.e = e.s, .l = list.s});
    note(w, best);
    rt_goal target = {.value = s->target};
    int found = tell_pair(w, left[0], left[1], &target, 1, NULL);
    if (found < 0) w->tree.count = nodes;
    return found;
}

static int search_four(teller *w, const state *s) {
    rt_step tried[BRANCHES_MAX];
    int count = 0;
    while (!over(w) && count < BRANCHES_MAX) {
        branch b;
        memset(&b, 0, sizeof b);
        if (!choose_branch(w, s, tried, count, &b)) return -1;
        tried[count] = b.step;
        int node = take_branch(w, s, &b, count > 0);
        if (node >= 0) return node;
        count++;
    }
    return -1;
}

static void tell_answer(teller *w, int root) {
    rt_step steps[RT_MAX_NUMBERS];
    int n = rt_tree_steps(&w->tree, root, steps);
    text chain = {""};
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        text e = step_text(steps[i]);
        at += (size_t)snprintf(chain.s + at, sizeof chain.s - at, "%s%s", i ? ", " : "", e.s);
    }
    int32_t checks = w->plan->checks;
    say(w, RT_SLOT_VERIFY, &(words){.c = chain.s});
    w->plan->checks = checks;
    w->plan->verifications++;
    w->plan->true_steps += n;
    w->plan->solved = true;
    say(w, RT_SLOT_ANSWER, &(words){0});
    put(w, "\\boxed{", 7);
    if (w->status == RETORT_OK) w->status = rt_tree_print(&w->tree, root, w->out, w->err);
    put(w, "}", 1);
}

retort_status rt_flexible_write(const rt_question *question, uint64_t seed, size_t budget, rt_buffer *out,
                                rt_flexible_plan *plan, retort_error *err) {
    RT_CHECK(question->count == 3 || question->count == 4, err, RETORT_ERR_UNSUPPORTED,
             "the flexible teacher takes problems of 3 or 4 numbers, not %d", question->count);
    *plan = (rt_flexible_plan){0};
    teller w = {.rng = rt_rng_make(seed ^ rt_world_hash(question), 3),
                .out = out,
                .start = out->length,
                .budget = budget,
                .err = err,
                .plan = plan};
    state s = {.count = question->count, .target = question->target};
    for (int i = 0; i < s.count; i++)
        s.items[i] = (item){question->numbers[i], rt_tree_leaf(&w.tree, question->numbers[i])};
    if (chance(&w, 70)) {
        text list = list_text(s.items, s.count), t = number_text(s.target);
        say(&w, RT_SLOT_OPEN, &(words){.l = list.s, .t = t.s});
    }
    int root = -1;
    if (s.count == 3 && chance(&w, 35)) root = tell_impression(&w, &s);
    if (root < 0) root = s.count == 3 ? search_three(&w, &s, true, 3) : search_four(&w, &s);
    if (root >= 0)
        tell_answer(&w, root);
    else
        say(&w, RT_SLOT_GIVE_UP, &(words){0});
    return w.status;
}
