/* The vocabulary: LaTeX commands, words of plain notation, characters beyond ASCII. */
#include <stdlib.h>
#include <string.h>

#include "verify/lex.h"

/* Sorted by name (strcmp), for a binary search. */
static const rt_word COMMANDS[] = {
    {"Delta", RT_T_SYMBOL, RT_SIN, NULL},
    {"Gamma", RT_T_SYMBOL, RT_SIN, NULL},
    {"Lambda", RT_T_SYMBOL, RT_SIN, NULL},
    {"Leftrightarrow", RT_T_BAD, RT_SIN, NULL},
    {"Omega", RT_T_SYMBOL, RT_SIN, NULL},
    {"Phi", RT_T_SYMBOL, RT_SIN, NULL},
    {"Pi", RT_T_SYMBOL, RT_SIN, NULL},
    {"Psi", RT_T_SYMBOL, RT_SIN, NULL},
    {"R", RT_T_REALS, RT_SIN, "R"},
    {"Sigma", RT_T_SYMBOL, RT_SIN, NULL},
    {"Theta", RT_T_SYMBOL, RT_SIN, NULL},
    {"Vert", RT_T_BAR, RT_SIN, NULL},
    {"alpha", RT_T_SYMBOL, RT_SIN, NULL},
    {"angle", RT_T_WORD, RT_SIN, NULL},
    {"approx", RT_T_APPROX, RT_SIN, NULL},
    {"arccos", RT_T_FUNCTION, RT_ACOS, NULL},
    {"arcsin", RT_T_FUNCTION, RT_ASIN, NULL},
    {"arctan", RT_T_FUNCTION, RT_ATAN, NULL},
    {"ast", RT_T_TIMES, RT_SIN, NULL},
    {"backslash", RT_T_SETMINUS, RT_SIN, NULL},
    {"bar", RT_T_ACCENT, RT_SIN, NULL},
    {"beta", RT_T_SYMBOL, RT_SIN, NULL},
    {"binom", RT_T_BINOM, RT_SIN, NULL},
    {"bullet", RT_T_TIMES, RT_SIN, NULL},
    {"cdot", RT_T_TIMES, RT_SIN, NULL},
    {"cdots", RT_T_DOTS, RT_SIN, NULL},
    {"cfrac", RT_T_FRAC, RT_SIN, NULL},
    {"chi", RT_T_SYMBOL, RT_SIN, NULL},
    {"choose", RT_T_CHOOSE, RT_SIN, NULL},
    {"circ", RT_T_DEGREE, RT_SIN, NULL},
    {"colon", RT_T_COLON, RT_SIN, NULL},
    {"cos", RT_T_FUNCTION, RT_COS, NULL},
    {"cosh", RT_T_FUNCTION, RT_COSH, NULL},
    {"cot", RT_T_FUNCTION, RT_COT, NULL},
    {"csc", RT_T_FUNCTION, RT_CSC, NULL},
    {"cup", RT_T_UNION, RT_SIN, NULL},
    {"dbinom", RT_T_BINOM, RT_SIN, NULL},
    {"degree", RT_T_DEGREE, RT_SIN, NULL},
    {"delta", RT_T_SYMBOL, RT_SIN, NULL},
    {"dfrac", RT_T_FRAC, RT_SIN, NULL},
    {"div", RT_T_DIVIDE, RT_SIN, NULL},
    {"dot", RT_T_ACCENT, RT_SIN, NULL},
    {"dots", RT_T_DOTS, RT_SIN, NULL},
    {"dotsc", RT_T_DOTS, RT_SIN, NULL},
    {"ell", RT_T_SYMBOL, RT_SIN, NULL},
    {"emptyset", RT_T_EMPTY_SET, RT_SIN, NULL},
    {"epsilon", RT_T_SYMBOL, RT_SIN, NULL},
    {"eta", RT_T_SYMBOL, RT_SIN, NULL},
    {"exp", RT_T_FUNCTION, RT_EXP, NULL},
    {"frac", RT_T_FRAC, RT_SIN, NULL},
    {"gamma", RT_T_SYMBOL, RT_SIN, NULL},
    {"ge", RT_T_GREATER_EQUAL, RT_SIN, NULL},
    {"geq", RT_T_GREATER_EQUAL, RT_SIN, NULL},
    {"geqslant", RT_T_GREATER_EQUAL, RT_SIN, NULL},
    {"gt", RT_T_GREATER, RT_SIN, NULL},
    {"hat", RT_T_ACCENT, RT_SIN, NULL},
    {"in", RT_T_IN, RT_SIN, NULL},
    {"infty", RT_T_INFINITY, RT_SIN, NULL},
    {"iota", RT_T_SYMBOL, RT_SIN, NULL},
    {"kappa", RT_T_SYMBOL, RT_SIN, NULL},
    {"lambda", RT_T_SYMBOL, RT_SIN, NULL},
    {"land", RT_T_AND, RT_SIN, NULL},
    {"langle", RT_T_OPEN_ANGLE, RT_SIN, NULL},
    {"lbrace", RT_T_OPEN_SET, RT_SIN, NULL},
    {"lbrack", RT_T_OPEN_SQUARE, RT_SIN, NULL},
    {"lceil", RT_T_OPEN_CEIL, RT_SIN, NULL},
    {"ldots", RT_T_DOTS, RT_SIN, NULL},
    {"le", RT_T_LESS_EQUAL, RT_SIN, NULL},
    {"leq", RT_T_LESS_EQUAL, RT_SIN, NULL},
    {"leqslant", RT_T_LESS_EQUAL, RT_SIN, NULL},
    {"lfloor", RT_T_OPEN_FLOOR, RT_SIN, NULL},
    {"lg", RT_T_FUNCTION, RT_LOG10, NULL},
    {"ln", RT_T_FUNCTION, RT_LN, NULL},
    {"log", RT_T_LOG, RT_LOG10, NULL},
    {"lor", RT_T_OR, RT_SIN, NULL},
    {"lt", RT_T_LESS, RT_SIN, NULL},
    {"lvert", RT_T_BAR, RT_SIN, NULL},
    {"mid", RT_T_BAR, RT_SIN, NULL},
    {"mp", RT_T_MINUS_PLUS, RT_SIN, NULL},
    {"mu", RT_T_SYMBOL, RT_SIN, NULL},
    {"ne", RT_T_NOT_EQUAL, RT_SIN, NULL},
    {"neq", RT_T_NOT_EQUAL, RT_SIN, NULL},
    {"nu", RT_T_SYMBOL, RT_SIN, NULL},
    {"omega", RT_T_SYMBOL, RT_SIN, NULL},
    {"over", RT_T_OVER, RT_SIN, NULL},
    {"overline", RT_T_ACCENT, RT_SIN, NULL},
    {"overrightarrow", RT_T_ACCENT, RT_SIN, NULL},
    {"phi", RT_T_SYMBOL, RT_SIN, NULL},
    {"pi", RT_T_PI, RT_SIN, NULL},
    {"pm", RT_T_PLUS_MINUS, RT_SIN, NULL},
    {"psi", RT_T_SYMBOL, RT_SIN, NULL},
    {"rangle", RT_T_CLOSE_ANGLE, RT_SIN, NULL},
    {"rbrace", RT_T_CLOSE_SET, RT_SIN, NULL},
    {"rbrack", RT_T_CLOSE_SQUARE, RT_SIN, NULL},
    {"rceil", RT_T_CLOSE_CEIL, RT_SIN, NULL},
    {"rfloor", RT_T_CLOSE_FLOOR, RT_SIN, NULL},
    {"rho", RT_T_SYMBOL, RT_SIN, NULL},
    {"rvert", RT_T_BAR, RT_SIN, NULL},
    {"sec", RT_T_FUNCTION, RT_SEC, NULL},
    {"setminus", RT_T_SETMINUS, RT_SIN, NULL},
    {"sigma", RT_T_SYMBOL, RT_SIN, NULL},
    {"sin", RT_T_FUNCTION, RT_SIN, NULL},
    {"sinh", RT_T_FUNCTION, RT_SINH, NULL},
    {"slash", RT_T_DIVIDE, RT_SIN, NULL},
    {"sqrt", RT_T_SQRT, RT_SIN, NULL},
    {"star", RT_T_SYMBOL, RT_SIN, NULL},
    {"tan", RT_T_FUNCTION, RT_TAN, NULL},
    {"tanh", RT_T_FUNCTION, RT_TANH, NULL},
    {"tau", RT_T_SYMBOL, RT_SIN, NULL},
    {"tbinom", RT_T_BINOM, RT_SIN, NULL},
    {"tfrac", RT_T_FRAC, RT_SIN, NULL},
    {"theta", RT_T_SYMBOL, RT_SIN, NULL},
    {"tilde", RT_T_ACCENT, RT_SIN, NULL},
    {"times", RT_T_TIMES, RT_SIN, NULL},
    {"triangle", RT_T_WORD, RT_SIN, NULL},
    {"upsilon", RT_T_SYMBOL, RT_SIN, NULL},
    {"varepsilon", RT_T_SYMBOL, RT_SIN, "epsilon"},
    {"varnothing", RT_T_EMPTY_SET, RT_SIN, NULL},
    {"varphi", RT_T_SYMBOL, RT_SIN, "phi"},
    {"vartheta", RT_T_SYMBOL, RT_SIN, "theta"},
    {"vec", RT_T_ACCENT, RT_SIN, NULL},
    {"vee", RT_T_OR, RT_SIN, NULL},
    {"vert", RT_T_BAR, RT_SIN, NULL},
    {"wedge", RT_T_AND, RT_SIN, NULL},
    {"widehat", RT_T_ACCENT, RT_SIN, NULL},
    {"xi", RT_T_SYMBOL, RT_SIN, NULL},
    {"zeta", RT_T_SYMBOL, RT_SIN, NULL},
};

