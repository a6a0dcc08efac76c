/* Banned words: the automaton against its definition, long runs of output without a banned word, lists. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban_oracle.h"
#include "sample/ban_list.h"
#include "text/lexeme.h"
#include "text/lexicon_scan.h"

static const rt_pattern PATTERNS[] = {
    {.text = "wait"},
    {.text = "maybe"},
    {.text = "so"},
    {.text = "but"},
    {.text = "hmm"},
    {.text = "let's"},
    {.text = "let"},
    {.text = "i"},
    {.text = "i'll"},
    {.text = "then"},
    {.text = "be  so i"},
    {.text = "let I then"},
    {.text = "?!"},
    {.text = "7 be"},
    {.text = "Th", .exact_case = true},
    {.text = "xx", .inside_words = true},
    {.text = "may", .in_commands = true},
    {.text = "i", .tail = "'ll"},
};
enum { NUM_PATTERNS = sizeof PATTERNS / sizeof *PATTERNS };
static const rt_ban_terms TERMS = {.patterns = PATTERNS, .count = NUM_PATTERNS};

static rt_tokenizer *tokenizer;

static int set_up(void **state) {
    (void)state;
    tokenizer = make_tokenizer();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rt_tokenizer_destroy(tokenizer);
    return 0;
}

static rt_bans *make_bans(const rt_ban_terms *terms) {
    retort_error err;
    rt_bans *bans = NULL;
    assert_ok(rt_bans_create(tokenizer, NULL, terms, &bans, &err));
    return bans;
}

/* One random text; `clean`: it never holds a banned word, as under a hard ban. */
static size_t make_text(rt_rng *rng, bool clean, char text[256]) {
    static const char *const PARTS[] = {"wai", "t",  "s",  "o",  "'", "'",  "\\", " ",  "let", "I",   "i", "'ll",
                                        "l",   "x",  "th", "en", "7", "é",  ".",  "BU", "T",   "hm",  "m", "may",
                                        "be",  "\n", "\\", "?",  "!", "Th", "  ", "so", "xx",  "then"};
    size_t length = 0;
    for (uint32_t k = rt_rng_below(rng, 9); k > 0; k--) {
        const char *part = PARTS[rt_rng_below(rng, sizeof PARTS / sizeof *PARTS)];
        memcpy(text + length, part, strlen(part));
        if (clean && oracle_banned(PATTERNS, NUM_PATTERNS, text, length + strlen(part), 0)) continue;
        length += strlen(part);
    }
    return length;
}

/* A token is the ban's exactly if the text with it holds a match that ends in it; whatever room there is for masks. */
static void check_refused(rt_bans *bans, bool clean, uint64_t seed) {
    retort_error err;
    rt_rng rng = rt_rng_make(seed, 0);
    const int64_t vocab = rt_tokenizer_vocab_size(tokenizer);
    uint64_t *scratch = calloc((size_t)rt_mask_words(vocab), sizeof *scratch);
    int64_t refusals = 0;
    for (int round = 0; round < 700; round++) {
        char text[256];
        const size_t length = make_text(&rng, clean, text);
        const uint64_t *mask;
        const int32_t state = rt_bans_advance(bans, rt_bans_start(bans), text, length);
        assert_ok(rt_bans_refused(bans, state, scratch, &mask, &err));
        for (int32_t id = 0; id < vocab; id++) {
            size_t size;
            const char *piece = rt_tokenizer_piece(tokenizer, id, &size);
            memcpy(text + length, piece, size);
            const bool expected = !rt_tokenizer_is_special(tokenizer, id) &&
                                  oracle_banned(PATTERNS, NUM_PATTERNS, text, length + size, length);
            const bool got = rt_mask_has(mask, id);
            if (got != expected) fail_msg("'%.*s' + token %d: %d", (int)length, text, (int)id, (int)got);
            refusals += got;
        }
    }
    assert_true(refusals > 2000);
    free(scratch);
}

