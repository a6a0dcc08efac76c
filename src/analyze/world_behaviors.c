/* Reads behaviours off text by its arithmetic and a small closed set of cues; docs/world.md states the rules.
 *
 * The text becomes a stream of events (equation, cue, box, end of sentence). Attempts are runs of equations between
 * noticed failures; cues are judged in groups that no equation and no end of sentence interrupts, so that
 * "no, I mean" is one correction and not also a doubt. Every scan is bounded, so the whole is linear in the length.
 */
#include "analyze/world_behaviors.h"

#include <string.h>

#include "core/mem.h"
#include "verify/answer.h"

typedef enum cue_kind { CUE_NONE, CUE_DOUBT, CUE_FAILURE, CUE_CHECK, CUE_CORRECTION, CUE_SWITCH } cue_kind;

typedef struct cue {
    const char *text; /* lower case, matched on word boundaries, first match wins */
    cue_kind kind;
} cue;

static const cue cues[] = {
    {"no wait", CUE_CORRECTION},
    {"i mean", CUE_CORRECTION},
    {"it should be", CUE_CORRECTION},
    {"should have been", CUE_CORRECTION},
    {"that is negative", CUE_CORRECTION},
    {"the other way", CUE_CORRECTION},
    {"oops", CUE_CORRECTION},
    {"actually", CUE_CORRECTION},
    {"i tried that", CUE_CORRECTION},
    {"i made a mistake", CUE_CORRECTION},
    {"my mistake", CUE_CORRECTION},
    {"does not work", CUE_FAILURE},
    {"doesn't work", CUE_FAILURE},
    {"does not give", CUE_FAILURE},
    {"doesn't give", CUE_FAILURE},
    {"none of", CUE_FAILURE},
    {"too big", CUE_FAILURE},
    {"too small", CUE_FAILURE},
    {"too large", CUE_FAILURE},
    {"too much", CUE_FAILURE},
    {"too little", CUE_FAILURE},
    {"too high", CUE_FAILURE},
    {"too low", CUE_FAILURE},
    {"not it", CUE_FAILURE},
    {"not the target", CUE_FAILURE},
    {"not right", CUE_FAILURE},
    {"not good", CUE_FAILURE},
    {"not enough", CUE_FAILURE},
    {"is wrong", CUE_FAILURE},
    {"not sure", CUE_DOUBT},
    {"i doubt", CUE_DOUBT},
    {"doubtful", CUE_DOUBT},
    {"did i get", CUE_DOUBT},
    {"did i miss", CUE_DOUBT},
    {"wait", CUE_DOUBT},
    {"check", CUE_CHECK},
    {"checks", CUE_CHECK},
    {"checking", CUE_CHECK},
    {"double-check", CUE_CHECK},
    {"verify", CUE_CHECK},
    {"verifying", CUE_CHECK},
    {"make sure", CUE_CHECK},
    {"away from", CUE_CHECK},
    {"instead", CUE_SWITCH},
    {"alternatively", CUE_SWITCH},
    {"start over", CUE_SWITCH},
    {"go back", CUE_SWITCH},
    {"another way", CUE_SWITCH},
    {"a different", CUE_SWITCH},
};

/* One side op one side = number, or a longer expression = number. */
typedef struct equation {
    size_t begin, end;
    uint64_t key; /* the same for a op b and b op a when op is + or * */
    int32_t value;
    bool correct, uses_given, at_start; /* at_start: every operand is a given number or the target */
} equation;

enum { APPROACHES_MAX = 256, LEFT_MAX = 64, NEED_MAX = 160 };

typedef struct walker {
    const rt_question *question;
    const char *text;
    size_t length;
    rt_world_behaviors *out;
    /* evidence, when asked for */
    rt_behavior_span *spans;
    size_t span_count, span_capacity;
    bool want_spans, out_of_memory;
    /* sentence at hand */
    size_t sentence;
    bool is_check;
    bool has_result; /* an equation of this check sentence ends in the target */
    bool has_equation;
    /* group of cues at hand */
    bool doubt, failure, correction;
    size_t group_begin, group_end;
    /* attempt at hand */
    bool open, open_uses_given;
    size_t open_begin, open_end;
    equation first;
    int listed; /* numbers listed after "leaving" or "from" in the sentence of the first equation; 0: no list yet */
    bool failed_before;
    /* a check sentence that verifies the answer if the box comes next */
    bool pending;
    size_t pending_begin, pending_end;
    /* a wrong equation not yet taken back */
    bool wrong_open;
    uint64_t wrong_key;
    uint64_t approaches[APPROACHES_MAX];
    int approach_count;
} walker;

