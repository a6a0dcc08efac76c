#include "analyze/ratios.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/random.h"

void rt_ratios_free(rt_ratios *table) {
    rt_free(table->ratios);
    rt_free(table->cells);
    rt_free(table->starts);
    *table = (rt_ratios){0};
}

static retort_status reserve(void **array, int64_t *capacity, int64_t needed, size_t size, retort_error *err) {
    if (needed < *capacity) return RETORT_OK;
    int64_t larger = needed < 64 ? 64 : needed * 2;
    void *grown = rt_realloc_array(*array, (size_t)larger, size);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: table of %lld ratios' parts", (long long)larger);
    *array = grown;
    *capacity = larger;
    return RETORT_OK;
}

retort_status rt_ratios_define(rt_ratios *table, int32_t above, int32_t below, double scale, retort_error *err) {
    RT_TRY(reserve((void **)&table->ratios, &table->ratio_capacity, table->num_ratios, sizeof *table->ratios, err));
    table->ratios[table->num_ratios++] = (rt_ratio){above, below, scale};
    return RETORT_OK;
}

retort_status rt_ratios_cell(rt_ratios *table, int32_t column, double value, retort_error *err) {
    if (value == 0) return RETORT_OK;
    RT_TRY(reserve((void **)&table->cells, &table->cell_capacity, table->num_cells, sizeof *table->cells, err));
    table->cells[table->num_cells++] = (rt_ratio_cell){column, value};
    return RETORT_OK;
}

retort_status rt_ratios_end_row(rt_ratios *table, retort_error *err) {
    RT_TRY(reserve((void **)&table->starts, &table->start_capacity, table->problems + 1, sizeof *table->starts, err));
    if (table->problems == 0) table->starts[0] = 0;
    table->starts[++table->problems] = table->num_cells;
    return RETORT_OK;
}

static void add_row(const rt_ratios *table, int64_t row, double *sums) {
    for (int64_t i = table->starts[row]; i < table->starts[row + 1]; i++)
        sums[table->cells[i].column] += table->cells[i].value;
}

static double ratio_of(const rt_ratio *ratio, const double *sums) {
    return sums[ratio->below] != 0 ? ratio->scale * sums[ratio->above] / sums[ratio->below] : NAN;
}

retort_status rt_ratios_value(const rt_ratios *table, const int32_t *rows, int64_t count, double *out,
                              retort_error *err) {
    double *sums = rt_calloc((size_t)table->columns + 1, sizeof *sums);
    RT_CHECK(sums != NULL, err, RETORT_ERR_MEMORY, "out of memory: sums of %d columns", table->columns);
    if (rows == NULL) count = table->problems;
    for (int64_t i = 0; i < count; i++) add_row(table, rows != NULL ? rows[i] : i, sums);
    for (int64_t r = 0; r < table->num_ratios; r++) out[r] = ratio_of(&table->ratios[r], sums);
    rt_free(sums);
    return RETORT_OK;
}

typedef struct drawing {
    const rt_ratios *table;
    const int32_t *rows;
    int64_t count, draws;
    uint64_t seed;
    double *values;
} drawing;

static void draw(const drawing *what, int64_t d, double *sums) {
    const rt_ratios *table = what->table;
    rt_rng rng = rt_rng_make(what->seed, (uint64_t)d);
    memset(sums, 0, (size_t)table->columns * sizeof *sums);
    for (int64_t i = 0; i < what->count; i++) {
        int64_t at = rt_rng_below(&rng, (uint32_t)what->count);
        add_row(table, what->rows != NULL ? what->rows[at] : at, sums);
    }
    for (int64_t r = 0; r < table->num_ratios; r++)
        what->values[r * what->draws + d] = ratio_of(&table->ratios[r], sums);
}

retort_status rt_ratios_bootstrap(const rt_ratios *table, const int32_t *rows, int64_t count, int64_t draws,
                                  uint64_t seed, double *values, retort_error *err) {
    drawing what = {table, rows, rows != NULL ? count : table->problems, draws, seed, values};
    bool memory = true;
#pragma omp parallel
    {
        double *sums = rt_calloc((size_t)table->columns + 1, sizeof *sums);
        if (sums == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(static)
        for (int64_t d = 0; d < draws; d++)
            if (sums != NULL) draw(&what, d, sums);
        rt_free(sums);
    }
    RT_CHECK(memory, err, RETORT_ERR_MEMORY, "out of memory: bootstrap of %lld problems", (long long)table->problems);
    return RETORT_OK;
}

int64_t rt_ratios_draws(const rt_ratios *table, int64_t wanted) {
    static const double WORK = 3e9;
    double work = (double)table->num_cells + 8 * (double)table->problems + (double)table->num_ratios + 1;
    double affordable = WORK / work;
    if (affordable >= (double)wanted) return wanted;
    return affordable > 400 ? (int64_t)affordable : wanted < 400 ? wanted : 400;
}

/* Hoare's selection: afterwards values[k] is the k-th smallest, and nothing behind it is smaller. The pivot is the
 * middle one, which drawn values have no reason to make a bad choice. */
static void select_value(double *values, int64_t count, int64_t k) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i > j) break;
            double held = values[i];
            values[i++] = values[j];
            values[j--] = held;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            return;
    }
}

/* Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
static double quantile(double *values, int64_t count, double q) {
    double at = q * (double)(count - 1);
    int64_t low = (int64_t)floor(at);
    select_value(values, count, low);
    double below = values[low], above = below;
    for (int64_t i = low + 1; i < count; i++)
        if (i == low + 1 || values[i] < above) above = values[i];
    return below + (at - (double)low) * (above - below);
}

rt_interval rt_drawn_interval(double *values, int64_t draws, int64_t problems) {
    int64_t n = 0;
    for (int64_t i = 0; i < draws; i++)
        if (!isnan(values[i])) values[n++] = values[i];
    if (n == 0 || problems < 2) return (rt_interval){NAN, NAN};
    double t = rt_t_quantile(problems - 1) * sqrt((double)problems / (double)(problems - 1));
    double tail = erfc(t / sqrt(2)) / 2;
    return (rt_interval){quantile(values, n, tail), quantile(values, n, 1 - tail)};
}