/* Runs of letters in plain notation, in lower case. The words at the end are short ones that are never products. */
static const rt_word WORDS[] = {
    {"all", RT_T_WORD, RT_SIN, NULL},
    {"alpha", RT_T_SYMBOL, RT_SIN, NULL},
    {"and", RT_T_AND, RT_SIN, NULL},
    {"any", RT_T_WORD, RT_SIN, NULL},
    {"arccos", RT_T_FUNCTION, RT_ACOS, NULL},
    {"arcsin", RT_T_FUNCTION, RT_ASIN, NULL},
    {"arctan", RT_T_FUNCTION, RT_ATAN, NULL},
    {"beta", RT_T_SYMBOL, RT_SIN, NULL},
    {"cos", RT_T_FUNCTION, RT_COS, NULL},
    {"cosh", RT_T_FUNCTION, RT_COSH, NULL},
    {"cot", RT_T_FUNCTION, RT_COT, NULL},
    {"csc", RT_T_FUNCTION, RT_CSC, NULL},
    {"degree", RT_T_DEGREE, RT_SIN, NULL},
    {"degrees", RT_T_DEGREE, RT_SIN, NULL},
    {"dne", RT_T_WORD, RT_SIN, NULL},
    {"exp", RT_T_FUNCTION, RT_EXP, NULL},
    {"gamma", RT_T_SYMBOL, RT_SIN, NULL},
    {"if", RT_T_WORD, RT_SIN, NULL},
    {"inf", RT_T_INFINITY, RT_SIN, NULL},
    {"infinity", RT_T_INFINITY, RT_SIN, NULL},
    {"is", RT_T_WORD, RT_SIN, NULL},
    {"lambda", RT_T_SYMBOL, RT_SIN, NULL},
    {"lg", RT_T_FUNCTION, RT_LOG10, NULL},
    {"ln", RT_T_FUNCTION, RT_LN, NULL},
    {"log", RT_T_LOG, RT_LOG10, NULL},
    {"nan", RT_T_WORD, RT_SIN, NULL},
    {"no", RT_T_WORD, RT_SIN, NULL},
    {"not", RT_T_WORD, RT_SIN, NULL},
    {"odd", RT_T_WORD, RT_SIN, NULL},
    {"omega", RT_T_SYMBOL, RT_SIN, NULL},
    {"one", RT_T_WORD, RT_SIN, NULL},
    {"or", RT_T_OR, RT_SIN, NULL},
    {"per", RT_T_WORD, RT_SIN, NULL},
    {"percent", RT_T_PERCENT, RT_SIN, NULL},
    {"pi", RT_T_PI, RT_SIN, NULL},
    {"red", RT_T_WORD, RT_SIN, NULL},
    {"sec", RT_T_FUNCTION, RT_SEC, NULL},
    {"sin", RT_T_FUNCTION, RT_SIN, NULL},
    {"sinh", RT_T_FUNCTION, RT_SINH, NULL},
    {"six", RT_T_WORD, RT_SIN, NULL},
    {"sqrt", RT_T_SQRT, RT_SIN, "root"}, /* takes a whole number, \sqrt one digit */
    {"tan", RT_T_FUNCTION, RT_TAN, NULL},
    {"tanh", RT_T_FUNCTION, RT_TANH, NULL},
    {"ten", RT_T_WORD, RT_SIN, NULL},
    {"the", RT_T_WORD, RT_SIN, NULL},
    {"theta", RT_T_SYMBOL, RT_SIN, NULL},
    {"two", RT_T_WORD, RT_SIN, NULL},
    {"union", RT_T_UNION, RT_SIN, NULL},
    {"yes", RT_T_WORD, RT_SIN, NULL},
};

