#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/ratios.h"
#include "core/mem.h"
#include "core/random.h"

typedef struct dealing {
    const rt_ratios *tables[2];
    const int32_t *rows[2];
    int64_t count; /* paired problems; all rows of both tables otherwise */
    bool paired;
    uint64_t seed;
    double *observed; /* [ratios]: |difference|, NaN where a side has no value */
} dealing;

/* A thread's room. */
typedef struct hand {
    double *sums[2];
    int32_t *order; /* unpaired: all rows, those of the first table first */
    int64_t *extreme;
} hand;

static void add_row(const rt_ratios *table, int64_t row, double *sums) {
    for (int64_t i = table->starts[row]; i < table->starts[row + 1]; i++)
        sums[table->cells[i].column] += table->cells[i].value;
}

static double difference(const rt_ratio *ratio, double *const sums[2]) {
    double sides[2];
    for (int s = 0; s < 2; s++) {
        if (sums[s][ratio->below] == 0) return NAN;
        sides[s] = ratio->scale * sums[s][ratio->above] / sums[s][ratio->below];
    }
    return fabs(sides[0] - sides[1]);
}

static void clear(const dealing *what, const hand *h) {
    for (int s = 0; s < 2; s++) memset(h->sums[s], 0, ((size_t)what->tables[0]->columns + 1) * sizeof(double));
}

static void deal_pairs(const dealing *what, rt_rng *rng, const hand *h) {
    uint32_t bits = 0;
    for (int64_t i = 0; i < what->count; i++) {
        if (i % 32 == 0) bits = rt_rng_u32(rng);
        int turned = (int)(bits & 1);
        bits >>= 1;
        for (int s = 0; s < 2; s++) add_row(what->tables[s], what->rows[s][i], h->sums[s ^ turned]);
    }
}

/* Fisher and Yates, as far as the first side reaches. */
static void deal_rows(const dealing *what, rt_rng *rng, const hand *h) {
    int64_t first = what->tables[0]->problems;
    for (int64_t i = 0; i < what->count; i++) h->order[i] = (int32_t)i;
    for (int64_t i = 0; i < first; i++) {
        int64_t at = i + rt_rng_below(rng, (uint32_t)(what->count - i));
        int32_t held = h->order[i];
        h->order[i] = h->order[at];
        h->order[at] = held;
    }
    for (int64_t i = 0; i < what->count; i++) {
        int64_t row = h->order[i];
        add_row(what->tables[row >= first], row >= first ? row - first : row, h->sums[i >= first]);
    }
}

static void draw(const dealing *what, int64_t d, const hand *h) {
    rt_rng rng = rt_rng_make(what->seed, (uint64_t)d);
    clear(what, h);
    if (what->paired)
        deal_pairs(what, &rng, h);
    else
        deal_rows(what, &rng, h);
    for (int64_t r = 0; r < what->tables[0]->num_ratios; r++) {
        double now = difference(&what->tables[0]->ratios[r], h->sums);
        /* The slack keeps ties (equal but for rounding) on the extreme side, so that p is never too small; so does a
         * draw in which a side has no value. */
        h->extreme[r] += isnan(now) || now >= what->observed[r] * (1 - 1e-12);
    }
}

static bool take_hand(const dealing *what, hand *h) {
    size_t columns = (size_t)what->tables[0]->columns + 1;
    *h = (hand){{rt_calloc(columns, sizeof(double)), rt_calloc(columns, sizeof(double))},
                rt_malloc_array((size_t)what->count + 1, sizeof(int32_t)),
                rt_calloc((size_t)what->tables[0]->num_ratios + 1, sizeof(int64_t))};
    return h->sums[0] != NULL && h->sums[1] != NULL && h->order != NULL && h->extreme != NULL;
}

static void drop_hand(hand *h) {
    rt_free(h->sums[0]);
    rt_free(h->sums[1]);
    rt_free(h->order);
    rt_free(h->extreme);
}

static bool observe(const dealing *what) {
    hand h;
    bool memory = take_hand(what, &h);
    if (memory) {
        for (int s = 0; s < 2; s++) {
            int64_t count = what->paired ? what->count : what->tables[s]->problems;
            for (int64_t i = 0; i < count; i++)
                add_row(what->tables[s], what->paired ? what->rows[s][i] : i, h.sums[s]);
        }
        for (int64_t r = 0; r < what->tables[0]->num_ratios; r++)
            what->observed[r] = difference(&what->tables[0]->ratios[r], h.sums);
    }
    drop_hand(&h);
    return memory;
}

static bool run(const dealing *what, int64_t draws, int64_t *extreme) {
    bool memory = true;
#pragma omp parallel
    {
        hand h;
        bool own = take_hand(what, &h);
#pragma omp for schedule(static)
        for (int64_t d = 0; d < draws; d++)
            if (own) draw(what, d, &h);
#pragma omp critical(rt_permutation)
        {
            memory = memory && own;
            for (int64_t r = 0; own && r < what->tables[0]->num_ratios; r++) extreme[r] += h.extreme[r];
        }
        drop_hand(&h);
    }
    return memory;
}

retort_status rt_ratios_permutation(const rt_ratios *a, const rt_ratios *b, const int32_t *rows_a,
                                    const int32_t *rows_b, int64_t count, bool paired, int64_t draws, uint64_t seed,
                                    double *p, retort_error *err) {
    dealing what = {{a, b}, {rows_a, rows_b}, paired ? count : a->problems + b->problems, paired, seed, NULL};
    size_t ratios = (size_t)a->num_ratios + 1;
    int64_t *extreme = rt_calloc(ratios, sizeof *extreme);
    what.observed = rt_calloc(ratios, sizeof *what.observed);
    bool memory = extreme != NULL && what.observed != NULL && observe(&what) && run(&what, draws, extreme);
    for (int64_t r = 0; memory && r < a->num_ratios; r++)
        p[r] = isnan(what.observed[r]) ? NAN : (double)(1 + extreme[r]) / (double)(1 + draws);
    rt_free(extreme);
    rt_free(what.observed);
    RT_CHECK(memory, err, RETORT_ERR_MEMORY, "out of memory: permutations of %lld problems", (long long)what.count);
    return RETORT_OK;
}

double rt_ratios_sign_flip(const rt_ratios *table, int64_t ratio, int64_t draws, uint64_t seed) {
    int32_t column = table->ratios[ratio].above;
    double observed = 0;
    for (int64_t i = 0; i < table->num_cells; i++)
        if (table->cells[i].column == column) observed += table->cells[i].value;
    int64_t extreme = 0;
    for (int64_t d = 0; d < draws; d++) {
        rt_rng rng = rt_rng_make(seed, (uint64_t)d);
        double sum = 0;
        for (int64_t i = 0; i < table->num_cells; i++)
            if (table->cells[i].column == column)
                sum += rt_rng_u32(&rng) & 1 ? table->cells[i].value : -table->cells[i].value;
        extreme += fabs(sum) >= fabs(observed) * (1 - 1e-12);
    }
    return (double)(1 + extreme) / (double)(1 + draws);
}
