#include "sample/ban_bias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct spelling {
    char *text;
    int32_t entry;
    int64_t begin, count; /* its tokens, in ids */
} spelling;

typedef struct spellings { /* of entries, or words */
    spelling *items;
    int64_t count, capacity;
    rt_ids ids;
} spellings;

typedef struct finder {
    const rt_tokenizer *tokenizer;
    const rt_ban_list *list;
    const rt_bias_options *options;
    rt_bans *bans;
    int64_t vocab;
    uint64_t *at_start; /* tokens banned at the beginning of a text */
    uint64_t *set;
    int64_t *hits;    /* [vocab] words that hold the token, without anything banned */
    int64_t *catches; /* [vocab] spellings that hold it */
    spellings forms, words;
} finder;

static retort_status no_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: logit_bias");
}

static void free_spellings(spellings *s) {
    for (int64_t i = 0; i < s->count; i++) rt_free(s->items[i].text);
    rt_free(s->items);
    rt_ids_free(&s->ids);
}

static void release(finder *f) {
    free_spellings(&f->forms);
    free_spellings(&f->words);
    rt_bans_destroy(f->bans);
    rt_free(f->at_start);
    rt_free(f->set);
    rt_free(f->hits);
    rt_free(f->catches);
}

static retort_status add_spelling(const finder *f, spellings *to, const char *text, int32_t entry, retort_error *err) {
    if (to->count == to->capacity) {
        const int64_t capacity = to->capacity == 0 ? 1024 : to->capacity * 2;
        spelling *items = rt_realloc_array(to->items, (size_t)capacity, sizeof *items);
        if (items == NULL) return no_memory(err);
        to->items = items;
        to->capacity = capacity;
    }
    spelling s = {.text = rt_strdup(text), .entry = entry, .begin = to->ids.count};
    if (s.text == NULL) return no_memory(err);
    const retort_status st = rt_tokenizer_encode(f->tokenizer, text, strlen(text), false, &to->ids, err);
    s.count = to->ids.count - s.begin;
    to->items[to->count++] = s;
    return st;
}

/* ---- cases ---- */

enum { CASES = 4 }; /* as written, lower, capitalised, upper */

static char changed(char c, bool up) {
    if (up) return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void write_case(const char *text, int which, char out[RT_PATTERN_BYTES + 1]) {
    const size_t length = strlen(text);
    for (size_t i = 0; i <= length; i++)
        out[i] = which == 0 ? text[i] : changed(text[i], which == 3 || (which == 2 && i == 0));
}

/* False if the case gives a text that an earlier one from `first` on gave. */
static bool in_case(const char *text, int first, int which, char out[RT_PATTERN_BYTES + 1]) {
    char earlier[RT_PATTERN_BYTES + 1];
    write_case(text, which, out);
    for (int k = first; k < which; k++) {
        write_case(text, k, earlier);
        if (strcmp(earlier, out) == 0) return false;
    }
    return true;
}

/* ---- spellings of the list's entries ---- */

static retort_status add_forms(finder *f, int32_t entry, const char *text, retort_error *err) {
    static const char *const BEFORE[] = {"", " ", "\n", "\"", "("}, *const BEHIND[] = {"", ","};
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE; i++) {
        for (size_t k = 0; k < sizeof BEHIND / sizeof *BEHIND; k++) {
            char whole[RT_PATTERN_BYTES + 8];
            snprintf(whole, sizeof whole, "%s%s%s", BEFORE[i], text, BEHIND[k]);
            RT_TRY(add_spelling(f, &f->forms, whole, entry, err));
        }
    }
    return RETORT_OK;
}

static retort_status list_forms(finder *f, retort_error *err) {
    for (int32_t i = 0; i < f->list->count; i++) {
        const rt_pattern *p = &f->list->patterns[i];
        for (int which = 0; which < (p->exact_case ? 1 : CASES); which++) {
            char text[RT_PATTERN_BYTES + 1];
            if (in_case(p->text, 0, which, text)) RT_TRY(add_forms(f, i, text, err));
        }
    }
    return RETORT_OK;
}

/* ---- words of the vocabulary ---- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The word of a token of letters, in lower case; false if it is none. */
static bool word_of(const finder *f, int32_t id, char out[64]) {
    size_t length = 0;
    const char *bytes = rt_tokenizer_piece(f->tokenizer, id, &length);
    if (bytes == NULL || rt_tokenizer_is_special(f->tokenizer, id)) return false;
    if (length > 0 && bytes[0] == ' ') bytes++, length--;
    if (length < 2 || length > 40) return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_letter(bytes[i])) return false;
        out[i] = changed(bytes[i], false);
    }
    out[length] = '\0';
    return true;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True if the text, taken as complete, holds something banned. */
static bool is_banned(const finder *f, const char *text) {
    return rt_bans_hold(f->bans, text, strlen(text));
}

