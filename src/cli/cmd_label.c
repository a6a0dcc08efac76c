/* retort label: responses one by one on a terminal, behaviours counted with keys. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "retort/judge.h"
#include "screen.h"

/* The keys of behaviours; what is missing here means something else. */
static const char KEYS[] = "123456789acefghijkl";

typedef struct sitting {
    retort_labels *labels;
    screen_text page;
    size_t top;   /* first line shown */
    bool less;    /* the next key takes one away */
    bool explain; /* definitions are shown instead of the response */
    const char *note;
} sitting;

static int shown_behaviors(const retort_label_view *view) {
    const int most = (int)strlen(KEYS);
    return view->behaviors < most ? view->behaviors : most;
}

static void print_definitions(const retort_label_view *view, int columns) {
    for (int b = 0; b < shown_behaviors(view); b++) {
        screen_text text = {0};
        printf("%c  %s\n", KEYS[b], view->titles[b]);
        if (screen_wrap(&text, view->definitions[b], strlen(view->definitions[b]), columns))
            screen_print(&text, 0, text.lines);
        screen_free(&text);
    }
}

/* Two to a line where there is room. */
static void print_counts(const retort_label_view *view, int columns) {
    const int each = columns >= 78 ? 2 : 1;
    for (int b = 0; b < shown_behaviors(view); b++) {
        const bool last = b % each == each - 1 || b + 1 == shown_behaviors(view);
        printf("%c %3d  %-*.*s%s", KEYS[b], view->counts[b], last ? 0 : 30, 30, view->titles[b], last ? "\n" : "  ");
    }
}

static bool draw(sitting *s, const retort_label_view *view) {
    int columns, lines;
    screen_size(&columns, &lines);
    if (!screen_wrap(&s->page, view->text, view->length, columns)) return false;
    const int rows = (shown_behaviors(view) + (columns >= 78 ? 1 : 0)) / (columns >= 78 ? 2 : 1);
    const int room = lines - rows - 4;
    const size_t window = room > 1 ? (size_t)room : 1;
    if (s->top + window > s->page.lines) s->top = s->page.lines > window ? s->page.lines - window : 0;
    screen_clear();
    printf("response %lld of %lld, %lld labelled%s\n", (long long)view->index + 1, (long long)view->total,
           (long long)view->done, view->labelled ? " (this one is)" : "");
    if (s->explain) {
        print_definitions(view, columns);
    } else {
        screen_print(&s->page, s->top, window);
        const size_t end = s->top + window;
        printf("-- %zu%% --\n", end >= s->page.lines ? (size_t)100 : 100 * end / s->page.lines);
        print_counts(view, columns);
    }
    printf("%s%s\n", s->less ? "take away: " : "",
           s->note != NULL
               ? s->note
               : "keys count, - takes away, u undo, Enter store, space page, s skip, p back, d definitions, q");
    s->note = NULL;
    return true;
}

static void turn(sitting *s, bool down) {
    int columns, lines;
    screen_size(&columns, &lines);
    const size_t step = (size_t)(lines > 10 ? lines - 10 : 1);
    s->top = down ? s->top + step : s->top > step ? s->top - step : 0;
}

static retort_status mark(sitting *s, const retort_label_view *view, int key, retort_error *err) {
    const char *at = key > 0 && key < 256 ? strchr(KEYS, key) : NULL;
    const int behavior = at != NULL ? (int)(at - KEYS) : view->behaviors;
    const int add = s->less ? -1 : 1;
    s->less = false;
    if (behavior >= shown_behaviors(view)) {
        s->note = "no such key; d shows which there are";
        return RETORT_OK;
    }
    return retort_labels_mark(s->labels, behavior, add, err);
}

/* Obeys one key; *quit where the sitting is over. */
static retort_status obey(sitting *s, const retort_label_view *view, int key, bool *quit, retort_error *err) {
    retort_status st = RETORT_OK;
    const bool explained = s->explain;
    s->explain = false;
    if (key == SCREEN_QUIT || key == 'q') {
        *quit = true;
    } else if (key == '\r' || key == '\n') {
        st = retort_labels_next(s->labels, err);
        s->top = 0;
    } else if (key == ' ' || key == SCREEN_PAGE_DOWN || key == SCREEN_PAGE_UP || key == 'b') {
        turn(s, key == ' ' || key == SCREEN_PAGE_DOWN);
    } else if (key == 's' || key == 'p') {
        retort_labels_move(s->labels, key == 's' ? 1 : -1);
        s->top = 0;
    } else if (key == 'u') {
        if (!retort_labels_undo(s->labels)) s->note = "nothing to undo on this response";
    } else if (key == '-') {
        s->less = !s->less;
    } else if (key == 'd') {
        s->explain = !explained;
    } else {
        st = mark(s, view, key, err);
    }
    return st;
}

static retort_status sit(sitting *s, retort_error *err) {
    bool quit = false;
    retort_status st = RETORT_OK;
    while (st == RETORT_OK && !quit) {
        retort_label_view view;
        retort_labels_show(s->labels, &view);
        if (view.text == NULL) return RETORT_OK;
        if (!draw(s, &view)) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory: screen");
        st = obey(s, &view, screen_read(), &quit, err);
    }
    return st;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    sitting s = {0};
    retort_label_view view;
    (void)call;
    retort_status st = retort_labels_open(options, &s.labels, err);
    if (st != RETORT_OK) return st;
    retort_labels_show(s.labels, &view);
    if (view.text != NULL) {
        st = screen_open(err);
        if (st == RETORT_OK) st = sit(&s, err);
        screen_close();
    }
    retort_labels_show(s.labels, &view);
    if (st == RETORT_OK)
        printf("\n%lld of %lld labelled%s\n", (long long)view.done, (long long)view.total,
               view.done < view.total ? "; the same command goes on" : "");
    screen_free(&s.page);
    retort_labels_close(s.labels);
    return st;
}

const command command_label = {
    .name = "label",
    .summary = "hand labels: behaviours of responses, counted with keys on a terminal",
    .description =
        "Shows responses one by one, in an order fixed by the seed and without the model's name, and counts behaviours "
        "with a key each. Every response is stored when it is done, as a judgement by human:NAME in the run store; the "
        "same command goes on where it was left. Works over ssh.\n\n"
        "Keys: 1 to 9 (then a, c, e to l) count one more of a behaviour, - and a key one less; u takes the last key "
        "back; Enter stores and goes on, also where nothing was found; space, b and the arrows turn pages; s skips, p "
        "goes back; d shows the definitions; q leaves.\n\n"
        "`retort agreement` then says how far people and judges agree.",
    .examples = "retort label responses.jsonl --store run.db --name ada --count 100\ta hundred responses at random\n"
                "retort agreement run.db judged.jsonl --responses responses.jsonl\tpeople against judges\n",
    .table = retort_label_option_table,
    .options_size = sizeof(retort_label_options),
    .positional = "responses",
    .run = run,
};