static void add_span(walker *w, const char *kind, size_t begin, size_t end) {
    if (!w->want_spans || w->out_of_memory || end <= begin) return;
    if (w->span_count == w->span_capacity) {
        size_t capacity = w->span_capacity ? 2 * w->span_capacity : 32;
        rt_behavior_span *spans = rt_realloc_array(w->spans, capacity, sizeof *spans);
        if (!spans) {
            w->out_of_memory = true;
            return;
        }
        w->spans = spans;
        w->span_capacity = capacity;
    }
    w->spans[w->span_count++] = (rt_behavior_span){kind, begin, end};
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Length of the match of a cue at `at`, which is the start of a word; 0 if it does not match. */
static size_t match(const walker *w, size_t at, const char *cue_text) {
    size_t n = 0;
    for (; cue_text[n]; n++)
        if (at + n >= w->length || lower(w->text[at + n]) != cue_text[n]) return 0;
    return at + n < w->length && is_word(w->text[at + n]) ? 0 : n;
}

/* "no" at the end of a clause, "not 24" and "no, ..." are noticed failures; "no idea" is not. */
static size_t match_negation(const walker *w, size_t at) {
    size_t n = match(w, at, "no");
    if (n > 0) {
        char next = at + n < w->length ? w->text[at + n] : '.';
        return next != '\0' && strchr(",.;!?\n", next) ? n : 0;
    }
    n = match(w, at, "not");
    return n > 0 && at + n + 1 < w->length && w->text[at + n] == ' ' && is_digit(w->text[at + n + 1]) ? n : 0;
}

static cue_kind find_cue(const walker *w, size_t at, size_t *length) {
    for (size_t i = 0; i < sizeof cues / sizeof *cues; i++)
        if ((*length = match(w, at, cues[i].text)) > 0) return cues[i].kind;
    return (*length = match_negation(w, at)) > 0 ? CUE_FAILURE : CUE_NONE;
}

static bool is_given(const rt_question *q, int32_t value) {
    for (int i = 0; i < q->count; i++)
        if (q->numbers[i] == value) return true;
    return false;
}

static uint64_t key_of(const char *text, size_t length, const int32_t *numbers, int32_t count) {
    char op = 0;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ') continue;
        if (!is_digit(text[i])) op = text[i];
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    if (count != 2 || op == ')') return hash;
    int32_t a = numbers[0], b = numbers[1];
    if ((op == '+' || op == '*') && a > b) {
        a = numbers[1];
        b = numbers[0];
    }
    return ((uint64_t)(uint32_t)a << 32 | (uint32_t)b) * 4 + (uint64_t)(op == '+'   ? 0
                                                                        : op == '-' ? 1
                                                                        : op == '*' ? 2
                                                                                    : 3);
}

/* The integer behind '='; false if there is none or it is longer than nine digits. */
static bool read_result(const walker *w, size_t at, int32_t *value, size_t *end) {
    while (at < w->length && w->text[at] == ' ') at++;
    bool negative = at < w->length && w->text[at] == '-';
    if (negative) at++;
    size_t first = at;
    int32_t v = 0;
    for (; at < w->length && is_digit(w->text[at]) && at - first < 9; at++) v = v * 10 + (w->text[at] - '0');
    if (at == first || (at < w->length && is_digit(w->text[at]))) return false;
    *value = negative ? -v : v;
    *end = at;
    return true;
}

/* The longest expression with an operator that ends at the '=' at `at`. */
static bool read_equation(const walker *w, size_t at, equation *out) {
    if (!read_result(w, at + 1, &out->value, &out->end)) return false;
    size_t low = at > LEFT_MAX ? at - LEFT_MAX : 0, begin = at;
    while (begin > low) {
        char c = w->text[begin - 1];
        if (c == '\0' || (!is_digit(c) && !strchr(" +-*/()", c))) break;
        begin--;
    }
    for (; begin < at; begin++) {
        char c = w->text[begin];
        if ((!is_digit(c) && c != '(') || (begin > 0 && is_digit(w->text[begin - 1]))) continue;
        int64_t n, d;
        int32_t numbers[RT_MAX_NUMBERS], count;
        if (!rt_expression_eval(w->text + begin, at - begin, &n, &d, numbers, &count)) continue;
        if (count < 2) return false;
        out->begin = begin;
        out->key = key_of(w->text + begin, at - begin, numbers, count);
        out->correct = d == 1 && n == out->value;
        out->uses_given = false;
        out->at_start = true;
        for (int i = 0; i < count; i++) {
            bool given = is_given(w->question, numbers[i]);
            out->uses_given = out->uses_given || given;
            out->at_start = out->at_start && (given || numbers[i] == w->question->target);
        }
        return true;
    }
    return false;
}

/* Files the attempt's first step as an approach, unless it goes on within the approach before it. */
static void count_approach(walker *w) {
    bool top = w->listed > 0 ? w->listed >= w->question->count - 1 : w->first.at_start;
    if (!top && w->approach_count > 0) return;
    for (int i = 0; i < w->approach_count; i++)
        if (w->approaches[i] == w->first.key) return;
    if (w->approach_count == APPROACHES_MAX) return;
    w->approaches[w->approach_count++] = w->first.key;
    add_span(w, w->approach_count > 1 ? "perspective" : "approaches", w->first.begin, w->first.end);
}

static void close_attempt(walker *w, bool failed) {
    if (!w->open) return;
    w->open = false;
    if (!w->open_uses_given) return;
    w->out->attempts++;
    add_span(w, "attempts", w->open_begin, w->open_end);
    if (w->failed_before) {
        w->out->backtracks++;
        add_span(w, "backtracks", w->first.begin, w->first.end);
    }
    count_approach(w);
    if (failed) w->failed_before = true;
}

/* Judges the cues since the last equation or end of sentence. */
static void end_group(walker *w) {
    if (w->correction) {
        w->out->corrections++;
        w->wrong_open = false;
        add_span(w, "corrections", w->group_begin, w->group_end);
    } else if (w->failure || w->doubt) {
        w->out->doubts++;
        add_span(w, "doubts", w->group_begin, w->group_end);
        if (w->failure && !w->is_check) close_attempt(w, true);
    }
    w->correction = w->failure = w->doubt = false;
}

static void end_sentence(walker *w, size_t end) {
    end_group(w);
    if (w->is_check) {
        w->out->checks++;
        if (w->pending) add_span(w, "checks", w->pending_begin, w->pending_end);
        w->pending = w->has_result;
        w->pending_begin = w->sentence;
        w->pending_end = end;
        if (!w->pending) add_span(w, "checks", w->sentence, end);
    }
    w->is_check = w->has_result = w->has_equation = false;
    w->sentence = end;
}

static void see_equation(walker *w, const equation *e) {
    if (w->wrong_open && e->key == w->wrong_key && e->correct && !w->correction) {
        /* Taken back without a word. */
        w->out->corrections++;
        add_span(w, "corrections", e->begin, e->end);
        w->wrong_open = false;
    }
    end_group(w);
    w->has_equation = true;
    if (e->correct) {
        w->out->true_steps++;
        add_span(w, "true_steps", e->begin, e->end);
    } else {
        w->out->false_steps++;
        add_span(w, "false_steps", e->begin, e->end);
        w->wrong_open = true;
        w->wrong_key = e->key;
    }
    if (w->is_check) {
        w->has_result = e->value == w->question->target;
        return;
    }
    if (w->pending) {
        add_span(w, "checks", w->pending_begin, w->pending_end);
        w->pending = false;
    }
    if (!w->open) {
        w->open = true;
        w->open_uses_given = false;
        w->open_begin = e->begin;
        w->first = *e;
        w->listed = 0;
    }
    w->open_uses_given = w->open_uses_given || e->uses_given;
    w->open_end = e->end;
}

/* "leaving 8, 5 and 7" or "from 8, 5 and 7": how many numbers. */
static int read_list(const walker *w, size_t at) {
    int count = 0;
    while (at < w->length && count < RT_MAX_NUMBERS) {
        if (w->text[at] == ',') at++;
        while (at < w->length && w->text[at] == ' ') at++;
        if (w->length - at > 4 && memcmp(w->text + at, "and ", 4) == 0) at += 4;
        size_t first = at;
        while (at < w->length && is_digit(w->text[at])) at++;
        if (at == first) break;
        count++;
    }
    return count;
}

/* "need 19 or 24 + 5 = 29 from 8 and 11" with fewer numbers than the problem has: the goal of what is left once a
 * number is kept for the end. "I need 24 from 3, 5, 7 and 11" only restates the problem. */
static void see_need(walker *w, size_t at, size_t end) {
    const size_t most = w->length - end > NEED_MAX ? end + NEED_MAX : w->length;
    for (size_t i = end; i < most; i++) {
        const char c = w->text[i];
        if (c == '.' || c == '!' || c == '?' || c == '\n') return;
        if (is_word(c) && !is_word(w->text[i - 1])) {
            const size_t n = match(w, i, "from");
            if (n == 0 && !is_digit(c) && match(w, i, "or") == 0) return;
            if (n == 0) continue;
            const int listed = read_list(w, i + n);
            if (listed == 0 || listed >= w->question->count) return;
            w->out->goals++;
            add_span(w, "goals", at, i + n);
            return;
        }
    }
}

static void see_cue(walker *w, cue_kind kind, size_t begin, size_t end) {
    bool group = w->correction || w->failure || w->doubt;
    switch (kind) {
    case CUE_CORRECTION: w->correction = true; break;
    case CUE_FAILURE: w->failure = true; break;
    case CUE_DOUBT: w->doubt = true; break;
    case CUE_CHECK: w->is_check = true; return;
    case CUE_SWITCH: /* "let me try 8 * 7 = 56 instead" opens the attempt that it names */
        if (!w->has_equation) close_attempt(w, true);
        return;
    case CUE_NONE: return;
    }
    if (!group) w->group_begin = begin;
    w->group_end = end;
}

/* The box ends the sentence; a verification just before it is one. Returns where to go on. */
static size_t see_box(walker *w, size_t at) {
    end_sentence(w, at);
    if (w->pending) {
        w->out->checks--;
        w->out->verifications++;
        add_span(w, "verifications", w->pending_begin, w->pending_end);
        w->pending = false;
    }
    close_attempt(w, false);
    while (at < w->length && w->text[at] != '}' && w->text[at] != '\n') at++;
    w->sentence = at;
    return at;
}

static void walk(walker *w) {
    bool boxed = false;
    for (size_t i = 0; i < w->length; i++) {
        char c = w->text[i];
        bool word_start = is_word(c) && (i == 0 || !is_word(w->text[i - 1]));
        if (c == '\\' && w->length - i >= 7 && memcmp(w->text + i, "\\boxed{", 7) == 0) {
            /* "So the answer is \boxed{" belongs to no check sentence. */
            i = see_box(w, i);
            boxed = true;
        } else if (c == '=') {
            equation e;
            if (read_equation(w, i, &e)) {
                see_equation(w, &e);
                i = e.end - 1;
            }
        } else if (c == '!' || c == '?' || c == '\n' ||
                   (c == '.' && (i + 1 == w->length || w->text[i + 1] == ' ' || w->text[i + 1] == '\n'))) {
            end_sentence(w, i + 1);
        } else if (word_start) {
            size_t n;
            cue_kind kind = find_cue(w, i, &n);
            if (kind != CUE_NONE) {
                see_cue(w, kind, i, i + n);
                i += n - 1;
            } else if (w->open && w->listed == 0 &&
                       ((n = match(w, i, "leaving")) > 0 || (n = match(w, i, "from")) > 0)) {
                w->listed = read_list(w, i + n);
            } else if ((n = match(w, i, "need")) > 0) {
                see_need(w, i, i + n);
            }
        }
    }
    end_sentence(w, w->length);
    if (w->pending) add_span(w, "checks", w->pending_begin, w->pending_end);
    close_attempt(w, false);
    /* A bare box is one attempt, made at once. */
    if (boxed && w->out->attempts == 0) w->out->attempts = w->approach_count = 1;
}

static void finish(walker *w) {
    rt_world_behaviors *out = w->out;
    out->approaches = w->approach_count;
    out->perspective = w->approach_count > 1 ? w->approach_count - 1 : 0;
    out->metacognitive = out->checks + out->doubts + out->corrections;
}

void rt_world_behaviors_count(const rt_question *question, const char *response, size_t length,
                              rt_world_behaviors *out) {
    *out = (rt_world_behaviors){0};
    walker w = {.question = question, .text = response, .length = length, .out = out};
    walk(&w);
    finish(&w);
}

retort_status rt_world_behavior_spans(const rt_question *question, const char *response, size_t length,
                                      rt_behavior_span **out, size_t *count, retort_error *err) {
    rt_world_behaviors counts = {0};
    walker w = {.question = question, .text = response, .length = length, .out = &counts, .want_spans = true};
    walk(&w);
    if (w.out_of_memory) {
        rt_free(w.spans);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory for the behaviours of a response");
    }
    *out = w.spans;
    *count = w.span_count;
    return RETORT_OK;
}