static retort_status add_word(finder *f, const char *word, retort_error *err) {
    for (int which = 1; which < CASES; which++) {
        char form[RT_PATTERN_BYTES + 1], text[RT_PATTERN_BYTES + 2];
        (void)in_case(word, 1, which, form);
        for (int blank = 0; blank < 2; blank++) {
            snprintf(text, sizeof text, "%s%s", blank > 0 ? " " : "", form);
            if (!is_banned(f, text)) RT_TRY(add_spelling(f, &f->words, text, -1, err));
        }
    }
    return RETORT_OK;
}

static retort_status list_words(finder *f, retort_error *err) {
    int64_t count = 0;
    retort_status st = RETORT_OK;
    char **words = rt_calloc((size_t)f->vocab, sizeof *words);
    if (words == NULL) return no_memory(err);
    for (int32_t id = 0; st == RETORT_OK && id < f->vocab; id++) {
        char word[64];
        if (!word_of(f, id, word)) continue;
        words[count] = rt_strdup(word);
        if (words[count] == NULL)
            st = no_memory(err);
        else
            count++;
    }
    if (count > 0) qsort(words, (size_t)count, sizeof *words, by_text);
    for (int64_t i = 0; st == RETORT_OK && i < count; i++) {
        if (i == 0 || strcmp(words[i], words[i - 1]) != 0) st = add_word(f, words[i], err);
    }
    for (int64_t i = 0; i < count; i++) rt_free(words[i]);
    rt_free(words);
    return st;
}

/* ---- the set ---- */

static void count_tokens(const spellings *s, int64_t *counts) {
    for (int64_t i = 0; i < s->count; i++) {
        const int32_t *ids = s->ids.data + s->items[i].begin;
        for (int64_t k = 0; k < s->items[i].count; k++) {
            bool seen = false;
            for (int64_t j = 0; j < k; j++) seen = seen || ids[j] == ids[k];
            counts[ids[k]] += !seen;
        }
    }
}

static void put(uint64_t *mask, int32_t id) {
    mask[id / 64] |= (uint64_t)1 << id % 64;
}

/* The first token of a spelling that is in the set, or -1. */
static int32_t token_in_set(const spellings *s, const spelling *x, const uint64_t *set) {
    for (int64_t k = 0; k < x->count; k++) {
        const int32_t id = s->ids.data[x->begin + k];
        if (rt_mask_has(set, id)) return id;
    }
    return -1;
}

/* The token that closes a hole at least cost; -1: all cost too much. */
static int32_t cheapest(const finder *f, const spelling *hole) {
    int32_t best = -1;
    for (int64_t k = 0; k < hole->count; k++) {
        const int32_t id = f->forms.ids.data[hole->begin + k];
        size_t length = 0;
        const char *bytes = rt_tokenizer_piece(f->tokenizer, id, &length);
        int letters = 0;
        for (size_t i = 0; i < length; i++) letters += is_letter(bytes[i]);
        if (letters < 2 || f->hits[id] > f->options->collateral) continue;
        if (best < 0 || f->hits[id] < f->hits[best]) best = id;
    }
    return best;
}

static void choose_set(finder *f) {
    for (int32_t id = 0; id < f->vocab; id++) {
        if (rt_mask_has(f->at_start, id) && f->catches[id] > 0) put(f->set, id);
    }
    for (int64_t i = 0; i < f->forms.count; i++) {
        const spelling *x = &f->forms.items[i];
        const int32_t id = token_in_set(&f->forms, x, f->set) < 0 ? cheapest(f, x) : -1;
        if (id >= 0) put(f->set, id);
    }
}

/* Takes out what catches least until at most `most` are left. */
static void thin_out(finder *f) {
    int64_t left = 0;
    for (int64_t id = rt_mask_next(f->set, f->vocab, 0); id < f->vocab; id = rt_mask_next(f->set, f->vocab, id + 1))
        left++;
    for (; f->options->most > 0 && left > f->options->most; left--) {
        int64_t worst = rt_mask_next(f->set, f->vocab, 0);
        for (int64_t id = worst; id < f->vocab; id = rt_mask_next(f->set, f->vocab, id + 1)) {
            if (f->catches[id] <= f->catches[worst]) worst = id;
        }
        f->set[worst / 64] &= ~((uint64_t)1 << worst % 64);
    }
}

/* ---- the report ---- */

static json_t *text_of_token(const finder *f, int32_t id) {
    size_t length = 0;
    const char *bytes = rt_tokenizer_piece(f->tokenizer, id, &length);
    return rt_json_text(bytes, length);
}

static json_t *pieces_of(const finder *f, const spelling *x) {
    json_t *list = json_array();
    for (int64_t k = 0; k < x->count; k++)
        json_array_append_new(list, text_of_token(f, f->forms.ids.data[x->begin + k]));
    return list;
}