/* Characters beyond ASCII. */
static const rt_word CHARACTERS[] = {
    {"\xe2\x88\x92", RT_T_MINUS, RT_SIN, NULL},
    {"\xe2\x80\x93", RT_T_MINUS, RT_SIN, NULL}, /* the dash of "5-3" in typeset text */
    {"\xef\xbc\x8d", RT_T_MINUS, RT_SIN, NULL},
    {"\xc3\x97", RT_T_TIMES, RT_SIN, NULL},
    {"\xc2\xb7", RT_T_TIMES, RT_SIN, NULL},
    {"\xe2\x8b\x85", RT_T_TIMES, RT_SIN, NULL},
    {"\xc3\xb7", RT_T_DIVIDE, RT_SIN, NULL},
    {"\xc2\xb1", RT_T_PLUS_MINUS, RT_SIN, NULL},
    {"\xe2\x88\x93", RT_T_MINUS_PLUS, RT_SIN, NULL},
    {"\xcf\x80", RT_T_PI, RT_SIN, NULL},
    {"\xe2\x88\x9e", RT_T_INFINITY, RT_SIN, NULL},
    {"\xe2\x88\x9a", RT_T_SQRT, RT_SIN, NULL},
    {"\xc2\xb0", RT_T_DEGREE, RT_SIN, NULL},
    {"\xe2\x89\xa4", RT_T_LESS_EQUAL, RT_SIN, NULL},
    {"\xe2\x89\xa5", RT_T_GREATER_EQUAL, RT_SIN, NULL},
    {"\xe2\x89\xa0", RT_T_NOT_EQUAL, RT_SIN, NULL},
    {"\xe2\x89\x88", RT_T_APPROX, RT_SIN, NULL},
    {"\xe2\x88\x88", RT_T_IN, RT_SIN, NULL},
    {"\xe2\x88\xaa", RT_T_UNION, RT_SIN, NULL},
    {"\xe2\x88\x85", RT_T_EMPTY_SET, RT_SIN, NULL},
    {"\xe2\x84\x9d", RT_T_REALS, RT_SIN, "R"},
    {"\xce\xb1", RT_T_SYMBOL, RT_SIN, "alpha"},
    {"\xce\xb2", RT_T_SYMBOL, RT_SIN, "beta"},
    {"\xce\xb3", RT_T_SYMBOL, RT_SIN, "gamma"},
    {"\xce\xb8", RT_T_SYMBOL, RT_SIN, "theta"},
    {"\xce\xbb", RT_T_SYMBOL, RT_SIN, "lambda"},
    {"\xcf\x89", RT_T_SYMBOL, RT_SIN, "omega"},
    {"\xe2\x82\xac", RT_T_CURRENCY, RT_SIN, "euro"},
    {"\xc2\xa3", RT_T_CURRENCY, RT_SIN, "pound sterling"},
    {"\xe2\x80\xa6", RT_T_DOTS, RT_SIN, NULL},
};

