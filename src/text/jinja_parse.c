/* The parser: recursive descent in the order of Jinja's own grammar. */
#include <stdio.h>
#include <string.h>

#include "text/jinja_internal.h"

typedef struct parser {
    const jj_token *at;
    jj_arena *arena;
    int depth, loops;
    retort_error *err;
} parser;

static retort_status parse_choice(parser *p, jj_node **out);
static retort_status parse_unary(parser *p, bool filters, jj_node **out);
static retort_status parse_body(parser *p, const char *const *ends, jj_node **out);

/* ---- helpers ---- */

static retort_status make(parser *p, jj_kind kind, int line, jj_node **out) {
    *out = jj_alloc(p->arena, 1, sizeof **out, p->err);
    if (*out == NULL) return RETORT_ERR_MEMORY;
    (*out)->kind = kind;
    (*out)->line = line;
    return RETORT_OK;
}

static bool is_operator(const parser *p, const char *text) {
    return p->at->kind == JJ_OPERATOR && jj_text_is(p->at->text, text);
}

static bool is_word(const parser *p, const char *text) {
    return p->at->kind == JJ_NAME && jj_text_is(p->at->text, text);
}

static bool take_operator(parser *p, const char *text) {
    if (!is_operator(p, text)) return false;
    p->at++;
    return true;
}

static bool take_word(parser *p, const char *text) {
    if (!is_word(p, text)) return false;
    p->at++;
    return true;
}

static retort_status unexpected(const parser *p, const char *wanted) {
    if (p->at->kind == JJ_END) {
        return rt_fail(p->err, RETORT_ERR_FORMAT, "line %d: the template ends where %s is expected", p->at->line,
                       wanted);
    }
    const char *what = p->at->kind == JJ_CLOSE_BLOCK ? "%}" : p->at->kind == JJ_CLOSE_PRINT ? "}}" : NULL;
    if (what != NULL) {
        return rt_fail(p->err, RETORT_ERR_FORMAT, "line %d: '%s' stands where %s is expected", p->at->line, what,
                       wanted);
    }
    return rt_fail(p->err, RETORT_ERR_FORMAT, "line %d: '%.*s' stands where %s is expected", p->at->line,
                   JJ_MESSAGE_TEXT(p->at->text), wanted);
}

static retort_status expect_operator(parser *p, const char *text) {
    char wanted[16];
    if (take_operator(p, text)) return RETORT_OK;
    snprintf(wanted, sizeof wanted, "'%.8s'", text);
    return unexpected(p, wanted);
}

static retort_status expect_name(parser *p, jj_text *out) {
    if (p->at->kind != JJ_NAME) return unexpected(p, "a name");
    *out = (p->at++)->text;
    return RETORT_OK;
}

static retort_status enter(parser *p) {
    RT_CHECK(p->depth < JJ_MAX_DEPTH, p->err, RETORT_ERR_UNSUPPORTED,
             "line %d: the template is nested more than %d deep", p->at->line, JJ_MAX_DEPTH);
    p->depth++;
    return RETORT_OK;
}

/* ---- primaries ---- */

static bool closes(const parser *p) {
    return is_operator(p, ")") || is_operator(p, "]") || is_operator(p, "}") || p->at->kind == JJ_CLOSE_BLOCK ||
           p->at->kind == JJ_CLOSE_PRINT;
}

/* Expressions with commas, up to a closing bracket or a tag's end. */
static retort_status parse_items(parser *p, jj_node **first, bool *comma) {
    jj_node **link = first;
    *comma = false;
    while (!closes(p) && !is_word(p, "in")) {
        RT_TRY(parse_choice(p, link));
        link = &(*link)->next;
        if (!take_operator(p, ",")) break;
        *comma = true;
    }
    return RETORT_OK;
}

/* One expression, or a tuple where there are commas. */
static retort_status parse_tuple(parser *p, jj_node **out) {
    jj_node *first = NULL;
    bool comma = false;
    int line = p->at->line;
    RT_TRY(parse_items(p, &first, &comma));
    if (first != NULL && !comma) {
        *out = first;
        return RETORT_OK;
    }
    RT_TRY(make(p, JJ_TUPLE, line, out));
    (*out)->items = first;
    return RETORT_OK;
}