static void report_spellings(const finder *f, bool *caught_once, json_t *result) {
    int64_t caught = 0, open = 0;
    json_t *holes = json_array(), *entries = json_array();
    for (int64_t i = 0; i < f->forms.count; i++) {
        const spelling *x = &f->forms.items[i];
        if (token_in_set(&f->forms, x, f->set) >= 0) {
            caught++;
            caught_once[x->entry] = true;
        } else if ((int64_t)json_array_size(holes) < f->options->examples) {
            json_array_append_new(holes, json_pack("{s:o, s:o}", "text", rt_json_text(x->text, strlen(x->text)),
                                                   "tokens", pieces_of(f, x)));
        }
    }
    for (int32_t i = 0; i < f->list->count; i++) {
        if (caught_once[i]) continue;
        open++;
        if ((int64_t)json_array_size(entries) < f->options->examples)
            json_array_append_new(entries, rt_json_text(f->list->texts[i], strlen(f->list->texts[i])));
    }
    json_object_set_new(result, "spellings", json_integer(f->forms.count));
    json_object_set_new(result, "caught", json_integer(caught));
    json_object_set_new(result, "entries", json_integer(f->list->count));
    json_object_set_new(result, "entries_open", json_integer(open));
    json_object_set_new(result, "open", entries);
    json_object_set_new(result, "holes", holes);
}

static void report_words(const finder *f, json_t *result) {
    int64_t hit = 0;
    json_t *words = json_array();
    for (int64_t i = 0; i < f->words.count; i++) {
        const spelling *x = &f->words.items[i];
        const int32_t id = token_in_set(&f->words, x, f->set);
        if (id < 0) continue;
        hit++;
        if ((int64_t)json_array_size(words) < f->options->examples)
            json_array_append_new(words, json_pack("{s:o, s:o}", "text", rt_json_text(x->text, strlen(x->text)),
                                                   "token", text_of_token(f, id)));
    }
    json_object_set_new(result, "words", json_integer(f->words.count));
    json_object_set_new(result, "hit", json_integer(hit));
    json_object_set_new(result, "hit_words", words);
}

static retort_status report(const finder *f, json_t **out, retort_error *err) {
    bool *caught_once = rt_calloc((size_t)f->list->count, sizeof *caught_once);
    json_t *result = json_object(), *bias = json_object();
    int64_t tokens = 0;
    if (caught_once == NULL || result == NULL || bias == NULL) {
        rt_free(caught_once);
        json_decref(result);
        json_decref(bias);
        return no_memory(err);
    }
    for (int64_t id = rt_mask_next(f->set, f->vocab, 0); id < f->vocab; id = rt_mask_next(f->set, f->vocab, id + 1)) {
        char name[24];
        snprintf(name, sizeof name, "%lld", (long long)id);
        json_object_set_new(bias, name, json_integer(-100));
        tokens++;
    }
    json_object_set_new(result, "logit_bias", bias);
    json_object_set_new(result, "tokens", json_integer(tokens));
    report_spellings(f, caught_once, result);
    report_words(f, result);
    rt_free(caught_once);
    *out = result;
    return RETORT_OK;
}

static retort_status find(finder *f, json_t **out, retort_error *err) {
    const size_t words = (size_t)rt_mask_words(f->vocab);
    const uint64_t *mask;
    f->at_start = rt_calloc(words, sizeof *f->at_start);
    f->set = rt_calloc(words, sizeof *f->set);
    f->hits = rt_calloc((size_t)f->vocab, sizeof *f->hits);
    f->catches = rt_calloc((size_t)f->vocab, sizeof *f->catches);
    if (f->at_start == NULL || f->set == NULL || f->hits == NULL || f->catches == NULL) return no_memory(err);
    const rt_ban_terms terms = {.patterns = f->list->patterns, .count = f->list->count};
    RT_TRY(rt_bans_create(f->tokenizer, NULL, &terms, &f->bans, err));
    RT_TRY(rt_bans_refused(f->bans, rt_bans_start(f->bans), f->at_start, &mask, err));
    if (mask != NULL && mask != f->at_start) memcpy(f->at_start, mask, words * sizeof *mask);
    RT_TRY(list_forms(f, err));
    RT_TRY(list_words(f, err));
    count_tokens(&f->forms, f->catches);
    count_tokens(&f->words, f->hits);
    choose_set(f);
    thin_out(f);
    return report(f, out, err);
}

retort_status rt_ban_bias(const rt_tokenizer *tokenizer, const rt_ban_list *list, const rt_bias_options *options,
                          json_t **out, retort_error *err) {
    finder f = {.tokenizer = tokenizer, .list = list, .options = options, .vocab = rt_tokenizer_vocab_size(tokenizer)};
    const retort_status st = find(&f, out, err);
    release(&f);
    return st;
}
