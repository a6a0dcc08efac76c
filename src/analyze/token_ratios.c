#include "analyze/token_ratios.h"

/* Columns: first what stands below the line, then entries, then a block for each category. */
enum { WORDS, RESPONSES, TOKENS, FIRSTS, CORRECT_WEIGHT, DECILE_WORDS, FIXED = DECILE_WORDS + RT_DECILES };
enum { PLACES, HOLDING, FIRST_PLACES, CORRECT_DIFFERENCE, DECILE_PLACES, BLOCK = DECILE_PLACES + RT_DECILES };

static int32_t block_of(const rt_count_table *table, int32_t category) {
    return FIXED + table->num_entries + category * BLOCK;
}

static retort_status define(const rt_count_table *table, rt_ratios *out, retort_error *err) {
    for (int32_t e = 0; e < table->num_entries; e++) {
        RT_TRY(rt_ratios_define(out, FIXED + e, WORDS, 1000, err));
        RT_TRY(rt_ratios_define(out, FIXED + e, RESPONSES, 1, err));
    }
    for (int32_t c = 0; c < table->num_categories; c++) {
        int32_t block = block_of(table, c);
        RT_TRY(rt_ratios_define(out, block + PLACES, WORDS, 1000, err));
        RT_TRY(rt_ratios_define(out, block + PLACES, RESPONSES, 1, err));
        RT_TRY(rt_ratios_define(out, block + HOLDING, RESPONSES, 1, err));
        RT_TRY(rt_ratios_define(out, block + FIRST_PLACES, FIRSTS, 1, err));
        RT_TRY(rt_ratios_define(out, block + PLACES, TOKENS, 1000, err));
        RT_TRY(rt_ratios_define(out, block + CORRECT_DIFFERENCE, CORRECT_WEIGHT, 1, err));
        for (int32_t d = 0; d < RT_DECILES; d++)
            RT_TRY(rt_ratios_define(out, block + DECILE_PLACES + d, DECILE_WORDS + d, 1000, err));
    }
    return RETORT_OK;
}

/* What the records of a problem's responses add up to. */
typedef struct record_sums {
    double right, wrong, firsts;
    double *holding, *first, *right_rate, *wrong_rate; /* [C] each, one block */
} record_sums;

static void add_record(const rt_count_table *table, const rt_response_record *record, const uint32_t *places,
                       record_sums *sums) {
    int32_t categories = table->num_categories;
    sums->firsts += record->has_first;
    bool rated = record->words > 0;
    sums->right += record->correct == 1 && rated;
    sums->wrong += record->correct == 0 && rated;
    for (int32_t c = 0; c < categories; c++) {
        sums->holding[c] += places[c] > 0;
        if (record->has_first) sums->first[c] += places[categories + c];
        double rate = rated ? 1000.0 * places[c] / record->words : 0;
        if (record->correct == 1) sums->right_rate[c] += rate;
        if (record->correct == 0) sums->wrong_rate[c] += rate;
    }
}

