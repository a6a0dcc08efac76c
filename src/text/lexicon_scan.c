#include "text/lexicon_scan.h"

#include <string.h>

#include "text/code_spans.h"
#include "text/lexicon_rules.h"

enum { MAX_STATES = UINT16_MAX };

/* What the loop over bytes does apart from a step of the automaton. */
enum { PLAIN, SPACE, QUOTE, DIGIT, BACKSLASH };

struct rt_scanner {
    const rt_lexicon *lexicon;
    uint8_t class_of[256]; /* of folded bytes: 0 for those that no entry holds */
    uint8_t kind_of[256];
    int32_t num_classes, num_states;
    uint16_t *move;          /* [state, class] */
    uint16_t *fail;          /* [state]: its longest proper suffix that is a state */
    uint16_t *emit;          /* [state]: itself or its longest suffix that ends an entry; 0: none */
    int32_t *first;          /* [state]: an entry that ends here, or -1 */
    int32_t *next;           /* [entry]: another entry of the same folded text, or of the same class, or -1 */
    int32_t number, command; /* an entry of the class, or -1 */
    bool prose;              /* some entry leaves code out */
};

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void rt_scanner_destroy(rt_scanner *scanner) {
    if (scanner == NULL) return;
    rt_free(scanner->move);
    rt_free(scanner->fail);
    rt_free(scanner->emit);
    rt_free(scanner->first);
    rt_free(scanner->next);
    rt_free(scanner);
}

/* Classes of bytes, and an upper bound of the number of states. */
static size_t survey(rt_scanner *s) {
    size_t states = 1;
    for (int32_t i = 0; i < s->lexicon->num_entries; i++) {
        const rt_lexicon_entry *entry = &s->lexicon->entries[i];
        s->prose = s->prose || entry->context == RT_CONTEXT_PROSE;
        if (entry->kind != RT_ENTRY_TEXT) continue;
        for (const char *c = entry->text; *c != '\0'; c++, states++) {
            uint8_t *own = &s->class_of[lower((uint8_t)*c)];
            if (*own == 0) *own = (uint8_t)++s->num_classes;
        }
    }
    s->num_classes++; /* class 0 */
    for (int c = 'A'; c <= 'Z'; c++) s->class_of[c] = s->class_of[lower((uint8_t)c)];
    for (int c = '\t'; c <= '\r'; c++) s->kind_of[c] = SPACE;
    s->kind_of[' '] = SPACE;
    s->kind_of[0xe2] = QUOTE;
    return states;
}

static void add_class_entry(rt_scanner *s, int32_t entry, int32_t *head, int from, int to, uint8_t kind) {
    s->next[entry] = *head;
    *head = entry;
    for (int c = from; c <= to; c++) s->kind_of[c] = kind;
}

/* The trie; an edge 0 is not there yet. */
static void add_entry(rt_scanner *s, int32_t entry) {
    rt_entry_kind kind = s->lexicon->entries[entry].kind;
    if (kind == RT_ENTRY_NUMBER) {
        add_class_entry(s, entry, &s->number, '0', '9', DIGIT);
        return;
    }
    if (kind == RT_ENTRY_COMMAND) {
        add_class_entry(s, entry, &s->command, '\\', '\\', BACKSLASH);
        return;
    }
    size_t state = 0;
    for (const char *c = s->lexicon->entries[entry].text; *c != '\0'; c++) {
        uint16_t *edge = &s->move[state * (size_t)s->num_classes + s->class_of[(uint8_t)*c]];
        if (*edge == 0) *edge = (uint16_t)s->num_states++;
        state = *edge;
    }
    s->next[entry] = s->first[state];
    s->first[state] = entry;
}

/* Aho and Corasick 1975: breadth first, a missing edge becomes that of the state's suffix. */
static void close_automaton(rt_scanner *s, uint16_t *queue) {
    size_t classes = (size_t)s->num_classes, head = 0, tail = 0;
    for (size_t c = 0; c < classes; c++)
        if (s->move[c] != 0) queue[tail++] = s->move[c];
    while (head < tail) {
        size_t state = queue[head++], suffix = s->fail[state];
        s->emit[state] = s->first[state] >= 0 ? (uint16_t)state : s->emit[suffix];
        for (size_t c = 0; c < classes; c++) {
            uint16_t *edge = &s->move[state * classes + c];
            uint16_t below = s->move[suffix * classes + c];
            if (*edge == 0) {
                *edge = below;
            } else {
                s->fail[*edge] = below;
                queue[tail++] = *edge;
            }
        }
    }
}

