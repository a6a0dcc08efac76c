#include "data/world.h"

#include <stdio.h>
#include <string.h>

#include "data/solver.h"
#include "data/world_internal.h"

static const char *const split_names[] = {"pretrain", "distill", "rl", "validation", "test", "hard", "transfer"};

const char *rt_split_name(rt_split split) {
    return (unsigned)split < sizeof split_names / sizeof *split_names ? split_names[split] : "unknown";
}

retort_status rt_split_parse(const char *name, rt_split *out, retort_error *err) {
    for (unsigned i = 0; i < sizeof split_names / sizeof *split_names; i++) {
        if (strcmp(name, split_names[i]) == 0) {
            *out = (rt_split)i;
            return RETORT_OK;
        }
    }
    return rt_fail(err, RETORT_ERR_USAGE,
                   "unknown split '%s': use pretrain, distill, rl, validation, test, hard or transfer", name);
}

/* SplitMix64's finaliser: every input bit reaches every output bit. */
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t rt_world_hash(const rt_question *question) {
    int32_t sorted[RT_MAX_NUMBERS];
    int32_t n = question->count;
    for (int i = 0; i < n; i++) sorted[i] = question->numbers[i];
    if (question->family != RT_FAMILY_BLANKS) {
        for (int i = 1; i < n; i++)
            for (int j = i; j > 0 && sorted[j - 1] > sorted[j]; j--) {
                int32_t t = sorted[j];
                sorted[j] = sorted[j - 1];
                sorted[j - 1] = t;
            }
    }
    uint64_t h = mix((uint64_t)question->family * 1000003u + (uint64_t)n);
    for (int i = 0; i < n; i++) h = mix(h ^ (uint64_t)sorted[i]);
    return mix(h ^ (uint64_t)question->target);
}

/* Shares in percent of all countdown problems with 3 or 4 numbers: pretrain 41, rl 45, distill 5, validation 3, test 6.
 * Blanks: 75 pretrain, 25 transfer. Five numbers are all "hard". */
rt_split rt_world_split(const rt_question *question) {
    uint32_t slot = (uint32_t)(rt_world_hash(question) % 100);
    if (question->family == RT_FAMILY_BLANKS) return slot < 75 ? RT_SPLIT_PRETRAIN : RT_SPLIT_TRANSFER;
    if (question->count > 4) return RT_SPLIT_HARD;
    if (slot < 41) return RT_SPLIT_PRETRAIN;
    if (slot < 86) return RT_SPLIT_RL;
    if (slot < 91) return RT_SPLIT_DISTILL;
    return slot < 94 ? RT_SPLIT_VALIDATION : RT_SPLIT_TEST;
}

bool rt_world_draw(rt_family family, int32_t count, rt_split split, rt_rng *rng, rt_solutions *scratch,
                   rt_question *question, rt_tree *solution) {
    *question = (rt_question){.family = family, .count = count};
    for (int i = 0; i < count; i++) question->numbers[i] = 1 + (int32_t)rt_rng_below(rng, RT_NUMBER_MAX);
    rt_solve(family, question->numbers, count, rng, scratch);
    int32_t targets[RT_TARGET_MAX + 1];
    uint32_t n = 0;
    for (int32_t t = RT_TARGET_MIN; t <= RT_TARGET_MAX; t++) {
        question->target = t;
        if (scratch->seen[t] > 0 && rt_world_split(question) == split) targets[n++] = t;
    }
    if (n == 0) return false;
    question->target = targets[rt_rng_below(rng, n)];
    *solution = scratch->tree[question->target];
    if (family != RT_FAMILY_BLANKS) {
        /* The order shown depends on the problem alone, so that a problem has one text. */
        rt_question sorted = *question;
        for (int i = 1; i < count; i++)
            for (int j = i; j > 0 && sorted.numbers[j - 1] > sorted.numbers[j]; j--) {
                int32_t t = sorted.numbers[j];
                sorted.numbers[j] = sorted.numbers[j - 1];
                sorted.numbers[j - 1] = t;
            }
        rt_rng shuffle = rt_rng_make(rt_world_hash(question), 1);
        for (int i = count - 1; i > 0; i--) {
            int k = (int)rt_rng_below(&shuffle, (uint32_t)i + 1);
            int32_t t = sorted.numbers[i];
            sorted.numbers[i] = sorted.numbers[k];
            sorted.numbers[k] = t;
        }
        *question = sorted;
    }
    return true;
}

retort_status rt_world_list(const int32_t *values, int32_t count, rt_buffer *out, retort_error *err) {
    for (int i = 0; i < count; i++)
        RT_TRY(rt_buffer_printf(out, err, "%s%d", i == 0 ? "" : i == count - 1 ? " and " : ", ", values[i]));
    return RETORT_OK;
}

