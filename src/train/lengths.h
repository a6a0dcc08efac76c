/* How long the examples of a data set are, and what a limit would cut off. */
#ifndef RT_LENGTHS_H
#define RT_LENGTHS_H

#include "core/json.h"

enum { RT_LENGTH_BINS = 12 }; /* at most */

typedef struct rt_lengths {
    int64_t count, tokens;
    int64_t shortest, median, p90, p99, longest; /* nearest rank */
    int64_t limit;                               /* 0: none */
    int64_t longer, lost;                        /* examples longer than the limit, and their tokens behind it */
    int64_t origin, width; /* bin i holds lengths origin + i * width + 1 .. origin + (i + 1) * width */
    int64_t bins[RT_LENGTH_BINS];
    int num_bins;
} rt_lengths;

/* Sorts length[0 .. count - 1] (count > 0). */
rt_lengths rt_lengths_of(int64_t *length, int64_t count, int64_t limit);
/* Appends a line of figures, the histogram with a line for each bin, and what the limit would lose. */
retort_status rt_lengths_text(const rt_lengths *lengths, rt_buffer *out, retort_error *err);
/* The same as an object; a new reference. */
retort_status rt_lengths_json(const rt_lengths *lengths, json_t **out, retort_error *err);

#endif
