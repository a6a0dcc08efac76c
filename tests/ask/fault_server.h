/* An endpoint for tests, on the loopback interface: the completions API as it is on bad days. It counts what it was
 * asked and what it answered in full, by question. */
#ifndef TESTS_ASK_FAULT_SERVER_H
#define TESTS_ASK_FAULT_SERVER_H

#include <stdbool.h>

typedef enum fault_mode {
    FAULTS_NONE,
    FAULTS_FIRST_TRY, /* two questions in three fail on their first try, each kind of fault in turn */
    FAULTS_ENDLESS,   /* first tries: a stream that never ends and never says anything */
    FAULTS_SILENT,    /* first tries: the head of a stream, and then nothing */
    FAULTS_LATER,     /* first tries: 429 with Retry-After: 1 */
    FAULTS_REFUSED    /* 401, always */
} fault_mode;

typedef struct fault_server fault_server;

/* delay_ms: before each answer. NULL on failure. */
fault_server *fault_server_start(fault_mode mode, int delay_ms);
void fault_server_stop(fault_server *server);
/* "http://127.0.0.1:PORT/v1" */
const char *fault_server_url(const fault_server *server);

typedef struct fault_counts {
    int requests;   /* read in full */
    int questions;  /* different ones */
    int answered;   /* good answers, written in full */
    int twice;      /* of them, to questions that had been answered in full before */
    int most;       /* requests at once, at most */
    int with_token; /* requests with "Bearer sesame" */
    int quickest;   /* least milliseconds between two tries of a question; -1: none came twice */
} fault_counts;
fault_counts fault_server_counts(fault_server *server);

#endif
