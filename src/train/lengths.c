#include "train/lengths.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The narrowest of 1, 2, 5, 10, 20, 50, ... with which the bins, counted from 0, between the two are few enough. */
static int64_t width_for(int64_t shortest, int64_t longest) {
    static const int64_t STEPS[] = {1, 2, 5};
    for (int64_t ten = 1;; ten *= 10) {
        for (int i = 0; i < 3; i++) {
            int64_t width = ten * STEPS[i];
            if ((longest - 1) / width - (shortest - 1) / width < RT_LENGTH_BINS) return width;
        }
    }
}

static int64_t ranked(const int64_t *sorted, int64_t count, int64_t percent) {
    int64_t rank = (count * percent + 99) / 100;
    return sorted[rank > 0 ? rank - 1 : 0];
}

rt_lengths rt_lengths_of(int64_t *length, int64_t count, int64_t limit) {
    qsort(length, (size_t)count, sizeof *length, by_value);
    rt_lengths l = {
        .count = count,
        .shortest = length[0],
        .median = ranked(length, count, 50),
        .p90 = ranked(length, count, 90),
        .p99 = ranked(length, count, 99),
        .longest = length[count - 1],
        .limit = limit,
        .width = width_for(length[0], length[count - 1]),
    };
    l.origin = (l.shortest - 1) / l.width * l.width;
    for (int64_t i = 0; i < count; i++) {
        int64_t over = length[i] - limit;
        l.tokens += length[i];
        l.bins[(length[i] - 1 - l.origin) / l.width]++;
        if (limit > 0 && over > 0) l.longer++, l.lost += over;
    }
    l.num_bins = (int)((l.longest - 1 - l.origin) / l.width) + 1;
    return l;
}

static double percent(int64_t part, int64_t whole) {
    return 100 * (double)part / (double)whole;
}

static retort_status put_bin(const rt_lengths *l, int bin, int64_t most, rt_buffer *out, retort_error *err) {
    static const char BAR[] = "########################################";
    enum { WIDEST = sizeof BAR - 1 };
    int cells = (int)(l->bins[bin] * WIDEST / most);
    if (cells == 0 && l->bins[bin] > 0) cells = 1;
    return rt_buffer_printf(out, err, "%8lld - %-8lld %8lld%s%.*s\n", (long long)(l->origin + bin * l->width + 1),
                            (long long)(l->origin + (bin + 1) * l->width), (long long)l->bins[bin],
                            cells > 0 ? "  " : "", cells, BAR);
}

retort_status rt_lengths_text(const rt_lengths *l, rt_buffer *out, retort_error *err) {
    int64_t most = 1;
    RT_TRY(
        rt_buffer_printf(out, err,
                         "%lld examples, %lld tokens: shortest %lld, median %lld, 90 %% up to %lld, 99 %% up to %lld, "
                         "longest %lld\n",
                         (long long)l->count, (long long)l->tokens, (long long)l->shortest, (long long)l->median,
                         (long long)l->p90, (long long)l->p99, (long long)l->longest));
    RT_TRY(rt_buffer_puts(out, "     tokens        examples\n", err));
    for (int i = 0; i < l->num_bins; i++) most = l->bins[i] > most ? l->bins[i] : most;
    for (int i = 0; i < l->num_bins; i++) RT_TRY(put_bin(l, i, most, out, err));
    if (l->longer == 0) return RETORT_OK;
    return rt_buffer_printf(
        out, err,
        "longer than %lld: %lld examples (%.1f %%); a cut would lose %lld tokens (%.1f %%), and with "
        "them the end of every one of these answers\n",
        (long long)l->limit, (long long)l->longer, percent(l->longer, l->count), (long long)l->lost,
        percent(l->lost, l->tokens));
}

retort_status rt_lengths_json(const rt_lengths *l, json_t **out, retort_error *err) {
    json_t *bins = json_array();
    bool made = bins != NULL;
    for (int i = 0; i < l->num_bins && made; i++) {
        json_t *bin = json_pack("{s:I, s:I, s:I}", "from", (json_int_t)(l->origin + i * l->width + 1), "to",
                                (json_int_t)(l->origin + (i + 1) * l->width), "examples", (json_int_t)l->bins[i]);
        made = json_array_append_new(bins, bin) == 0;
    }
    *out = made ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "examples", (json_int_t)l->count,
                            "tokens", (json_int_t)l->tokens, "shortest", (json_int_t)l->shortest, "median",
                            (json_int_t)l->median, "p90", (json_int_t)l->p90, "p99", (json_int_t)l->p99, "longest",
                            (json_int_t)l->longest, "limit", (json_int_t)l->limit, "longer", (json_int_t)l->longer,
                            "lost_tokens", (json_int_t)l->lost, "histogram", bins)
                : NULL;
    json_decref(bins);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: lengths");
    return RETORT_OK;
}
