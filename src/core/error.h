/* Internal helpers that keep every check on one line.
 *
 *   RT_CHECK(n > 0, err, RETORT_ERR_FORMAT, "tensor '%s' has no elements", name);
 *   RT_TRY(rt_file_read(path, &buf, err));
 *   return rt_fail(err, RETORT_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
 */
#ifndef RT_CORE_ERROR_H
#define RT_CORE_ERROR_H

#include "retort/status.h"

/* Fills *err (which may be NULL) and returns code. */
retort_status rt_fail(retort_error *err, retort_status code, const char *fmt, ...) RETORT_PRINTF(3, 4);

/* Puts "prefix: " before the message in *err, so that an outer caller can name its file; returns err's code. */
retort_status rt_fail_context(retort_error *err, retort_status code, const char *fmt, ...) RETORT_PRINTF(3, 4);

/* Puts lines into the detail of a failure that rt_fail has filled in; what does not fit is cut behind a whole line. */
void rt_fail_detail(retort_error *err, const char *lines);

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time; without this it follows paths on which a failure returned RETORT_OK. */
#define rt_fail(err, code, ...)         ((void)rt_fail((err), (code), __VA_ARGS__), (code))
#define rt_fail_context(err, code, ...) ((void)rt_fail_context((err), (code), __VA_ARGS__), (code))
#endif

#define RT_CHECK(cond, err, code, ...)                                                                                 \
    do {                                                                                                               \
        if (!(cond)) return rt_fail((err), (code), __VA_ARGS__);                                                       \
    } while (0)

#define RT_TRY(expr)                                                                                                   \
    do {                                                                                                               \
        retort_status rt_try_status_ = (expr);                                                                         \
        if (rt_try_status_ != RETORT_OK) return rt_try_status_;                                                        \
    } while (0)

/* For functions with a cleanup label: sets st and jumps on failure. */
#define RT_GOTO(st, expr, label)                                                                                       \
    do {                                                                                                               \
        (st) = (expr);                                                                                                 \
        if ((st) != RETORT_OK) goto label;                                                                             \
    } while (0)

#endif
