/* The API key: read from a private file or the environment, sent only where nobody listens, wiped afterwards. */
#ifndef RT_ASK_SECRET_H
#define RT_ASK_SECRET_H

#include "core/error.h"
#include "retort/endpoint.h"

/* *out: the key, or NULL if there is none; owned by the caller (rt_secret_free). RETORT_ERR_USAGE: a file that others
 * can read, a text that is no key, or a key that would travel unencrypted to another machine. */
retort_status rt_secret_read(const retort_endpoint_options *options, char **out, retort_error *err);
void rt_secret_free(char *key);

#endif
