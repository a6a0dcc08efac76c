/* The inside of the template engine: lexer, parser and interpreter share the tree and the values. */
#ifndef RT_TEXT_JINJA_INTERNAL_H
#define RT_TEXT_JINJA_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "text/jinja.h"

typedef struct jj_text {
    const char *data;
    size_t length;
} jj_text;

/* Memory that is freed all at once, with a maximum. Zero-initialise. */
typedef struct jj_arena {
    struct jj_block *blocks;
    size_t used, maximum; /* maximum 0: none */
} jj_arena;
void *jj_alloc(jj_arena *arena, size_t count, size_t size, retort_error *err); /* zeroed; NULL: *err is filled */
void jj_arena_free(jj_arena *arena);

/* ---- lexer (jinja_lex.c) ---- */

typedef enum jj_token_kind {
    JJ_DATA, /* text between tags, whitespace control applied */
    JJ_OPEN_PRINT,
    JJ_CLOSE_PRINT,
    JJ_OPEN_BLOCK,
    JJ_CLOSE_BLOCK,
    JJ_NAME,
    JJ_STRING, /* escapes resolved */
    JJ_INTEGER,
    JJ_REAL,
    JJ_OPERATOR,
    JJ_END
} jj_token_kind;
typedef struct jj_token {
    jj_token_kind kind;
    int line;
    jj_text text;
    int64_t integer;
    double real;
} jj_token;
typedef struct jj_tokens {
    jj_token *data;
    size_t count, capacity;
} jj_tokens;
/* Texts of tokens live in the arena. Free tokens->data with rt_free. */
retort_status jj_lex(const char *text, size_t length, jj_arena *arena, jj_tokens *tokens, retort_error *err);

/* ---- tree (jinja_parse.c) ---- */

typedef enum jj_kind {
    /* expressions */
    JJ_LITERAL,   /* value */
    JJ_VARIABLE,  /* text */
    JJ_LIST,      /* items */
    JJ_TUPLE,     /* items */
    JJ_DICT,      /* items: key, value, key, value */
    JJ_ATTRIBUTE, /* a.text */
    JJ_ITEM,      /* a[b] */
    JJ_SLICE,     /* a[b:c:d] */
    JJ_CALL,      /* a(items); a keyword argument's node has its name in `text` and the kind JJ_KEYWORD */
    JJ_KEYWORD,   /* text = a */
    JJ_FILTER,    /* a | text(items) */
    JJ_TEST,      /* a is text(items) */
    JJ_UNARY,     /* op a */
    JJ_BINARY,    /* a op b */
    JJ_COMPARE,   /* a, then items: JJ_UNARY nodes with the operator and the right side in `a` */
    JJ_AND,
    JJ_OR,
    JJ_NOT,
    JJ_CHOICE, /* b if a else c */
    /* statements */
    JJ_TEXT,     /* text */
    JJ_PRINT,    /* a */
    JJ_IF,       /* a, body b, otherwise c */
    JJ_FOR,      /* target a in b if c, body d, else e */
    JJ_SET,      /* target a = b, or body d filtered by c (whose innermost operand is a JJ_CAPTURED) */
    JJ_CAPTURED, /* the text of a set block */
    JJ_MACRO,    /* text, parameters items (JJ_KEYWORD, a NULL: no default), body d */
    JJ_BREAK,
    JJ_CONTINUE,
    JJ_SEQUENCE /* items */
} jj_kind;

typedef enum jj_type {
    JJ_UNDEFINED, /* text: its name */
    JJ_NONE,
    JJ_BOOLEAN,
    JJ_INT,
    JJ_FLOAT,
    JJ_STR,
    JJ_ARRAY, /* list or tuple */
    JJ_MAPPING,
    JJ_NAMESPACE, /* a mapping whose members `set` may change */
    JJ_FUNCTION,  /* text: its name */
    JJ_CALLABLE,  /* a macro */
    JJ_LOOP
} jj_type;

typedef struct jj_value {
    jj_type type;
    bool tuple; /* of an array */
    union {
        bool boolean;
        int64_t integer;
        double real;
        jj_text text;
        struct jj_array *array;
        struct jj_mapping *mapping;
        struct jj_closure *closure;
        struct jj_loop *loop;
    } as;
} jj_value;

typedef struct jj_array {
    size_t count;
    jj_value *items;
} jj_array;
typedef struct jj_mapping {
    size_t count, capacity;
    jj_value *keys, *values;
} jj_mapping;
typedef struct jj_loop {
    const jj_array *items;
    size_t index, depth;
} jj_loop;

typedef struct jj_node {
    jj_kind kind;
    int line;
    jj_text text;
    jj_value value;
    struct jj_node *a, *b, *c, *d, *e;
    struct jj_node *items, *next; /* children, and the sibling */
} jj_node;

struct rt_jinja {
    char *name;
    jj_arena arena;
    jj_node *root;
};
retort_status jj_parse(const jj_tokens *tokens, jj_arena *arena, jj_node **out, retort_error *err);

/* ---- interpreter ---- */

typedef struct jj_variable {
    jj_text name;
    jj_value value;
    struct jj_variable *next;
} jj_variable;
typedef struct jj_scope {
    jj_variable *variables;
    struct jj_scope *parent;
} jj_scope;
typedef struct jj_closure {
    const jj_node *macro;
    jj_scope *scope;
} jj_closure;

