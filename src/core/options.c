#include "retort/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static void *field_of(const retort_option *option, const void *options) {
    return (char *)(uintptr_t)options + option->offset;
}

static bool is_text(const retort_option *option) {
    return option->type == RETORT_OPTION_STRING || option->type == RETORT_OPTION_LIST;
}

/* Names: hyphens equal underscores. */

static char fold(char c) {
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static bool same_name(const char *a, const char *b) {
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b)) return false;
    }
    return *a == *b;
}

const retort_option *retort_options_find(const retort_option *table, const char *name) {
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (same_name(option->name, name)) return option;
    }
    return NULL;
}

/* Optimal string alignment (Damerau 1964, restricted): three rows of the dynamic programme are kept. */
int retort_name_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    int rows[3][LONGEST + 1];
    int width = (int)strnlen(b, LONGEST), height = (int)strnlen(a, LONGEST);
    for (int j = 0; j <= width; j++) rows[0][j] = j;
    for (int i = 1; i <= height; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= width; j++) {
            int best = above[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
            if (swapped && above2[j - 2] + 1 < best) best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[height % 3][width];
}

const retort_option *retort_options_nearest(const retort_option *table, const char *name) {
    const retort_option *nearest = NULL;
    int smallest = INT_MAX;
    for (const retort_option *option = table; option->name != NULL; option++) {
        int distance = retort_name_distance(name, option->name);
        if (distance < smallest) {
            smallest = distance;
            nearest = option;
        }
    }
    return nearest;
}

/* Numbers are read and written with a point whatever the calling program's locale says. */

static double read_real(const char *text, char **end) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) {
        *end = (char *)(uintptr_t)text;
        return 0;
    }
    double value = strtod_l(text, end, c);
    freelocale(c);
    return value;
}

/* The shortest decimal that reads back to the same double; whole numbers without an exponent. */
static void write_real(double value, char *text, size_t size) {
    if (value == rint(value) && fabs(value) < 1e15) {
        snprintf(text, size, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        char *comma = strchr(text, ',');
        if (comma != NULL) *comma = '.';
        char *end;
        if (read_real(text, &end) == value) return;
    }
}

static retort_status check_range(const retort_option *option, const char *text, double value, retort_error *err) {
    double low = option->minimum, high = option->maximum;
    if (low == 0 && high == 0) return RETORT_OK;
    if (value >= low && value <= high) return RETORT_OK;
    char lows[40], highs[40];
    write_real(low, lows, sizeof lows);
    write_real(high, highs, sizeof highs);
    if (isinf(high)) {
        return rt_fail(err, RETORT_ERR_USAGE, "'%s' is %s, must be at least %s", option->name, text, lows);
    }
    if (isinf(low)) {
        return rt_fail(err, RETORT_ERR_USAGE, "'%s' is %s, must be at most %s", option->name, text, highs);
    }
    return rt_fail(err, RETORT_ERR_USAGE, "'%s' is %s, must be from %s to %s", option->name, text, lows, highs);
}

static retort_status set_bool(const retort_option *option, bool *field, const char *text, retort_error *err) {
    static const char *const TRUE_WORDS[] = {"true", "yes", "on", "1"}, *const FALSE_WORDS[] = {"false", "no", "off",
                                                                                                "0"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(text, TRUE_WORDS[i]) == 0 || strcasecmp(text, FALSE_WORDS[i]) == 0) {
            *field = strcasecmp(text, TRUE_WORDS[i]) == 0;
            return RETORT_OK;
        }
    }
    return rt_fail(err, RETORT_ERR_USAGE, "'%s' is '%.60s', must be true or false", option->name, text);
}

static retort_status set_int(const retort_option *option, int64_t *field, const char *text, retort_error *err) {
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    bool whole = digits[0] != '\0' && strspn(digits, "0123456789") == strlen(digits);
    RT_CHECK(whole, err, RETORT_ERR_USAGE, "'%s' is '%.60s', must be a whole number", option->name, text);
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    RT_CHECK(errno == 0, err, RETORT_ERR_USAGE, "'%s' is %.60s, which does not fit in 64 bits", option->name, text);
    RT_TRY(check_range(option, text, (double)value, err));
    *field = value;
    return RETORT_OK;
}

static retort_status set_real(const retort_option *option, double *field, const char *text, retort_error *err) {
    char *end = NULL;
    bool plain = text[0] != '\0' && strspn(text, "0123456789+-.eE") == strlen(text);
    double value = plain ? read_real(text, &end) : 0;
    RT_CHECK(plain && end != text && *end == '\0' && isfinite(value), err, RETORT_ERR_USAGE,
             "'%s' is '%.60s', must be a finite number such as 0.5 or 1e-4", option->name, text);
    RT_TRY(check_range(option, text, value, err));
    *field = value;
    return RETORT_OK;
}

