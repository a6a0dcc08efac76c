#include "sample/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* What a byte is to the rule of words. */
typedef enum kind { LETTER, APOSTROPHE, BACKSLASH, SPACE, OTHER } kind;

/* Where the text stands by the rule of words. AFTER_BACKSLASH: an odd number of them, so that "\\\\so" (a line break of
 * LaTeX) holds a word. IN_QUOTED: behind an apostrophe that belongs to the word only if a letter
 * follows. */
typedef enum context { OUTSIDE, AFTER_BACKSLASH, IN_COMMAND, IN_WORD, IN_QUOTED } context;

/* How an element of a pattern matches. END stands behind the last. */
typedef enum how { EXACT, FOLDED, GAP, END } how;

typedef struct element {
    char byte;
    uint8_t how;
    bool free_begin, free_end; /* the pattern's: no word has to begin or end there */
    bool in_commands;
} element;

typedef struct node {     /* a state while the automaton is built */
    int32_t begin, count; /* its items: places in `elements` that may be matched next, ascending */
    uint8_t context;
    bool held; /* a complete match waits for what follows an apostrophe */
} node;

typedef struct builder {
    const rt_pattern *patterns;
    int32_t num_patterns;
    element *elements;
    int32_t *first; /* [num_patterns] the first element of each */
    int32_t num_elements;
    int32_t *starters;         /* the first elements that a byte of a class matches, class by class, ascending */
    int32_t starters_end[256]; /* where a class's end */
    rt_automaton *a;
    node *nodes;
    int32_t node_capacity;
    int32_t *items; /* of all nodes */
    int64_t num_items, item_capacity;
    int32_t *table; /* open addressing: node + 1, or 0 */
    uint32_t table_size;
    uint8_t sample[256]; /* a byte of each class */
} builder;

static kind kind_of(uint8_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return LETTER;
    if (c == '\'') return APOSTROPHE;
    if (c == '\\') return BACKSLASH;
    return c == ' ' || (c >= '\t' && c <= '\r') ? SPACE : OTHER;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static retort_status no_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: banned words");
}

/* ---- patterns ---- */

static retort_status check_pattern(const rt_pattern *p, retort_error *err) {
    const size_t length = strlen(p->text), tail = p->tail != NULL ? strlen(p->tail) : 0;
    RT_CHECK(length >= 1 && length <= RT_PATTERN_BYTES && tail <= RT_PATTERN_BYTES * 16, err, RETORT_ERR_USAGE,
             "'%.80s' cannot be banned: %zu bytes, must have 1 to %d", p->text, length, RT_PATTERN_BYTES);
    const bool bare = kind_of((uint8_t)p->text[0]) != SPACE && kind_of((uint8_t)p->text[length - 1]) != SPACE;
    RT_CHECK(bare, err, RETORT_ERR_USAGE, "'%.80s' cannot be banned: white space at its beginning or end", p->text);
    return RETORT_OK;
}

static void put_element(builder *b, char byte, how rule, const rt_pattern *p) {
    b->elements[b->num_elements++] =
        (element){byte, (uint8_t)rule, p->inside_words, p->inside_words || p->tail != NULL, p->in_commands};
}

/* One element a byte, one for a run of white space, and the END. */
static void put_pattern(builder *b, const rt_pattern *p) {
    for (const char *at = p->text; *at != '\0'; at++) {
        const bool space = kind_of((uint8_t)*at) == SPACE;
        if (space && kind_of((uint8_t)at[-1]) == SPACE) continue;
        const char byte = p->exact_case ? *at : (char)lower((uint8_t)*at);
        put_element(b, byte, space ? GAP : p->exact_case ? EXACT : FOLDED, p);
    }
    for (const char *at = p->tail; at != NULL && *at != '\0'; at++) put_element(b, *at, EXACT, p);
    put_element(b, '\0', END, p);
}

