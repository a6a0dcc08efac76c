/* Results on standard output: the library's JSON as it is (--json), or as text tables.
 *
 * One renderer serves every command, so that a new figure in the JSON shows up without a new printer: single values
 * become "name  value" lines, an array of flat objects becomes a table, and so does an object of like objects, with its
 * names as the first column; what is deeper gets a heading of its own. */
#include "tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { CELL = 48, MOST_ROWS = 25, MOST_COLUMNS = 12 };

static bool is_interval(const json_t *value) {
    return json_is_array(value) && json_array_size(value) == 2 &&
           (json_is_number(json_array_get(value, 0)) || json_is_null(json_array_get(value, 0)));
}

static bool is_cell(const json_t *value) {
    return (!json_is_object(value) && !json_is_array(value)) || is_interval(value);
}

static bool is_flat(const json_t *value) {
    const char *key;
    json_t *member;
    if (!json_is_object(value)) return false;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (!is_cell(member)) return false;
    }
    return true;
}

/* An object of at least two flat, non-empty objects: rows by name. */
static bool is_named_rows(const json_t *value) {
    const char *key;
    json_t *member;
    if (!json_is_object(value) || json_object_size(value) < 2) return false;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (!is_flat(member) || json_object_size(member) == 0) return false;
    }
    return true;
}

static void cell_text(const json_t *value, char *text, size_t size) {
    if (is_interval(value)) {
        char low[24], high[24];
        cell_text(json_array_get(value, 0), low, sizeof low);
        cell_text(json_array_get(value, 1), high, sizeof high);
        snprintf(text, size, "[%s, %s]", low, high);
    } else if (json_is_string(value)) {
        snprintf(text, size, "%s", json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(text, size, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        double number = json_real_value(value);
        bool whole = number == rint(number) && fabs(number) < 1e15;
        snprintf(text, size, whole ? "%.0f" : "%.4g", number);
    } else if (json_is_boolean(value)) {
        snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
    } else {
        snprintf(text, size, "-");
    }
}

/* Rows of cells; the widths are known only at the end. */
typedef struct grid {
    const char *columns[MOST_COLUMNS];
    int count, width[MOST_COLUMNS];
} grid;

static void add_column(grid *g, const char *name) {
    for (int i = 0; i < g->count; i++) {
        if (strcmp(g->columns[i], name) == 0) return;
    }
    if (g->count == MOST_COLUMNS) return;
    g->width[g->count] = (int)strlen(name);
    g->columns[g->count++] = name;
}

static void measure_row(grid *g, const json_t *row) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)row, key, member) {
        add_column(g, key);
    }
    for (int i = 0; i < g->count; i++) {
        char text[CELL];
        const json_t *value = json_object_get(row, g->columns[i]);
        cell_text(value, text, sizeof text);
        int width = (int)strlen(text);
        if (value != NULL && width > g->width[i]) g->width[i] = width;
    }
}

static void print_row(FILE *out, const grid *g, const json_t *row) {
    for (int i = 0; i < g->count; i++) {
        char text[CELL];
        const json_t *value = json_object_get(row, g->columns[i]);
        cell_text(value, text, sizeof text);
        bool left = json_is_string(value), last = i == g->count - 1;
        fprintf(out, left ? "%-*s%s" : "%*s%s", left && last ? 0 : g->width[i], value != NULL ? text : "",
                last ? "\n" : "  ");
    }
}

static void print_heads(FILE *out, const grid *g, const json_t *first) {
    for (int i = 0; i < g->count; i++) {
        bool left = json_is_string(json_object_get(first, g->columns[i])), last = i == g->count - 1;
        fprintf(out, left ? "%-*s%s" : "%*s%s", left && last ? 0 : g->width[i], g->columns[i], last ? "\n" : "  ");
    }
}

