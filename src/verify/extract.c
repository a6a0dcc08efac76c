/* Where in a response is its answer? One pass for each kind of mark, none of them more than linear. */
#include <string.h>

#include "core/mem.h"
#include "retort/verify.h"
#include "verify/answer.h"
#include "verify/prose.h"

enum { JOINED_MAXIMUM = 64 };

static bool is_space(char ch) {
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}
static bool is_digit(char ch) {
    return ch >= '0' && ch <= '9';
}
static bool is_letter(char ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

typedef struct view {
    const char *text;
    size_t begin, end;
} view;

static bool at(const view *v, size_t i, const char *word) {
    size_t n = strlen(word);
    return i <= v->end && n <= v->end - i && memcmp(v->text + i, word, n) == 0;
}

/* Letters in either case. */
static bool at_words(const view *v, size_t i, const char *words) {
    size_t n = strlen(words);
    if (i > v->end || n > v->end - i) return false;
    for (size_t k = 0; k < n; k++) {
        char ch = v->text[i + k];
        if (ch >= 'A' && ch <= 'Z') ch = (char)(ch + 32);
        if (ch != words[k]) return false;
    }
    return true;
}

static retort_span trimmed(const view *v, size_t begin, size_t end) {
    while (begin < end && is_space(v->text[begin])) begin++;
    while (begin < end && is_space(v->text[end - 1])) end--;
    return (retort_span){begin, end};
}

/* Thoughts: only what follows the last </think> counts. False: a thought that does not end. */
static bool after_thought(view *v, view *thought) {
    static const char *const opens[] = {"<think>", "<thinking>"}, *const closes[] = {"</think>", "</thinking>"};
    size_t open = v->end, close = 0;
    bool opened = false, closed = false;
    for (size_t i = v->begin; i < v->end; i++) {
        if (v->text[i] != '<') continue;
        for (int k = 0; k < 2; k++) {
            if (at(v, i, opens[k])) {
                open = i;
                opened = true;
            } else if (at(v, i, closes[k])) {
                close = i + strlen(closes[k]);
                closed = true;
            }
        }
    }
    if (opened && (!closed || open > close)) return false;
    *thought = (view){v->text, v->begin, v->begin};
    if (closed) thought->end = v->begin = close;
    return true;
}

/* Boxes */

/* A brace after an odd run of backslashes is LaTeX's literal one. */
static bool is_escaped(const view *v, size_t i) {
    size_t run = 0;
    while (i - run > v->begin && v->text[i - 1 - run] == '\\') run++;
    return run % 2 == 1;
}

typedef struct boxes {
    retort_span *list; /* the content of the outermost balanced boxes, in order */
    size_t count, capacity;
} boxes;

static retort_status keep_box(boxes *b, retort_span span, retort_error *err) {
    if (b->count == b->capacity) {
        size_t capacity = 2 * b->capacity + 4;
        retort_span *list = rt_realloc_array(b->list, capacity, sizeof *list);
        RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory for the boxes of a response");
        b->list = list;
        b->capacity = capacity;
    }
    b->list[b->count++] = span;
    return RETORT_OK;
}

/* From the right: a closing brace without partner so far may end a box, so each brace is looked at once. A stack of
 * closing braces is a count, as only the outermost box's end is needed. */
static retort_status find_boxes(const view *v, boxes *out, retort_error *err) {
    retort_status st = RETORT_OK;
    size_t capacity = 0, depth = 0;
    size_t *closers = NULL; /* positions of closing braces that wait for their partner */
    for (size_t i = v->end; i-- > v->begin && st == RETORT_OK;) {
        char ch = v->text[i];
        if (ch == '}' && !is_escaped(v, i)) {
            if (depth == capacity) {
                size_t more = 2 * capacity + 64;
                size_t *list = rt_realloc_array(closers, more, sizeof *list);
                if (list == NULL) {
                    st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory for the braces of a response");
                    break;
                }
                closers = list;
                capacity = more;
            }
            closers[depth++] = i;
        } else if (ch == '{' && depth > 0 && !is_escaped(v, i)) {
            size_t close = closers[--depth], command = i;
            while (command > v->begin && is_space(v->text[command - 1])) command--;
            bool boxed = (command >= v->begin + 6 && at(v, command - 6, "\\boxed")) ||
                         (command >= v->begin + 5 && at(v, command - 5, "\\fbox"));
            if (!boxed) continue;
            /* Boxes within this one were kept before it: they are no outermost ones. */
            while (out->count > 0 && out->list[out->count - 1].end <= close) out->count--;
            st = keep_box(out, (retort_span){i + 1, close}, err);
        }
    }
    rt_free(closers);
    for (size_t i = 0; i < out->count / 2; i++) {
        retort_span t = out->list[i];
        out->list[i] = out->list[out->count - 1 - i];
        out->list[out->count - 1 - i] = t;
    }
    return st;
}

/* Whether two boxes are one answer: only "and", "or", commas and marks of maths mode between, and at least one of the
 * words or a comma. */
static bool are_joined(const view *v, size_t from, size_t to) {
    bool joint = false;
    for (size_t i = from; i < to;) {
        char ch = v->text[i];
        if (is_space(ch) || ch == '$' || ch == '}' || ch == '{') {
            i++;
        } else if (ch == ',') {
            joint = true;
            i++;
        } else if (at_words(v, i, "and") && i + 3 <= to) {
            joint = true;
            i += 3;
        } else if (at_words(v, i, "or") && i + 2 <= to) {
            joint = true;
            i += 2;
        } else if (at(v, i, "\\text") || at(v, i, "\\quad") || at(v, i, "\\boxed")) {
            i += at(v, i, "\\boxed") ? 6 : 5;
        } else if (at(v, i, "\\fbox")) {
            i += 5;
        } else if (ch == '\\' && i + 1 < to && memchr("()[],;: ", v->text[i + 1], 8) != NULL) {
            i += 2;
        } else {
            return false;
        }
    }
    return joint;
}

static retort_status set_answers(retort_extraction *out, const retort_span *list, size_t count, retort_error *err) {
    out->answers = rt_malloc_array(count, sizeof *list);
    RT_CHECK(out->answers != NULL, err, RETORT_ERR_MEMORY, "out of memory for an answer");
    memcpy(out->answers, list, count * sizeof *list);
    out->count = count;
    out->answer = list[count - 1];
    return RETORT_OK;
}

static retort_status use_boxes(const view *v, const boxes *b, retort_extraction *out, retort_error *err) {
    size_t first = b->count - 1;
    while (first > 0 && b->count - first < JOINED_MAXIMUM &&
           are_joined(v, b->list[first - 1].end, b->list[first].begin))
        first--;
    out->rule = RETORT_EXTRACT_BOXED;
    return set_answers(out, b->list + first, b->count - first, err);
}

/* Other marks */

static size_t line_end(const view *v, size_t i) {
    while (i < v->end && v->text[i] != '\n') i++;
    return i;
}

static bool find_tag(const view *v, retort_span *out) {
    bool found = false;
    size_t open = v->end;
    for (size_t i = v->begin; i < v->end; i++) {
        if (v->text[i] != '<') continue;
        if (at(v, i, "<answer>")) {
            open = i + 8;
        } else if (at(v, i, "</answer>") && open <= i) {
            *out = trimmed(v, open, i);
            open = v->end;
            found = true;
        }
    }
    return found;
}

static bool find_hashes(const view *v, retort_span *out) {
    bool found = false;
    for (size_t i = v->begin; i + 4 <= v->end; i++) {
        if (!at(v, i, "####")) continue;
        while (i < v->end && v->text[i] == '#') i++;
        retort_span span = trimmed(v, i, line_end(v, i));
        if (span.begin < span.end) {
            *out = span;
            found = true;
        }
    }
    return found;
}

/* The end of a sentence: a line end outside of maths mode, or a full stop before white space. */
static size_t sentence_end(const view *v, size_t i) {
    size_t dollars = 0;
    int brackets = 0;
    for (; i < v->end; i++) {
        char ch = v->text[i];
        if (ch == '\\' && i + 1 < v->end) {
            char next = v->text[i + 1];
            if (next == '(' || next == '[') brackets++;
            if (next == ')' || next == ']') brackets--;
            i++;
            continue;
        }
        if (ch == '$') dollars++;
        if (ch == '<' && (at(v, i, "<answer>") || at(v, i, "</answer>"))) return i;
        if (dollars % 2 == 1 || brackets > 0) continue;
        if (ch == '\n') return i;
        bool stop = ch == '.' || ch == ';' || ch == '!' || ch == '?';
        if (ch == '!' || !stop) continue;
        if (i + 1 == v->end || is_space(v->text[i + 1])) return i;
    }
    return v->end;
}

static retort_span without_marks(const view *v, retort_span s) {
    static const char *const marks[] = {"**", "__", "$$", "$", "\\(", "\\)", "\\[", "\\]", "`"};
    for (bool changed = true; changed;) {
        changed = false;
        s = trimmed(v, s.begin, s.end);
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
            size_t n = strlen(marks[i]);
            if (s.end - s.begin >= n && at(v, s.begin, marks[i])) {
                s.begin += n;
                changed = true;
            }
            if (s.end - s.begin >= n && memcmp(v->text + s.end - n, marks[i], n) == 0) {
                s.end -= n;
                changed = true;
            }
        }
        if (s.end > s.begin && (v->text[s.end - 1] == '.' || v->text[s.end - 1] == ':')) {
            s.end--;
            changed = true;
        }
        if (s.end > s.begin && v->text[s.begin] == ':') {
            s.begin++;
            changed = true;
        }
    }
    return s;
}

