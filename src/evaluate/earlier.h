/* The responses of an earlier run that was cut short by max_new_tokens, to be gone on with. */
#ifndef RT_EVALUATE_EARLIER_H
#define RT_EVALUATE_EARLIER_H

#include "data/problem.h"
#include "sample/sampler.h"

typedef struct rt_earlier_response {
    json_t *line; /* as it stands in the file */
    const char *text;
    size_t length;
    int64_t tokens;
    bool cut;
    int32_t *ids; /* of a cut one: its tokens [tokens]; NULL where the line has none (an endpoint's reply) */
} rt_earlier_response;

/* Problem-major: all n responses of every problem. */
typedef struct rt_earlier {
    char *path;
    rt_earlier_response *items;
    int64_t count, n, longest; /* longest: tokens of the longest cut response */
} rt_earlier;

/* Reads what eval wrote to `path`. RETORT_ERR_NOT_FOUND: another problem than these, or a response that is missing. */
retort_status rt_earlier_read(const char *path, const rt_problems *problems, int64_t n, rt_earlier *out,
                              retort_error *err);
void rt_earlier_free(rt_earlier *earlier);

#endif
