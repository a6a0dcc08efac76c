#include "analyze/token_count.h"

#include <string.h>

/* A place that a category was counted at. Later matches may overlap it and take it over. */
typedef struct place {
    size_t begin, end;
    int32_t decile;
    bool first;
} place;

/* A match spans at most RT_LEXICON_MAX_TEXT bytes that are not blank, so it overlaps at most as many places. */
enum { RING = RT_LEXICON_MAX_TEXT };

typedef struct place_ring {
    place items[RING];
    uint32_t top, depth;
} place_ring;

typedef struct counted_piece {
    const char *text;
    size_t length;
} counted_piece;

struct rt_token_counter {
    rt_token_rules rules;
    rt_repetition *repetition;
    place_ring *rings; /* [C] */
    uint32_t *places;  /* [2, C]: of a response, and of its first words */
    counted_piece *pieces;
    size_t num_pieces, pieces_capacity;
    rt_ids ids;
    rt_buffer group_name, problem_name;
    /* the response in work */
    rt_problem_counts *counts;
    size_t base, total, first_limit; /* offset of the piece, length of all pieces, end of the first words */
    /* the line in work */
    rt_count_table *table;
    rt_token_group *group;
};

void rt_token_counter_destroy(rt_token_counter *counter) {
    if (counter == NULL) return;
    rt_repetition_destroy(counter->repetition);
    rt_free(counter->rings);
    rt_free(counter->places);
    rt_free(counter->pieces);
    rt_ids_free(&counter->ids);
    rt_buffer_free(&counter->group_name);
    rt_buffer_free(&counter->problem_name);
    rt_free(counter);
}

retort_status rt_token_counter_create(const rt_token_rules *rules, rt_token_counter **out, retort_error *err) {
    rt_token_counter *c = rt_calloc(1, sizeof *c);
    RT_CHECK(c != NULL, err, RETORT_ERR_MEMORY, "out of memory: token counter");
    c->rules = *rules;
    size_t categories = (size_t)rules->lexicon->num_categories;
    c->rings = rt_calloc(categories, sizeof *c->rings);
    c->places = rt_calloc(2 * categories, sizeof *c->places);
    retort_status st = rt_repetition_create(&c->repetition, err);
    if (st == RETORT_OK && (c->rings == NULL || c->places == NULL))
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: token counter");
    if (st == RETORT_OK)
        *out = c;
    else
        rt_token_counter_destroy(c);
    return st;
}

static void set_place(rt_token_counter *c, int32_t category, const place *at, uint32_t change) {
    size_t categories = (size_t)c->table->num_categories;
    c->counts->places[category * RT_DECILES + at->decile] += change;
    c->places[category] += change;
    if (at->first) c->places[categories + (size_t)category] += change;
}

static int32_t decile_of(const rt_token_counter *c, size_t offset) {
    return (int32_t)((c->base + offset) * RT_DECILES / c->total);
}

/* Matches come by ascending end, so those that overlap a new one are the last places of its category. */
static void count_match(void *context, int32_t entry, size_t begin, size_t end) {
    rt_token_counter *c = context;
    c->counts->entries[entry]++;
    int32_t category = c->rules.lexicon->entries[entry].category;
    place_ring *ring = &c->rings[category];
    size_t from = begin;
    while (ring->depth > 0) {
        const place *last = &ring->items[(ring->top - 1) % RING];
        if (last->end <= begin) break;
        set_place(c, category, last, UINT32_MAX); /* one less */
        if (last->begin < from) from = last->begin;
        ring->top--;
        ring->depth--;
    }
    place fresh = {from, end, decile_of(c, from), c->base + from < c->first_limit};
    set_place(c, category, &fresh, 1);
    ring->items[ring->top++ % RING] = fresh;
    if (ring->depth < RING) ring->depth++;
}

static retort_status push_piece(rt_token_counter *c, const char *text, size_t length, retort_error *err) {
    if (c->num_pieces == c->pieces_capacity) {
        size_t capacity = c->pieces_capacity == 0 ? 8 : c->pieces_capacity * 2;
        counted_piece *pieces = rt_realloc_array(c->pieces, capacity, sizeof *pieces);
        RT_CHECK(pieces != NULL, err, RETORT_ERR_MEMORY, "out of memory: pieces of a response");
        c->pieces = pieces;
        c->pieces_capacity = capacity;
    }
    c->pieces[c->num_pieces++] = (counted_piece){text, length};
    return RETORT_OK;
}

/* The pieces that count. */
static retort_status cut(rt_token_counter *c, const rt_line_response *response, bool *unclosed, retort_error *err) {
    rt_part part = c->rules.part;
    c->num_pieces = 0;
    if (response->thought != NULL && part != RT_PART_ANSWER)
        RT_TRY(push_piece(c, response->thought, response->thought_length, err));
    rt_piece_walk walk = {.text = response->text,
                          .length = response->length,
                          .starts_in_thought = c->rules.starts_in_thought && response->thought == NULL,
                          .with_tags = part == RT_PART_BOTH};
    rt_part_span piece;
    while (rt_piece_next(&walk, &piece))
        if (part == RT_PART_BOTH || piece.thought == (part == RT_PART_THOUGHT))
            RT_TRY(push_piece(c, response->text + piece.begin, piece.end - piece.begin, err));
    *unclosed = walk.unclosed;
    return RETORT_OK;
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && (text[i] < '\t' || text[i] > '\r')) return false;
    return true;
}

