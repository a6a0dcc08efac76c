#include "analyze/length_match.h"

#include <math.h>
#include <string.h>

#include "core/random.h"

enum { BINS = 4 * 33 };

/* One response as the bins see it. */
typedef struct item {
    int32_t problem, bin;
    uint32_t words;
    const uint32_t *places;
} item;

/* A group's responses, problem by problem. */
typedef struct side {
    item *items;
    int64_t *starts; /* [problems + 1] */
    const int32_t *rows;
    int64_t count, problems;
    double *responses, *words, *places; /* [BINS], [BINS], [BINS, C]: of one draw */
} side;

/* floor(4 log2(words)), linear inside an octave. */
static int32_t bin_of(uint32_t words) {
    int32_t octave = 31 - __builtin_clz(words);
    uint32_t inside = octave >= 2 ? (words >> (octave - 2)) & 3 : (words << (2 - octave)) & 3;
    return 4 * octave + (int32_t)inside;
}

static void free_side(side *s) {
    rt_free(s->items);
    rt_free(s->starts);
    rt_free(s->responses);
    rt_free(s->words);
    rt_free(s->places);
}

static retort_status make_side(const rt_count_table *table, const rt_token_group *group, const int32_t *rows,
                               int64_t count, side *s, retort_error *err) {
    size_t categories = (size_t)table->num_categories;
    *s = (side){.rows = rows, .problems = group->problems.count};
    s->count = rows != NULL ? count : s->problems;
    s->items = rt_malloc_array((size_t)group->num_records + 1, sizeof *s->items);
    s->starts = rt_calloc((size_t)s->problems + 2, sizeof *s->starts);
    s->responses = rt_calloc(BINS, sizeof(double));
    s->words = rt_calloc(BINS, sizeof(double));
    s->places = rt_calloc(BINS * categories, sizeof(double));
    bool memory =
        s->items != NULL && s->starts != NULL && s->responses != NULL && s->words != NULL && s->places != NULL;
    RT_CHECK(memory, err, RETORT_ERR_MEMORY, "out of memory: lengths of responses");
    for (int64_t i = 0; i < group->num_records; i++) s->starts[group->records[i].problem + 2]++;
    for (int64_t p = 0; p < s->problems; p++) s->starts[p + 2] += s->starts[p + 1];
    for (int64_t i = 0; i < group->num_records; i++) {
        const rt_response_record *record = &group->records[i];
        item *at = &s->items[s->starts[record->problem + 1]++];
        *at = (item){record->problem, record->words > 0 ? bin_of(record->words) : -1, record->words,
                     group->record_places + (size_t)i * 2 * categories};
    }
    return RETORT_OK;
}

static void add_problem(side *s, int64_t problem, int32_t categories) {
    for (int64_t i = s->starts[problem]; i < s->starts[problem + 1]; i++) {
        const item *one = &s->items[i];
        if (one->bin < 0) continue;
        s->responses[one->bin]++;
        s->words[one->bin] += one->words;
        for (int32_t c = 0; c < categories; c++) s->places[one->bin * categories + c] += one->places[c];
    }
}

static void clear(side *s, int32_t categories) {
    memset(s->responses, 0, BINS * sizeof(double));
    memset(s->words, 0, BINS * sizeof(double));
    memset(s->places, 0, (size_t)BINS * (size_t)categories * sizeof(double));
}

static double compare_bins(const side *a, const side *b, int32_t categories, double *out) {
    double weights = 0;
    for (int32_t c = 0; c < categories; c++) out[c] = 0;
    for (int bin = 0; bin < BINS; bin++) {
        if (a->responses[bin] == 0 || b->responses[bin] == 0) continue;
        double weight = fmin(a->responses[bin], b->responses[bin]);
        weights += weight;
        for (int32_t c = 0; c < categories; c++)
            out[c] +=
                weight * 1000 *
                (a->places[bin * categories + c] / a->words[bin] - b->places[bin * categories + c] / b->words[bin]);
    }
    for (int32_t c = 0; c < categories; c++) out[c] = weights > 0 ? out[c] / weights : NAN;
    return weights;
}

static int64_t row_of(const side *s, int64_t i) {
    return s->rows != NULL ? s->rows[i] : i;
}

static void draw_side(side *s, rt_rng rng, int32_t categories) {
    clear(s, categories);
    for (int64_t i = 0; i < s->count; i++)
        add_problem(s, row_of(s, rt_rng_below(&rng, (uint32_t)s->count)), categories);
}

static void run(side *a, side *b, int32_t categories, int64_t draws, uint64_t seed, double *values, double *drawn,
                rt_length_match *out, int64_t *matched) {
    bool paired = a->rows != NULL;
    clear(a, categories);
    clear(b, categories);
    for (int64_t i = 0; i < a->count; i++) add_problem(a, row_of(a, i), categories);
    for (int64_t i = 0; i < b->count; i++) add_problem(b, row_of(b, i), categories);
    *matched = (int64_t)compare_bins(a, b, categories, values);
    for (int32_t c = 0; c < categories; c++) out[c].difference = values[c];
    for (int64_t d = 0; d < draws; d++) {
        draw_side(a, rt_rng_make(seed, (uint64_t)d), categories);
        draw_side(b, rt_rng_make(paired ? seed : seed + 1, (uint64_t)d), categories);
        compare_bins(a, b, categories, values);
        for (int32_t c = 0; c < categories; c++) drawn[c * draws + d] = values[c];
    }
    int64_t problems = a->count < b->count ? a->count : b->count;
    for (int32_t c = 0; c < categories; c++) out[c].interval = rt_drawn_interval(drawn + c * draws, draws, problems);
}

retort_status rt_length_matched(const rt_count_table *table, const rt_token_group *a, const rt_token_group *b,
                                const int32_t *rows_a, const int32_t *rows_b, int64_t count, int64_t draws,
                                uint64_t seed, rt_length_match *out, int64_t *matched, retort_error *err) {
    side left = {0}, right = {0};
    size_t categories = (size_t)table->num_categories;
    double *values = rt_malloc_array(categories, sizeof *values);
    double *drawn = rt_malloc_array(categories * (size_t)draws + 1, sizeof *drawn);
    retort_status st =
        values != NULL && drawn != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: resamples");
    if (st == RETORT_OK) st = make_side(table, a, rows_a, count, &left, err);
    if (st == RETORT_OK) st = make_side(table, b, rows_b, count, &right, err);
    if (st == RETORT_OK) run(&left, &right, table->num_categories, draws, seed, values, drawn, out, matched);
    free_side(&left);
    free_side(&right);
    rt_free(values);
    rt_free(drawn);
    return st;
}