static retort_status parse_dict(parser *p, int line, jj_node **out) {
    RT_TRY(make(p, JJ_DICT, line, out));
    jj_node **link = &(*out)->items;
    while (!is_operator(p, "}")) {
        RT_TRY(parse_choice(p, link));
        RT_TRY(expect_operator(p, ":"));
        RT_TRY(parse_choice(p, &(*link)->next));
        link = &(*link)->next->next;
        if (!take_operator(p, ",")) break;
    }
    return expect_operator(p, "}");
}

static retort_status parse_literal(parser *p, jj_node **out) {
    const jj_token *t = p->at++;
    RT_TRY(make(p, JJ_LITERAL, t->line, out));
    if (t->kind == JJ_INTEGER) {
        (*out)->value = jj_integer(t->integer);
        return RETORT_OK;
    }
    if (t->kind == JJ_REAL) {
        (*out)->value.type = JJ_FLOAT;
        (*out)->value.as.real = t->real;
        return RETORT_OK;
    }
    jj_text text = t->text;
    while (p->at->kind == JJ_STRING) { /* 'a' 'b' is 'ab' */
        char *joined = jj_alloc(p->arena, text.length + p->at->text.length + 1, 1, p->err);
        if (joined == NULL) return RETORT_ERR_MEMORY;
        memcpy(joined, text.data, text.length);
        memcpy(joined + text.length, p->at->text.data, p->at->text.length);
        text = (jj_text){joined, text.length + p->at->text.length};
        p->at++;
    }
    (*out)->value = jj_string(text.data, text.length);
    return RETORT_OK;
}

static retort_status parse_name(parser *p, jj_node **out) {
    const jj_token *t = p->at++;
    bool yes = jj_text_is(t->text, "true") || jj_text_is(t->text, "True");
    bool no = jj_text_is(t->text, "false") || jj_text_is(t->text, "False");
    bool none = jj_text_is(t->text, "none") || jj_text_is(t->text, "None");
    RT_TRY(make(p, yes || no || none ? JJ_LITERAL : JJ_VARIABLE, t->line, out));
    (*out)->text = t->text;
    (*out)->value = none ? JJ_NOTHING : jj_boolean(yes);
    return RETORT_OK;
}

static retort_status parse_primary(parser *p, jj_node **out) {
    const jj_token *t = p->at;
    bool comma;
    if (t->kind == JJ_NAME) return parse_name(p, out);
    if (t->kind == JJ_STRING || t->kind == JJ_INTEGER || t->kind == JJ_REAL) return parse_literal(p, out);
    if (take_operator(p, "(")) {
        RT_TRY(parse_tuple(p, out));
        return expect_operator(p, ")");
    }
    if (take_operator(p, "[")) {
        RT_TRY(make(p, JJ_LIST, t->line, out));
        RT_TRY(parse_items(p, &(*out)->items, &comma));
        return expect_operator(p, "]");
    }
    if (take_operator(p, "{")) return parse_dict(p, t->line, out);
    return unexpected(p, "an expression");
}

/* ---- what follows a primary ---- */

/* Up to the closing parenthesis, which is taken. */
static retort_status parse_arguments(parser *p, jj_node **link) {
    while (!is_operator(p, ")")) {
        RT_CHECK(!is_operator(p, "*") && !is_operator(p, "**"), p->err, RETORT_ERR_UNSUPPORTED,
                 "line %d: arguments with '*' are not supported", p->at->line);
        if (p->at->kind == JJ_NAME && p->at[1].kind == JJ_OPERATOR && jj_text_is(p->at[1].text, "=")) {
            RT_TRY(make(p, JJ_KEYWORD, p->at->line, link));
            (*link)->text = p->at->text;
            p->at += 2;
            RT_TRY(parse_choice(p, &(*link)->a));
        } else {
            RT_TRY(parse_choice(p, link));
        }
        link = &(*link)->next;
        if (!take_operator(p, ",")) break;
    }
    return expect_operator(p, ")");
}

static retort_status parse_call(parser *p, jj_node **node) {
    jj_node *call;
    RT_TRY(make(p, JJ_CALL, p->at->line, &call));
    p->at++;
    call->a = *node;
    *node = call;
    return parse_arguments(p, &call->items);
}

