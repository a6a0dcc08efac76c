#include "report/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/world_behaviors.h"
#include "text/bytes.h"

static const char WORLD_JUDGE[] = "world grammar"; /* exact: docs/world.md */

retort_status rt_evidence_start(rt_evidence *evidence, retort_error *err) {
    rt_judgements *judgements = evidence->judgements;
    RT_TRY(rt_strings_add(&judgements->judges, WORLD_JUDGE, sizeof WORLD_JUDGE - 1, &evidence->world_judge, err));
    for (int b = 0; b < RT_BEHAVIORS; b++)
        RT_TRY(rt_behavior_column_add(judgements, evidence->world_judge, rt_behavior_name(b),
                                      &evidence->world_columns[b], err));
    evidence->columns = judgements->columns.count;
    return RETORT_OK;
}

/* *block [count x width] grown to `wanted` rows; keeps its content on failure. */
static bool grow(void **block, int64_t wanted, int32_t width, size_t size) {
    size_t items;
    if (rt_mul_overflow((size_t)wanted, width > 0 ? (size_t)width : 1, &items)) return false;
    void *grown = rt_realloc_array(*block, items, size);
    if (grown != NULL) *block = grown;
    return grown != NULL;
}

static retort_status make_rows(rt_evidence *evidence, retort_error *err) {
    if (evidence->count < evidence->capacity) return RETORT_OK;
    int64_t wanted = evidence->capacity == 0 ? 256 : 2 * evidence->capacity;
    void *words = evidence->words, *places = evidence->places, *cells = evidence->cells;
    bool grown = grow(&words, wanted, 1, sizeof *evidence->words) &&
                 grow(&places, wanted, rt_evidence_categories(evidence), sizeof *evidence->places) &&
                 grow(&cells, wanted, evidence->columns, sizeof *evidence->cells);
    evidence->words = words;
    evidence->places = places;
    evidence->cells = cells;
    RT_CHECK(grown, err, RETORT_ERR_MEMORY, "out of memory: counts of %lld responses", (long long)wanted);
    evidence->capacity = wanted;
    return RETORT_OK;
}

static retort_status make_groups(rt_evidence *evidence, int32_t groups, retort_error *err) {
    size_t judges = (size_t)evidence->judgements->judges.count, old = (size_t)evidence->groups * judges;
    if (groups <= evidence->groups) return RETORT_OK;
    rt_judge_counts *counts = rt_realloc_array(evidence->judges, (size_t)groups * judges, sizeof *counts);
    RT_CHECK(counts != NULL, err, RETORT_ERR_MEMORY, "out of memory: counts of judges");
    memset(counts + old, 0, ((size_t)groups * judges - old) * sizeof *counts);
    evidence->judges = counts;
    evidence->groups = groups;
    return RETORT_OK;
}

static retort_status push_mark(rt_evidence *evidence, int32_t kind, size_t begin, size_t end, retort_error *err) {
    if (evidence->num_marks == evidence->marks_capacity) {
        int64_t wanted = evidence->marks_capacity == 0 ? 256 : 2 * evidence->marks_capacity;
        rt_mark *marks = rt_realloc_array(evidence->marks, (size_t)wanted, sizeof *marks);
        RT_CHECK(marks != NULL, err, RETORT_ERR_MEMORY, "out of memory: marks of a response");
        evidence->marks = marks;
        evidence->marks_capacity = wanted;
    }
    evidence->marks[evidence->num_marks++] = (rt_mark){kind, begin, end};
    return RETORT_OK;
}

bool rt_evidence_is_marked(const rt_lexicon_entry *entry) {
    return entry->kind == RT_ENTRY_TEXT && entry->boundary != RT_BOUNDARY_OPERATOR;
}

typedef struct match_taker {
    rt_evidence *evidence;
    retort_status st;
    retort_error *err;
} match_taker;