/* "the final answer is ...", "Answer: ...", "**Answer:** ..." */
static bool find_final(const view *v, retort_span *out) {
    static const char *const strong[] = {"final answer is",   "final answer:", "final answer**:", "final answer:**",
                                         "correct answer is", "answer is:",    "answer is",       "answer:**",
                                         "answer**:",         "answer:",       "answer =",        "correct option is",
                                         "correct choice is"};
    bool found = false, found_final = false;
    for (size_t i = v->begin; i < v->end; i++) {
        char ch = (char)(v->text[i] | 0x20);
        if ((ch != 'f' && ch != 'c' && ch != 'a') || (i > v->begin && is_letter(v->text[i - 1]))) continue;
        for (size_t k = 0; k < sizeof strong / sizeof *strong; k++) {
            if (!at_words(v, i, strong[k])) continue;
            size_t from = i + strlen(strong[k]);
            retort_span span = trimmed(v, from, v->end);
            span.end = sentence_end(v, span.begin);
            span = without_marks(v, span);
            bool final = k < 4;
            if (span.begin < span.end && (final || !found_final)) {
                *out = span;
                found = true;
                found_final |= final;
            }
            if (span.begin < span.end) i = from;
            break;
        }
    }
    return found;
}

static bool find_bold(const view *v, retort_span *out) {
    bool found = false;
    size_t open = v->end;
    for (size_t i = v->begin; i + 1 < v->end; i++) {
        if (v->text[i] == '\n') open = v->end;
        if (v->text[i] != '*' || v->text[i + 1] != '*') continue;
        if (open < i) {
            retort_span span = without_marks(v, (retort_span){open, i});
            /* A heading or a word in bold is no answer: something must be a number, formula or single letter. */
            bool answer = span.end == span.begin + 1;
            for (size_t k = span.begin; k < span.end; k++) answer |= is_digit(v->text[k]) || v->text[k] == '\\';
            if (answer && span.end - span.begin <= 100) {
                *out = span;
                found = true;
            }
            open = v->end;
        } else {
            open = i + 2;
        }
        i++;
    }
    return found;
}

