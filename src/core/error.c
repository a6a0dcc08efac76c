#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef rt_fail
#undef rt_fail_context

const char *retort_status_name(retort_status status) {
    switch (status) {
    case RETORT_OK: return "ok";
    case RETORT_ERR_USAGE: return "usage";
    case RETORT_ERR_FORMAT: return "format";
    case RETORT_ERR_UNSUPPORTED: return "unsupported";
    case RETORT_ERR_NOT_FOUND: return "not-found";
    case RETORT_ERR_MEMORY: return "memory";
    case RETORT_ERR_IO: return "io";
    case RETORT_ERR_NUMERIC: return "numeric";
    case RETORT_ERR_STATE: return "state";
    case RETORT_ERR_INTERRUPTED: return "interrupted";
    }
    return "unknown";
}

int retort_exit_code(retort_status status) {
    if (status == RETORT_OK) return 0;
    if (status == RETORT_ERR_INTERRUPTED) return 130;
    return status < RETORT_ERR_MEMORY ? 2 : 1;
}

retort_status rt_fail(retort_error *err, retort_status code, const char *fmt, ...) {
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        err->code = code;
        err->detail[0] = '\0';
        vsnprintf(err->message, sizeof err->message, fmt, args);
        va_end(args);
    }
    return code;
}

retort_status rt_fail_context(retort_error *err, retort_status code, const char *fmt, ...) {
    if (err != NULL) {
        char inner[sizeof err->message];
        char prefix[512];
        va_list args;
        va_start(args, fmt);
        vsnprintf(prefix, sizeof prefix, fmt, args);
        va_end(args);
        memcpy(inner, err->message, sizeof inner);
        err->code = code;
        snprintf(err->message, sizeof err->message, "%s: %.*s", prefix, (int)(sizeof err->message - 520), inner);
    }
    return code;
}

void rt_fail_detail(retort_error *err, const char *lines) {
    if (err == NULL) return;
    snprintf(err->detail, sizeof err->detail, "%s", lines);
    if (strlen(lines) < sizeof err->detail) return;
    char *end = strrchr(err->detail, '\n');
    if (end != NULL) end[1] = '\0';
}
