#include "verify/answer.h"

#include <string.h>

const char *rt_verdict_name(rt_verdict verdict) {
    static const char *const names[] = {"wrong", "right", "unparsed", "over-budget"};
    return (unsigned)verdict < 4 ? names[verdict] : "unknown";
}

/* A brace after an odd run of backslashes is LaTeX's literal \{ or \}. The runs of two braces never overlap, so that
 * looking back keeps the whole scan linear. */
static bool is_escaped(const char *text, size_t at) {
    size_t run = 0;
    while (run < at && text[at - 1 - run] == '\\') run++;
    return run % 2 == 1;
}

bool rt_answer_boxed(const char *text, size_t length, size_t *begin, size_t *end) {
    static const char mark[] = "\\boxed";
    const size_t mark_length = sizeof mark - 1;
    size_t closers = 0, open = length;
    /* From the right, counting closing braces without partner: the first box that has one is the last balanced one. */
    for (size_t i = length; i-- > 0;) {
        if (text[i] != '{' && text[i] != '}') continue;
        if (is_escaped(text, i)) continue;
        if (text[i] == '}') {
            closers++;
        } else if (closers > 0) {
            if (i >= mark_length && memcmp(text + i - mark_length, mark, mark_length) == 0) {
                open = i;
                break;
            }
            closers--;
        }
    }
    if (open == length) return false;
    size_t depth = 0;
    for (size_t i = open; i < length; i++) {
        if ((text[i] != '{' && text[i] != '}') || is_escaped(text, i)) continue;
        depth = text[i] == '{' ? depth + 1 : depth - 1;
        if (depth == 0) {
            *begin = open + 1;
            *end = i;
            return true;
        }
    }
    return false;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void trim(const char *text, size_t *begin, size_t *end) {
    while (*begin < *end && is_space(text[*begin])) (*begin)++;
    while (*begin < *end && is_space(text[*end - 1])) (*end)--;
}

static bool same_numbers(const rt_question *question, const int32_t *numbers, int32_t count) {
    if (question->count != count) return false;
    bool used[RT_MAX_NUMBERS] = {false};
    for (int i = 0; i < count; i++) {
        int k = question->family == RT_FAMILY_BLANKS ? i : 0;
        int last = question->family == RT_FAMILY_BLANKS ? i : count - 1;
        while (k <= last && (used[k] || question->numbers[k] != numbers[i])) k++;
        if (k > last) return false;
        used[k] = true;
    }
    return true;
}

static rt_verdict grade_world(const rt_question *question, const char *text, size_t length, const char **reason) {
    int64_t n, d;
    int32_t numbers[RT_MAX_NUMBERS], count;
    const char *equals = memchr(text, '=', length);
    size_t expression = equals ? (size_t)(equals - text) : length;
    if (!rt_expression_eval(text, expression, &n, &d, numbers, &count)) {
        *reason = "the box holds no expression over + - * / and whole numbers";
        return RT_UNPARSED;
    }
    int64_t value = n, value_d = d;
    if (equals) {
        int32_t tail[RT_MAX_NUMBERS], tail_count;
        if (!rt_expression_eval(equals + 1, length - expression - 1, &value, &value_d, tail, &tail_count) ||
            tail_count != 1) {
            *reason = "what follows '=' in the box is no number";
            return RT_UNPARSED;
        }
    }
    if (!same_numbers(question, numbers, count)) {
        *reason = question->family == RT_FAMILY_BLANKS ? "the numbers are not the given ones in their order"
                                                       : "the numbers are not the given ones, each once";
        return RT_WRONG;
    }
    if (d != 1 || n != question->target) {
        *reason = "the value is not the target";
        return RT_WRONG;
    }
    if (value_d != 1 || value != question->target) {
        *reason = "the number after '=' is not the target";
        return RT_WRONG;
    }
    *reason = "right";
    return RT_RIGHT;
}

/* Reads an answer character by character, leaving out what does not change its meaning: white space, dollar signs,
 * LaTeX spacing and sizing commands, one full stop at the end; \dfrac and \tfrac read as \frac. */
typedef struct reader {
    const char *text;
    size_t at, end;
} reader;

static size_t skip_command(const char *text, size_t at, size_t end) {
    static const char *const silent[] = {"\\left", "\\right", "\\!", "\\,", "\\;", "\\:", "\\ ", "\\displaystyle"};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        size_t n = strlen(silent[i]);
        if (end - at < n || memcmp(text + at, silent[i], n) != 0) continue;
        char next = at + n < end ? text[at + n] : ' ';
        bool word = n > 2; /* \leftarrow is not \left */
        if (word && ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))) continue;
        return n;
    }
    return 0;
}

