/* The corpus's own exploratory voice: plainer and shorter than the flexible teacher's, so that the base model has seen
 * a little of the kind without having seen the teacher. Unlike the teacher it knows the solution: two idle tries, then
 * the way there. */
#include "data/world_internal.h"

static const char *one_of(rt_rng *rng, const char *const *items, uint32_t count) {
    return items[rt_rng_below(rng, count)];
}

retort_status rt_exploratory_write(const rt_question *question, const rt_tree *solution, rt_rng *rng, rt_buffer *out,
                                   retort_error *err) {
    static const char *const start[] = {"Try ", "First ", "Take ", "We could use ", "Maybe ", ""};
    static const char *const then[] = {". Then ", ", then ", ", and ", ". Next "};
    static const char *const fail[] = {", but this is not it. ",  ", no. ",
                                       ". That is wrong. ",       ", not good. ",
                                       ". Hmm, not the target. ", ". Wait, that is wrong. "};
    static const char *const turn[] = {"Now ", "Or ", "Another way: ", "But we can use ", "So try "};
    static const char *const end[] = {"Done: ", "The result is ", "So ", "This works: ", ""};
    int tries = 1 + (int)rt_rng_below(rng, 2);
    for (int k = 0; k < tries; k++) {
        int32_t values[RT_MAX_NUMBERS];
        int count = question->count;
        for (int i = 0; i < count; i++) values[i] = question->numbers[i];
        RT_TRY(rt_buffer_puts(out, k ? one_of(rng, turn, 5) : one_of(rng, start, 6), err));
        for (int step = 0; step < 2;) {
            uint32_t i = rt_rng_below(rng, (uint32_t)count), j = rt_rng_below(rng, (uint32_t)count);
            char op = "+-*"[rt_rng_below(rng, 3)];
            int32_t value = i == j ? -1 : rt_apply(values[i], op, values[j]);
            if (value < 0) continue;
            RT_TRY(rt_buffer_printf(out, err, "%s%d %c %d = %d", step ? one_of(rng, then, 4) : "", values[i], op,
                                    values[j], value));
            values[i] = value;
            values[j] = values[count - 1];
            if ((int)i == count - 1) values[j] = value;
            count--;
            step++;
        }
        RT_TRY(rt_buffer_puts(out, one_of(rng, fail, 6), err));
    }
    rt_step steps[RT_MAX_NUMBERS];
    int n = rt_tree_steps(solution, solution->root, steps);
    RT_TRY(rt_buffer_puts(out, one_of(rng, turn, 5), err));
    for (int i = 0; i < n; i++)
        RT_TRY(rt_buffer_printf(out, err, "%s%d %c %d = %d", i ? ", " : "", steps[i].a, steps[i].op, steps[i].b,
                                steps[i].value));
    RT_TRY(rt_buffer_printf(out, err, ". %s\\boxed{", one_of(rng, end, 5)));
    RT_TRY(rt_tree_print(solution, solution->root, out, err));
    return rt_buffer_puts(out, "}", err);
}