static void test_refused_tokens(void **state) {
    (void)state;
    rt_bans *bans = make_bans(&TERMS);
    int64_t masks;
    size_t bytes;
    check_refused(bans, true, 1);
    check_refused(bans, false, 2);
    rt_bans_memory(bans, &masks, &bytes);
    assert_true(masks > 20);
    assert_int_equal(bytes, (size_t)masks * (size_t)rt_mask_words(rt_tokenizer_vocab_size(tokenizer)) * 8);
    rt_bans_destroy(bans);
    bans = make_bans(&TERMS);
    rt_bans_limit(bans, 3 * bytes / (size_t)masks);
    check_refused(bans, true, 3);
    rt_bans_memory(bans, &masks, &bytes);
    assert_int_equal(masks, 3);
    rt_bans_destroy(bans);
}

/* ---- sampling ---- */

enum { PROMPTS = 60, SAMPLES = 8, FRESH = 100 };

typedef struct world {
    rt_model model;
    rt_prompt *prompts;
    rt_decoder *decoder;
} world;

/* Random models are the hardest test: any token may follow any other, so every spelling is tried. */
static world make_world(int64_t slots, uint64_t seed) {
    retort_error err;
    world w = {.model = make_model(tokenizer, 3, 160, seed), .prompts = make_prompts(tokenizer, PROMPTS, 20, seed)};
    assert_ok(rt_decoder_create(&w.model, slots, 160, 64, &w.decoder, &err));
    return w;
}

static void drop_world(world *w) {
    rt_decoder_destroy(w->decoder);
    drop_prompts(w->prompts, PROMPTS);
    rt_model_release(&w->model);
}

static rt_response *sample_from(const world *w, const rt_sampling *settings, int64_t samples) {
    retort_error err;
    rt_response *out = NULL;
    assert_ok(rt_sample(w->decoder, &w->model.config, tokenizer, w->prompts, PROMPTS, samples, settings, NULL, NULL,
                        NULL, "sample", &out, &err));
    return out;
}

/* Words of the texts and how many of them are banned, by the counting rule. */
static int64_t count_banned(const world *w, const rt_sampling *settings, const rt_response *out, int64_t count,
                            int64_t *words) {
    retort_error err;
    int64_t found = 0;
    *words = 0;
    for (int64_t i = 0; i < count; i++) {
        rt_buffer text = {0};
        rt_lexeme lexeme;
        assert_ok(rt_response_text(&w->model.config, tokenizer, settings, &out[i], &text, &err));
        for (size_t at = 0; rt_lexeme_next(text.data, text.length, &at, &lexeme);) {
            if (lexeme.kind != RT_LEXEME_WORD) continue;
            *words += 1;
            for (int k = 0; k < 10; k++) {
                const char *banned = PATTERNS[k].text;
                found += strlen(banned) == lexeme.length && strncasecmp(banned, lexeme.text, lexeme.length) == 0;
            }
        }
        rt_buffer_free(&text);
    }
    return found;
}

static void test_no_banned_word_in_output(void **state) {
    (void)state;
    world w = make_world(32, 11);
    rt_bans *bans = make_bans(&TERMS);
    rt_sampling settings = plain_sampling(FRESH);
    settings.ignore_eos = true;
    int64_t words[2], found[2];
    for (int k = 0; k < 2; k++) {
        settings.bans = k == 0 ? NULL : bans;
        rt_response *out = sample_from(&w, &settings, SAMPLES);
        found[k] = count_banned(&w, &settings, out, PROMPTS * SAMPLES, &words[k]);
        rt_responses_free(out, PROMPTS * SAMPLES);
    }
    print_message("# banned words: %lld of %lld without the ban, %lld of %lld with it\n", (long long)found[0],
                  (long long)words[0], (long long)found[1], (long long)words[1]);
    assert_true(found[0] > 100);
    assert_true(words[1] > 8000);
    assert_int_equal(found[1], 0);
    rt_bans_destroy(bans);
    drop_world(&w);
}

