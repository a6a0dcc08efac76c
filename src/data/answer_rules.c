#include "data/answer_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const ANSWER_KEYS[] = {"answer", "Answer", "expected_answer", "Correct Answer", NULL};

/* The answer as text: numbers are written out, so that 27.0 is met as "27". NULL where there is none. */
static char *answer_text(const json_t *row) {
    for (const char *const *key = ANSWER_KEYS; *key != NULL; key++) {
        const json_t *value = json_object_get(row, *key);
        char number[40];
        if (json_is_string(value)) return rt_strdup(json_string_value(value));
        if (!json_is_number(value)) continue;
        if (json_is_integer(value))
            snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        else
            snprintf(number, sizeof number, "%.15g", json_real_value(value));
        return rt_strdup(number);
    }
    return NULL;
}

/* Cuts white space off both ends in place; returns the first character that stays. */
static char *trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
    text[n] = '\0';
    return text;
}

static void cut_end(char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    if (n >= m && strcmp(text + n - m, end) == 0) text[n - m] = '\0';
}

/* An integer in place without what it is dressed in, into out[32]; false if it is none. */
static bool bare_integer(char *text, char out[32]) {
    static const char *const dress[] = {"^\\circ", "^{\\circ}", "°"};
    text = trim(text);
    for (size_t i = 0; i < 3; i++) cut_end(text, dress[i]);
    cut_end(text, ".0");
    size_t n = 0;
    const bool minus = *text == '-';
    if (minus) text++;
    if (!isdigit((unsigned char)*text)) return false;
    while (*text == '0' && isdigit((unsigned char)text[1])) text++;
    if (minus) out[n++] = '-';
    for (; *text != '\0'; text++) {
        if (*text == ',' && isdigit((unsigned char)text[1])) continue;
        if (!isdigit((unsigned char)*text) || n == 30) return false;
        out[n++] = *text;
    }
    out[n] = '\0';
    return true;
}

static retort_status set_text(json_t *problem, const char *key, const char *value, const char *where,
                              retort_error *err) {
    RT_CHECK(json_object_set_new(problem, key, json_string(value)) == 0, err, RETORT_ERR_MEMORY, "%s: out of memory",
             where);
    return RETORT_OK;
}

/* "080 or 081 (both were accepted)" is two answers. */
static retort_status read_integer(char *text, const char *where, json_t *problem, retort_error *err) {
    char out[32], other[32];
    char *both = strstr(text, " or ");
    if (both != NULL) {
        *both = '\0';
        char *second = both + 4;
        second[strspn(second, "0123456789")] = '\0';
        RT_CHECK(bare_integer(second, other), err, RETORT_ERR_FORMAT, "%s: the second answer is no integer", where);
        RT_CHECK(json_object_set_new(problem, "alt_answers", json_pack("[s]", other)) == 0, err, RETORT_ERR_MEMORY,
                 "%s: out of memory", where);
    }
    RT_CHECK(bare_integer(text, out), err, RETORT_ERR_FORMAT, "%s: the answer '%.60s' is no integer", where, text);
    return set_text(problem, "answer", out, where, err);
}

static retort_status read_hashes(char *text, const char *where, json_t *problem, retort_error *err) {
    for (char *mark = strstr(text, "####"); mark != NULL; mark = strstr(text, "####")) text = mark + 4;
    return read_integer(text, where, problem, err);
}

void rt_choice_order(const char *question, int order[4]) {
    char hex[65];
    rt_sha256(question, strlen(question), hex);
    hex[8] = '\0';
    unsigned long code = strtoul(hex, NULL, 16) % 24;
    int left[4] = {0, 1, 2, 3};
    const unsigned long places[4] = {6, 2, 1, 1};
    for (int place = 0; place < 4; place++) {
        const int pick = (int)(code / places[place]);
        code %= places[place];
        order[place] = left[pick];
        for (int i = pick; i < 3 - place; i++) left[i] = left[i + 1];
    }
}

/* A row without wrong answers is one whose options already stand in the problem. */
static retort_status read_choice(char *right, const json_t *row, const char *question, const char *where,
                                 json_t *problem, retort_error *err) {
    static const char *const wrong[3] = {"Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"};
    char *options[4] = {right, NULL, NULL, NULL}, letter[2] = "A";
    if (json_object_get(row, wrong[0]) == NULL) {
        RT_CHECK(strlen(right) == 1 && right[0] >= 'A' && right[0] <= 'D', err, RETORT_ERR_FORMAT,
                 "%s: the answer must be a letter, A to D, or the row must have '%s' to '%s'", where, wrong[0],
                 wrong[2]);
        return set_text(problem, "answer", right, where, err);
    }
    rt_buffer text = {0};
    int order[4];
    rt_choice_order(question, order);
    retort_status st = rt_buffer_puts(&text, question, err);
    for (int i = 1; i < 4 && st == RETORT_OK; i++) {
        const char *given = json_string_value(json_object_get(row, wrong[i - 1]));
        options[i] = given != NULL ? rt_strdup(given) : NULL;
        if (options[i] == NULL) st = rt_fail(err, RETORT_ERR_FORMAT, "%s: '%s' is missing", where, wrong[i - 1]);
    }
    for (int place = 0; place < 4 && st == RETORT_OK; place++) {
        st = rt_buffer_printf(&text, err, "%s%c) %s", place == 0 ? "\n\n" : "\n", 'A' + place,
                              trim(options[order[place]]));
        if (order[place] == 0) letter[0] = (char)('A' + place);
    }
    if (st == RETORT_OK) st = set_text(problem, "problem", text.data, where, err);
    if (st == RETORT_OK) st = set_text(problem, "answer", letter, where, err);
    for (int i = 1; i < 4; i++) rt_free(options[i]);
    rt_buffer_free(&text);
    return st;
}

static retort_status read_by_rule(rt_answer_rule rule, char *answer, const json_t *row, const char *text,
                                  const char *where, json_t *problem, retort_error *err) {
    if (rule == RT_ANSWER_INTEGER) return read_integer(answer, where, problem, err);
    if (rule == RT_ANSWER_HASHES) return read_hashes(answer, where, problem, err);
    char *bare = trim(answer);
    RT_CHECK(*bare != '\0', err, RETORT_ERR_FORMAT, "%s: the answer is empty", where);
    if (rule == RT_ANSWER_CHOICE) return read_choice(bare, row, text, where, problem, err);
    return set_text(problem, "answer", bare, where, err);
}

retort_status rt_answer_read(rt_answer_rule rule, const json_t *row, const char *text, const char *where,
                             json_t *problem, retort_error *err) {
    char *answer = answer_text(row);
    RT_CHECK(answer != NULL, err, RETORT_ERR_FORMAT,
             "%s: no answer; it is looked for in 'answer', 'Answer', 'expected_answer' and 'Correct Answer'", where);
    retort_status st = set_text(problem, "problem", text, where, err);
    if (st == RETORT_OK) st = read_by_rule(rule, answer, row, text, where, problem, err);
    rt_free(answer);
    return st;
}
