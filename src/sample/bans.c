#include "sample/bans.h"

#include <string.h>

#include "core/file.h"
#include "text/lexeme.h"

/* What the automaton tells apart in a byte. */
enum { LETTER_A, APOSTROPHE = 26, BACKSLASH, OTHER, CLASSES };

/* The first states; those behind them are the nodes of the tree of banned words. The suffix _QUOTED is for a word
 * followed by an apostrophe, which belongs to it only if a letter follows. */
enum { OUTSIDE, AFTER_BACKSLASH, COMMAND, WORD, WORD_QUOTED, FIXED_STATES };

enum { MAX_WORDS = 4096, MAX_WORD_LENGTH = 64, MAX_STATES = 1 << 16 };

typedef struct ban_state {
    int32_t next[CLASSES];
    bool quoted;   /* ends with an apostrophe */
    bool banned;   /* the word up to here (without that apostrophe) is banned */
    int64_t begin; /* its refused tokens: refused[begin ..] up to the next state's */
} ban_state;

struct rt_bans {
    ban_state *states; /* one more than count, for the last end */
    int32_t count, capacity;
    rt_ids refused;
};

static int class_of(char c) {
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= 'A' && c <= 'Z') return c - 'A';
    return c == '\'' ? APOSTROPHE : c == '\\' ? BACKSLASH : OTHER;
}

/* ---- the automaton ---- */

/* A state without banned words behind it: letters and apostrophes lead where they are told to. */
static ban_state blank_state(int32_t letter, int32_t apostrophe, bool quoted) {
    ban_state s = {.quoted = quoted};
    for (int c = LETTER_A; c < APOSTROPHE; c++) s.next[c] = letter;
    s.next[APOSTROPHE] = apostrophe;
    s.next[BACKSLASH] = AFTER_BACKSLASH;
    s.next[OTHER] = OUTSIDE;
    return s;
}

static retort_status add_state(rt_bans *bans, ban_state state, int32_t *index, retort_error *err) {
    if (bans->count + 1 >= bans->capacity) {
        int32_t capacity = bans->capacity == 0 ? 256 : bans->capacity * 2;
        RT_CHECK(capacity <= MAX_STATES, err, RETORT_ERR_UNSUPPORTED, "too many banned words");
        ban_state *states = rt_realloc_array(bans->states, (size_t)capacity, sizeof *states);
        RT_CHECK(states != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned words");
        bans->states = states;
        bans->capacity = capacity;
    }
    *index = bans->count++;
    bans->states[*index] = state;
    return RETORT_OK;
}

/* The child of a node for a byte class, made if the node has none. At the root (OUTSIDE) a letter begins a word. */
static retort_status child_of(rt_bans *bans, int32_t node, int class, int32_t *child, retort_error *err) {
    *child = bans->states[node].next[class];
    if (*child >= FIXED_STATES) return RETORT_OK;
    bool quoted = class == APOSTROPHE;
    RT_TRY(add_state(bans, blank_state(WORD, quoted ? OUTSIDE : WORD_QUOTED, quoted), child, err));
    if (quoted) bans->states[*child].banned = bans->states[node].banned;
    bans->states[node].next[class] = *child;
    return RETORT_OK;
}

static retort_status add_word(rt_bans *bans, const char *word, retort_error *err) {
    size_t length = strlen(word), at = 0;
    rt_lexeme lexeme;
    bool good = length <= MAX_WORD_LENGTH && rt_lexeme_next(word, length, &at, &lexeme) &&
                lexeme.kind == RT_LEXEME_WORD && lexeme.length == length;
    RT_CHECK(good, err, RETORT_ERR_USAGE,
             "banned word '%.80s' is not one word of at most %d letters and inner apostrophes", word, MAX_WORD_LENGTH);
    int32_t node = OUTSIDE;
    for (size_t i = 0; i < length; i++) RT_TRY(child_of(bans, node, class_of(word[i]), &node, err));
    bans->states[node].banned = true;
    /* "wait" + "'": still the word "wait" unless a letter follows. */
    int32_t quoted;
    RT_TRY(child_of(bans, node, APOSTROPHE, &quoted, err));
    bans->states[quoted].banned = true;
    return RETORT_OK;
}

/* In the order of the fixed states. Words begin from OUTSIDE alone, which is the root of the tree. */
static retort_status build_automaton(rt_bans *bans, const char *const *words, int32_t count, retort_error *err) {
    int32_t index;
    RT_TRY(add_state(bans, blank_state(WORD, OUTSIDE, false), &index, err));
    RT_TRY(add_state(bans, blank_state(COMMAND, OUTSIDE, false), &index, err));
    RT_TRY(add_state(bans, blank_state(COMMAND, OUTSIDE, false), &index, err));
    RT_TRY(add_state(bans, blank_state(WORD, WORD_QUOTED, false), &index, err));
    RT_TRY(add_state(bans, blank_state(WORD, OUTSIDE, true), &index, err));
    for (int32_t i = 0; i < count; i++) RT_TRY(add_word(bans, words[i], err));
    return RETORT_OK;
}

/* ---- refused tokens ---- */

/* True if a word that is banned ends inside the bytes or stands at their end. */
static bool refuses(const rt_bans *bans, int32_t state, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const ban_state *s = &bans->states[state];
        int class = class_of(bytes[i]);
        bool stays = class < APOSTROPHE || (class == APOSTROPHE && !s->quoted);
        if (s->banned && !stays) return true;
        state = s->next[class];
    }
    return length > 0 && bans->states[state].banned;
}

