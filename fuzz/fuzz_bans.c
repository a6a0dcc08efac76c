/* Bans: random lexicons over random vocabularies.
 *
 * 1. Exactness: in every state that is reached, a token is the ban's exactly if the definition says so (the text with
 *    it holds a match that ends in it; tests/sample/ban_oracle.h).
 * 2. Absence: a text that was made of allowed tokens holds nothing that the scanner of the token analysis counts, after
 *    any number of tokens.
 * 3. With tokens that are not allowed in the text, 1 still holds (bans that only make tokens less probable).
 *
 * The bytes are mapped to an alphabet in which words, commands, code, joints and letters of other scripts meet often.
 */
#include <stdlib.h>
#include <string.h>

#include "../tests/sample/ban_oracle.h"
#include "sample/ban_list.h"
#include "text/lexicon_scan.h"

static const char *const ALPHABET[] = {"a",    "A",  "b",  "B",  "s",  "S",        "o",
                                       "O",    "'",  " ",  "\n", "\\", "-",        "`",
                                       "1",    "_",  "\t", "<",  ">",  "\xc3\xa9", "\xe2\x80\x99",
                                       "\xe2", "so", "ab", ".",  "?"};
enum { LETTERS = sizeof ALPHABET / sizeof *ALPHABET, ENTRIES = 6, PIECES = 24, STEPS = 40, MOST = 1024 };

typedef struct input {
    const uint8_t *data;
    size_t size, at;
} input;

static unsigned take(input *in) {
    return in->at < in->size ? in->data[in->at++] : 0;
}

static size_t take_text(input *in, unsigned longest, char *out) {
    size_t length = 0;
    for (unsigned n = take(in) % longest + 1; n > 0; n--) {
        const char *letter = ALPHABET[take(in) % LETTERS];
        memcpy(out + length, letter, strlen(letter));
        length += strlen(letter);
    }
    out[length] = '\0';
    return length;
}

/* Lexicons hold single blanks, none at the ends, and only ASCII apostrophes. */
static bool tidy(char *text) {
    size_t to = 0;
    for (const char *c = text; *c != '\0'; c++) {
        const bool space = oracle_space(*c);
        if (space && (to == 0 || text[to - 1] == ' ')) continue;
        text[to++] = space ? ' ' : *c;
    }
    if (to > 0 && text[to - 1] == ' ') to--;
    text[to] = '\0';
    return to > 0 && strstr(text, "\xe2\x80\x99") == NULL;
}

static int32_t take_lexicon(input *in, rt_lexicon_entry *entries, char texts[ENTRIES][64]) {
    int32_t count = 0;
    for (unsigned n = take(in) % ENTRIES + 1; n > 0; n--) {
        const unsigned rules = take(in);
        (void)take_text(in, 8, texts[count]);
        if (!tidy(texts[count])) continue;
        static const rt_boundary BOUNDARIES[] = {RT_BOUNDARY_WORD, RT_BOUNDARY_WORD, RT_BOUNDARY_WHOLE,
                                                 RT_BOUNDARY_NONE};
        entries[count] = (rt_lexicon_entry){.text = texts[count],
                                            .letter_case = rules & 1 ? RT_CASE_EXACT : RT_CASE_ANY,
                                            .boundary = BOUNDARIES[rules / 2 % 4],
                                            .context = rules & 8 ? RT_CONTEXT_ANYWHERE : RT_CONTEXT_PROSE};
        count++;
    }
    return count;
}

static void see(void *context, int32_t entry, size_t begin, size_t end) {
    (void)entry;
    (void)begin;
    (void)end;
    *(int *)context += 1;
}

typedef struct world {
    rt_bans *bans;
    const rt_ban_list *list;
    const rt_scanner *scanner;
    const rt_piece_bytes *pieces;
    int64_t count;
} world;

static void check_state(const world *w, int32_t state, char *text, size_t length, uint64_t *mask_out) {
    uint64_t scratch[1] = {0};
    const uint64_t *mask;
    if (rt_bans_refused(w->bans, state, scratch, &mask, NULL) != RETORT_OK) abort();
    *mask_out = mask != NULL ? *mask : 0;
    for (int64_t i = 0; i < w->count; i++) {
        const rt_piece_bytes *piece = &w->pieces[i];
        memcpy(text + length, piece->bytes, piece->length);
        const bool expected = oracle_banned(w->list->patterns, w->list->count, text, length + piece->length, length);
        if (expected != (bool)(*mask_out >> piece->id & 1)) abort();
    }
}

static void walk(const world *w, input in, bool hard) {
    char text[MOST + 64];
    size_t length = 0;
    int32_t state = rt_bans_start(w->bans);
    for (int step = 0; step < STEPS && in.at < in.size && length < MOST; step++) {
        uint64_t mask;
        check_state(w, state, text, length, &mask);
        const rt_piece_bytes *piece = &w->pieces[take(&in) % (unsigned)w->count];
        if (hard && (mask >> piece->id & 1) != 0) continue;
        memcpy(text + length, piece->bytes, piece->length);
        length += piece->length;
        state = rt_bans_advance(w->bans, state, piece->bytes, piece->length);
        int found = 0;
        if (hard && rt_scanner_run(w->scanner, text, length, see, &found, NULL) != RETORT_OK) abort();
        if (found > 0) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in = {data, size < 512 ? size : 512, 0};
    char texts[ENTRIES][64], bytes[PIECES][32];
    rt_lexicon_entry entries[ENTRIES];
    rt_lexicon_category category = {"c", "c"};
    rt_lexicon lexicon = {&category, entries, 1, 0};
    rt_piece_bytes list[PIECES];
    rt_ban_list bans = {0};
    lexicon.num_entries = take_lexicon(&in, entries, texts);
    world w = {.list = &bans, .pieces = list, .count = take(&in) % PIECES + 1};
    for (int64_t i = 0; i < w.count; i++) list[i] = (rt_piece_bytes){bytes[i], take_text(&in, 4, bytes[i]), (int32_t)i};
    rt_pieces *pieces = NULL;
    rt_scanner *scanner = NULL;
    if (rt_ban_list_add_lexicon(&bans, &lexicon, -1, NULL) != RETORT_OK) {
        rt_ban_list_free(&bans);
        return 0;
    }
    const rt_ban_terms terms = {.patterns = bans.patterns, .count = bans.count};
    if (rt_pieces_build(list, w.count, w.count, &pieces, NULL) != RETORT_OK) abort();
    if (rt_bans_create(NULL, pieces, &terms, &w.bans, NULL) != RETORT_OK) abort();
    if (rt_scanner_create(&lexicon, &scanner, NULL) != RETORT_OK) abort();
    w.scanner = scanner;
    if (data != NULL && size % 2 == 1) rt_bans_limit(w.bans, 0);
    walk(&w, in, true);
    walk(&w, in, false);
    rt_scanner_destroy(scanner);
    rt_bans_destroy(w.bans);
    rt_pieces_destroy(pieces);
    rt_ban_list_free(&bans);
    return 0;
}