static retort_status read_patterns(builder *b, retort_error *err) {
    size_t bytes = 0;
    RT_CHECK(b->num_patterns >= 0 && b->num_patterns <= RT_PATTERNS, err, RETORT_ERR_UNSUPPORTED,
             "%d banned words, at most %d are taken", b->num_patterns, RT_PATTERNS);
    for (int32_t i = 0; i < b->num_patterns; i++) {
        RT_TRY(check_pattern(&b->patterns[i], err));
        bytes += strlen(b->patterns[i].text) + 1;
        if (b->patterns[i].tail != NULL) bytes += strlen(b->patterns[i].tail);
    }
    RT_CHECK(bytes < INT32_MAX, err, RETORT_ERR_UNSUPPORTED, "%zu bytes of banned words are too many", bytes);
    b->elements = rt_malloc_array(bytes, sizeof *b->elements);
    b->first = rt_malloc_array((size_t)b->num_patterns, sizeof *b->first);
    if (b->elements == NULL || b->first == NULL) return no_memory(err);
    for (int32_t i = 0; i < b->num_patterns; i++) {
        b->first[i] = b->num_elements;
        put_pattern(b, &b->patterns[i]);
    }
    return RETORT_OK;
}

/* A class for every byte that some pattern names (both cases of a letter apart), and one for the rest of each kind. */
static void make_classes(builder *b) {
    bool named[256] = {false};
    int32_t of_kind[OTHER + 1];
    for (int32_t i = 0; i < b->num_elements; i++) {
        const uint8_t c = (uint8_t)b->elements[i].byte;
        if (b->elements[i].how == END || b->elements[i].how == GAP) continue;
        named[c] = true;
        if (b->elements[i].how == FOLDED && kind_of(c) == LETTER) named[c - 32] = true;
    }
    for (int k = LETTER; k <= OTHER; k++) of_kind[k] = -1;
    for (int c = 0; c < 256; c++) {
        int32_t *shared = &of_kind[kind_of((uint8_t)c)];
        int32_t class = named[c] || *shared < 0 ? b->a->classes++ : *shared;
        if (!named[c]) *shared = class;
        b->a->class_of[c] = (uint8_t) class;
        b->sample[class] = (uint8_t)c;
    }
}

static bool matches(const element *e, uint8_t byte) {
    switch (e->how) {
    case EXACT: return (uint8_t)e->byte == byte;
    case FOLDED: return (uint8_t)e->byte == lower(byte);
    case GAP: return kind_of(byte) == SPACE;
    default: return false;
    }
}

/* A first element is matched by at most two classes (both cases of a letter). */
static retort_status list_starters(builder *b, retort_error *err) {
    int32_t count = 0;
    b->starters = rt_malloc_array((size_t)b->num_patterns * 2, sizeof *b->starters);
    if (b->starters == NULL) return no_memory(err);
    for (int32_t c = 0; c < b->a->classes; c++) {
        for (int32_t i = 0; i < b->num_patterns; i++) {
            if (matches(&b->elements[b->first[i]], b->sample[c])) b->starters[count++] = b->first[i];
        }
        b->starters_end[c] = count;
    }
    return RETORT_OK;
}

/* ---- steps of the nondeterministic automaton ---- */

static context context_after(context at, kind k) {
    switch (k) {
    case LETTER: return at == AFTER_BACKSLASH || at == IN_COMMAND ? IN_COMMAND : IN_WORD;
    case APOSTROPHE: return at == IN_WORD ? IN_QUOTED : OUTSIDE;
    case BACKSLASH: return at == AFTER_BACKSLASH ? OUTSIDE : AFTER_BACKSLASH;
    default: return OUTSIDE;
    }
}

/* A pattern whose first byte is a letter begins where a word does. */
static bool may_begin(const element *e, context at) {
    return e->free_begin || kind_of((uint8_t)e->byte) != LETTER || at == OUTSIDE ||
           (e->in_commands && at == AFTER_BACKSLASH);
}

/* At most how many items a node has behind a byte of a class. */
static int64_t most_items(const builder *b, const node *from, int32_t class) {
    return (int64_t)from->count * 2 + b->starters_end[class] - (class > 0 ? b->starters_end[class - 1] : 0);
}