/* A stop string that begins with a letter cuts "solve" down to "so" unless the bans know of it. */
static void test_stop_strings_inside_words(void **state) {
    (void)state;
    static const char *const STOPS[] = {"l", "e", "t", "m", "n"};
    world w = make_world(32, 12);
    rt_sampling settings = plain_sampling(20);
    int64_t words, found[2];
    settings.ignore_eos = true;
    settings.stop = STOPS;
    settings.num_stop = 5;
    for (int k = 0; k < 2; k++) {
        const rt_ban_terms terms = {PATTERNS, NUM_PATTERNS, k == 0 ? NULL : STOPS, k == 0 ? 0 : 5};
        settings.bans = make_bans(&terms);
        rt_response *out = sample_from(&w, &settings, 40);
        found[k] = count_banned(&w, &settings, out, PROMPTS * 40, &words);
        rt_responses_free(out, PROMPTS * 40);
        rt_bans_destroy(settings.bans);
    }
    print_message("# banned words that stop strings made: %lld, %lld where the bans know of them\n",
                  (long long)found[0], (long long)found[1]);
    assert_true(found[0] > 0);
    assert_int_equal(found[1], 0);
    drop_world(&w);
}

/* ---- proof of absence ---- */

typedef struct sightings {
    const rt_lexicon *lexicon;
    int64_t count;
} sightings;

static void see(void *context, int32_t entry, size_t begin, size_t end) {
    sightings *s = context;
    (void)begin;
    (void)end;
    (void)entry;
    s->count++;
}

static int64_t scan(const world *w, const rt_sampling *settings, const rt_lexicon *lexicon) {
    retort_error err;
    rt_scanner *scanner = NULL;
    sightings seen = {.lexicon = lexicon};
    assert_ok(rt_scanner_create(lexicon, &scanner, &err));
    rt_response *out = sample_from(w, settings, SAMPLES);
    for (int64_t i = 0; i < PROMPTS * SAMPLES; i++) {
        rt_buffer text = {0};
        assert_ok(rt_response_text(&w->model.config, tokenizer, settings, &out[i], &text, &err));
        assert_ok(rt_scanner_run(scanner, text.data, text.length, see, &seen, &err));
        rt_buffer_free(&text);
    }
    rt_responses_free(out, PROMPTS * SAMPLES);
    rt_scanner_destroy(scanner);
    return seen.count;
}

/* The scanner of the token analysis, which shares nothing with the bans, finds no entry of a shipped list. */
static void test_shipped_lists(void **state) {
    (void)state;
    static const char *const LISTS[] = {"anthropomorphic", "logical"};
    world w = make_world(32, 16);
    rt_sampling settings = plain_sampling(FRESH);
    settings.ignore_eos = true;
    for (int k = 0; k < 2; k++) {
        retort_error err;
        rt_lexicon lexicon = {0};
        rt_ban_list list = {0};
        assert_ok(rt_lexicon_read(LISTS[k], &lexicon, &err));
        assert_ok(rt_ban_list_read(LISTS[k], &list, &err));
        assert_true(list.count >= lexicon.num_entries);
        settings.bans = NULL;
        const int64_t without = scan(&w, &settings, &lexicon);
        const rt_ban_terms terms = {.patterns = list.patterns, .count = list.count};
        settings.bans = make_bans(&terms);
        const int64_t with = scan(&w, &settings, &lexicon);
        print_message("# %s: %lld places without the ban, %lld with it\n", LISTS[k], (long long)without,
                      (long long)with);
        assert_true(without > 50);
        assert_int_equal(with, 0);
        rt_bans_destroy(settings.bans);
        rt_ban_list_free(&list);
        rt_lexicon_free(&lexicon);
    }
    drop_world(&w);
}

static void check_same(const rt_response *a, const rt_response *b, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const size_t bytes = (size_t)a[i].count * 4;
        assert_int_equal(a[i].count, b[i].count);
        assert_memory_equal(a[i].ids, b[i].ids, bytes);
        assert_memory_equal(a[i].logp, b[i].logp, bytes);
        assert_memory_equal(a[i].drawn, b[i].drawn, bytes);
    }
}

