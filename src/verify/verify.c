/* One pair: extraction, reading, comparison, verdict. */
#include "retort/verify.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "verify/answer.h"
#include "verify/prose.h"
#include "verify/side.h"

const char *retort_verdict_name(retort_verdict verdict) {
    static const char *const names[] = {"wrong", "right", "unparsed", "over-budget"};
    return (unsigned)verdict < 4 ? names[verdict] : "unknown";
}

static void decide(retort_verify_result *r, retort_verdict verdict, retort_verify_side side, const char *reason) {
    r->verdict = verdict;
    r->side = side;
    (void)snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static const char *kind_name(const rt_value *v) {
    static const char *const names[] = {"a number or expression",
                                        "a list of values",
                                        "a set",
                                        "a tuple",
                                        "a matrix",
                                        "a set of numbers",
                                        "an equation",
                                        "an inequality",
                                        "a ratio",
                                        "a time",
                                        "words"};
    return names[v->kind];
}

/* The side whose reading failed. */
static void decide_unread(retort_verify_result *r, const rt_side *side, retort_verify_side which) {
    const char *who = which == RETORT_SIDE_GOLD ? "the gold answer" : "the prediction";
    bool budget = side->stop == RT_STOP_BUDGET;
    r->verdict = budget ? RETORT_VERDICT_OVER_BUDGET : RETORT_VERDICT_UNPARSED;
    r->side = which;
    (void)snprintf(r->reason, sizeof r->reason, "%s %s: %s", who,
                   budget                            ? "is over budget"
                   : side->stop == RT_STOP_UNDEFINED ? "has no value"
                                                     : "cannot be read",
                   side->why);
}

static bool same_tokens(const rt_tokens *a, const rt_tokens *b) {
    if (a->count != b->count || a->count == 0) return false;
    for (size_t i = 0; i < a->count; i++) {
        const rt_token *x = &a->list[i], *y = &b->list[i];
        if (x->kind != y->kind || x->length != y->length || x->exponent != y->exponent ||
            memcmp(x->text, y->text, x->length) != 0)
            return false;
    }
    return true;
}

/* What is read on neither side can still be the same text. Something without a value stays without. */
static bool decide_unread_pair(retort_verify_result *r, const rt_side *gold, const rt_side *pred) {
    if (gold->value != NULL && pred->value != NULL) return false;
    bool defined = gold->stop != RT_STOP_UNDEFINED && pred->stop != RT_STOP_UNDEFINED;
    bool empty = gold->tokens.count == 0 || pred->tokens.count == 0;
    if (defined && !empty && gold->value == NULL && pred->value == NULL && same_tokens(&gold->tokens, &pred->tokens)) {
        decide(r, RETORT_VERDICT_RIGHT, RETORT_SIDE_NONE, "the same text, which is not read any further");
        return true;
    }
    if (gold->value == NULL)
        decide_unread(r, gold, RETORT_SIDE_GOLD);
    else
        decide_unread(r, pred, RETORT_SIDE_PRED);
    return true;
}

/* Choices: a letter that is marked as one on either side. */
static bool decide_choice(retort_verify_result *r, const rt_side *gold, const rt_side *pred) {
    char letter = pred->letter != 0 ? pred->letter : pred->prefix;
    if (gold->letter == 0 || (!gold->marked && !(pred->marked && pred->letter != 0) && pred->prefix == 0)) return false;
    if (letter == 0) {
        if (!gold->marked) return false;
        decide(r, RETORT_VERDICT_WRONG, RETORT_SIDE_NONE, "the prediction is not the letter of one choice");
        return true;
    }
    bool same = letter == gold->letter;
    decide(r, same ? RETORT_VERDICT_RIGHT : RETORT_VERDICT_WRONG, RETORT_SIDE_NONE,
           same ? "the same choice" : "another choice");
    return true;
}

/* Words against what could be read as a product of variables. */
static bool decide_words(retort_verify_result *r, const rt_side *gold, const rt_side *pred) {
    bool gold_words = gold->value != NULL && gold->value->kind == RT_V_TEXT;
    bool pred_words = pred->value != NULL && pred->value->kind == RT_V_TEXT;
    if (!gold_words && !pred_words) return false;
    bool comparable = (gold_words || gold->only_letters) && (pred_words || pred->only_letters);
    bool same = comparable && gold->words != NULL && pred->words != NULL && strcmp(gold->words, pred->words) == 0;
    if (!same && (gold->value == NULL || pred->value == NULL)) return false;
    decide(r, same ? RETORT_VERDICT_RIGHT : RETORT_VERDICT_WRONG, RETORT_SIDE_NONE,
           same ? "the same words" : "other words");
    return true;
}

static bool is_list(const rt_side *side) {
    return side->value != NULL && (side->value->kind == RT_V_LIST || side->value->kind == RT_V_SET);
}

/* "1,234,567" was read as one number; where the other side is a list it may be one as well. */
static rt_zero compare_as_lists(rt_verify_context *c, const rt_side *gold, const rt_side *pred, rt_rules rules) {
    rt_side a = *gold, b = *pred;
    if (gold->tokens.ambiguous && !rt_read_side(c, gold->text, gold->length, false, &a)) return RT_UNKNOWN;
    if (pred->tokens.ambiguous && !rt_read_side(c, pred->text, pred->length, false, &b)) return RT_UNKNOWN;
    return a.value == NULL || b.value == NULL ? RT_NONZERO : rt_same(c, a.value, b.value, rules);
}

static void decide_values(rt_verify_context *c, retort_verify_result *r, const rt_side *gold, const rt_side *pred,
                          rt_rules rules) {
    const rt_value *a = gold->value, *b = pred->value;
    rt_zero same = rt_same(c, a, b, rules);
    bool ambiguous = (gold->tokens.ambiguous && is_list(pred)) || (pred->tokens.ambiguous && is_list(gold));
    if (same == RT_NONZERO && ambiguous && c->stop == RT_STOP_NONE) same = compare_as_lists(c, gold, pred, rules);
    if (c->stop == RT_STOP_UNDEFINED) {
        r->verdict = RETORT_VERDICT_UNPARSED;
        r->side = RETORT_SIDE_PRED;
        (void)snprintf(r->reason, sizeof r->reason, "a part has no value: %s", c->why);
    } else if (same == RT_ZERO) {
        decide(r, RETORT_VERDICT_RIGHT, RETORT_SIDE_NONE, "the same value");
    } else if (same == RT_NONZERO && c->stop == RT_STOP_NONE) {
        if (a->kind == b->kind) {
            decide(r, RETORT_VERDICT_WRONG, RETORT_SIDE_NONE, "the values differ");
        } else {
            r->verdict = RETORT_VERDICT_WRONG;
            (void)snprintf(r->reason, sizeof r->reason, "the gold answer is %s, the prediction is %s", kind_name(a),
                           kind_name(b));
        }
    } else {
        r->verdict = RETORT_VERDICT_OVER_BUDGET;
        (void)snprintf(r->reason, sizeof r->reason, "undecided: %s",
                       c->stop == RT_STOP_NONE ? "neither equality nor inequality could be proven" : c->why);
    }
}

/* Printing costs nothing of the budget, so that asking for it changes no verdict. */
static retort_status print_side(rt_verify_context *c, const rt_side *side, char **out, retort_error *err) {
    if (side->value == NULL || c->stop != RT_STOP_NONE) return RETORT_OK;
    int64_t spent = c->spent, budget = c->budget;
    c->budget = INT64_MAX;
    const char *text = rt_canonical(c, side->value);
    c->spent = spent;
    c->budget = budget;
    RT_CHECK(c->stop != RT_STOP_MEMORY, err, RETORT_ERR_MEMORY, "out of memory for a canonical form");
    c->stop = RT_STOP_NONE;
    *out = rt_strdup(text);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory for a canonical form");
    return RETORT_OK;
}

typedef struct answer_text {
    const char *text;
    size_t length;
} answer_text;

static bool is_answer(const rt_side *side) {
    return side->value != NULL && side->value->kind != RT_V_TEXT;
}

/* Tolerant: a marked answer that is a sentence, "The angle is 36 degrees", where the gold answer is no words. False: no
 * memory. */
static bool read_prose(rt_verify_context *c, const rt_side *gold, rt_side *pred, bool *guessed) {
    if (!is_answer(gold) || gold->marked || is_answer(pred) || pred->letter != 0) return true;
    if (pred->value == NULL && pred->stop != RT_STOP_SYNTAX) return true;
    for (rt_prose way = RT_PROSE_IS; way < RT_PROSE_WAYS; way++) {
        size_t begin = 0, end = 0;
        rt_side part;
        if (!rt_find_in_prose(pred->text, pred->length, way, &begin, &end)) continue;
        if (!rt_read_side(c, pred->text + begin, end - begin, true, &part)) return false;
        if (!is_answer(&part)) continue;
        *pred = part;
        *guessed = true;
        return true;
    }
    return true;
}

/* What follows the letter of "(C) 12". False: no memory. */
static bool behind_letter(rt_verify_context *c, const rt_side *side, rt_side *out) {
    return rt_read_side(c, side->text + side->prefix_bytes, side->length - side->prefix_bytes, true, out);
}

static retort_status compare(rt_verify_context *c, answer_text gold_text, answer_text pred_text,
                             const retort_verify_options *options, retort_verify_result *r, retort_error *err) {
    rt_side gold, pred;
    rt_rules rules = {.tolerant = options->profile == RETORT_PROFILE_TOLERANT, .rounding = options->rounding};
    if (gold_text.length > RETORT_VERIFY_MAX_ANSWER || pred_text.length > RETORT_VERIFY_MAX_ANSWER) {
        bool gold_long = gold_text.length > RETORT_VERIFY_MAX_ANSWER;
        r->verdict = RETORT_VERDICT_OVER_BUDGET;
        r->side = gold_long ? RETORT_SIDE_GOLD : RETORT_SIDE_PRED;
        (void)snprintf(r->reason, sizeof r->reason, "%s has more than %d bytes",
                       gold_long ? "the gold answer" : "the answer", RETORT_VERIFY_MAX_ANSWER);
        return RETORT_OK;
    }
    bool fine = rt_read_side(c, gold_text.text, gold_text.length, true, &gold) &&
                rt_read_side(c, pred_text.text, pred_text.length, true, &pred);
    /* "(C) 12" for a gold answer that is no choice, or one that has the same letter before it. */
    if (fine && pred.prefix != 0 && gold.letter == 0 && (gold.prefix == 0 || gold.prefix == pred.prefix)) {
        rt_side rest, gold_rest = gold;
        fine = behind_letter(c, &pred, &rest) && (gold.prefix == 0 || behind_letter(c, &gold, &gold_rest));
        if (fine && rest.value != NULL && (gold.prefix == 0 || gold_rest.value != NULL)) {
            pred = rest;
            gold = gold_rest;
        }
    }
    bool guessed = false;
    if (fine && rules.tolerant) fine = read_prose(c, &gold, &pred, &guessed);
    RT_CHECK(fine, err, RETORT_ERR_MEMORY, "out of memory for a comparison");
    if (options->canonical) {
        RT_TRY(print_side(c, &gold, &r->gold, err));
        RT_TRY(print_side(c, &pred, &r->pred, err));
    }
    if (!decide_choice(r, &gold, &pred) && !decide_words(r, &gold, &pred) && !decide_unread_pair(r, &gold, &pred))
        decide_values(c, r, &gold, &pred, rules);
    RT_CHECK(c->stop != RT_STOP_MEMORY, err, RETORT_ERR_MEMORY, "out of memory for a comparison");
    size_t used = strlen(r->reason);
    if (guessed) (void)snprintf(r->reason + used, sizeof r->reason - used, " (read out of a sentence)");
    return RETORT_OK;
}

/* Several spans as one list. */
static retort_status join_spans(const char *text, const retort_span *spans, size_t count, rt_buffer *buffer,
                                answer_text *out, retort_error *err) {
    *out = (answer_text){text + spans[0].begin, spans[0].end - spans[0].begin};
    if (count == 1) return RETORT_OK;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) RT_TRY(rt_buffer_puts(buffer, " , ", err));
        RT_TRY(rt_buffer_append(buffer, text + spans[i].begin, spans[i].end - spans[i].begin, err));
    }
    *out = (answer_text){buffer->data, buffer->length};
    return RETORT_OK;
}

