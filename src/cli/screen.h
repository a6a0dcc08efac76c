/* A page of text on a terminal, for commands that are used with keys. */
#ifndef RETORT_CLI_SCREEN_H
#define RETORT_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "retort/status.h"

typedef enum screen_key { SCREEN_PAGE_DOWN = 256, SCREEN_PAGE_UP, SCREEN_QUIT } screen_key;

/* Takes the terminal over: no echo, keys one by one. RETORT_ERR_USAGE where standard input or output is no terminal. */
retort_status screen_open(retort_error *err);
/* Gives it back as it was; harmless if it was not taken. */
void screen_close(void);

/* Columns and lines, at least 20 and 8. */
void screen_size(int *columns, int *lines);
/* The next key: a byte, or one of screen_key. Ctrl-C, Ctrl-D, a closed terminal and SIGTERM are SCREEN_QUIT. */
int screen_read(void);
/* Clears; what is printed next begins at the top. */
void screen_clear(void);

/* A text broken into lines of a width, of which a window is shown. Control characters, which could play tricks with the
 * terminal, and bytes that are not UTF-8 are shown as '?'. */
typedef struct screen_text {
    size_t *starts; /* where each line begins */
    size_t lines, capacity;
    const char *text;
    size_t length;
} screen_text;
bool screen_wrap(screen_text *page, const char *text, size_t length, int columns); /* false: out of memory */
void screen_print(const screen_text *page, size_t first, size_t count);
void screen_free(screen_text *page);

#endif
