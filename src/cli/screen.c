#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"

static struct termios before;
static bool taken;
static volatile sig_atomic_t ended;
static sigset_t usual, waiting; /* signals that are blocked before and after, and while a key is waited for */

static void on_end(int number) {
    (void)number;
    ended = 1;
}

retort_status screen_open(retort_error *err) {
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
        return cli_fail(err, RETORT_ERR_USAGE, "this is done with keys, on a terminal, and there is none here");
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
        return cli_fail(err, RETORT_ERR_IO, "cannot take the terminal over: %s", strerror(errno));
    taken = true;
    /* Waiting must end with the signal, so that the terminal is given back. At any other moment it is held back: it
     * would break a write off, or come unseen between the look at `ended` and the wait. */
    struct sigaction action = {.sa_handler = on_end};
    sigset_t held;
    sigemptyset(&action.sa_mask);
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGHUP);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigprocmask(SIG_BLOCK, &held, &usual);
    waiting = usual;
    sigdelset(&waiting, SIGTERM);
    sigdelset(&waiting, SIGHUP);
    return RETORT_OK;
}

void screen_close(void) {
    if (!taken) return;
    taken = false;
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    sigprocmask(SIG_SETMASK, &usual, NULL);
}

void screen_size(int *columns, int *lines) {
    struct winsize size = {0};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *columns = known ? size.ws_col : 80;
    *lines = known ? size.ws_row : 24;
    if (*columns < 20) *columns = 20;
    if (*lines < 8) *lines = 8;
}

/* Whether another byte comes at once: that of an escape sequence. */
static bool follows(void) {
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, 50) == 1;
}

static int read_byte(void) {
    unsigned char byte;
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    fflush(stdout);
    while (!ended && ppoll(&input, 1, NULL, &waiting) < 0 && errno == EINTR) continue;
    return !ended && read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

/* ESC [ 5 ~ is Page Up, ESC [ 6 ~ Page Down, ESC [ A and B the arrows; other sequences are read and mean nothing. */
static int read_sequence(void) {
    int last = 0, digit = 0;
    while (follows() && (last = read_byte()) >= 0) {
        if (last >= '0' && last <= '9') digit = last;
        if ((last >= 'A' && last <= 'Z') || last == '~' || (last >= 'a' && last <= 'z')) break;
    }
    if (last == 'B' || (last == '~' && digit == '6')) return SCREEN_PAGE_DOWN;
    if (last == 'A' || (last == '~' && digit == '5')) return SCREEN_PAGE_UP;
    return 0;
}

int screen_read(void) {
    const int byte = read_byte();
    if (byte < 0 || byte == 3 || byte == 4) return SCREEN_QUIT;
    return byte == 27 ? read_sequence() : byte;
}

void screen_clear(void) {
    fputs("\033[H\033[2J", stdout);
}

/* ---- text ---- */

/* Length of the character at `at` and its columns; a byte that begins none has length 1 and shows as '?'. */
static size_t character(const char *text, size_t length, size_t at, int *columns, bool *plain) {
    const unsigned char c = (unsigned char)text[at];
    const size_t n = c < 0x80 ? 1 : c >= 0xF0 && c < 0xF5 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 0;
    uint32_t code = n == 1 ? c : n == 2 ? c & 0x1FU : n == 3 ? c & 0x0FU : c & 0x07U;
    bool good = n > 0 && c < 0xF5 && at + n <= length;
    for (size_t i = 1; good && i < n; i++) {
        good = ((unsigned char)text[at + i] & 0xC0) == 0x80;
        code = code << 6 | ((unsigned char)text[at + i] & 0x3FU);
    }
    /* C1 controls, surrogates, and the marks that turn the direction of writing */
    good = good && code >= 0x20 && !(code >= 0x7F && code < 0xA0) && !(code >= 0xD800 && code < 0xE000) &&
           !(code >= 0x202A && code <= 0x202E) && !(code >= 0x2066 && code <= 0x2069);
    *plain = good;
    *columns = good && ((code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) ||
                        (code >= 0xAC00 && code < 0xD7A4) || (code >= 0xF900 && code < 0xFB00) ||
                        (code >= 0xFF00 && code < 0xFF61) || (code >= 0x1F300 && code < 0x1FB00))
                   ? 2
                   : 1;
    return good ? n : 1;
}

static bool begin_line(screen_text *page, size_t at) {
    if (page->lines == page->capacity) {
        const size_t capacity = page->capacity == 0 ? 64 : page->capacity * 2;
        size_t *grown = realloc(page->starts, capacity * sizeof *grown);
        if (grown == NULL) return false;
        page->starts = grown;
        page->capacity = capacity;
    }
    page->starts[page->lines++] = at;
    return true;
}

bool screen_wrap(screen_text *page, const char *text, size_t length, int columns) {
    size_t space = 0; /* behind the last space of the line at hand */
    int used = 0;
    page->lines = 0;
    page->text = text;
    page->length = length;
    if (!begin_line(page, 0)) return false;
    for (size_t at = 0; at < length;) {
        int wide;
        bool plain;
        const size_t n = character(text, length, at, &wide, &plain);
        const size_t begin = page->starts[page->lines - 1];
        if (text[at] == '\n') {
            if (!begin_line(page, at + 1)) return false;
            used = 0;
            space = ++at;
            continue;
        }
        if (used + wide > columns) {
            at = space > begin ? space : at; /* the word goes over to the next line */
            if (!begin_line(page, at)) return false;
            used = 0;
            space = at;
            continue;
        }
        used += wide;
        at += n;
        if (text[at - 1] == ' ') space = at;
    }
    return true;
}

void screen_print(const screen_text *page, size_t first, size_t count) {
    for (size_t i = first; i < first + count && i < page->lines; i++) {
        size_t at = page->starts[i];
        const size_t end = i + 1 < page->lines ? page->starts[i + 1] : page->length;
        while (at < end) {
            int wide;
            bool plain;
            const size_t n = character(page->text, page->length, at, &wide, &plain);
            if (plain)
                fwrite(page->text + at, 1, n, stdout);
            else if (page->text[at] != '\n')
                putchar(page->text[at] == '\t' ? ' ' : '?');
            at += n;
        }
        putchar('\n');
    }
}

void screen_free(screen_text *page) {
    free(page->starts);
    *page = (screen_text){0};
}