static retort_status judge(rt_token_counter *c, const rt_line_response *r, bool unclosed, rt_left_out *out,
                           retort_error *err) {
    rt_repetition_begin(c->repetition);
    RT_TRY(rt_repetition_add(c->repetition, r->thought, r->thought_length, err));
    RT_TRY(rt_repetition_add(c->repetition, r->text, r->length, err));
    bool answer = !is_blank(r->text, r->length);
    const char *last = answer ? r->text : r->thought;
    size_t last_length = answer ? r->length : r->thought_length;
    *out = RT_KEPT;
    if (!answer && is_blank(r->thought, r->thought_length))
        *out = RT_EMPTY;
    else if (rt_repetition_one_word(c->repetition) || rt_repetition_loops(c->repetition, last, last_length))
        *out = RT_REPETITIVE;
    else if (r->truncated || unclosed)
        *out = RT_TRUNCATED;
    else if (c->num_pieces == 0)
        *out = RT_NO_PART;
    return RETORT_OK;
}

/* Words of the pieces, by decile; and where the first words end. */
static int64_t measure_words(rt_token_counter *c) {
    int64_t words = 0;
    size_t begin, end;
    c->base = c->total = 0;
    c->first_limit = 0;
    for (size_t i = 0; i < c->num_pieces; i++) c->total += c->pieces[i].length;
    for (size_t i = 0; i < c->num_pieces; i++) {
        size_t at = 0;
        while (rt_word_next(c->pieces[i].text, c->pieces[i].length, &at, &begin, &end)) {
            c->counts->decile_words[decile_of(c, begin)]++;
            if (++words == c->rules.first_words) c->first_limit = c->base + end;
        }
        c->base += c->pieces[i].length;
    }
    return words;
}

static retort_status count_model_tokens(rt_token_counter *c, const counted_piece *piece, retort_error *err) {
    c->ids.count = 0;
    RT_TRY(rt_tokenizer_encode(c->rules.tokenizer, piece->text, piece->length, false, &c->ids, err));
    c->counts->tokens += c->ids.count;
    for (int64_t i = 0; i < c->ids.count; i++) {
        size_t length;
        const char *text = rt_tokenizer_piece(c->rules.tokenizer, c->ids.data[i], &length);
        if (text != NULL) RT_TRY(rt_vocabulary_add(&c->group->vocabulary, text, length, 1, err));
    }
    return RETORT_OK;
}

static retort_status count_kept(rt_token_counter *c, const rt_line_response *response, int32_t problem,
                                retort_error *err) {
    size_t categories = (size_t)c->table->num_categories;
    c->counts = &c->group->counts[problem];
    memset(c->places, 0, 2 * categories * sizeof *c->places);
    int64_t words = measure_words(c);
    RT_CHECK(words <= UINT32_MAX, err, RETORT_ERR_UNSUPPORTED, "a response has more than 2^32 words");
    c->counts->responses++;
    c->counts->words += words;
    c->base = 0;
    for (size_t i = 0; i < c->num_pieces; i++) {
        const counted_piece *piece = &c->pieces[i];
        for (size_t k = 0; k < categories; k++) c->rings[k].depth = 0;
        RT_TRY(rt_scanner_run(c->rules.scanner, piece->text, piece->length, count_match, c, err));
        if (c->rules.tokenizer != NULL)
            RT_TRY(count_model_tokens(c, piece, err));
        else
            RT_TRY(rt_vocabulary_read(&c->group->vocabulary, piece->text, piece->length, err));
        c->base += piece->length;
    }
    rt_response_record record = {problem, (int8_t)response->correct, (uint32_t)words, words >= c->rules.first_words};
    return rt_token_group_record(c->table, c->group, &record, c->places, err);
}

static retort_status count_response(void *context, const rt_line_response *response, retort_error *err) {
    rt_token_counter *c = context;
    bool unclosed;
    rt_left_out reason;
    int32_t problem;
    RT_TRY(cut(c, response, &unclosed, err));
    RT_TRY(judge(c, response, unclosed, &reason, err));
    c->group->reasons[reason]++;
    c->group->reason_words[reason] += rt_repetition_words(c->repetition);
    c->group->unclosed += unclosed;
    bool kept = reason == RT_KEPT || (reason == RT_REPETITIVE && c->rules.keep_repetitive) ||
                (reason == RT_TRUNCATED && c->rules.keep_truncated);
    if (!kept || c->num_pieces == 0) return RETORT_OK;
    RT_TRY(rt_token_group_problem(c->table, c->group, c->problem_name.data, c->problem_name.length, &problem, err));
    return count_kept(c, response, problem, err);
}

retort_status rt_token_count_line(rt_token_counter *counter, const json_t *line, const char *file, const char *where,
                                  rt_count_table *table, retort_error *err) {
    rt_token_counter *c = counter;
    bool known;
    c->rules.keys.file = file;
    rt_buffer_clear(&c->group_name);
    rt_buffer_clear(&c->problem_name);
    RT_TRY(rt_line_group(line, &c->rules.keys, &c->group_name, err));
    RT_TRY(rt_buffer_puts(&c->group_name, "", err));
    RT_TRY(rt_line_problem(line, &c->rules.keys, &known, &c->problem_name, err));
    if (!known) RT_TRY(rt_buffer_puts(&c->problem_name, where, err));
    RT_TRY(rt_buffer_puts(&c->problem_name, "", err));
    c->table = table;
    const char *name = c->group_name.data != NULL ? c->group_name.data : "";
    RT_TRY(rt_count_table_group(table, name, c->group_name.length, &c->group, err));
    if (!known) c->group->without_problem++;
    return rt_line_responses(line, &c->rules.keys, where, count_response, c, err);
}
