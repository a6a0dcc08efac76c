/* How long work tells its caller how far it is, and how a caller asks it to stop. */
#ifndef RETORT_PROGRESS_H
#define RETORT_PROGRESS_H

#include "retort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Called from the thread that called the library, at most about ten times a second and at the end of each stage.
 * stage: "distill", "rollout", ...; done / total in `unit` ("tokens", "steps"; total 0 when unknown); message: a short
 * line such as "loss 1.23, lr 3e-4", or NULL; a sink decides itself whether to draw or to log. */
typedef struct retort_progress {
    void (*report)(void *context, const char *stage, double done, double total, const char *unit, const char *message);
    void *context;
} retort_progress;

/* Asks running work to stop at its next safe point with RETORT_ERR_INTERRUPTED; async-signal-safe. */
RETORT_API void retort_interrupt(void);
/* Clears the request, so that the library can be used again. */
RETORT_API void retort_interrupt_clear(void);

#ifdef __cplusplus
}
#endif
#endif