/* [b] or [b:c:d] behind an expression. */
static retort_status parse_subscript(parser *p, jj_node **node) {
    jj_node *item, *part[3] = {NULL, NULL, NULL};
    int line = p->at++->line, colons = 0;
    while (!is_operator(p, "]")) {
        if (take_operator(p, ":")) {
            RT_CHECK(++colons <= 2, p->err, RETORT_ERR_FORMAT, "line %d: a slice has more than two ':'", line);
            continue;
        }
        if (part[colons] != NULL) return unexpected(p, "']'");
        RT_TRY(parse_choice(p, &part[colons]));
    }
    p->at++;
    if (colons == 0 && part[0] == NULL) return unexpected(p, "a subscript");
    RT_TRY(make(p, colons > 0 ? JJ_SLICE : JJ_ITEM, line, &item));
    item->a = *node;
    item->b = part[0];
    item->c = part[1];
    item->d = part[2];
    *node = item;
    return RETORT_OK;
}

static retort_status parse_postfix(parser *p, jj_node **node) {
    for (;;) {
        if (is_operator(p, ".")) {
            jj_node *member;
            p->at++;
            RT_TRY(make(p, p->at->kind == JJ_INTEGER ? JJ_ITEM : JJ_ATTRIBUTE, p->at->line, &member));
            member->a = *node;
            if (p->at->kind == JJ_INTEGER) {
                RT_TRY(parse_literal(p, &member->b));
            } else {
                RT_TRY(expect_name(p, &member->text));
            }
            *node = member;
        } else if (is_operator(p, "[")) {
            RT_TRY(parse_subscript(p, node));
        } else if (is_operator(p, "(")) {
            RT_TRY(parse_call(p, node));
        } else {
            return RETORT_OK;
        }
    }
}

static retort_status parse_filter(parser *p, jj_node **node) {
    jj_node *filter;
    RT_TRY(make(p, JJ_FILTER, p->at->line, &filter));
    RT_TRY(expect_name(p, &filter->text));
    filter->a = *node;
    *node = filter;
    return take_operator(p, "(") ? parse_arguments(p, &filter->items) : RETORT_OK;
}

/* A test's single argument may stand without parentheses ("is divisibleby 3"). */
static bool starts_argument(const parser *p) {
    if (p->at->kind == JJ_STRING || p->at->kind == JJ_INTEGER || p->at->kind == JJ_REAL) return true;
    if (p->at->kind == JJ_NAME) {
        return !is_word(p, "else") && !is_word(p, "or") && !is_word(p, "and") && !is_word(p, "is") &&
               !is_word(p, "if") && !is_word(p, "in") && !is_word(p, "not");
    }
    return is_operator(p, "[") || is_operator(p, "{");
}

static retort_status parse_test(parser *p, jj_node **node) {
    int line = p->at->line;
    bool negated = take_word(p, "not");
    jj_node *test;
    RT_TRY(make(p, JJ_TEST, line, &test));
    RT_TRY(expect_name(p, &test->text));
    test->a = *node;
    if (take_operator(p, "(")) {
        RT_TRY(parse_arguments(p, &test->items));
    } else if (starts_argument(p)) {
        RT_TRY(parse_primary(p, &test->items));
        RT_TRY(parse_postfix(p, &test->items));
    }
    *node = test;
    if (!negated) return RETORT_OK;
    RT_TRY(make(p, JJ_NOT, line, node));
    (*node)->a = test;
    return RETORT_OK;
}

static retort_status parse_filters(parser *p, jj_node **node) {
    for (;;) {
        if (take_operator(p, "|")) {
            RT_TRY(parse_filter(p, node));
        } else if (take_word(p, "is")) {
            RT_TRY(parse_test(p, node));
        } else if (is_operator(p, "(")) {
            RT_TRY(parse_call(p, node));
        } else {
            return RETORT_OK;
        }
    }
}

/* ---- operators, from the tightest ---- */

