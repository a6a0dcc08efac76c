#include "rewrite/sprinkle.h"

#include <string.h>

#include "core/random.h"
#include "rewrite/grammar.h"

/* What is put before a step; each carries marked words. `edges`: a cue that closes the attempt at hand ("instead"),
 * which only before the first step and before the answer closes nothing that the rigid trace would go on with. */
typedef struct filler {
    const char *text;
    bool edges;
} filler;

static const filler FILLERS[] = {
    {"okay,", false},         {"hmm,", false},          {"let me see,", false},  {"let me think,", false},
    {"let me try,", false},   {"let me go on,", false}, {"I need this:", false}, {"I go on,", false},
    {"I think", false},       {"I see,", false},        {"let me look,", false}, {"maybe", false},
    {"perhaps", false},       {"well,", false},         {"oh,", false},          {"wait,", false},
    {"actually,", false},     {"oops,", false},         {"sorry,", false},       {"so", false},
    {"then", false},          {"but", false},           {"if so,", false},       {"since it helps,", false},
    {"however,", false},      {"therefore", false},     {"thus", false},         {"instead,", true},
    {"alternatively,", true},
};
enum { FILLER_COUNT = sizeof FILLERS / sizeof *FILLERS, GAPS_MAX = 12, A_GAP_MAX = 24 };

/* ---- words ----------------------------------------------------------------------------------------------------- */

static const rt_category MARKED[] = {RT_CATEGORY_ANTHROPOMORPHIC, RT_CATEGORY_LOGICAL};

/* Marked words are numbered through both lists. */
static int word_count(void) {
    int count = 0;
    for (size_t c = 0; c < 2; c++)
        for (const char *const *w = rt_category_words(MARKED[c]); *w != NULL; w++) count++;
    return count;
}

static bool same_word(const rt_lexeme *lexeme, const char *word) {
    if (strlen(word) != lexeme->length) return false;
    for (size_t i = 0; i < lexeme->length; i++) {
        char c = lexeme->text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if (c != word[i]) return false;
    }
    return true;
}

static int number_of(const rt_lexeme *lexeme) {
    int number = 0;
    for (size_t c = 0; c < 2; c++)
        for (const char *const *w = rt_category_words(MARKED[c]); *w != NULL; w++, number++)
            if (same_word(lexeme, *w)) return number;
    return -1;
}

static void count_words(const char *text, size_t length, int64_t words[RT_SPRINKLE_WORDS]) {
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(text, length, &at, &lexeme);) {
        int number = rt_is_marked(&lexeme) ? number_of(&lexeme) : -1;
        if (number >= 0) words[number]++;
    }
}

retort_status rt_sprinkle_reference(rt_sprinkler *sprinkler, const char *text, size_t length, retort_error *err) {
    RT_CHECK(word_count() <= RT_SPRINKLE_WORDS, err, RETORT_ERR_STATE, "the lexicon has more than %d marked words",
             RT_SPRINKLE_WORDS);
    rt_marked_count(text, length, &sprinkler->reference);
    count_words(text, length, sprinkler->reference_words);
    return RETORT_OK;
}

/* ---- the rigid trace ------------------------------------------------------------------------------------------- */

typedef struct rigid {
    size_t gaps[GAPS_MAX]; /* where each step and the answer begin */
    int count;
} rigid;

static size_t scan_text(const char *text, size_t length, size_t at, const char *word) {
    size_t n = strlen(word);
    return length - at >= n && memcmp(text + at, word, n) == 0 ? n : 0;
}

/* "Step 1: 11 - 5 = 6. " at `at`; 0 if it is none. */
static size_t scan_step(const char *text, size_t length, size_t at) {
    size_t n = scan_text(text, length, at, "Step "), digits = 0, part;
    if (n == 0) return 0;
    while (at + n < length && text[at + n] >= '0' && text[at + n] <= '9') n++, digits++;
    if (digits == 0 || (part = scan_text(text, length, at + n, ": ")) == 0) return 0;
    n += part;
    if ((part = rt_scan_equation(text, length, at + n)) == 0) return 0;
    n += part;
    part = scan_text(text, length, at + n, ". ");
    return part > 0 ? n + part : 0;
}

static retort_status read_rigid(const char *text, size_t length, rigid *out, retort_error *err) {
    size_t at = 0, n;
    *out = (rigid){0};
    while ((n = scan_step(text, length, at)) > 0) {
        RT_CHECK(out->count < GAPS_MAX - 1, err, RETORT_ERR_FORMAT, "no trace of the rigid teacher: more than %d steps",
                 GAPS_MAX - 1);
        out->gaps[out->count++] = at;
        at += n;
    }
    out->gaps[out->count++] = at;
    n = scan_text(text, length, at, "Answer: ");
    const size_t box = n > 0 ? rt_scan_box(text, length, at + n) : 0;
    RT_CHECK(out->count > 1 && box > 0 && at + n + box == length, err, RETORT_ERR_FORMAT,
             "no trace of the rigid teacher: byte %zu begins neither a step nor the answer", at + 1);
    return RETORT_OK;
}