/* Every mode has the same bits whatever the batch, the threads and the room for masks. */
static void test_same_bits(void **state) {
    (void)state;
    world wide = make_world(32, 13), narrow = make_world(1, 13);
    for (int mode = RT_BAN_HARD; mode <= RT_BAN_CAP; mode++) {
        rt_bans *bans = make_bans(&TERMS), *tight = make_bans(&TERMS);
        rt_sampling settings = plain_sampling(40);
        settings.ban_mode = (rt_ban_mode)mode;
        settings.ban_penalty = 1.5f;
        settings.ban_cap = 0.05f;
        settings.top_p = mode == RT_BAN_HARD ? 1 : 0.9f;
        settings.bans = bans;
        rt_compute_set_threads(2);
        rt_response *a = sample_from(&wide, &settings, 2);
        rt_compute_set_threads(1);
        rt_bans_limit(tight, 0);
        settings.bans = tight;
        rt_response *b = sample_from(&narrow, &settings, 2);
        check_same(a, b, PROMPTS * 2);
        rt_responses_free(a, PROMPTS * 2);
        rt_responses_free(b, PROMPTS * 2);
        rt_bans_destroy(bans);
        rt_bans_destroy(tight);
    }
    drop_world(&wide);
    drop_world(&narrow);
}

/* A cap of 0 is the hard ban, a cap of 1 and a penalty of 0 are no ban. */
static void test_ends_of_the_modes(void **state) {
    (void)state;
    world w = make_world(32, 14);
    rt_bans *bans = make_bans(&TERMS);
    rt_sampling none = plain_sampling(40), hard = none, cap = none, penalty = none;
    hard.bans = cap.bans = penalty.bans = bans;
    cap.ban_mode = RT_BAN_CAP;
    penalty.ban_mode = RT_BAN_PENALTY;
    for (int k = 0; k < 2; k++) {
        none.top_p = hard.top_p = cap.top_p = penalty.top_p = k == 0 ? 1 : 0.8f;
        rt_response *free_ones = sample_from(&w, &none, 1), *banned = sample_from(&w, &hard, 1);
        rt_response *weak = sample_from(&w, &penalty, 1);
        cap.ban_cap = 0;
        rt_response *closed = sample_from(&w, &cap, 1);
        cap.ban_cap = 1;
        rt_response *open = sample_from(&w, &cap, 1);
        check_same(free_ones, weak, PROMPTS);
        check_same(free_ones, open, PROMPTS);
        check_same(banned, closed, PROMPTS);
        rt_responses_free(free_ones, PROMPTS);
        rt_responses_free(banned, PROMPTS);
        rt_responses_free(weak, PROMPTS);
        rt_responses_free(closed, PROMPTS);
        rt_responses_free(open, PROMPTS);
    }
    rt_bans_destroy(bans);
    drop_world(&w);
}

/* Log-probabilities are those of the full distribution: where the bans change nothing, neither do they. */
static void test_bans_leave_logp(void **state) {
    (void)state;
    world w = make_world(8, 15);
    rt_sampling settings = plain_sampling(20);
    settings.temperature = 0;
    rt_response *free_ones = sample_from(&w, &settings, 1);
    uint8_t *banned = calloc((size_t)w.model.config.vocab_size, 1);
    memset(banned, 1, (size_t)w.model.config.vocab_size);
    for (int i = 0; i < PROMPTS; i++) {
        for (int64_t j = 0; j < free_ones[i].count; j++) banned[free_ones[i].ids[j]] = 0;
    }
    settings.banned = banned;
    rt_response *out = sample_from(&w, &settings, 1);
    check_same(free_ones, out, PROMPTS);
    rt_responses_free(out, PROMPTS);
    rt_responses_free(free_ones, PROMPTS);
    free(banned);
    drop_world(&w);
}

/* ---- lists ---- */

