/* Progress on standard error: on a terminal one line that is redrawn, otherwise a line every ten seconds and at the end
 * of each stage.
 *
 * Stages nest (a rollout inside a training step): a stage that starts while another is unfinished is drawn on top of it
 * and leaves no line behind; a finished outermost stage does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { DEPTH = 4, LOG_SECONDS = 10, BAR_CELLS = 20 };

typedef struct stage {
    char name[32];
    double started, first, done, total;
    bool finished;
} stage;

static struct {
    stage stack[DEPTH];
    int depth;
    bool terminal, open_line;
    double logged;
} bar;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void duration(double seconds, char *text, size_t size) {
    long s = seconds < 1e9 ? (long)seconds : 1000000000;
    if (s < 60) {
        snprintf(text, size, "%lds", s);
    } else if (s < 3600) {
        snprintf(text, size, "%ldm%02lds", s / 60, s % 60);
    } else {
        snprintf(text, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
    }
}

/* Three digits and a suffix: 12.3k. */
static void quantity(double value, char *text, size_t size) {
    static const char *const SUFFIX[] = {"", "k", "M", "G", "T"};
    int step = 0;
    while (value >= 10000 && step < 4) {
        value /= 1000;
        step++;
    }
    bool whole = value == rint(value);
    snprintf(text, size, whole ? "%.0f%s" : value < 10 ? "%.2f%s" : "%.1f%s", value, SUFFIX[step]);
}

static void compose(const stage *s, const char *unit, const char *message, bool draw, char *line, size_t size) {
    char cells[BAR_CELLS + 4] = "", done[32], total[32], rate[32], left[32];
    double elapsed = now() - s->started, speed = elapsed > 0 ? (s->done - s->first) / elapsed : 0;
    size_t used = (size_t)snprintf(line, size, "%-10s", s->name);
    quantity(s->done, done, sizeof done);
    quantity(speed, rate, sizeof rate);
    if (s->total > 0) {
        double share = s->done / s->total;
        if (share > 1) share = 1;
        if (draw) {
            int filled = (int)(share * BAR_CELLS);
            memset(cells, ' ', sizeof cells);
            cells[0] = '[';
            memset(cells + 1, '=', (size_t)filled);
            cells[BAR_CELLS + 1] = ']';
            cells[BAR_CELLS + 2] = ' ';
            cells[BAR_CELLS + 3] = '\0';
        }
        quantity(s->total, total, sizeof total);
        used +=
            (size_t)snprintf(line + used, size - used, " %s%3.0f%% %s/%s %s", cells, 100 * share, done, total, unit);
    } else {
        used += (size_t)snprintf(line + used, size - used, " %s %s", done, unit);
    }
    if (speed > 0) used += (size_t)snprintf(line + used, size - used, ", %s/s", rate);
    if (s->finished) {
        duration(elapsed, left, sizeof left);
        used += (size_t)snprintf(line + used, size - used, ", took %s", left);
    } else if (speed > 0 && s->total > s->done) {
        duration((s->total - s->done) / speed, left, sizeof left);
        used += (size_t)snprintf(line + used, size - used, ", %s left", left);
    }
    if (message != NULL) snprintf(line + used, size - used, "  %s", message);
}

/* Makes `name` the top of the stack. */
static stage *enter(const char *name, double done, double total) {
    for (int i = bar.depth - 1; i >= 0; i--) {
        stage *s = &bar.stack[i];
        if (strncmp(s->name, name, sizeof s->name - 1) != 0) continue;
        bar.depth = i + 1;
        if (!s->finished || done >= s->done) return s;
        bar.depth = i; /* the same stage once more from the start */
    }
    if (bar.depth > 0 && bar.stack[bar.depth - 1].finished) bar.depth--;
    if (bar.depth == DEPTH) bar.depth--;
    stage *s = &bar.stack[bar.depth++];
    *s = (stage){.started = now(), .first = done, .total = total};
    snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

static void draw(const char *line, bool keep) {
    struct winsize window;
    int columns = 80;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 10) columns = window.ws_col;
    fprintf(stderr, "\r%.*s\033[K%s", columns - 1, line, keep ? "\n" : "");
    fflush(stderr);
    bar.open_line = !keep;
}

static void report(void *context, const char *name, double done, double total, const char *unit, const char *message) {
    (void)context;
    stage *s = enter(name, done, total);
    bool finished_before = s->finished;
    s->done = done;
    s->total = total;
    s->finished = total > 0 && done >= total;
    bool outermost = bar.depth == 1, ends = s->finished && !finished_before && outermost;
    bool brief = ends && now() - s->started < 1 && !bar.terminal; /* a log need not know */
    double t = now();
    bool due = (ends && !brief) || (t - bar.logged >= LOG_SECONDS && !finished_before);
    if (!bar.terminal && !due) return;
    char line[512];
    compose(s, unit != NULL ? unit : "", message, bar.terminal, line, sizeof line);
    if (bar.terminal) {
        if (!finished_before || !outermost) draw(line, ends);
    } else {
        fprintf(stderr, "%s\n", line);
        bar.logged = t;
    }
}

void bar_open(retort_progress *progress) {
    memset(&bar, 0, sizeof bar);
    const char *kind = getenv("TERM");
    bar.terminal = isatty(STDERR_FILENO) == 1 && kind != NULL && strcmp(kind, "dumb") != 0;
    bar.logged = now();
    *progress = (retort_progress){report, NULL};
}

void bar_close(void) {
    if (bar.open_line) fputc('\n', stderr);
    bar.open_line = false;
}
