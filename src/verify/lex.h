/* The words of an answer: LaTeX and plain notation become one list of tokens, without what does not change the meaning
 * (white space, sizes of brackets, maths mode, type faces). */
#ifndef RT_VERIFY_LEX_H
#define RT_VERIFY_LEX_H

#include "verify/node.h"

typedef enum rt_token_kind {
    RT_T_END,
    RT_T_BAD,    /* what has no meaning here; `text` is it */
    RT_T_NUMBER, /* digits [. digits] [~ repeating digits], separators taken out; see also `exponent` */
    RT_T_SYMBOL, /* a letter or a name from a command */
    RT_T_WORD,   /* several letters that are no product of variables */
    RT_T_FUNCTION,
    RT_T_LOG, /* takes a base */
    RT_T_SQRT,
    RT_T_FRAC,
    RT_T_BINOM,
    RT_T_CHOOSE,
    RT_T_OVER,
    RT_T_ACCENT, /* \overline, \vec: the next argument gets another name */
    RT_T_PI,
    RT_T_INFINITY,
    RT_T_PLUS,
    RT_T_MINUS,
    RT_T_PLUS_MINUS,
    RT_T_MINUS_PLUS,
    RT_T_TIMES,
    RT_T_DIVIDE,
    RT_T_CARET,
    RT_T_UNDER,
    RT_T_BANG,
    RT_T_PERCENT,
    RT_T_DEGREE,
    RT_T_CURRENCY, /* `text` names the unit */
    RT_T_BAR,
    RT_T_COMMA, /* and the semicolon */
    RT_T_AND,
    RT_T_OR,
    RT_T_COLON,
    RT_T_DAYHALF, /* a.m., p.m.; `text` is "am" or "pm" */
    RT_T_AMPERSAND,
    RT_T_ROW, /* \\ */
    RT_T_EQUAL,
    RT_T_APPROX,
    RT_T_LESS,
    RT_T_GREATER,
    RT_T_LESS_EQUAL,
    RT_T_GREATER_EQUAL,
    RT_T_NOT_EQUAL,
    RT_T_IN,
    RT_T_UNION,
    RT_T_SETMINUS,
    RT_T_EMPTY_SET,
    RT_T_REALS,
    RT_T_BEGIN, /* `text` names the environment */
    RT_T_END_ENVIRONMENT,
    RT_T_DOTS,
    /* Brackets, opening ones before closing ones in the same order. */
    RT_T_OPEN,        /* ( */
    RT_T_OPEN_SQUARE, /* [ */
    RT_T_OPEN_GROUP,  /* { that TeX uses for grouping */
    RT_T_OPEN_SET,    /* \{ */
    RT_T_OPEN_ANGLE,  /* \langle */
    RT_T_OPEN_FLOOR,
    RT_T_OPEN_CEIL,
    RT_T_CLOSE,
    RT_T_CLOSE_SQUARE,
    RT_T_CLOSE_GROUP,
    RT_T_CLOSE_SET,
    RT_T_CLOSE_ANGLE,
    RT_T_CLOSE_FLOOR,
    RT_T_CLOSE_CEIL
} rt_token_kind;

typedef struct rt_token {
    rt_token_kind kind;
    rt_fn fn;
    const char *text; /* in the arena or static; not ended by NUL */
    size_t length;
    int64_t exponent; /* of ten, for 1.5e-3 */
    size_t begin;     /* byte of the answer */
    bool space;       /* white space before it */
    bool upright;     /* within \text{} and the like */
    bool grouped;     /* a number with plain commas in it, which could be a list as well */
} rt_token;

typedef struct rt_tokens {
    rt_token *list; /* ended by an RT_T_END, which is not counted */
    size_t count;
    bool ambiguous; /* there is a grouped number */
} rt_tokens;

/* grouping: whether a plain comma before exactly three digits, outside of brackets, is a thousands separator. False:
 * stopped. */
bool rt_lex(rt_verify_context *c, const char *text, size_t length, bool grouping, rt_tokens *out);

static inline bool rt_opens(rt_token_kind kind) {
    return kind >= RT_T_OPEN && kind <= RT_T_OPEN_CEIL;
}
static inline bool rt_closes(rt_token_kind kind) {
    return kind >= RT_T_CLOSE && kind <= RT_T_CLOSE_CEIL;
}

/* words.c: what a LaTeX command (without backslash) or a run of letters stands for; NULL if it is not known. */
typedef struct rt_word {
    const char *name;
    rt_token_kind kind;
    rt_fn fn;
    const char *text; /* NULL: the name */
} rt_word;
const rt_word *rt_find_command(const char *name, size_t length);
const rt_word *rt_find_word(const char *name, size_t length);
const rt_word *rt_find_utf8(const char *at, size_t left, size_t *length);

typedef enum rt_silence {
    RT_HEARD,        /* not in this list */
    RT_SILENT,       /* means nothing: \displaystyle */
    RT_SILENT_SIZE,  /* the size of the bracket behind it: \left; a point there is no bracket */
    RT_SILENT_STYLE, /* the argument counts, in another face: \mathbf, \boxed */
    RT_SILENT_TEXT,  /* the argument is text: \text, \mbox */
    RT_SILENT_NAME,  /* the argument is a name: \operatorname, \mathrm */
    RT_SILENT_ALL    /* the argument does not count either: \hspace */
} rt_silence;
rt_silence rt_is_silent(const char *name, size_t length);

#endif
