/* What ends a response: end tokens and stop strings. */
#ifndef RT_SAMPLE_STOPS_H
#define RT_SAMPLE_STOPS_H

#include "sample/sampler.h"

enum { RT_MAX_STOPS = 64 }; /* stop strings of one request */

/* Stop strings as automata (Knuth, Morris and Pratt 1977): a response remembers one integer a string, and a string is
 * found although it comes in several tokens. */
typedef struct rt_stops {
    const rt_config *config; /* borrowed, as the next two */
    const rt_tokenizer *tokenizer;
    const rt_sampling *settings;
    int32_t *fail;   /* failure functions, one after another */
    int32_t *begin;  /* [num_stop]: into fail */
    int32_t *length; /* [num_stop] */
} rt_stops;

/* Checks the stop strings and ids too. Zero-initialise; free with rt_stops_release. */
retort_status rt_stops_create(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings,
                              rt_stops *out, retort_error *err);
void rt_stops_release(rt_stops *stops);

/* The model's end tokens (unless ignored) and the caller's. */
bool rt_is_stop_id(const rt_config *config, const rt_tokenizer *tokenizer, const rt_sampling *settings, int32_t id);

/* Feeds a token to a response's state [num_stop] (zero at its start): true if the response ends with it. */
bool rt_stops_feed(const rt_stops *stops, int32_t *state, int32_t id);

#endif