static retort_status set_choice(const retort_option *option, int *field, const char *text, retort_error *err) {
    size_t length = strlen(text);
    int index = 0;
    for (const char *word = option->choices;; index++) {
        size_t n = strcspn(word, "|");
        if (n == length && strncmp(word, text, n) == 0) {
            *field = index;
            return RETORT_OK;
        }
        if (word[n] == '\0') break;
        word += n + 1;
    }
    char listed[256];
    size_t used = 0;
    for (const char *c = option->choices; *c != '\0' && used + 3 < sizeof listed; c++) {
        listed[used++] = *c == '|' ? ',' : *c;
        if (*c == '|') listed[used++] = ' ';
    }
    listed[used] = '\0';
    return rt_fail(err, RETORT_ERR_USAGE, "'%s' is '%.60s', must be one of: %s", option->name, text, listed);
}

static retort_status set_text(const retort_option *option, char **field, const char *text, retort_error *err) {
    char *copy = NULL;
    if (text[0] != '\0') {
        copy = rt_strdup(text);
        RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: value of '%s'", option->name);
    }
    rt_free(*field);
    *field = copy;
    return RETORT_OK;
}

static retort_status set_option(const retort_option *option, void *options, const char *text, retort_error *err) {
    void *field = field_of(option, options);
    switch (option->type) {
    case RETORT_OPTION_BOOL: return set_bool(option, field, text, err);
    case RETORT_OPTION_INT: return set_int(option, field, text, err);
    case RETORT_OPTION_REAL: return set_real(option, field, text, err);
    case RETORT_OPTION_CHOICE: return set_choice(option, field, text, err);
    case RETORT_OPTION_STRING:
    case RETORT_OPTION_LIST: return set_text(option, field, text, err);
    }
    return rt_fail(err, RETORT_ERR_STATE, "option '%s' has no known type", option->name);
}

retort_status retort_options_set(const retort_option *table, void *options, const char *name, const char *value,
                                 retort_error *err) {
    const retort_option *option = retort_options_find(table, name);
    if (option == NULL) {
        const retort_option *nearest = retort_options_nearest(table, name);
        return rt_fail(err, RETORT_ERR_USAGE, "unknown option '%.60s', the nearest known one is '%s'", name,
                       nearest != NULL ? nearest->name : "(none)");
    }
    return set_option(option, options, value, err);
}

static void clear_field(const retort_option *option, void *field) {
    switch (option->type) {
    case RETORT_OPTION_BOOL: *(bool *)field = false; break;
    case RETORT_OPTION_INT: *(int64_t *)field = 0; break;
    case RETORT_OPTION_REAL: *(double *)field = 0; break;
    case RETORT_OPTION_CHOICE: *(int *)field = 0; break;
    case RETORT_OPTION_STRING:
    case RETORT_OPTION_LIST: *(char **)field = NULL; break;
    }
}

retort_status retort_options_defaults(const retort_option *table, void *options, retort_error *err) {
    /* All fields first, so that release is safe when an allocation below fails. */
    for (const retort_option *option = table; option->name != NULL; option++) {
        clear_field(option, field_of(option, options));
    }
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (option->default_value != NULL) RT_TRY(set_option(option, options, option->default_value, err));
    }
    return RETORT_OK;
}

retort_status retort_options_check(const retort_option *table, const void *options, retort_error *err) {
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (!option->required || !is_text(option)) continue;
        RT_CHECK(*(char **)field_of(option, options) != NULL, err, RETORT_ERR_USAGE, "'%s' is required", option->name);
    }
    return RETORT_OK;
}

retort_status retort_options_get(const retort_option *table, const void *options, const char *name, char **out,
                                 retort_error *err) {
    const retort_option *option = retort_options_find(table, name);
    RT_CHECK(option != NULL, err, RETORT_ERR_USAGE, "unknown option '%.60s'", name);
    const void *field = field_of(option, options);
    char number[40];
    const char *text = number;
    size_t length;
    switch (option->type) {
    case RETORT_OPTION_BOOL: text = *(const bool *)field ? "true" : "false"; break;
    case RETORT_OPTION_INT: snprintf(number, sizeof number, "%lld", (long long)*(const int64_t *)field); break;
    case RETORT_OPTION_REAL: write_real(*(const double *)field, number, sizeof number); break;
    case RETORT_OPTION_CHOICE: {
        text = option->choices;
        for (int i = *(const int *)field; i > 0 && strchr(text, '|') != NULL; i--) text = strchr(text, '|') + 1;
        break;
    }
    case RETORT_OPTION_STRING:
    case RETORT_OPTION_LIST: text = *(char *const *)field != NULL ? *(char *const *)field : ""; break;
    }
    length = option->type == RETORT_OPTION_CHOICE ? strcspn(text, "|") : strlen(text);
    *out = rt_strndup(text, length);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: text of '%s'", option->name);
    return RETORT_OK;
}

void retort_options_release(const retort_option *table, void *options) {
    for (const retort_option *option = table; option->name != NULL; option++) {
        if (!is_text(option)) continue;
        char **field = field_of(option, options);
        rt_free(*field);
        *field = NULL;
    }
}