typedef struct silent_word {
    const char *name;
    rt_silence silence;
} silent_word;

static const silent_word SILENT[] = {
    {"Big", RT_SILENT_SIZE},
    {"Bigg", RT_SILENT_SIZE},
    {"Biggl", RT_SILENT_SIZE},
    {"Biggr", RT_SILENT_SIZE},
    {"Bigl", RT_SILENT_SIZE},
    {"Bigr", RT_SILENT_SIZE},
    {"Huge", RT_SILENT},
    {"LARGE", RT_SILENT},
    {"Large", RT_SILENT},
    {"bf", RT_SILENT},
    {"bfseries", RT_SILENT},
    {"big", RT_SILENT_SIZE},
    {"bigg", RT_SILENT_SIZE},
    {"biggl", RT_SILENT_SIZE},
    {"biggr", RT_SILENT_SIZE},
    {"bigl", RT_SILENT_SIZE},
    {"bigr", RT_SILENT_SIZE},
    {"bm", RT_SILENT_STYLE},
    {"boldsymbol", RT_SILENT_STYLE},
    {"boxed", RT_SILENT_STYLE},
    {"color", RT_SILENT_ALL},
    {"displaystyle", RT_SILENT},
    {"emph", RT_SILENT_TEXT},
    {"ensuremath", RT_SILENT_STYLE},
    {"fbox", RT_SILENT_STYLE},
    {"hspace", RT_SILENT_ALL},
    {"huge", RT_SILENT},
    {"it", RT_SILENT},
    {"label", RT_SILENT_ALL},
    {"large", RT_SILENT},
    {"left", RT_SILENT_SIZE},
    {"limits", RT_SILENT},
    {"mathbf", RT_SILENT_STYLE},
    {"mathit", RT_SILENT_STYLE},
    {"mathrm", RT_SILENT_NAME},
    {"mathsf", RT_SILENT_STYLE},
    {"mbox", RT_SILENT_TEXT},
    {"middle", RT_SILENT_SIZE},
    {"nolimits", RT_SILENT},
    {"normalsize", RT_SILENT},
    {"operatorname", RT_SILENT_NAME},
    {"phantom", RT_SILENT_ALL},
    {"qquad", RT_SILENT},
    {"quad", RT_SILENT},
    {"right", RT_SILENT_SIZE},
    {"rm", RT_SILENT},
    {"scriptstyle", RT_SILENT},
    {"small", RT_SILENT},
    {"tag", RT_SILENT_ALL},
    {"text", RT_SILENT_TEXT},
    {"textbf", RT_SILENT_TEXT},
    {"textcolor", RT_SILENT_ALL},
    {"textit", RT_SILENT_TEXT},
    {"textnormal", RT_SILENT_TEXT},
    {"textrm", RT_SILENT_TEXT},
    {"textsf", RT_SILENT_TEXT},
    {"textstyle", RT_SILENT},
    {"texttt", RT_SILENT_TEXT},
    {"thinspace", RT_SILENT},
    {"tiny", RT_SILENT},
    {"underline", RT_SILENT_STYLE},
    {"vspace", RT_SILENT_ALL},
};