/* The response is one short line without a sentence in it. */
static bool is_whole(const view *v, retort_span *out) {
    retort_span s = trimmed(v, v->begin, v->end);
    if (s.begin == s.end || s.end - s.begin > 200) return false;
    size_t run = 0, words = 0;
    bool command = false;
    for (size_t i = s.begin; i < s.end; i++) {
        if (v->text[i] == '\n') return false;
        if (v->text[i] == '\\') command = true;
        if (is_letter(v->text[i])) {
            run++;
            continue;
        }
        words += run > 2 && !command;
        run = 0;
        if (!is_letter(v->text[i]) && v->text[i] != '\\') command = false;
    }
    words += run > 2 && !command;
    /* Behind a thought two words alone are the beginning of a sentence rather than an answer. */
    if (words > (v->begin > 0 ? 1 : 2)) return false;
    *out = s;
    return true;
}

/* "(C)", "C", "C." alone on the last line. */
static bool find_choice(const view *v, retort_span *out) {
    retort_span s = trimmed(v, v->begin, v->end);
    size_t begin = s.end;
    while (begin > s.begin && v->text[begin - 1] != '\n') begin--;
    s = without_marks(v, (retort_span){begin, s.end});
    size_t n = s.end - s.begin;
    char letter = n == 1 ? v->text[s.begin] : n == 3 && v->text[s.begin] == '(' ? v->text[s.begin + 1] : 0;
    if (letter < 'A' || letter > 'J' || (n == 3 && v->text[s.end - 1] != ')')) return false;
    *out = s;
    return true;
}