static retort_status list_refused(rt_bans *bans, const rt_tokenizer *tokenizer, retort_error *err) {
    for (int32_t s = 0; s < bans->count; s++) {
        bans->states[s].begin = bans->refused.count;
        /* Nothing is chosen in a state that may not be reached. */
        for (int32_t id = 0; !bans->states[s].banned && id < rt_tokenizer_vocab_size(tokenizer); id++) {
            size_t length = 0;
            const char *bytes = rt_tokenizer_piece(tokenizer, id, &length);
            if (rt_tokenizer_is_special(tokenizer, id) || !refuses(bans, s, bytes, length)) continue;
            RT_TRY(rt_ids_push(&bans->refused, id, err));
        }
    }
    bans->states[bans->count].begin = bans->refused.count;
    return RETORT_OK;
}

retort_status rt_bans_create(const rt_tokenizer *tokenizer, const char *const *words, int32_t count, rt_bans **out,
                             retort_error *err) {
    RT_CHECK(count <= MAX_WORDS, err, RETORT_ERR_UNSUPPORTED, "more than %d banned words", MAX_WORDS);
    rt_bans *bans = rt_calloc(1, sizeof *bans);
    RT_CHECK(bans != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned words");
    retort_status st = build_automaton(bans, words, count, err);
    if (st == RETORT_OK) st = list_refused(bans, tokenizer, err);
    if (st != RETORT_OK) {
        rt_bans_destroy(bans);
        return st;
    }
    *out = bans;
    return RETORT_OK;
}

void rt_bans_destroy(rt_bans *bans) {
    if (bans == NULL) return;
    rt_free(bans->states);
    rt_ids_free(&bans->refused);
    rt_free(bans);
}

int32_t rt_bans_start(const rt_bans *bans) {
    (void)bans;
    return OUTSIDE;
}

int32_t rt_bans_advance(const rt_bans *bans, int32_t state, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) state = bans->states[state].next[class_of(bytes[i])];
    return state;
}

const int32_t *rt_bans_refused(const rt_bans *bans, int32_t state, int64_t *count) {
    int64_t begin = bans->states[state].begin;
    *count = bans->states[state + 1].begin - begin;
    return bans->refused.data + begin;
}

/* ---- word lists ---- */

void rt_word_list_free(rt_word_list *list) {
    for (int32_t i = 0; i < list->count; i++) rt_free(list->words[i]);
    rt_free(list->words);
    *list = (rt_word_list){0};
}

static retort_status add_to_list(rt_word_list *list, const char *word, size_t length, retort_error *err) {
    if (list->count == list->capacity) {
        int32_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        RT_CHECK(capacity <= MAX_WORDS * 2, err, RETORT_ERR_UNSUPPORTED, "more than %d banned words", MAX_WORDS);
        char **words = rt_realloc_array(list->words, (size_t)capacity, sizeof *words);
        RT_CHECK(words != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned words");
        list->words = words;
        list->capacity = capacity;
    }
    list->words[list->count] = rt_strndup(word, length);
    RT_CHECK(list->words[list->count] != NULL, err, RETORT_ERR_MEMORY, "out of memory: banned words");
    list->count++;
    return RETORT_OK;
}

static retort_status read_word_file(const char *path, rt_word_list *list, retort_error *err) {
    rt_buffer text = {.maximum = (size_t)1 << 24};
    retort_status st = rt_file_read(path, &text, err);
    for (size_t at = 0; st == RETORT_OK && at < text.length;) {
        size_t length = strcspn(text.data + at, "\r\n");
        if (length > 0) st = add_to_list(list, text.data + at, length, err);
        at += length + 1;
    }
    rt_buffer_free(&text);
    return st;
}

static retort_status read_item(const char *item, rt_word_list *list, retort_error *err) {
    for (int c = 0; c < RT_CATEGORIES; c++) {
        const char *const *words = rt_category_words((rt_category)c);
        if (words == NULL || strcmp(item, rt_category_name((rt_category)c)) != 0) continue;
        for (; *words != NULL; words++) RT_TRY(add_to_list(list, *words, strlen(*words), err));
        return RETORT_OK;
    }
    RT_CHECK(rt_path_exists(item), err, RETORT_ERR_USAGE,
             "ban list '%.200s' is neither a file of words nor 'anthropomorphic' or 'logical'", item);
    return read_word_file(item, list, err);
}

retort_status rt_word_list_read(const char *text, rt_word_list *out, retort_error *err) {
    *out = (rt_word_list){0};
    retort_status st = RETORT_OK;
    for (const char *at = text; st == RETORT_OK && *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length > 0) {
            char *item = rt_strndup(at, length);
            st = item == NULL ? rt_fail(err, RETORT_ERR_MEMORY, "out of memory: ban list") : read_item(item, out, err);
            rt_free(item);
        }
        at += length + (at[length] == ',');
    }
    if (st != RETORT_OK) rt_word_list_free(out);
    return st;
}