static retort_status parse_unary(parser *p, bool filters, jj_node **out) {
    RT_TRY(enter(p));
    if (is_operator(p, "-") || is_operator(p, "+")) {
        const jj_token *t = p->at++;
        RT_TRY(make(p, JJ_UNARY, t->line, out));
        (*out)->text = t->text;
        RT_TRY(parse_unary(p, false, &(*out)->a));
    } else {
        RT_TRY(parse_primary(p, out));
    }
    RT_TRY(parse_postfix(p, out));
    p->depth--;
    return filters ? parse_filters(p, out) : RETORT_OK;
}

/* Left-associative levels: 0 adds, 1 joins, 2 multiplies, 3 raises. */
static retort_status parse_level(parser *p, int level, jj_node **out) {
    static const char *const LEVELS[][4] = {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};
    if (level == 4) return parse_unary(p, true, out);
    RT_TRY(parse_level(p, level + 1, out));
    for (;;) {
        bool found = false;
        for (int i = 0; i < 4 && LEVELS[level][i] != NULL; i++) found = found || is_operator(p, LEVELS[level][i]);
        if (!found) return RETORT_OK;
        jj_node *node;
        RT_TRY(make(p, JJ_BINARY, p->at->line, &node));
        node->text = (p->at++)->text;
        node->a = *out;
        RT_TRY(parse_level(p, level + 1, &node->b));
        *out = node;
    }
}

static bool take_comparison(parser *p, jj_text *text) {
    static const char *const OPERATORS[] = {"==", "!=", ">=", "<=", ">", "<"};
    for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++) {
        if (!is_operator(p, OPERATORS[i])) continue;
        *text = (p->at++)->text;
        return true;
    }
    if (is_word(p, "in")) {
        *text = (p->at++)->text;
        return true;
    }
    if (is_word(p, "not") && p->at[1].kind == JJ_NAME && jj_text_is(p->at[1].text, "in")) {
        *text = (jj_text){"not in", 6};
        p->at += 2;
        return true;
    }
    return false;
}

static retort_status parse_compare(parser *p, jj_node **out) {
    RT_TRY(parse_level(p, 0, out));
    jj_text text;
    jj_node **link = NULL;
    for (int line = p->at->line; take_comparison(p, &text); line = p->at->line) {
        if (link == NULL) {
            jj_node *chain;
            RT_TRY(make(p, JJ_COMPARE, line, &chain));
            chain->a = *out;
            *out = chain;
            link = &chain->items;
        }
        RT_TRY(make(p, JJ_UNARY, line, link));
        (*link)->text = text;
        RT_TRY(parse_level(p, 0, &(*link)->a));
        link = &(*link)->next;
    }
    return RETORT_OK;
}

static retort_status parse_not(parser *p, jj_node **out) {
    int line = p->at->line;
    if (!take_word(p, "not")) return parse_compare(p, out);
    RT_TRY(enter(p));
    RT_TRY(make(p, JJ_NOT, line, out));
    RT_TRY(parse_not(p, &(*out)->a));
    p->depth--;
    return RETORT_OK;
}

static retort_status parse_and(parser *p, jj_node **out) {
    RT_TRY(parse_not(p, out));
    for (int line = p->at->line; take_word(p, "and"); line = p->at->line) {
        jj_node *node;
        RT_TRY(make(p, JJ_AND, line, &node));
        node->a = *out;
        *out = node;
        RT_TRY(parse_not(p, &node->b));
    }
    return RETORT_OK;
}

static retort_status parse_or(parser *p, jj_node **out) {
    RT_TRY(parse_and(p, out));
    for (int line = p->at->line; take_word(p, "or"); line = p->at->line) {
        jj_node *node;
        RT_TRY(make(p, JJ_OR, line, &node));
        node->a = *out;
        *out = node;
        RT_TRY(parse_and(p, &node->b));
    }
    return RETORT_OK;
}

static retort_status parse_choice(parser *p, jj_node **out) {
    RT_TRY(enter(p));
    RT_TRY(parse_or(p, out));
    for (int line = p->at->line; take_word(p, "if"); line = p->at->line) {
        jj_node *node;
        RT_TRY(make(p, JJ_CHOICE, line, &node));
        node->b = *out;
        *out = node;
        RT_TRY(parse_or(p, &node->a));
        if (take_word(p, "else")) RT_TRY(parse_choice(p, &node->c));
    }
    p->depth--;
    return RETORT_OK;
}

/* ---- statements ---- */