/* ---- handing out ----------------------------------------------------------------------------------------------- */

static double share(const rt_sprinkler *s, int64_t count) {
    return s->reference.lexemes > 0 ? (double)count / (double)s->reference.lexemes : 0;
}

static double arrears(const rt_sprinkler *s, rt_category category) {
    return share(s, s->reference.by[category]) * (double)s->written.lexemes - (double)s->written.by[category];
}

static double word_arrears(const rt_sprinkler *s, int word) {
    return share(s, s->reference_words[word]) * (double)s->written.lexemes - (double)s->written_words[word];
}

/* A filler is as likely as its words, taken together, are in arrears, if it belongs to a category that is. */
static double weight(const rt_sprinkler *s, const filler *f, const bool due[RT_CATEGORIES]) {
    double owed = 0;
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(f->text, strlen(f->text), &at, &lexeme);) {
        if (!rt_is_marked(&lexeme)) continue;
        if (!due[rt_lexeme_category(&lexeme)]) return 0;
        owed += word_arrears(s, number_of(&lexeme));
    }
    return owed > 0 ? owed : 0;
}

/* -1 if no word that a filler carries is in arrears. */
static int draw(const rt_sprinkler *s, rt_rng *rng, const bool due[RT_CATEGORIES]) {
    double weights[FILLER_COUNT], total = 0;
    for (int i = 0; i < FILLER_COUNT; i++) total += weights[i] = weight(s, &FILLERS[i], due);
    double point = rt_rng_double(rng) * total;
    int last = -1;
    for (int i = 0; i < FILLER_COUNT; i++) {
        if (weights[i] <= 0) continue;
        last = i;
        if (point < weights[i]) break;
        point -= weights[i];
    }
    return last;
}

typedef struct plan {
    int gap[GAPS_MAX][A_GAP_MAX]; /* indices of FILLERS */
    int count[GAPS_MAX];
} plan;

static bool place(plan *p, int f, int gaps, rt_rng *rng) {
    const bool edges = FILLERS[f].edges;
    int gap = (int)rt_rng_below(rng, edges ? 2 : (uint32_t)gaps);
    if (edges && gap == 1) gap = gaps - 1;
    if (p->count[gap] == A_GAP_MAX) return false;
    p->gap[gap][p->count[gap]++] = f;
    return true;
}

static void fill_gaps(rt_sprinkler *s, rt_rng *rng, int gaps, plan *p) {
    for (;;) {
        const bool due[RT_CATEGORIES] = {
            [RT_CATEGORY_ANTHROPOMORPHIC] = arrears(s, RT_CATEGORY_ANTHROPOMORPHIC) >= 1,
            [RT_CATEGORY_LOGICAL] = arrears(s, RT_CATEGORY_LOGICAL) >= 1,
        };
        if (!due[RT_CATEGORY_ANTHROPOMORPHIC] && !due[RT_CATEGORY_LOGICAL]) return;
        const int f = draw(s, rng, due);
        if (f < 0 || !place(p, f, gaps, rng)) return;
        rt_marked_count(FILLERS[f].text, strlen(FILLERS[f].text), &s->written);
        count_words(FILLERS[f].text, strlen(FILLERS[f].text), s->written_words);
    }
}

static retort_status write_gap(const plan *p, int gap, rt_buffer *out, retort_error *err) {
    for (int i = 0; i < p->count[gap]; i++) {
        const char *text = FILLERS[p->gap[gap][i]].text;
        const bool small = i == 0 && text[0] >= 'a' && text[0] <= 'z';
        const char first = small ? (char)(text[0] - 32) : text[0];
        RT_TRY(rt_buffer_append(out, &first, 1, err));
        RT_TRY(rt_buffer_puts(out, text + 1, err));
        RT_TRY(rt_buffer_puts(out, " ", err));
    }
    return RETORT_OK;
}

retort_status rt_sprinkle_write(rt_sprinkler *sprinkler, int64_t index, const char *text, size_t length, rt_buffer *out,
                                retort_error *err) {
    rigid trace;
    plan p = {0};
    rt_rng rng = rt_rng_make(sprinkler->seed, (uint64_t)index);
    RT_TRY(read_rigid(text, length, &trace, err));
    rt_marked_count(text, length, &sprinkler->written);
    fill_gaps(sprinkler, &rng, trace.count, &p);
    for (int gap = 0; gap < trace.count; gap++) {
        const size_t end = gap + 1 < trace.count ? trace.gaps[gap + 1] : length;
        RT_TRY(write_gap(&p, gap, out, err));
        RT_TRY(rt_buffer_append(out, text + trace.gaps[gap], end - trace.gaps[gap], err));
    }
    return RETORT_OK;
}
