/* Fuzz target of the server's request bodies: any bytes, as a chat and as a completion. What is accepted must keep the
 * promises of serve/params.h that the engine relies on. */
#include <math.h>
#include <stdlib.h>

#include "serve/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const rt_serve_params *p) {
    const rt_sampling *s = &p->sampling;
    if (p->n < 1 || p->n > RT_SERVE_MAX_N || p->num_best < 0 || p->num_best > RT_MAX_CANDIDATES) abort();
    if (s->num_stop > RT_SERVE_MAX_STOPS || s->num_bias > RT_SERVE_MAX_BIAS) abort();
    if (!(s->temperature >= 0 && s->top_p > 0 && s->top_p <= 1)) abort();
    for (int32_t i = 0; i < s->num_bias; i++)
        if (!isfinite(s->bias[i].value) || s->bias[i].id < 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static rt_serve_params params;
    json_t *body;
    retort_error err;
    rt_params_error why;
    if (rt_json_parse((const char *)data, size, "the body", &body, &err) != RETORT_OK) return 0;
    for (int chat = 0; chat < 2; chat++) {
        if (rt_serve_params_read(body, chat != 0, &params, &why))
            check(&params);
        else if (why.reason.code == RETORT_OK || why.reason.message[0] == '\0')
            abort();
    }
    json_decref(body);
    return 0;
}