static retort_status end_tag(parser *p) {
    if (p->at->kind != JJ_CLOSE_BLOCK) return unexpected(p, "'%}'");
    p->at++;
    return RETORT_OK;
}

/* Behind a body: its end word, which parse_body found, and the tag's end. */
static retort_status end_word(parser *p) {
    p->at++;
    return end_tag(p);
}

static retort_status parse_if(parser *p, jj_node **out) {
    static const char *const ENDS[] = {"elif", "else", "endif", NULL}, *const LAST[] = {"endif", NULL};
    RT_TRY(make(p, JJ_IF, p->at->line, out));
    RT_TRY(parse_tuple(p, &(*out)->a));
    RT_TRY(end_tag(p));
    RT_TRY(parse_body(p, ENDS, &(*out)->b));
    if (take_word(p, "elif")) {
        RT_TRY(enter(p));
        RT_TRY(parse_if(p, &(*out)->c)); /* takes the endif */
        p->depth--;
        return RETORT_OK;
    }
    if (take_word(p, "else")) {
        RT_TRY(end_tag(p));
        RT_TRY(parse_body(p, LAST, &(*out)->c));
    }
    return end_word(p);
}

/* Names that are assigned to: a, (a, b), ns.a. */
static retort_status parse_target(parser *p, bool members, jj_node **out) {
    int line = p->at->line, count = 0;
    bool brackets = take_operator(p, "("), comma = false;
    jj_node *first = NULL, **link = &first;
    do {
        if (count > 0 && p->at->kind != JJ_NAME) break; /* a comma at the end */
        RT_TRY(make(p, JJ_VARIABLE, p->at->line, link));
        RT_TRY(expect_name(p, &(*link)->text));
        if (members && take_operator(p, ".")) {
            jj_node *object = *link;
            RT_TRY(make(p, JJ_ATTRIBUTE, object->line, link));
            (*link)->a = object;
            RT_TRY(expect_name(p, &(*link)->text));
        }
        link = &(*link)->next;
        count++;
    } while (take_operator(p, ",") && (comma = true));
    if (brackets) RT_TRY(expect_operator(p, ")"));
    if (count == 1 && !comma) {
        *out = first;
        return RETORT_OK;
    }
    RT_TRY(make(p, JJ_TUPLE, line, out));
    (*out)->items = first;
    return RETORT_OK;
}

static retort_status parse_for(parser *p, jj_node **out) {
    static const char *const ENDS[] = {"else", "endfor", NULL}, *const LAST[] = {"endfor", NULL};
    RT_TRY(make(p, JJ_FOR, p->at->line, out));
    RT_TRY(parse_target(p, false, &(*out)->a));
    if (!take_word(p, "in")) return unexpected(p, "'in'");
    jj_node *over = NULL;
    RT_TRY(parse_or(p, &over)); /* without "a if b else c": the 'if' is the loop's own */
    if (is_operator(p, ",")) return unexpected(p, "'%}'");
    (*out)->b = over;
    if (take_word(p, "if")) RT_TRY(parse_choice(p, &(*out)->c));
    RT_CHECK(!is_word(p, "recursive"), p->err, RETORT_ERR_UNSUPPORTED, "line %d: 'for ... recursive' is not supported",
             p->at->line);
    RT_TRY(end_tag(p));
    p->loops++;
    RT_TRY(parse_body(p, ENDS, &(*out)->d));
    p->loops--;
    if (take_word(p, "else")) {
        RT_TRY(end_tag(p));
        RT_TRY(parse_body(p, LAST, &(*out)->e));
    }
    return end_word(p);
}

static retort_status parse_set(parser *p, jj_node **out) {
    static const char *const LAST[] = {"endset", NULL};
    RT_TRY(make(p, JJ_SET, p->at->line, out));
    RT_TRY(parse_target(p, true, &(*out)->a));
    if (take_operator(p, "=")) {
        RT_TRY(parse_tuple(p, &(*out)->b));
        return end_tag(p);
    }
    RT_TRY(make(p, JJ_CAPTURED, p->at->line, &(*out)->c));
    RT_TRY(parse_filters(p, &(*out)->c));
    RT_TRY(end_tag(p));
    RT_TRY(parse_body(p, LAST, &(*out)->d));
    return end_word(p);
}