/* The answer in a gold text: a box, what follows GSM8K's mark, or all of it. */
static retort_status gold_answer(retort_gold gold, rt_buffer *buffer, answer_text *out, retort_error *err) {
    *out = (answer_text){gold.text, gold.length};
    bool box = false;
    size_t mark = gold.length;
    for (size_t i = 0; i + 4 < gold.length; i++) {
        box |=
            gold.text[i] == '\\' && (memcmp(gold.text + i, "\\box", 4) == 0 || memcmp(gold.text + i, "\\fbo", 4) == 0);
        if (memcmp(gold.text + i, "####", 4) == 0) mark = i + 4;
    }
    if (box) {
        retort_extraction found;
        RT_TRY(retort_extract(gold.text, gold.length, RETORT_PROFILE_STRICT, &found, err));
        retort_status st = RETORT_OK;
        if (found.count > 0) st = join_spans(gold.text, found.answers, found.count, buffer, out, err);
        retort_extraction_release(&found);
        return st;
    }
    if (mark < gold.length) *out = (answer_text){gold.text + mark, gold.length - mark};
    return RETORT_OK;
}

static retort_status verify_text(retort_gold gold, answer_text pred, const retort_verify_options *options,
                                 retort_verify_result *r, retort_error *err) {
    rt_verify_context c;
    rt_buffer buffer = {0};
    answer_text gold_text;
    rt_context_init(&c, options->budget > 0 ? options->budget : RETORT_VERIFY_BUDGET);
    retort_status st = gold_answer(gold, &buffer, &gold_text, err);
    if (st == RETORT_OK) st = compare(&c, gold_text, pred, options, r, err);
    r->spent = c.spent;
    rt_context_free(&c);
    rt_buffer_free(&buffer);
    return st;
}