/* The items behind a byte of the class, into *out, in no order and perhaps twice. */
static int32_t step_items(const builder *b, const node *from, int32_t class, int32_t *out) {
    const uint8_t byte = b->sample[class];
    int32_t count = 0;
    for (int32_t i = 0; i < from->count; i++) {
        const int32_t at = b->items[from->begin + i];
        const bool in_gap = b->elements[at].how != END && at > 0 && b->elements[at - 1].how == GAP;
        if (in_gap && kind_of(byte) == SPACE) out[count++] = at;
        if (matches(&b->elements[at], byte)) out[count++] = at + 1;
    }
    for (int32_t i = class > 0 ? b->starters_end[class - 1] : 0; i < b->starters_end[class]; i++) {
        if (may_begin(&b->elements[b->starters[i]], (context)from->context)) out[count++] = b->starters[i] + 1;
    }
    return count;
}

static int by_value(const void *a, const void *b) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

static int32_t sort_items(int32_t *items, int32_t count) {
    int32_t kept = 0;
    if (count > 1) qsort(items, (size_t)count, sizeof *items, by_value);
    for (int32_t i = 0; i < count; i++) {
        if (kept == 0 || items[kept - 1] != items[i]) items[kept++] = items[i];
    }
    return kept;
}

/* The flags of a state: which of its items are behind a whole pattern, and whether more could still lengthen the word.
 */
static uint8_t flags_of(const builder *b, const node *n) {
    uint8_t flags = n->held ? RT_BAN_HELD : 0;
    for (int32_t i = 0; i < n->count; i++) {
        const int32_t at = b->items[n->begin + i];
        const element *e = &b->elements[at];
        if (e->how != END) continue;
        const bool in_word = kind_of((uint8_t)e[-1].byte) == LETTER;
        flags |= e->free_end || !in_word ? RT_BAN_CLOSED : RT_BAN_OPEN;
    }
    return flags;
}

/* ---- the deterministic automaton ---- */

static uint32_t hash_node(const builder *b, const node *n) {
    uint32_t h = 2166136261u ^ (uint32_t)(n->context * 2 + n->held);
    for (int32_t i = 0; i < n->count; i++) h = (h ^ (uint32_t)b->items[n->begin + i]) * 16777619u;
    return h ^ h >> 15;
}

static bool same_node(const builder *b, const node *x, const node *y) {
    return x->context == y->context && x->held == y->held && x->count == y->count &&
           (x->count == 0 || memcmp(b->items + x->begin, b->items + y->begin, (size_t)x->count * sizeof(int32_t)) == 0);
}

static uint32_t slot_of(const builder *b, const node *n) {
    uint32_t at = hash_node(b, n) & (b->table_size - 1);
    while (b->table[at] != 0 && !same_node(b, &b->nodes[b->table[at] - 1], n)) at = (at + 1) & (b->table_size - 1);
    return at;
}

static retort_status grow_nodes(builder *b, retort_error *err) {
    const int32_t capacity = b->node_capacity == 0 ? 256 : b->node_capacity * 2;
    rt_automaton *a = b->a;
    RT_CHECK(capacity <= RT_AUTOMATON_STATES, err, RETORT_ERR_UNSUPPORTED,
             "the banned words and phrases need more than %d states; ban fewer", RT_AUTOMATON_STATES);
    node *nodes = rt_realloc_array(b->nodes, (size_t)capacity, sizeof *nodes);
    if (nodes != NULL) b->nodes = nodes;
    int32_t *next = rt_realloc_array(a->next, (size_t)capacity * (size_t)a->classes, sizeof *next);
    if (next != NULL) a->next = next;
    uint8_t *flags = rt_realloc_array(a->flags, (size_t)capacity, sizeof *flags);
    if (flags != NULL) a->flags = flags;
    int32_t *table = rt_calloc((size_t)capacity * 2, sizeof *table);
    if (nodes == NULL || next == NULL || flags == NULL || table == NULL) {
        rt_free(table);
        return no_memory(err);
    }
    rt_free(b->table);
    b->table = table;
    b->table_size = (uint32_t)capacity * 2;
    b->node_capacity = capacity;
    for (int32_t i = 0; i < a->states; i++) b->table[slot_of(b, &b->nodes[i])] = i + 1;
    return RETORT_OK;
}

