#include "verify/side.h"

#include <string.h>

/* Tokens that make an answer one of words where it cannot be read as mathematics. */
static bool has_words(const rt_tokens *t) {
    bool words = false;
    for (size_t i = 0; i < t->count; i++) {
        const rt_token *k = &t->list[i];
        if (k->kind == RT_T_BAD && k->length > 0 && *k->text == '\\') return false;
        words |= k->kind == RT_T_WORD || (k->kind == RT_T_SYMBOL && k->upright);
    }
    return words;
}

/* Takes the stop of what was just done from the context to the side, so that the other side can still be read. */
static void note_stop(rt_verify_context *c, rt_side *side) {
    side->stop = c->stop;
    memcpy(side->why, c->why, sizeof side->why);
    if (c->stop == RT_STOP_MEMORY || c->spent >= c->budget) return;
    c->stop = RT_STOP_NONE;
    c->why[0] = '\0';
}

bool rt_read_side(rt_verify_context *c, const char *text, size_t length, bool grouping, rt_side *out) {
    *out = (rt_side){.text = text, .length = length};
    if (!rt_lex(c, text, length, grouping, &out->tokens)) {
        note_stop(c, out);
        if (out->stop != RT_STOP_MEMORY) (void)rt_read_words(c, out);
        return out->stop != RT_STOP_MEMORY;
    }
    if (!rt_read_words(c, out)) return c->stop != RT_STOP_MEMORY;
    if (out->tokens.count == 0) {
        rt_stop_at(c, RT_STOP_SYNTAX, "it is empty");
        note_stop(c, out);
        return true;
    }
    out->value = rt_parse(c, &out->tokens);
    bool defined = out->value == NULL || rt_divisors_defined(c);
    if (defined && out->value != NULL && out->value->kind == RT_V_NUMBER) defined = rt_defined(c, out->value->number);
    if (!defined) {
        rt_stop_at(c, RT_STOP_BUDGET, "it is not known whether it has a value");
        out->value = NULL;
    }
    note_stop(c, out);
    if (out->value == NULL && out->stop == RT_STOP_SYNTAX && has_words(&out->tokens)) {
        out->value = rt_new_value(c, RT_V_TEXT);
        if (out->value != NULL) out->value->text = out->words;
        if (out->value != NULL) out->stop = RT_STOP_NONE;
    }
    return c->stop != RT_STOP_MEMORY;
}