/* The last line with something in it; lines of closing tags such as "</answer>" are passed over. */
static retort_span last_line(const view *v) {
    retort_span s = trimmed(v, v->begin, v->end);
    for (int i = 0; i < 3; i++) {
        size_t begin = s.end;
        while (begin > s.begin && v->text[begin - 1] != '\n') begin--;
        retort_span line = trimmed(v, begin, s.end);
        bool tag = line.end - line.begin < 16 && line.end > line.begin && v->text[line.end - 1] == '>';
        if (!tag) return line;
        s = trimmed(v, s.begin, begin);
    }
    return (retort_span){s.end, s.end};
}

static bool find_formula(const view *v, retort_span *out) {
    retort_span line = last_line(v);
    return rt_last_formula(v->text, line.begin, line.end, &out->begin, &out->end);
}

static bool stands_between(const view *v, size_t begin, size_t end) {
    while (end < v->end && memchr(".,;:!?*)", v->text[end], 8) != NULL) end++;
    return (begin == v->begin || is_space(v->text[begin - 1])) && (end == v->end || is_space(v->text[end]));
}

/* Next to an operator, across blanks, it is a part of a formula; "=" in front is fine where the line ends behind. */
static bool in_formula(const view *v, size_t begin, size_t end) {
    while (end < v->end && memchr(".,;:!?*)", v->text[end], 8) != NULL) end++;
    while (begin > v->begin && v->text[begin - 1] == ' ') begin--;
    while (end < v->end && v->text[end] == ' ') end++;
    bool ends = end == v->end || v->text[end] == '\n';
    if (begin > v->begin && v->text[begin - 1] == '=' && !ends) return true;
    return (begin > v->begin && memchr("+-*/^<>(\\{_", v->text[begin - 1], 11) != NULL) ||
           (end < v->end && memchr("+-*/^=<>\\}", v->text[end], 10) != NULL);
}

/* The last number of the last line, if it stands alone there: between white space or at the end of a sentence, no part
 * of a formula. */
