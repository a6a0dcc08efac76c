#include "net/headers.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

retort_status rt_headers_add(rt_headers *headers, const char *line, size_t length, retort_error *err) {
    while (length > 0 && strchr("\r\n \t", line[length - 1]) != NULL && line[length - 1] != '\0') length--;
    if (length >= 5 && strncasecmp(line, "HTTP/", 5) == 0) rt_buffer_clear(&headers->text);
    const char *colon = length > 0 ? memchr(line, ':', length) : NULL;
    if (colon == NULL || memchr(line, '\0', length) != NULL) return RETORT_OK;
    RT_CHECK(headers->text.length + length < RT_HEADERS_MAXIMUM, err, RETORT_ERR_FORMAT,
             "the answer's header is longer than %d bytes", RT_HEADERS_MAXIMUM);
    RT_TRY(rt_buffer_append(&headers->text, line, length, err));
    return rt_buffer_append(&headers->text, "", 1, err);
}

const char *rt_headers_get(const rt_headers *headers, const char *name) {
    const size_t length = strlen(name);
    if (headers->text.length == 0) return NULL;
    const char *end = headers->text.data + headers->text.length;
    for (const char *field = headers->text.data; field != end; field += strlen(field) + 1) {
        if (strncasecmp(field, name, length) != 0 || field[length] != ':') continue;
        return field + length + 1 + strspn(field + length + 1, " \t");
    }
    return NULL;
}

void rt_headers_free(rt_headers *headers) {
    rt_buffer_free(&headers->text);
}

/* Decimal digits only: no sign, no space, no overflow. */
static bool read_number(const char **text, long long *out) {
    if (!isdigit((unsigned char)**text)) return false;
    char *end;
    errno = 0;
    *out = strtoll(*text, &end, 10);
    *text = end;
    return errno == 0;
}

bool rt_parse_content_range(const char *value, long long *first, long long *last, long long *total) {
    if (value == NULL || strncasecmp(value, "bytes ", 6) != 0) return false;
    value += 6;
    if (!read_number(&value, first) || *value++ != '-' || !read_number(&value, last) || *value++ != '/') return false;
    *total = -1;
    if (*value == '*')
        value++;
    else if (!read_number(&value, total))
        return false;
    return *value == '\0' && *first <= *last && (*total < 0 || *last < *total);
}

double rt_parse_retry_after(const char *value, time_t now) {
    long long seconds;
    if (value == NULL) return -1;
    const char *end = value;
    if (read_number(&end, &seconds) && *end == '\0') return (double)seconds;
    const time_t date = curl_getdate(value, NULL);
    if (date == (time_t)-1) return -1;
    return date > now ? (double)(date - now) : 0;
}

bool rt_parse_etag(const char *value, char *tag, size_t size, bool *weak) {
    if (value == NULL) return false;
    const bool is_weak = value[0] == 'W' && value[1] == '/';
    if (is_weak) value += 2;
    size_t length = strlen(value);
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value++;
        length -= 2;
    }
    if (length == 0 || length >= size || memchr(value, '"', length) != NULL) return false;
    for (size_t i = 0; i < length; i++)
        if (!isgraph((unsigned char)value[i])) return false;
    memcpy(tag, value, length);
    tag[length] = '\0';
    if (weak != NULL) *weak = is_weak;
    return true;
}

/* Whether the parameters of one link say rel="next"; they end at a comma outside quotes, which *end gets. */
static bool says_next(const char *text, const char **end) {
    bool next = false;
    while (*text == ';') {
        text += 1 + strspn(text + 1, " \t");
        const char *name = text;
        text += strcspn(text, "=;, \t");
        const size_t name_length = (size_t)(text - name);
        text += strspn(text, " \t");
        const char *value = "";
        size_t value_length = 0;
        if (*text == '=') {
            text += 1 + strspn(text + 1, " \t");
            const bool quoted = *text == '"';
            value = text += quoted;
            text += strcspn(text, quoted ? "\"" : ";, \t");
            value_length = (size_t)(text - value);
            if (quoted && *text == '"') text++;
        }
        text += strspn(text, " \t");
        if (name_length == 3 && strncasecmp(name, "rel", 3) == 0 && value_length == 4 &&
            strncasecmp(value, "next", 4) == 0)
            next = true;
    }
    *end = text;
    return next;
}

char *rt_parse_next_link(const char *value) {
    while (value != NULL && *value != '\0') {
        value += strspn(value, " \t,");
        if (*value != '<') return NULL;
        const char *close = strchr(value, '>');
        if (close == NULL) return NULL;
        const char *end = close + 1;
        end += strspn(end, " \t");
        if (says_next(end, &end)) return rt_strndup(value + 1, (size_t)(close - value - 1));
        value = end;
    }
    return NULL;
}