/* Room for the items of one more node. */
static retort_status reserve_items(builder *b, int64_t more, retort_error *err) {
    if (b->num_items + more <= b->item_capacity) return RETORT_OK;
    const int64_t capacity = (b->num_items + more) * 2;
    RT_CHECK(capacity < INT32_MAX, err, RETORT_ERR_UNSUPPORTED,
             "the banned words and phrases share too much to be told apart; ban fewer");
    int32_t *items = rt_realloc_array(b->items, (size_t)capacity, sizeof *items);
    if (items == NULL) return no_memory(err);
    b->items = items;
    b->item_capacity = capacity;
    return RETORT_OK;
}

/* The state for a node whose items stand behind all others'; they are kept if it is new. */
static retort_status intern(builder *b, const node *n, int32_t *index, retort_error *err) {
    if (b->a->states == b->node_capacity) RT_TRY(grow_nodes(b, err));
    const uint32_t at = slot_of(b, n);
    if (b->table[at] == 0) {
        b->nodes[b->a->states] = *n;
        b->a->flags[b->a->states] = flags_of(b, n);
        b->num_items += n->count;
        b->table[at] = ++b->a->states;
    }
    *index = b->table[at] - 1;
    return RETORT_OK;
}

static retort_status add_transition(builder *b, int32_t state, int32_t class, retort_error *err) {
    const node from = b->nodes[state];
    const uint8_t flags = b->a->flags[state];
    const kind k = kind_of(b->sample[class]);
    const context at = (context)from.context;
    RT_TRY(reserve_items(b, most_items(b, &from, class), err));
    node to = {.begin = (int32_t)b->num_items, .context = (uint8_t)context_after(at, k)};
    to.count = sort_items(b->items + to.begin, step_items(b, &from, class, b->items + to.begin));
    /* "wait" + "'" is still the word "wait" unless a letter follows. */
    const bool waits = at == IN_WORD && k == APOSTROPHE;
    to.held = waits && (flags & RT_BAN_OPEN) != 0;
    const bool ends = (flags & (RT_BAN_OPEN | RT_BAN_HELD)) != 0 && k != LETTER && !waits;
    int32_t index = 0;
    RT_TRY(intern(b, &to, &index, err));
    b->a->next[(int64_t)state * b->a->classes + class] = index | (ends ? RT_BAN_ENDS : 0);
    return RETORT_OK;
}

static retort_status build(builder *b, retort_error *err) {
    RT_TRY(read_patterns(b, err));
    make_classes(b);
    RT_TRY(list_starters(b, err));
    const node start = {.context = OUTSIDE};
    int32_t index;
    RT_TRY(intern(b, &start, &index, err));
    for (int32_t s = 0; s < b->a->states; s++) {
        for (int32_t c = 0; c < b->a->classes; c++) RT_TRY(add_transition(b, s, c, err));
    }
    return RETORT_OK;
}

retort_status rt_automaton_create(const rt_pattern *patterns, int32_t count, rt_automaton **out, retort_error *err) {
    builder b = {.patterns = patterns, .num_patterns = count, .a = rt_calloc(1, sizeof *b.a)};
    retort_status st = b.a == NULL ? no_memory(err) : build(&b, err);
    rt_free(b.elements);
    rt_free(b.first);
    rt_free(b.starters);
    rt_free(b.nodes);
    rt_free(b.items);
    rt_free(b.table);
    if (st != RETORT_OK) {
        rt_automaton_destroy(b.a);
        return st;
    }
    *out = b.a;
    return RETORT_OK;
}

void rt_automaton_destroy(rt_automaton *a) {
    if (a == NULL) return;
    rt_free(a->next);
    rt_free(a->flags);
    rt_free(a);
}
