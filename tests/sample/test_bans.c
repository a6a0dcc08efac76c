/* Banned words: the automaton against the counting rule, and long runs of output without a banned word. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/lexeme.h"

static const char *const BANNED[] = {"wait", "maybe", "so", "but", "hmm", "let's", "let", "i", "i'll", "then"};
enum { NUM_BANNED = 10 };

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

/* Words of text and how many of them are banned, by text/lexeme.h. */
static int64_t count_banned(const char *text, size_t length, int64_t *words) {
    int64_t found = 0;
    rt_lexeme lexeme;
    for (size_t at = 0; rt_lexeme_next(text, length, &at, &lexeme);) {
        if (lexeme.kind != RT_LEXEME_WORD) continue;
        *words += 1;
        for (int i = 0; i < NUM_BANNED; i++) {
            found += strlen(BANNED[i]) == lexeme.length && strncasecmp(BANNED[i], lexeme.text, lexeme.length) == 0;
        }
    }
    return found;
}

/* Over random texts without a banned word: a token is refused exactly if the text with it has one. */
static void test_refused_tokens(void **state) {
    (void)state;
    retort_error err;
    rt_bans *bans = NULL;
    assert_ok(rt_bans_create(tokenizer, BANNED, NUM_BANNED, &bans, &err));
    static const char *const PARTS[] = {"wai", "t",  "s",  "o", "'", "'", "\\", " ", "let", "I", "i",   "'ll", "l",
                                        "x",   "th", "en", "7", "é", ".", "BU", "T", "hm",  "m", "may", "be",  "\n"};
    rt_rng rng = rt_rng_make(1, 0);
    int64_t vocab = rt_tokenizer_vocab_size(tokenizer), refusals = 0;
    for (int round = 0; round < 3000; round++) {
        char text[128];
        size_t length = 0;
        int32_t ban_state = rt_bans_start(bans);
        for (uint32_t k = rt_rng_below(&rng, 7); k > 0; k--) {
            const char *part = PARTS[rt_rng_below(&rng, sizeof PARTS / sizeof *PARTS)];
            int64_t words = 0;
            memcpy(text + length, part, strlen(part));
            if (count_banned(text, length + strlen(part), &words) > 0) continue;
            length += strlen(part);
            ban_state = rt_bans_advance(bans, ban_state, part, strlen(part));
        }
        int64_t count, next = 0;
        const int32_t *refused = rt_bans_refused(bans, ban_state, &count);
        for (int32_t id = 0; id < vocab; id++) {
            size_t size;
            int64_t words = 0;
            const char *piece = rt_tokenizer_piece(tokenizer, id, &size);
            memcpy(text + length, piece, size);
            bool expected = !rt_tokenizer_is_special(tokenizer, id) && count_banned(text, length + size, &words) > 0;
            bool got = next < count && refused[next] == id;
            if (got != expected) fail_msg("'%.*s' + token %d: %d", (int)length, text, (int)id, (int)got);
            next += got;
            refusals += got;
        }
        assert_int_equal(next, count);
    }
    assert_true(refusals > 10000);
    rt_bans_destroy(bans);
}

/* Random models are the hardest test: any token may follow any other, so every spelling is tried. */
static void test_no_banned_word_in_output(void **state) {
    (void)state;
    enum { PROMPTS = 80, SAMPLES = 8, FRESH = 100 };
    retort_error err;
    rt_model model = make_model(tokenizer, 3, 160, 11);
    rt_prompt *prompts = make_prompts(tokenizer, PROMPTS, 20, 11);
    rt_bans *bans = NULL;
    assert_ok(rt_bans_create(tokenizer, BANNED, NUM_BANNED, &bans, &err));
    rt_decoder *decoder = NULL;
    assert_ok(rt_decoder_create(&model, 32, 160, 64, &decoder, &err));
    rt_sampling settings = plain_sampling(FRESH);
    settings.ignore_eos = true;
    int64_t words[2] = {0, 0}, found[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        settings.bans = k == 0 ? NULL : bans;
        rt_response *out = NULL;
        assert_ok(rt_sample(decoder, &model.config, tokenizer, prompts, PROMPTS, SAMPLES, &settings, NULL, NULL, NULL,
                            "sample", &out, &err));
        for (int i = 0; i < PROMPTS * SAMPLES; i++) {
            rt_buffer text = {0};
            assert_ok(rt_response_text(&model.config, tokenizer, &settings, &out[i], &text, &err));
            found[k] += count_banned(text.data, text.length, &words[k]);
            rt_buffer_free(&text);
        }
        rt_responses_free(out, PROMPTS * SAMPLES);
    }
    print_message("# banned words: %lld of %lld without the ban, %lld of %lld with it\n", (long long)found[0],
                  (long long)words[0], (long long)found[1], (long long)words[1]);
    assert_true(found[0] > 100);
    assert_true(words[1] > 10000);
    assert_int_equal(found[1], 0);
    rt_decoder_destroy(decoder);
    rt_bans_destroy(bans);
    drop_prompts(prompts, PROMPTS);
    rt_model_release(&model);
}

