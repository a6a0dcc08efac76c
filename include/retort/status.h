/* Status codes and error messages: how every retort function says that something failed.
 *
 * Functions that can fail return retort_status; RETORT_OK is 0. Each also takes a retort_error pointer, owned by the
 * caller, which is left untouched on success and filled with one sentence on failure: what went wrong, where (file,
 * line, tensor, field) and what to do about it. Passing NULL is allowed. The library never prints, exits or aborts.
 */
#ifndef RETORT_STATUS_H
#define RETORT_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define RETORT_API          __attribute__((visibility("default")))
#define RETORT_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define RETORT_API
#define RETORT_PRINTF(f, a)
#endif

/* Codes come in families of ten with gaps, and never change their number. */
typedef enum retort_status {
    RETORT_OK = 0,

    /* The caller's or user's input is at fault: the command exits with 2. */
    RETORT_ERR_USAGE = 10,       /* a flag, key or argument is unknown or out of range */
    RETORT_ERR_FORMAT = 11,      /* a file's content breaks its format */
    RETORT_ERR_UNSUPPORTED = 12, /* a valid input that this version does not implement */
    RETORT_ERR_NOT_FOUND = 13,   /* a file, tensor, token or problem does not exist */

    /* The work failed although the input was acceptable: the command exits with 1. */
    RETORT_ERR_MEMORY = 20,
    RETORT_ERR_IO = 21,      /* read, write, disk full, permission */
    RETORT_ERR_NUMERIC = 22, /* NaN or Inf where a number was needed */
    RETORT_ERR_STATE = 23,   /* calls in the wrong order, or a resume that does not fit */

    /* Not an error as such: the user asked to stop (Ctrl-C); the message says how to resume. Exit code 130. */
    RETORT_ERR_INTERRUPTED = 30
} retort_status;

typedef struct retort_error {
    retort_status code;
    char message[1024]; /* lower case, cause first, subject in single quotes, no trailing full stop */
    char detail[3072];  /* lines that show it, each ended by a newline (a table, a histogram); mostly empty */
} retort_error;

/* A short fixed name of a code, such as "format"; never NULL. */
RETORT_API const char *retort_status_name(retort_status status);

/* The process exit code that a status maps to: 0 done, 1 failed work, 2 bad usage or input, 130 interrupted. */
RETORT_API int retort_exit_code(retort_status status);

#ifdef __cplusplus
}
#endif
#endif
