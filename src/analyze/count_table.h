/* What a lexicon's entries come to in responses: counts by group (model) and problem, and a short record of every
 * response. Tables of two parts of a file merge into the table of the whole, so that parts can be counted by threads.
 *
 * Memory grows with groups x problems x entries and with responses (a few dozen bytes each), not with their length.
 */
#ifndef RT_COUNT_TABLE_H
#define RT_COUNT_TABLE_H

#include "analyze/line_responses.h"
#include "analyze/repetition.h"
#include "analyze/thought.h"
#include "analyze/vocabulary.h"
#include "text/lexicon_scan.h"
#include "text/tokenizer.h"

enum { RT_DECILES = 10 };

/* Why a response does not count; in this order, the first that holds. RT_NO_PART: it has no thought, or no answer,
 * where only that is counted. */
typedef enum rt_left_out { RT_KEPT, RT_EMPTY, RT_REPETITIVE, RT_TRUNCATED, RT_NO_PART, RT_LEFT_OUT_KINDS } rt_left_out;
const char *rt_left_out_name(rt_left_out reason);

typedef struct rt_token_rules {
    const rt_lexicon *lexicon;
    const rt_scanner *scanner;
    const rt_tokenizer *tokenizer; /* NULL: model tokens are not counted, and the vocabulary is of words */
    rt_line_keys keys;
    rt_part part;
    bool starts_in_thought;
    bool keep_truncated, keep_repetitive; /* they count as all others do */
    int64_t first_words;                  /* the equal beginning of responses that is looked at by itself */
} rt_token_rules;

/* Counts of a problem's responses that are kept. Category c's places in decile d: places[c * RT_DECILES + d]. */
typedef struct rt_problem_counts {
    int64_t responses, words, tokens;
    uint32_t *entries; /* [E] */
    uint32_t *places;  /* [C, RT_DECILES] */
    uint32_t decile_words[RT_DECILES];
} rt_problem_counts;

typedef struct rt_response_record {
    int32_t problem;
    int8_t correct; /* 1, 0, or -1: unknown */
    uint32_t words;
    bool has_first; /* at least first_words words */
} rt_response_record;

typedef struct rt_name_table {
    char **names;
    int32_t *slots;
    int64_t count, capacity, slot_capacity;
} rt_name_table;

typedef struct rt_token_group {
    rt_name_table problems;
    rt_problem_counts *counts; /* [problems] */
    int64_t counts_capacity;
    rt_response_record *records; /* kept responses, in order */
    uint32_t *record_places;     /* [records, 2, C]: places in the whole, and in the first words */
    int64_t num_records, record_capacity;
    int64_t reasons[RT_LEFT_OUT_KINDS], reason_words[RT_LEFT_OUT_KINDS]; /* of all responses; words of the whole text */
    int64_t unclosed, without_problem;
    rt_vocabulary vocabulary;
} rt_token_group;

typedef struct rt_count_table {
    int32_t num_entries, num_categories;
    rt_name_table names; /* of the groups */
    rt_token_group *groups;
    int64_t groups_capacity;
} rt_count_table;

void rt_count_table_init(rt_count_table *table, const rt_lexicon *lexicon);
void rt_count_table_free(rt_count_table *table);
/* Adds all of `from` as if its responses had come after those of `into`. */
retort_status rt_count_table_merge(rt_count_table *into, const rt_count_table *from, retort_error *err);

/* Index of a name, added if it is not there. Used with tables of this file only. */
retort_status rt_name_intern(rt_name_table *table, const char *name, size_t length, int64_t *index, retort_error *err);
int64_t rt_name_find(const rt_name_table *table, const char *name, size_t length); /* -1: none */

/* The group of that name, added if it is not there; valid until the next call. */
retort_status rt_count_table_group(rt_count_table *table, const char *name, size_t length, rt_token_group **out,
                                   retort_error *err);
retort_status rt_token_group_problem(rt_count_table *table, rt_token_group *group, const char *name, size_t length,
                                     int32_t *index, retort_error *err);
retort_status rt_token_group_record(rt_count_table *table, rt_token_group *group, const rt_response_record *record,
                                    const uint32_t *places, retort_error *err);

#endif