static void test_lists(void **state) {
    (void)state;
    retort_error err;
    rt_ban_list list = {0};
    assert_ok(rt_ban_list_read("anthropomorphic,logical", &list, &err));
    assert_true(list.count > 40);
    const rt_ban_terms terms = {.patterns = list.patterns, .count = list.count};
    rt_bans_destroy(make_bans(&terms));
    rt_ban_list_free(&list);
    char *dir = make_dir(), text[4200];
    write_text(dir, "words.txt", "wait\r\n\nHmm \nlet's  go");
    snprintf(text, sizeof text, "logical,%s/words.txt,", dir);
    assert_ok(rt_ban_list_read(text, &list, &err));
    static const char *const LAST[] = {"wait", "Hmm", "let's  go", "let\xe2\x80\x99s  go"};
    for (int i = 0; i < 4; i++) assert_string_equal(list.patterns[list.count - 4 + i].text, LAST[i]);
    rt_ban_list_free(&list);
    drop_dir(dir);
    assert_int_equal(rt_ban_list_read("mathematical", &list, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "'<number>'"));
    rt_ban_list_free(&list);
    dir = make_dir();
    write_text(dir, "own.yaml",
               "categories:\n  odd:\n    about: odd\n    entries:\n      - text: Aha\n        case: exact\n"
               "      - text: xq\n        boundary: none\n      - text: because\n        context: anywhere\n");
    snprintf(text, sizeof text, "%s/own.yaml", dir);
    assert_ok(rt_ban_list_read(text, &list, &err));
    assert_int_equal(list.count, 3);
    assert_true(list.patterns[0].exact_case && list.patterns[1].inside_words && list.patterns[2].in_commands);
    rt_ban_list_free(&list);
    drop_dir(dir);
    static const char *const NAMED[] = {"logical", "antropomorphic"};
    assert_ok(rt_ban_list_add_named(&list, NAMED, 2, &err));
    assert_true(list.count > 50);
    assert_string_equal(list.patterns[list.count - 1].text, "antropomorphic");
    rt_ban_list_free(&list);
    assert_int_equal(rt_ban_list_read("antropomorphic", &list, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "'antropomorphic'"));
    rt_ban_list_free(&list);
    static const char *const BAD[] = {"", "  ", "'a'b'c'd'"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(rt_ban_list_add(&list, BAD[i], strlen(BAD[i]), &err), RETORT_ERR_USAGE);
    rt_ban_list_free(&list);
}

static void test_bad_patterns(void **state) {
    (void)state;
    retort_error err;
    rt_automaton *a = NULL;
    static char longest[RT_PATTERN_BYTES + 2];
    memset(longest, 'a', RT_PATTERN_BYTES + 1);
    const char *const bad[] = {"", " so", "so\n", longest};
    for (int i = 0; i < 4; i++)
        assert_int_equal(rt_automaton_create(&(rt_pattern){.text = bad[i]}, 1, &a, &err), RETORT_ERR_USAGE);
    assert_ok(rt_automaton_create(NULL, 0, &a, &err));
    assert_int_equal(rt_automaton_step(a, 0, 'x') & RT_BAN_ENDS, 0);
    rt_automaton_destroy(a);
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    uint64_t *scratch = calloc((size_t)rt_mask_words(rt_tokenizer_vocab_size(tokenizer)), sizeof *scratch);
    for (int persistent = 0; persistent < 2; persistent++) {
        retort_status st = RETORT_ERR_MEMORY;
        for (long n = 0; st != RETORT_OK; n++) {
            rt_bans *bans = NULL;
            rt_ban_list list = {0};
            const uint64_t *mask;
            rt_fail_alloc(n, persistent != 0);
            st = rt_ban_list_read("logical", &list, &err);
            if (st == RETORT_OK) st = rt_ban_list_add(&list, "i'll be", 7, &err);
            const rt_ban_terms terms = {.patterns = list.patterns, .count = list.count};
            if (st == RETORT_OK) st = rt_bans_create(tokenizer, NULL, &terms, &bans, &err);
            if (st == RETORT_OK) st = rt_bans_refused(bans, 0, scratch, &mask, &err);
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
            rt_bans_destroy(bans);
            rt_ban_list_free(&list);
        }
    }
    free(scratch);
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1); /* small work: more threads would only wait for each other */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_tokens),  cmocka_unit_test(test_no_banned_word_in_output),
        cmocka_unit_test(test_shipped_lists),   cmocka_unit_test(test_stop_strings_inside_words),
        cmocka_unit_test(test_same_bits),       cmocka_unit_test(test_ends_of_the_modes),
        cmocka_unit_test(test_bans_leave_logp), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_bad_patterns),    cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