static retort_status add_problem(const rt_count_table *table, const rt_problem_counts *counts, const record_sums *sums,
                                 rt_ratios *out, retort_error *err) {
    RT_TRY(rt_ratios_cell(out, WORDS, (double)counts->words, err));
    RT_TRY(rt_ratios_cell(out, RESPONSES, (double)counts->responses, err));
    RT_TRY(rt_ratios_cell(out, TOKENS, (double)counts->tokens, err));
    RT_TRY(rt_ratios_cell(out, FIRSTS, sums->firsts, err));
    /* The weight that makes a sum of differences of means as precise as can be. */
    double both = sums->right > 0 && sums->wrong > 0 ? sums->right * sums->wrong / (sums->right + sums->wrong) : 0;
    RT_TRY(rt_ratios_cell(out, CORRECT_WEIGHT, both, err));
    for (int32_t d = 0; d < RT_DECILES; d++)
        RT_TRY(rt_ratios_cell(out, DECILE_WORDS + d, counts->decile_words[d], err));
    for (int32_t e = 0; e < table->num_entries; e++) RT_TRY(rt_ratios_cell(out, FIXED + e, counts->entries[e], err));
    for (int32_t c = 0; c < table->num_categories; c++) {
        int32_t block = block_of(table, c);
        double places = 0;
        for (int32_t d = 0; d < RT_DECILES; d++) {
            RT_TRY(rt_ratios_cell(out, block + DECILE_PLACES + d, counts->places[c * RT_DECILES + d], err));
            places += counts->places[c * RT_DECILES + d];
        }
        RT_TRY(rt_ratios_cell(out, block + PLACES, places, err));
        RT_TRY(rt_ratios_cell(out, block + HOLDING, sums->holding[c], err));
        RT_TRY(rt_ratios_cell(out, block + FIRST_PLACES, sums->first[c], err));
        if (both > 0) {
            double difference = sums->right_rate[c] / sums->right - sums->wrong_rate[c] / sums->wrong;
            RT_TRY(rt_ratios_cell(out, block + CORRECT_DIFFERENCE, both * difference, err));
        }
    }
    return rt_ratios_end_row(out, err);
}

static retort_status fill(const rt_count_table *table, const rt_token_group *group, record_sums *sums, double *room,
                          rt_ratios *out, retort_error *err) {
    size_t categories = (size_t)table->num_categories;
    for (int64_t p = 0; p < group->problems.count; p++)
        sums[p] = (record_sums){.holding = room + (size_t)p * 4 * categories,
                                .first = room + ((size_t)p * 4 + 1) * categories,
                                .right_rate = room + ((size_t)p * 4 + 2) * categories,
                                .wrong_rate = room + ((size_t)p * 4 + 3) * categories};
    for (int64_t i = 0; i < group->num_records; i++)
        add_record(table, &group->records[i], group->record_places + (size_t)i * 2 * categories,
                   &sums[group->records[i].problem]);
    RT_TRY(define(table, out, err));
    for (int64_t p = 0; p < group->problems.count; p++)
        RT_TRY(add_problem(table, &group->counts[p], &sums[p], out, err));
    return RETORT_OK;
}

retort_status rt_token_ratios(const rt_count_table *table, const rt_token_group *group, rt_ratios *out,
                              retort_error *err) {
    size_t problems = (size_t)group->problems.count + 1, categories = (size_t)table->num_categories;
    *out = (rt_ratios){.columns = FIXED + table->num_entries + table->num_categories * BLOCK};
    record_sums *sums = rt_calloc(problems, sizeof *sums);
    double *room = rt_calloc(problems * 4, categories * sizeof *room);
    retort_status st = sums != NULL && room != NULL ? fill(table, group, sums, room, out, err)
                                                    : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: figures");
    rt_free(sums);
    rt_free(room);
    if (st != RETORT_OK) rt_ratios_free(out);
    return st;
}

retort_status rt_token_mixed(const rt_token_group *group, int64_t *problems, int64_t *responses, retort_error *err) {
    typedef struct seen {
        int64_t right, wrong;
    } seen;
    seen *all = rt_calloc((size_t)group->problems.count + 1, sizeof *all);
    RT_CHECK(all != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)group->problems.count);
    *problems = *responses = 0;
    for (int64_t i = 0; i < group->num_records; i++) {
        const rt_response_record *record = &group->records[i];
        all[record->problem].right += record->correct == 1 && record->words > 0;
        all[record->problem].wrong += record->correct == 0 && record->words > 0;
    }
    for (int64_t p = 0; p < group->problems.count; p++) {
        if (all[p].right == 0 || all[p].wrong == 0) continue;
        *problems += 1;
        *responses += all[p].right + all[p].wrong;
    }
    rt_free(all);
    return RETORT_OK;
}