static int next_char(reader *r) {
    while (r->at < r->end) {
        char c = r->text[r->at];
        if (is_space(c) || c == '$') {
            r->at++;
            continue;
        }
        if (c == '\\') {
            size_t n = skip_command(r->text, r->at, r->end);
            if (n > 0) {
                r->at += n;
                continue;
            }
            if (r->end - r->at > 5 && (r->text[r->at + 1] == 'd' || r->text[r->at + 1] == 't') &&
                memcmp(r->text + r->at + 2, "frac", 4) == 0) {
                r->at += 2; /* the backslash stands for itself, "frac" follows */
                return '\\';
            }
        }
        r->at++;
        return (unsigned char)c;
    }
    return -1;
}

static reader answer_reader(const char *text, size_t begin, size_t end) {
    trim(text, &begin, &end);
    if (end > begin && text[end - 1] == '.') end--;
    return (reader){text, begin, end};
}

/* An integer with optional sign and commas between groups of three. Leaves the reader behind sign and leading zeros. */
static bool is_integer(reader r, bool *negative, reader *digits) {
    int c = next_char(&r);
    *negative = c == '-';
    if (c == '-' || c == '+') c = next_char(&r);
    if (c < '0' || c > '9') return false;
    reader start = r;
    start.at--;
    bool leading = true, comma = false;
    int group = 0;
    for (; c != -1; c = next_char(&r)) {
        if (c == ',') {
            if ((comma && group != 3) || group == 0 || group > 3) return false;
            comma = true;
            group = 0;
            continue;
        }
        if (c < '0' || c > '9') return false;
        if (leading && c == '0') start = r;
        if (c != '0') leading = false;
        group++;
    }
    *digits = start;
    return !comma || group == 3;
}

static int next_digit(reader *r) {
    int c = next_char(r);
    return c == ',' ? next_char(r) : c;
}

static bool same_text(reader a, reader b) {
    bool a_negative, b_negative;
    reader a_digits, b_digits;
    bool integers = is_integer(a, &a_negative, &a_digits) && is_integer(b, &b_negative, &b_digits);
    if (!integers) {
        int c;
        do {
            c = next_char(&a);
            if (c != next_char(&b)) return false;
        } while (c != -1);
        return true;
    }
    reader x = a_digits, y = b_digits;
    bool zero = true;
    for (;;) {
        int c = next_digit(&x);
        if (c != next_digit(&y)) return false;
        if (c == -1) break;
        zero = false; /* leading zeros are behind us */
    }
    return zero || a_negative == b_negative;
}

/* The gold answer: the content of its box, what follows GSM8K's "####", or all of it. */
static reader gold_reader(const char *gold) {
    size_t begin = 0, end = strlen(gold);
    if (rt_answer_boxed(gold, end, &begin, &end)) return answer_reader(gold, begin, end);
    for (const char *at = gold; (at = strstr(at, "####")) != NULL; at += 4) begin = (size_t)(at - gold) + 4;
    return answer_reader(gold, begin, end);
}

rt_verdict rt_answer_grade(const rt_question *question, const char *response, size_t length, const char **reason) {
    const char *unused;
    if (!reason) reason = &unused;
    size_t begin, end;
    if (!rt_answer_boxed(response, length, &begin, &end)) {
        *reason = "there is no \\boxed{...} that is closed";
        return RT_UNPARSED;
    }
    trim(response, &begin, &end);
    if (begin == end) {
        *reason = "the box is empty";
        return RT_UNPARSED;
    }
    if (question->family != RT_FAMILY_TEXT) return grade_world(question, response + begin, end - begin, reason);
    if (!question->answer) {
        *reason = "the problem has no gold answer";
        return RT_UNPARSED;
    }
    bool same = same_text(answer_reader(response, begin, end), gold_reader(question->answer));
    *reason = same ? "right" : "the answer differs from the gold answer";
    return same ? RT_RIGHT : RT_WRONG;
}