static void take_match(void *context, int32_t entry, size_t begin, size_t end) {
    match_taker *taker = context;
    if (taker->st != RETORT_OK) return;
    /* An entry that is counted only is told from one that is marked by its sign, until the places are counted. */
    const rt_lexicon_entry *of = &taker->evidence->lexicon->entries[entry];
    int32_t kind = rt_evidence_is_marked(of) ? of->category : -1 - of->category;
    taker->st = push_mark(taker->evidence, kind, begin, end, taker->err);
}

static int by_begin(const void *a, const void *b) {
    const rt_mark *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

/* Matches of a category that overlap are one place. What is not marked goes. */
static void count_places(rt_evidence *evidence, int32_t *places) {
    enum { NOWHERE = -1 };
    int64_t last[RT_LEXICON_MAX_CATEGORIES], kept = 0;
    for (int32_t c = 0; c < RT_LEXICON_MAX_CATEGORIES; c++) last[c] = NOWHERE;
    for (int64_t i = 0; i < evidence->num_marks; i++) {
        rt_mark mark = evidence->marks[i];
        int32_t category = mark.kind < 0 ? -1 - mark.kind : mark.kind;
        if (last[category] == NOWHERE || (int64_t)mark.begin >= last[category]) places[category]++;
        if ((int64_t)mark.end > last[category]) last[category] = (int64_t)mark.end;
        if (mark.kind >= 0) evidence->marks[kept++] = mark;
    }
    evidence->num_marks = kept;
}

static retort_status take_words(rt_evidence *evidence, int64_t row, const char *text, size_t length,
                                retort_error *err) {
    int32_t *places = &evidence->places[row * rt_evidence_categories(evidence)];
    memset(places, 0, (size_t)rt_evidence_categories(evidence) * sizeof *places);
    evidence->words[row] = 0;
    for (size_t at = 0, begin, end; rt_word_next(text, length, &at, &begin, &end);) evidence->words[row]++;
    match_taker taker = {evidence, RETORT_OK, err};
    RT_TRY(rt_scanner_run(evidence->scanner, text, length, take_match, &taker, err));
    RT_TRY(taker.st);
    if (evidence->num_marks > 0) qsort(evidence->marks, (size_t)evidence->num_marks, sizeof *evidence->marks, by_begin);
    count_places(evidence, places);
    return RETORT_OK;
}

/* A judge's span counts only where the text has what it quotes. */
static bool span_holds(const rt_judged_span *span, const char *text, size_t length) {
    if (span->begin >= span->end || span->end > length) return false;
    if (span->quoted && span->quote != rt_bytes_hash(text + span->begin, span->end - span->begin)) return false;
    bool cut_begin = ((unsigned char)text[span->begin] & 0xC0) == 0x80;
    bool cut_end = span->end < length && ((unsigned char)text[span->end] & 0xC0) == 0x80;
    return !cut_begin && !cut_end;
}

static retort_status take_judgement(rt_evidence *evidence, const rt_judgement *judgement, rt_behavior_cell *cells,
                                    const char *text, size_t length, retort_error *err) {
    const rt_judgements *all = evidence->judgements;
    for (int32_t c = 0; c < evidence->columns; c++)
        if (all->column[c].judge == judgement->judge) cells[c].votes++;
    for (int64_t s = 0; s < judgement->num_spans; s++) {
        const rt_judged_span *span = &all->spans[judgement->first_span + s];
        if (!span_holds(span, text, length)) {
            evidence->misplaced++;
            continue;
        }
        cells[span->column].spans++;
        RT_TRY(push_mark(evidence, rt_evidence_categories(evidence) + span->column, span->begin, span->end, err));
    }
    for (int32_t c = 0; c < evidence->columns; c++) {
        bool shown = false;
        for (int64_t s = 0; s < judgement->num_spans && !shown; s++) {
            const rt_judged_span *span = &all->spans[judgement->first_span + s];
            shown = span->column == c && span_holds(span, text, length);
        }
        cells[c].shown += shown;
    }
    return RETORT_OK;
}

static retort_status take_judgements(rt_evidence *evidence, const rt_runs *runs, const rt_run_row *row,
                                     rt_behavior_cell *cells, const char *text, size_t length, retort_error *err) {
    rt_judgements *all = evidence->judgements;
    const char *model = runs->models.items[runs->groups[row->group].model];
    int32_t first = rt_judgements_find(all, model, runs->problems[row->problem].id, rt_run_record(runs, row)->sample);
    rt_judge_counts *counts = &evidence->judges[(int64_t)row->group * all->judges.count];
    for (int32_t j = first; j >= 0; j = all->items[j].next) {
        const rt_judgement *judgement = &all->items[j];
        counts[judgement->judge].votes++;
        counts[judgement->judge].unparsed += judgement->status == RT_JUDGEMENT_UNPARSED;
        counts[judgement->judge].refused += judgement->status == RT_JUDGEMENT_REFUSED;
        if (judgement->status == RT_JUDGED) RT_TRY(take_judgement(evidence, judgement, cells, text, length, err));
    }
    return RETORT_OK;
}

static retort_status take_world(rt_evidence *evidence, const rt_question *question, rt_judge_counts *counts,
                                rt_behavior_cell *cells, const char *text, size_t length, retort_error *err) {
    rt_world_behaviors found;
    rt_world_behaviors_count(question, text, length, &found);
    evidence->has_world = true;
    counts[evidence->world_judge].votes++;
    for (int b = 0; b < RT_BEHAVIORS; b++) {
        int32_t n = rt_behavior_count(&found, b);
        cells[evidence->world_columns[b]] = (rt_behavior_cell){1, n > 0, n};
    }
    rt_behavior_span *spans = NULL;
    size_t count = 0;
    RT_TRY(rt_world_behavior_spans(question, text, length, &spans, &count, err));
    retort_status st = RETORT_OK;
    for (size_t i = 0; i < count && st == RETORT_OK; i++) {
        int b = rt_behavior_find(spans[i].kind);
        if (b < 0) continue;
        int32_t kind = rt_evidence_categories(evidence) + evidence->world_columns[b];
        st = push_mark(evidence, kind, spans[i].begin, spans[i].end, err);
    }
    rt_free(spans);
    return st;
}

/* Several votes may quote one place: it is marked once. */
static void sort_marks(rt_evidence *evidence) {
    if (evidence->num_marks == 0) return;
    qsort(evidence->marks, (size_t)evidence->num_marks, sizeof *evidence->marks, by_begin);
    int64_t kept = 1;
    for (int64_t i = 1; i < evidence->num_marks; i++)
        if (by_begin(&evidence->marks[kept - 1], &evidence->marks[i]) != 0)
            evidence->marks[kept++] = evidence->marks[i];
    evidence->num_marks = kept;
}

retort_status rt_evidence_take(rt_evidence *evidence, const rt_runs *runs, int64_t row, const char *text, size_t length,
                               retort_error *err) {
    RT_TRY(make_rows(evidence, err));
    RT_TRY(make_groups(evidence, runs->group_keys.count, err));
    const rt_run_row *at = &runs->rows[row];
    evidence->count++;
    evidence->num_marks = 0;
    rt_behavior_cell *cells = &evidence->cells[row * evidence->columns];
    memset(cells, 0, (size_t)evidence->columns * sizeof *cells);
    RT_TRY(take_words(evidence, row, text, length, err));
    RT_TRY(take_judgements(evidence, runs, at, cells, text, length, err));
    const rt_question *question = &runs->problems[at->problem].question;
    rt_judge_counts *counts = &evidence->judges[(int64_t)at->group * evidence->judgements->judges.count];
    if (question->family != RT_FAMILY_TEXT) RT_TRY(take_world(evidence, question, counts, cells, text, length, err));
    sort_marks(evidence);
    return RETORT_OK;
}

void rt_evidence_free(rt_evidence *evidence) {
    rt_free(evidence->words);
    rt_free(evidence->places);
    rt_free(evidence->cells);
    rt_free(evidence->judges);
    rt_free(evidence->marks);
    *evidence = (rt_evidence){0};
}