static const retort_verify_options strict_options = {0};

static retort_status finish(retort_status st, retort_verify_result *r) {
    if (st != RETORT_OK) retort_verify_result_release(r);
    return st;
}

retort_status retort_verify(retort_gold gold, retort_pred pred, const retort_verify_options *options,
                            retort_verify_result *result, retort_error *err) {
    *result = (retort_verify_result){0};
    if (options == NULL) options = &strict_options;
    retort_extraction found;
    RT_TRY(retort_extract(pred.text, pred.length, options->profile, &found, err));
    if (found.count == 0) {
        decide(result, RETORT_VERDICT_UNPARSED, RETORT_SIDE_PRED, found.reason);
        retort_extraction_release(&found);
        return RETORT_OK;
    }
    rt_buffer buffer = {0};
    answer_text text;
    result->rule = found.rule;
    retort_status st = join_spans(pred.text, found.answers, found.count, &buffer, &text, err);
    if (st == RETORT_OK) st = verify_text(gold, text, options, result, err);
    rt_buffer_free(&buffer);
    retort_extraction_release(&found);
    return finish(st, result);
}

retort_status retort_verify_answer(retort_gold gold, retort_pred answer, const retort_verify_options *options,
                                   retort_verify_result *result, retort_error *err) {
    *result = (retort_verify_result){0};
    if (options == NULL) options = &strict_options;
    return finish(verify_text(gold, (answer_text){answer.text, answer.length}, options, result, err), result);
}

void retort_verify_result_release(retort_verify_result *result) {
    rt_free(result->gold);
    rt_free(result->pred);
    *result = (retort_verify_result){0};
}