static retort_status build(rt_scanner *s, retort_error *err) {
    size_t states = survey(s);
    RT_CHECK(states <= MAX_STATES, err, RETORT_ERR_USAGE,
             "the lexicon's texts have %zu characters together, more than %d", states, MAX_STATES);
    s->move = rt_calloc(states * (size_t)s->num_classes, sizeof *s->move);
    s->fail = rt_calloc(states, sizeof *s->fail);
    s->emit = rt_calloc(states, sizeof *s->emit);
    s->first = rt_malloc_array(states, sizeof *s->first);
    s->next = rt_malloc_array((size_t)s->lexicon->num_entries + 1, sizeof *s->next);
    uint16_t *queue = rt_malloc_array(states, sizeof *queue);
    bool good = s->move != NULL && s->fail != NULL && s->emit != NULL && s->first != NULL && s->next != NULL;
    if (good && queue != NULL) {
        for (size_t i = 0; i < states; i++) s->first[i] = -1;
        s->num_states = 1;
        for (int32_t i = 0; i < s->lexicon->num_entries; i++) add_entry(s, i);
        close_automaton(s, queue);
    }
    good = good && queue != NULL;
    rt_free(queue);
    return good ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: automaton of the lexicon");
}

retort_status rt_scanner_create(const rt_lexicon *lexicon, rt_scanner **out, retort_error *err) {
    rt_scanner *scanner = rt_calloc(1, sizeof *scanner);
    RT_CHECK(scanner != NULL, err, RETORT_ERR_MEMORY, "out of memory: automaton of the lexicon");
    scanner->lexicon = lexicon;
    scanner->number = scanner->command = -1;
    retort_status st = build(scanner, err);
    if (st == RETORT_OK)
        *out = scanner;
    else
        rt_scanner_destroy(scanner);
    return st;
}

typedef struct pass {
    const rt_scanner *scanner;
    const char *text;
    size_t length;
    rt_spans code;
    rt_match_visitor visit;
    void *context;
    /* a number or command that was begun: reported when the loop reaches its end */
    int32_t run_entry;
    size_t run_begin, run_end;
} pass;

static bool allowed(const pass *p, const rt_lexicon_entry *entry, size_t begin) {
    return entry->context == RT_CONTEXT_ANYWHERE || p->code.count == 0 || !rt_code_spans_hold(&p->code, begin);
}

static void report_texts(const pass *p, size_t state, size_t end) {
    const rt_scanner *s = p->scanner;
    for (size_t at = s->emit[state]; at != 0; at = s->emit[s->fail[at]])
        for (int32_t i = s->first[at]; i >= 0; i = s->next[i]) {
            const rt_lexicon_entry *entry = &s->lexicon->entries[i];
            size_t begin = rt_entry_begin(entry, p->text, end);
            if (rt_entry_fits(entry, p->text, p->length, begin, end) && allowed(p, entry, begin))
                p->visit(p->context, i, begin, end);
        }
}

static void report_run(pass *p) {
    for (int32_t i = p->run_entry; i >= 0; i = p->scanner->next[i])
        if (allowed(p, &p->scanner->lexicon->entries[i], p->run_begin))
            p->visit(p->context, i, p->run_begin, p->run_end);
    p->run_end = SIZE_MAX;
}

static void begin_number(pass *p, size_t at) {
    size_t end = at + 1;
    while (end < p->length && (is_digit(p->text[end]) || ((p->text[end] == '.' || p->text[end] == ',') &&
                                                          end + 1 < p->length && is_digit(p->text[end + 1]))))
        end++;
    p->run_entry = p->scanner->number;
    p->run_begin = at;
    p->run_end = end;
}

/* At the first of a run of backslashes: an odd number of them before letters is a command. */
static void begin_command(pass *p, size_t at) {
    if (at > 0 && p->text[at - 1] == '\\') return;
    size_t last = at;
    while (last + 1 < p->length && p->text[last + 1] == '\\') last++;
    size_t end = last + 1;
    while (end < p->length && is_letter(p->text[end])) end++;
    if ((last - at) % 2 != 0 || end == last + 1) return;
    p->run_entry = p->scanner->command;
    p->run_begin = last;
    p->run_end = end;
}