static bool find_number(const view *whole, retort_span *out) {
    retort_span line = last_line(whole);
    view v = {whole->text, line.begin, line.end};
    for (size_t i = v.end; i > v.begin; i--) {
        if (!is_digit(v.text[i - 1])) continue;
        size_t begin = i - 1, end = i;
        while (begin > v.begin && (is_digit(v.text[begin - 1]) || memchr(".,/", v.text[begin - 1], 3) != NULL)) begin--;
        while (!is_digit(v.text[begin])) begin++;
        size_t number = begin;
        if (begin > v.begin && (v.text[begin - 1] == '-' || v.text[begin - 1] == '+')) begin--;
        size_t first = begin;
        if (begin > v.begin && v.text[begin - 1] == '$' && (begin - 1 == v.begin || is_space(v.text[begin - 2])))
            begin--;
        if (end < v.end && v.text[end] == '%') end++;
        if (stands_between(&v, begin, end) && !in_formula(&v, begin, end)) {
            *out = (retort_span){first, end};
            return true;
        }
        i = number + 1;
    }
    return false;
}

typedef bool (*finder)(const view *, retort_span *);

/* The first rule of a list that finds something; list[i] is rule first + i. */
static bool try_finders(const view *v, const finder *list, size_t count, retort_extract_rule first, retort_span *span,
                        retort_extract_rule *rule) {
    for (size_t i = 0; i < count; i++) {
        if (!list[i](v, span)) continue;
        *rule = (retort_extract_rule)((size_t)first + i);
        return true;
    }
    return false;
}

static retort_status tolerant(const view *v, const view *thought, retort_extraction *out, retort_error *err) {
    static const finder marked[] = {find_tag, find_hashes, find_final, find_bold, is_whole, find_choice};
    static const finder guesses[] = {find_formula, find_number};
    retort_span span = {0, 0};
    if (try_finders(v, marked, 6, RETORT_EXTRACT_ANSWER_TAG, &span, &out->rule)) return set_answers(out, &span, 1, err);
    boxes b = {0};
    retort_status st = find_boxes(thought, &b, err);
    if (st == RETORT_OK && b.count > 0) st = use_boxes(thought, &b, out, err);
    rt_free(b.list);
    if (st != RETORT_OK || out->count > 0) return st;
    if (find_final(thought, &span)) {
        out->rule = RETORT_EXTRACT_FINAL_ANSWER;
        return set_answers(out, &span, 1, err);
    }
    if (try_finders(v, guesses, 2, RETORT_EXTRACT_LAST_FORMULA, &span, &out->rule))
        return set_answers(out, &span, 1, err);
    out->reason = "there is no answer in any of the usual forms";
    return RETORT_OK;
}

retort_status retort_extract(const char *response, size_t length, retort_profile profile, retort_extraction *out,
                             retort_error *err) {
    *out = (retort_extraction){0};
    view v = {response, 0, length}, thought;
    if (!after_thought(&v, &thought)) {
        out->reason = "the thought does not end";
        return RETORT_OK;
    }
    boxes b = {0};
    retort_status st = find_boxes(&v, &b, err);
    out->boxes = b.count;
    if (st == RETORT_OK && b.count > 0) st = use_boxes(&v, &b, out, err);
    rt_free(b.list);
    if (st != RETORT_OK) {
        *out = (retort_extraction){0};
        return st;
    }
    if (out->rule != RETORT_EXTRACT_NONE) return RETORT_OK;
    if (profile == RETORT_PROFILE_STRICT) {
        out->reason = "there is no \\boxed{...} that is closed";
        return RETORT_OK;
    }
    st = tolerant(&v, &thought, out, err);
    if (st != RETORT_OK) *out = (retort_extraction){0};
    return st;
}

void retort_extraction_release(retort_extraction *extraction) {
    rt_free(extraction->answers);
    *extraction = (retort_extraction){0};
}

const char *retort_extract_rule_name(retort_extract_rule rule) {
    static const char *const names[] = {"none", "boxed", "answer-tag", "hashes",       "final-answer",
                                        "bold", "whole", "choice",     "last-formula", "last-number"};
    return (unsigned)rule < sizeof names / sizeof *names ? names[rule] : "none";
}