static int order(const char *name, const char *key, size_t length) {
    int sign = strncmp(name, key, length);
    return sign != 0 ? sign : (name[length] != '\0');
}

static const rt_word *find(const rt_word *list, size_t count, const char *key, size_t length) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int sign = order(list[middle].name, key, length);
        if (sign == 0) return &list[middle];
        if (sign < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const rt_word *rt_find_command(const char *name, size_t length) {
    return find(COMMANDS, sizeof COMMANDS / sizeof *COMMANDS, name, length);
}

const rt_word *rt_find_word(const char *name, size_t length) {
    char lower[16];
    if (length == 0 || length >= sizeof lower) return NULL;
    for (size_t i = 0; i < length; i++) lower[i] = (char)(name[i] | 0x20);
    return find(WORDS, sizeof WORDS / sizeof *WORDS, lower, length);
}

const rt_word *rt_find_utf8(const char *at, size_t left, size_t *length) {
    for (size_t i = 0; i < sizeof CHARACTERS / sizeof *CHARACTERS; i++) {
        size_t n = strlen(CHARACTERS[i].name);
        if (n > left || memcmp(at, CHARACTERS[i].name, n) != 0) continue;
        *length = n;
        return &CHARACTERS[i];
    }
    return NULL;
}

rt_silence rt_is_silent(const char *name, size_t length) {
    size_t low = 0, high = sizeof SILENT / sizeof *SILENT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int sign = order(SILENT[middle].name, name, length);
        if (sign == 0) return SILENT[middle].silence;
        if (sign < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return RT_HEARD;
}