/* A run of white space is one blank, or, with an empty line in it, the end of all phrases. */
static size_t skip_space(const pass *p, size_t at, uint8_t *folded) {
    int lines = 0;
    for (; at < p->length && p->scanner->kind_of[(uint8_t)p->text[at]] == SPACE; at++) lines += p->text[at] == '\n';
    *folded = lines < 2 ? ' ' : 0;
    return at;
}

static void run_pass(pass *p) {
    const rt_scanner *s = p->scanner;
    size_t state = 0, classes = (size_t)s->num_classes;
    for (size_t at = 0; at < p->length;) {
        uint8_t c = (uint8_t)p->text[at];
        size_t behind = at + 1;
        switch (s->kind_of[c]) {
        case SPACE: behind = skip_space(p, at, &c); break;
        case QUOTE:
            if (at + 3 <= p->length && memcmp(p->text + at, "\xe2\x80\x99", 3) == 0) {
                c = '\'';
                behind = at + 3;
            }
            break;
        case DIGIT:
            if (p->run_end == SIZE_MAX) begin_number(p, at);
            break;
        case BACKSLASH:
            if (p->run_end == SIZE_MAX) begin_command(p, at);
            break;
        default: break;
        }
        at = behind;
        state = s->move[state * classes + s->class_of[c]];
        if (s->emit[state] != 0) report_texts(p, state, at);
        if (at >= p->run_end) report_run(p);
    }
}

retort_status rt_scanner_run(const rt_scanner *scanner, const char *text, size_t length, rt_match_visitor visit,
                             void *context, retort_error *err) {
    pass p = {
        .scanner = scanner, .text = text, .length = length, .visit = visit, .context = context, .run_end = SIZE_MAX};
    retort_status st = scanner->prose ? rt_code_spans_find(text, length, &p.code, err) : RETORT_OK;
    if (st == RETORT_OK) run_pass(&p);
    rt_spans_free(&p.code);
    return st;
}

/* ['A-Za-z] */
static inline bool in_word(char c) {
    return (uint8_t)((c | 0x20) - 'a') < 26 || c == '\'';
}

bool rt_word_next(const char *text, size_t length, size_t *at, size_t *begin, size_t *end) {
    size_t i = *at;
    while (i < length && !in_word(text[i])) i++;
    *begin = i;
    while (i < length && in_word(text[i])) i++;
    *end = *at = i;
    return i > *begin;
}

typedef struct probe {
    int32_t entry, found;
} probe;

static void count_probe(void *context, int32_t entry, size_t begin, size_t end) {
    (void)begin;
    (void)end;
    probe *p = context;
    p->found += entry == p->entry;
}

static retort_status prove_one(const rt_scanner *scanner, int32_t index, const char *example, bool wanted,
                               retort_error *err) {
    const rt_lexicon_entry *entry = &scanner->lexicon->entries[index];
    probe p = {index, 0};
    RT_TRY(rt_scanner_run(scanner, example, strlen(example), count_probe, &p, err));
    const char *category = scanner->lexicon->categories[entry->category].name;
    if (wanted)
        RT_CHECK(p.found > 0, err, RETORT_ERR_FORMAT,
                 "lexicon, category '%s': entry '%s' does not match its example '%.80s'; correct its rules, or give it "
                 "a 'yes' that it matches",
                 category, entry->text, example);
    else
        RT_CHECK(p.found == 0, err, RETORT_ERR_FORMAT,
                 "lexicon, category '%s': entry '%s' matches '%.80s', which its 'not' forbids", category, entry->text,
                 example);
    return RETORT_OK;
}

static retort_status prove_entry(const rt_scanner *scanner, int32_t index, retort_error *err) {
    const rt_lexicon_entry *entry = &scanner->lexicon->entries[index];
    for (int32_t i = 0; i < entry->num_yes; i++) RT_TRY(prove_one(scanner, index, entry->yes[i], true, err));
    if (entry->num_yes == 0 && entry->kind == RT_ENTRY_TEXT) RT_TRY(prove_one(scanner, index, entry->text, true, err));
    for (int32_t i = 0; i < entry->num_never; i++) RT_TRY(prove_one(scanner, index, entry->never[i], false, err));
    return RETORT_OK;
}

retort_status rt_lexicon_prove(const rt_lexicon *lexicon, retort_error *err) {
    rt_scanner *scanner = NULL;
    RT_TRY(rt_scanner_create(lexicon, &scanner, err));
    retort_status st = RETORT_OK;
    for (int32_t i = 0; i < lexicon->num_entries && st == RETORT_OK; i++) st = prove_entry(scanner, i, err);
    rt_scanner_destroy(scanner);
    return st;
}