/* Log-probabilities are those of the full distribution: where the bans change nothing, neither do they. */
static void test_bans_leave_logp(void **state) {
    (void)state;
    retort_error err;
    rt_model model = make_model(tokenizer, 0, 64, 12);
    rt_prompt *prompts = make_prompts(tokenizer, 6, 20, 12);
    rt_decoder *decoder = NULL;
    assert_ok(rt_decoder_create(&model, 8, 64, 64, &decoder, &err));
    rt_sampling settings = plain_sampling(20);
    settings.temperature = 0;
    rt_response *free_ones = NULL, *out = NULL;
    assert_ok(rt_sample(decoder, &model.config, tokenizer, prompts, 6, 1, &settings, NULL, NULL, NULL, "sample",
                        &free_ones, &err));
    uint8_t *banned = calloc((size_t)model.config.vocab_size, 1);
    for (int64_t id = 0; id < model.config.vocab_size; id++) {
        bool used = false;
        for (int i = 0; i < 6; i++) {
            for (int64_t j = 0; j < free_ones[i].count; j++) used = used || free_ones[i].ids[j] == id;
        }
        banned[id] = !used;
    }
    settings.banned = banned;
    assert_ok(
        rt_sample(decoder, &model.config, tokenizer, prompts, 6, 1, &settings, NULL, NULL, NULL, "sample", &out, &err));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(out[i].count, free_ones[i].count);
        assert_memory_equal(out[i].ids, free_ones[i].ids, (size_t)out[i].count * 4);
        assert_memory_equal(out[i].logp, free_ones[i].logp, (size_t)out[i].count * 4);
    }
    rt_responses_free(out, 6);
    rt_responses_free(free_ones, 6);
    free(banned);
    rt_decoder_destroy(decoder);
    drop_prompts(prompts, 6);
    rt_model_release(&model);
}

static void test_word_lists(void **state) {
    (void)state;
    retort_error err;
    rt_word_list list;
    assert_ok(rt_word_list_read("anthropomorphic,logical", &list, &err));
    assert_true(list.count > 40);
    rt_bans *bans = NULL;
    assert_ok(rt_bans_create(tokenizer, (const char *const *)list.words, list.count, &bans, &err));
    rt_bans_destroy(bans);
    rt_word_list_free(&list);
    char *dir = make_dir(), text[4200];
    write_text(dir, "words.txt", "wait\r\n\nHmm\nlet's");
    snprintf(text, sizeof text, "logical,%s/words.txt,", dir);
    assert_ok(rt_word_list_read(text, &list, &err));
    assert_string_equal(list.words[list.count - 3], "wait");
    assert_string_equal(list.words[list.count - 2], "Hmm");
    assert_string_equal(list.words[list.count - 1], "let's");
    rt_word_list_free(&list);
    drop_dir(dir);
    assert_int_equal(rt_word_list_read("antropomorphic", &list, &err), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "'antropomorphic'"));
    static const char *const BAD[] = {"two words", "", "x1", "'t", "t'", "\\so", "naïve", "wait."};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(rt_bans_create(tokenizer, &BAD[i], 1, &bans, &err), RETORT_ERR_USAGE);
    }
}

static void test_allocation_failures(void **state) {
    (void)state;
    retort_error err;
    for (int persistent = 0; persistent < 2; persistent++) {
        retort_status st = RETORT_ERR_MEMORY;
        for (long n = 0; st != RETORT_OK; n++) {
            rt_bans *bans = NULL;
            rt_word_list list = {0};
            rt_fail_alloc(n, persistent != 0);
            st = rt_word_list_read("logical", &list, &err);
            if (st == RETORT_OK) {
                st = rt_bans_create(tokenizer, (const char *const *)list.words, list.count, &bans, &err);
            }
            rt_fail_alloc(-1, false);
            if (st != RETORT_OK) assert_int_equal(st, RETORT_ERR_MEMORY);
            rt_bans_destroy(bans);
            rt_word_list_free(&list);
        }
    }
}

int main(void) {
    retort_error err;
    if (rt_compute_init(&err) != RETORT_OK) return 1;
    rt_compute_set_threads(1); /* small work: more threads would only wait for each other */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_tokens),      cmocka_unit_test(test_no_banned_word_in_output),
        cmocka_unit_test(test_bans_leave_logp),     cmocka_unit_test(test_word_lists),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
