/* URLs: what may be asked, where a redirect leads, what a message may show. Parsing is libcurl's. */
#ifndef RT_NET_URL_H
#define RT_NET_URL_H

#include "core/mem.h"

/* http or https, with a host and without a user name or password in it; `what` names it in messages ("HF_ENDPOINT"). */
retort_status rt_url_check(const char *url, const char *what, retort_error *err);
/* Where a Location or Link leads from a URL: http or https only, never from https to http. Caller frees with rt_free.
 */
retort_status rt_url_join(const char *base, const char *location, char **out, retort_error *err);
/* Same scheme, host and port. */
bool rt_url_same_origin(const char *a, const char *b);
/* The host is this machine: "localhost", 127.x.x.x or ::1. */
bool rt_url_is_loopback(const char *url);
/* For messages: scheme, host, port and path, without the query, in which signatures and keys travel. */
void rt_url_show(const char *url, char *out, size_t size);
/* Appends text with everything but letters, digits and "-._~" (and '/', if kept) as %XX. */
retort_status rt_url_quote(rt_buffer *out, const char *text, bool keep_slashes, retort_error *err);

#endif