static void print_rows(FILE *out, const json_t *rows) {
    grid g = {0};
    size_t count = json_array_size(rows), shown = count > MOST_ROWS ? MOST_ROWS : count;
    if (count == 0) return;
    for (size_t i = 0; i < shown; i++) measure_row(&g, json_array_get(rows, i));
    print_heads(out, &g, json_array_get(rows, 0));
    for (size_t i = 0; i < shown; i++) print_row(out, &g, json_array_get(rows, i));
    if (shown < count) fprintf(out, "... and %zu more rows (--json shows all)\n", count - shown);
}

static bool all_flat(const json_t *array) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!is_flat(json_array_get(array, i))) return false;
    }
    return true;
}

static void print_named_rows(FILE *out, const json_t *object) {
    const char *key;
    json_t *member, *rows = json_array();
    json_object_foreach((json_t *)(uintptr_t)object, key, member) {
        json_t *row = json_pack("{s:s}", "name", key);
        json_object_update(row, member);
        json_array_append_new(rows, row);
    }
    print_rows(out, rows);
    json_decref(rows);
}

static void print_cells(FILE *out, const json_t *object) {
    const char *key;
    json_t *member;
    int width = 0;
    json_object_foreach((json_t *)(uintptr_t)object, key, member) {
        if (is_cell(member) && (int)strlen(key) > width) width = (int)strlen(key);
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, member) {
        char text[512];
        if (!is_cell(member)) continue;
        cell_text(member, text, sizeof text);
        fprintf(out, "%-*s  %s\n", width, key, text);
    }
}

/* Depth is bounded by the library's own report formats; the limit only keeps this loop honest. */
static void print_value(FILE *out, const json_t *value, const char *name, int depth) {
    if (depth > 6) return;
    if (json_is_array(value)) {
        if (json_array_size(value) == 0) return;
        if (name[0] != '\0') fprintf(out, "\n%s\n", name);
        if (all_flat(value)) {
            print_rows(out, value);
            return;
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i > 0) fputc('\n', out);
            print_value(out, json_array_get(value, i), "", depth + 1);
        }
        return;
    }
    if (!json_is_object(value)) return;
    if (name[0] != '\0') fprintf(out, "\n%s\n", name);
    if (is_named_rows(value)) {
        print_named_rows(out, value);
        return;
    }
    print_cells(out, value);
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (!is_cell(member)) print_value(out, member, key, depth + 1);
    }
}

retort_status print_result(const char *text, bool as_json, retort_error *err) {
    if (as_json) {
        size_t length = strlen(text);
        printf("%s%s", text, length > 0 && text[length - 1] == '\n' ? "" : "\n");
        return RETORT_OK;
    }
    json_error_t problem;
    json_t *value = json_loads(text, 0, &problem);
    if (value == NULL) return cli_fail(err, RETORT_ERR_FORMAT, "the result is no JSON: %s", problem.text);
    print_value(stdout, value, "", 0);
    json_decref(value);
    return RETORT_OK;
}

void print_account(const char *what, const retort_training_account *account, bool as_json) {
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"steps", (double)account->steps},
        {"examples", (double)account->examples},
        {"distinct_problems", (double)account->distinct_problems},
        {"trained_tokens", account->trained_tokens},
        {"supervised_tokens", account->supervised_tokens},
        {"generated_tokens", account->generated_tokens},
        {"train_flops", account->train_flops},
        {"rollout_flops", account->rollout_flops},
        {"final_loss", account->final_loss},
        {"seconds", account->seconds},
        {"cut_examples", account->cut_examples},
        {"cut_tokens", account->cut_tokens},
    };
    size_t count = sizeof figures / sizeof figures[0];
    if (as_json) {
        json_t *object = json_pack("{s:s}", "command", what);
        for (size_t i = 0; i < count; i++) {
            double value = figures[i].value;
            bool whole = value == rint(value) && fabs(value) < 9e15;
            json_t *number = whole ? json_integer((json_int_t)value) : json_real(value);
            json_object_set_new(object, figures[i].name, number != NULL ? number : json_null());
        }
        json_dumpf(object, stdout, JSON_REAL_PRECISION(12));
        printf("\n");
        json_decref(object);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (figures[i].value != 0) printf("%-18s %.6g\n", figures[i].name, figures[i].value);
    }
}
