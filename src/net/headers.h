/* Header fields of an HTTP response, and the few values among them that this program reads. Everything here comes from
 * a stranger: lengths are bounded, and what does not parse is reported as absent. */
#ifndef RT_NET_HEADERS_H
#define RT_NET_HEADERS_H

#include <time.h>

#include "core/mem.h"

/* Fields in the order they came, as "name: value" ended by NUL each. Zero-initialise. */
typedef struct rt_headers {
    rt_buffer text;
} rt_headers;

enum { RT_HEADERS_MAXIMUM = 1 << 16 }; /* bytes of one response's header */

/* One line as received, with or without its CR LF. A status line ("HTTP/...") clears what came before, since it begins
 * a new response; a line without a colon is passed over. RETORT_ERR_FORMAT past RT_HEADERS_MAXIMUM. */
retort_status rt_headers_add(rt_headers *headers, const char *line, size_t length, retort_error *err);
/* The value of the first field of that name (any case), without spaces around it; NULL where there is none. */
const char *rt_headers_get(const rt_headers *headers, const char *name);
void rt_headers_free(rt_headers *headers);

/* Content-Range: "bytes 100-199/1000". total is -1 for '*'. False where it is anything else, or contradicts itself. */
bool rt_parse_content_range(const char *value, long long *first, long long *last, long long *total);
/* Retry-After: seconds, or a date counted from `now`; -1 where it is neither. */
double rt_parse_retry_after(const char *value, time_t now);
/* ETag: "x" or W/"x" without the marks, into tag. False where it is malformed or too long. *weak may be NULL. */
bool rt_parse_etag(const char *value, char *tag, size_t size, bool *weak);
/* The target of rel="next" in a Link field (RFC 8288); NULL where there is none. Caller frees with rt_free. */
char *rt_parse_next_link(const char *value);

#endif