static retort_status parse_macro(parser *p, jj_node **out) {
    static const char *const LAST[] = {"endmacro", NULL};
    RT_TRY(make(p, JJ_MACRO, p->at->line, out));
    RT_TRY(expect_name(p, &(*out)->text));
    RT_TRY(expect_operator(p, "("));
    jj_node **link = &(*out)->items;
    while (!is_operator(p, ")")) {
        RT_TRY(make(p, JJ_KEYWORD, p->at->line, link));
        RT_TRY(expect_name(p, &(*link)->text));
        if (take_operator(p, "=")) RT_TRY(parse_choice(p, &(*link)->a));
        link = &(*link)->next;
        if (!take_operator(p, ",")) break;
    }
    RT_TRY(expect_operator(p, ")"));
    RT_TRY(end_tag(p));
    int loops = p->loops;
    p->loops = 0;
    RT_TRY(parse_body(p, LAST, &(*out)->d));
    p->loops = loops;
    return end_word(p);
}

static retort_status parse_jump(parser *p, jj_kind kind, const char *name, jj_node **out) {
    RT_CHECK(p->loops > 0, p->err, RETORT_ERR_FORMAT, "line %d: '%s' outside a loop", p->at->line, name);
    RT_TRY(make(p, kind, p->at->line, out));
    return end_tag(p);
}

/* transformers' mark around an assistant's text: its body. */
static retort_status parse_generation(parser *p, jj_node **out) {
    static const char *const LAST[] = {"endgeneration", NULL};
    RT_TRY(end_tag(p));
    RT_TRY(parse_body(p, LAST, out));
    return end_word(p);
}

static retort_status parse_statement(parser *p, jj_node **out) {
    if (take_word(p, "if")) return parse_if(p, out);
    if (take_word(p, "for")) return parse_for(p, out);
    if (take_word(p, "set")) return parse_set(p, out);
    if (take_word(p, "macro")) return parse_macro(p, out);
    if (take_word(p, "break")) return parse_jump(p, JJ_BREAK, "break", out);
    if (take_word(p, "continue")) return parse_jump(p, JJ_CONTINUE, "continue", out);
    if (take_word(p, "generation")) return parse_generation(p, out);
    if (p->at->kind != JJ_NAME) return unexpected(p, "a statement");
    return rt_fail(p->err, RETORT_ERR_UNSUPPORTED, "line %d: statement '%.*s' is not supported", p->at->line,
                   JJ_MESSAGE_TEXT(p->at->text));
}

static bool is_end(const parser *p, const char *const *ends) {
    for (; ends != NULL && *ends != NULL; ends++) {
        if (is_word(p, *ends)) return true;
    }
    return false;
}

/* Up to a tag that begins with one of the ends, which is not taken; NULL: to the end of the template. */
static retort_status parse_body(parser *p, const char *const *ends, jj_node **out) {
    RT_TRY(enter(p));
    RT_TRY(make(p, JJ_SEQUENCE, p->at->line, out));
    jj_node **link = &(*out)->items;
    for (;;) {
        const jj_token *t = p->at;
        if (t->kind == JJ_END) {
            if (ends == NULL) break;
            return rt_fail(p->err, RETORT_ERR_FORMAT, "line %d: '%s' is missing for the statement of line %d", t->line,
                           ends[0], (*out)->line);
        }
        p->at++;
        if (t->kind == JJ_DATA) {
            RT_TRY(make(p, JJ_TEXT, t->line, link));
            (*link)->text = t->text;
        } else if (t->kind == JJ_OPEN_PRINT) {
            RT_TRY(make(p, JJ_PRINT, t->line, link));
            RT_TRY(parse_tuple(p, &(*link)->a));
            if (p->at->kind != JJ_CLOSE_PRINT) return unexpected(p, "'}}'");
            p->at++;
        } else {
            if (is_end(p, ends)) break;
            RT_TRY(parse_statement(p, link));
        }
        link = &(*link)->next;
    }
    p->depth--;
    return RETORT_OK;
}

retort_status jj_parse(const jj_tokens *tokens, jj_arena *arena, jj_node **out, retort_error *err) {
    parser p = {.at = tokens->data, .arena = arena, .err = err};
    return parse_body(&p, NULL, out);
}