retort_status rt_world_text(const rt_question *question, rt_buffer *out, retort_error *err) {
    if (question->family == RT_FAMILY_BLANKS) {
        RT_TRY(rt_buffer_puts(out, "Fill in ", err));
        for (int i = 0; i < question->count; i++)
            RT_TRY(rt_buffer_printf(out, err, "%s%d", i ? " _ " : "", question->numbers[i]));
        return rt_buffer_printf(out, err, " = %d.", question->target);
    }
    RT_TRY(rt_buffer_puts(out, "Use ", err));
    RT_TRY(rt_world_list(question->numbers, question->count, out, err));
    return rt_buffer_printf(out, err, " to make %d.", question->target);
}

/* Open-addressing set of hashes; 0 marks a free slot. */
typedef struct hash_set {
    uint64_t *slots;
    size_t mask;
} hash_set;

static retort_status hash_set_init(hash_set *set, int64_t count, retort_error *err) {
    size_t size = 16;
    while (size < (size_t)count * 2) size *= 2;
    set->slots = rt_calloc(size, sizeof *set->slots);
    RT_CHECK(set->slots, err, RETORT_ERR_MEMORY, "out of memory for %lld problems", (long long)count);
    set->mask = size - 1;
    return RETORT_OK;
}

static bool hash_set_add(hash_set *set, uint64_t hash) {
    if (hash == 0) hash = 1;
    size_t i = (size_t)hash & set->mask;
    for (; set->slots[i] != 0; i = (i + 1) & set->mask)
        if (set->slots[i] == hash) return false;
    set->slots[i] = hash;
    return true;
}

static retort_status make_problem(const rt_question *question, const rt_tree *solution, rt_split split, rt_problem *out,
                                  retort_error *err) {
    rt_buffer id = {0}, text = {0}, answer = {0};
    const char *family = question->family == RT_FAMILY_BLANKS ? "blanks" : "countdown";
    retort_status st = rt_buffer_printf(&id, err, "%s-%s-%016llx", family, rt_split_name(split),
                                        (unsigned long long)rt_world_hash(question));
    if (st == RETORT_OK) st = rt_world_text(question, &text, err);
    if (st == RETORT_OK) st = rt_tree_print(solution, solution->root, &answer, err);
    if (st != RETORT_OK) {
        rt_buffer_free(&id);
        rt_buffer_free(&text);
        rt_buffer_free(&answer);
        return st;
    }
    *out = (rt_problem){.id = id.data, .problem = text.data, .answer = answer.data, .question = *question};
    out->question.answer = out->answer;
    return RETORT_OK;
}

/* So many vain draws in a row mean that a split has run dry. */
enum { MISSES_MAX = 20000 };

static retort_status fill_split(rt_split split, int64_t count, rt_rng *rng, hash_set *seen, rt_solutions *scratch,
                                rt_problems *out, retort_error *err) {
    int64_t misses = 0;
    bool threes = true; /* until those with three numbers run out */
    for (int64_t i = 0; i < count;) {
        rt_family family = split == RT_SPLIT_TRANSFER ? RT_FAMILY_BLANKS : RT_FAMILY_COUNTDOWN;
        int32_t numbers = split == RT_SPLIT_HARD ? 5 : threes && i % 2 == 0 ? 3 : 4;
        rt_question question;
        rt_tree solution;
        if (!rt_world_draw(family, numbers, split, rng, scratch, &question, &solution) ||
            !hash_set_add(seen, rt_world_hash(&question))) {
            if (++misses < MISSES_MAX) continue;
            RT_CHECK(numbers == 3, err, RETORT_ERR_USAGE,
                     "split '%s' does not hold %lld distinct problems: only %lld were found; ask for fewer",
                     rt_split_name(split), (long long)count, (long long)i);
            threes = false;
            misses = 0;
            continue;
        }
        misses = 0;
        rt_problem problem;
        RT_TRY(make_problem(&question, &solution, split, &problem, err));
        RT_TRY(rt_problems_push(out, &problem, err));
        i++;
    }
    return RETORT_OK;
}

retort_status rt_world_problems(rt_split split, int64_t count, uint64_t seed, rt_problems *out, retort_error *err) {
    RT_CHECK(count >= 0 && count <= 1000000, err, RETORT_ERR_USAGE, "problem count %lld is not in 0..1000000",
             (long long)count);
    hash_set seen = {0};
    RT_TRY(hash_set_init(&seen, count, err));
    rt_solutions *scratch = rt_malloc(sizeof *scratch);
    retort_status st = RETORT_OK;
    if (!scratch) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory for the solver");
    rt_rng rng = rt_rng_make(seed, 0x100u + (uint64_t)split);
    if (st == RETORT_OK) st = fill_split(split, count, &rng, &seen, scratch, out, err);
    rt_free(scratch);
    rt_free(seen.slots);
    return st;
}