typedef struct jj_run {
    const rt_jinja_limits *limits;
    const json_t *context;
    time_t now;
    jj_arena arena;
    rt_buffer *out;
    int64_t steps;
    int depth, loops;
    size_t written;
    int line; /* of the node being evaluated, for messages */
    retort_error *err;
} jj_run;

enum { JJ_MAX_ARGUMENTS = 16, JJ_MAX_DEPTH = 200 };
typedef struct jj_arguments {
    const char *where; /* "filter 'join'", for messages */
    jj_value plain[JJ_MAX_ARGUMENTS], named[JJ_MAX_ARGUMENTS];
    jj_text names[JJ_MAX_ARGUMENTS];
    int num_plain, num_named;
} jj_arguments;

/* jinja_value.c */
extern const jj_value JJ_NOTHING; /* None */
jj_value jj_boolean(bool value);
jj_value jj_integer(int64_t value);
jj_value jj_string(const char *data, size_t length); /* borrowed */
jj_value jj_undefined(jj_text name);
bool jj_text_is(jj_text text, const char *other);
bool jj_truth(const jj_value *value);
bool jj_equal(const jj_value *a, const jj_value *b, int depth);
const char *jj_type_name(const jj_value *value); /* Python's */
/* The value under a key, NULL: none. */
const jj_value *jj_lookup(const jj_mapping *mapping, const jj_value *key);
const jj_value *jj_lookup_text(const jj_mapping *mapping, jj_text key);
retort_status jj_mapping_set(jj_run *run, jj_mapping *mapping, const jj_value *key, const jj_value *value);
retort_status jj_new_array(jj_run *run, size_t count, bool tuple, jj_value *out);
retort_status jj_new_mapping(jj_run *run, jj_value *out);
retort_status jj_new_string(jj_run *run, const char *data, size_t length, jj_value *out); /* copied */
retort_status jj_from_json(jj_run *run, const json_t *json, int depth, jj_value *out);
/* Negative, 0, positive in *order; an error where Python cannot order the two. */
retort_status jj_compare(jj_run *run, const jj_value *a, const jj_value *b, int *order);
/* What `for` walks over: items, keys, characters. */
retort_status jj_iterate(jj_run *run, const jj_value *value, jj_value *out);
/* Number of code points. */
size_t jj_count_characters(jj_text text);

/* jinja_format.c: Python's str() and repr(), and json.dumps(ensure_ascii=False). */
retort_status jj_put_str(jj_run *run, const jj_value *value, rt_buffer *out);
retort_status jj_to_str(jj_run *run, const jj_value *value, jj_text *out);
retort_status jj_put_json(jj_run *run, const jj_value *value, int indent, bool sort_keys, const char *item_separator,
                          const char *key_separator, int level, rt_buffer *out);

/* Counts one more node against the limits of steps and depth, and notes its line for messages. */
retort_status jj_count_step(jj_run *run, const jj_node *node);

/* jinja_eval.c */
retort_status jj_eval(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *out);
retort_status jj_get_item(jj_run *run, const jj_value *object, const jj_value *key, jj_value *out);
retort_status jj_get_attribute(jj_run *run, const jj_value *object, jj_text name, jj_value *out);
const jj_variable *jj_find(const jj_scope *scope, jj_text name);
retort_status jj_define(jj_run *run, jj_scope *scope, jj_text name, const jj_value *value);
/* jinja_render.c */
retort_status jj_execute(jj_run *run, jj_scope *scope, const jj_node *node, int *jump);
retort_status jj_call_macro(jj_run *run, const jj_closure *closure, const jj_arguments *arguments, jj_value *out);
/* jinja_functions.c, jinja_methods.c, jinja_filters.c, jinja_tests.c */
bool jj_is_function(jj_text name);
retort_status jj_call_function(jj_run *run, jj_text name, const jj_arguments *arguments, jj_value *out);
bool jj_is_method(const jj_value *object, jj_text name);
retort_status jj_call_method(jj_run *run, const jj_value *object, jj_text name, const jj_arguments *arguments,
                             jj_value *out);
retort_status jj_apply_filter(jj_run *run, const jj_value *value, jj_text name, const jj_arguments *arguments,
                              jj_value *out);
retort_status jj_apply_test(jj_run *run, const jj_value *value, jj_text name, const jj_arguments *arguments, bool *out);
/* str.strip: which 1 left, 2 right, 3 both; characters NULL: whitespace. */
jj_text jj_strip(jj_text text, const jj_text *characters, int which);

/* An error with the line that is being evaluated. */
retort_status jj_fail(jj_run *run, retort_status status, const char *fmt, ...) RETORT_PRINTF(3, 4);
/* Argument `place` or the one called `name`; *out is left alone where neither is given. More arguments than `most` are
 * an error. */
const jj_value *jj_argument(const jj_arguments *arguments, int place, const char *name);
retort_status jj_check_arguments(jj_run *run, const jj_arguments *arguments, int least, int most);

#define JJ_MESSAGE_TEXT(t) ((int)((t).length < 100 ? (t).length : 100)), (t).data

#endif
