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
    *reason = "the problem has no gold answer";
    return RT_UNPARSED;
}
