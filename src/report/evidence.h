/* What stands out in a response, with its place in the text: words of the token categories, what judges quoted, and the
 * behaviours that the world's grammar lets us read off. */
#ifndef RT_EVIDENCE_H
#define RT_EVIDENCE_H

#include "analyze/behavior_stats.h"
#include "report/judgements.h"
#include "report/runs.h"
#include "text/lexicon_scan.h"

/* Marks: first the token categories of the lexicon, then the columns of the behaviours. */
typedef struct rt_mark {
    int32_t kind;
    size_t begin, end; /* bytes */
} rt_mark;

/* What the votes of one judge found of one behaviour in one response. */
typedef struct rt_behavior_cell {
    int32_t votes, shown; /* votes that could be read; those among them that found it */
    int32_t spans;        /* of all votes together */
} rt_behavior_cell;

typedef struct rt_judge_counts {
    int64_t votes, unparsed, refused;
} rt_judge_counts;

/* Zero-initialise; set judgements, lexicon and its scanner. */
typedef struct rt_evidence {
    rt_judgements *judgements;
    const rt_lexicon *lexicon;
    const rt_scanner *scanner;
    int32_t world_judge, world_columns[RT_BEHAVIORS]; /* columns of the world's own behaviours */
    int32_t columns;                                  /* how many there are; fixed by rt_evidence_start */
    bool has_world;                                   /* a response to a world problem was read */
    int32_t *words;                                   /* of each response, as rt_word_next finds them */
    int32_t *places;                                  /* rows x categories: matches that overlap are one place */
    rt_behavior_cell *cells;                          /* rows x columns */
    int64_t count, capacity;
    rt_judge_counts *judges; /* groups x judges */
    int32_t groups;
    int64_t misplaced; /* spans that do not fit their text: left out */
    rt_mark *marks;    /* of the last response, by their begin */
    int64_t num_marks, marks_capacity;
} rt_evidence;

static inline int32_t rt_evidence_categories(const rt_evidence *evidence) {
    return evidence->lexicon->num_categories;
}
static inline int32_t rt_evidence_places(const rt_evidence *evidence, int64_t row, int32_t category) {
    return evidence->places[row * evidence->lexicon->num_categories + category];
}
/* Numbers, commands and signs are everywhere: they are counted, not marked. */
bool rt_evidence_is_marked(const rt_lexicon_entry *entry);

/* Fixes the columns: after the judgements were read. */
retort_status rt_evidence_start(rt_evidence *evidence, retort_error *err);
/* The next response; its marks are in evidence->marks until the next call. */
retort_status rt_evidence_take(rt_evidence *evidence, const rt_runs *runs, int64_t row, const char *text, size_t length,
                               retort_error *err);
static inline const rt_behavior_cell *rt_evidence_cell(const rt_evidence *evidence, int64_t row, int32_t column) {
    return &evidence->cells[row * evidence->columns + column];
}
void rt_evidence_free(rt_evidence *evidence);

#endif
