#include "report/explorer.h"

#include <string.h>

#include "report/block.h"
#include "report/page.h"

retort_status rt_explorer_add(rt_explorer *explorer, const rt_evidence *evidence, const char *text, size_t length,
                              retort_error *err) {
    int64_t row = explorer->texts.rows;
    RT_TRY(rt_texts_add(&explorer->texts, text, length, evidence->marks, evidence->num_marks, err));
    return rt_search_add(&explorer->search, (int32_t)row, text, length, err);
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static retort_status put_int(rt_buffer *out, int64_t value, retort_error *err) {
    uint32_t bits = (uint32_t)(int32_t)(value > INT32_MAX ? INT32_MAX : value);
    const unsigned char bytes[4] = {(unsigned char)bits, (unsigned char)(bits >> 8), (unsigned char)(bits >> 16),
                                    (unsigned char)(bits >> 24)};
    return rt_buffer_append(out, bytes, sizeof bytes, err);
}

static const char *const FIXED[] = {"group", "problem", "sample", "verdict", "cut", "tokens", "words"};
enum { FIXED_COLUMNS = sizeof FIXED / sizeof FIXED[0] };

/* -1: nobody said. */
static int64_t fixed_value(const rt_runs *runs, const rt_evidence *evidence, int64_t r, int column) {
    const rt_run_row *row = &runs->rows[r];
    const rt_record *record = rt_run_record(runs, row);
    const int64_t values[FIXED_COLUMNS] = {row->group,
                                           row->problem,
                                           record->sample,
                                           record->graded ? (int64_t)record->verdict : -1,
                                           row->has_finish ? record->finish == RT_FINISH_LENGTH : -1,
                                           row->has_tokens ? record->tokens : -1,
                                           evidence->words[r]};
    return values[column];
}

/* Mean over the votes, half a span rounded up; -1: not judged. */
static int64_t behavior_value(const rt_behavior_cell *cell) {
    return cell->votes == 0 ? -1 : (2 * (int64_t)cell->spans + cell->votes) / (2 * (int64_t)cell->votes);
}

/* Columns of the world are there only where it was met. */
static bool is_used(const rt_evidence *evidence, int32_t column) {
    return evidence->has_world || evidence->judgements->column[column].judge != evidence->world_judge;
}

static retort_status write_columns(const char *folder, const rt_runs *runs, const rt_evidence *evidence, json_t *names,
                                   retort_error *err) {
    rt_buffer bytes = {0};
    retort_status st = RETORT_OK;
    for (int c = 0; c < FIXED_COLUMNS; c++) {
        json_array_append_new(names, json_string(FIXED[c]));
        for (int64_t r = 0; r < runs->count && st == RETORT_OK; r++)
            st = put_int(&bytes, fixed_value(runs, evidence, r, c), err);
    }
    for (int32_t c = 0; c < rt_evidence_categories(evidence); c++) {
        json_array_append_new(names, json_sprintf("category %d", c));
        for (int64_t r = 0; r < runs->count && st == RETORT_OK; r++)
            st = put_int(&bytes, rt_evidence_places(evidence, r, c), err);
    }
    for (int32_t c = 0; c < evidence->columns; c++) {
        if (!is_used(evidence, c)) continue;
        json_array_append_new(names, json_sprintf("behavior %d", rt_evidence_categories(evidence) + c));
        for (int64_t r = 0; r < runs->count && st == RETORT_OK; r++)
            st = put_int(&bytes, behavior_value(rt_evidence_cell(evidence, r, c)), err);
    }
    if (st == RETORT_OK) st = rt_block_write(folder, "columns", bytes.data, bytes.length, err);
    rt_buffer_free(&bytes);
    return st;
}

/* ---- index ------------------------------------------------------------------------------------------------------- */

static json_t *texts_json(const rt_strings *names) {
    json_t *list = json_array();
    for (int32_t i = 0; i < names->count; i++)
        json_array_append_new(list, rt_json_text(names->items[i], names->lengths[i]));
    return list;
}

static bool has_marks(const rt_lexicon *lexicon, int32_t category) {
    for (int32_t e = 0; e < lexicon->num_entries; e++)
        if (lexicon->entries[e].category == category && rt_evidence_is_marked(&lexicon->entries[e])) return true;
    return false;
}

/* {kind, type, name, judge}: what the marks and the columns are. */
static json_t *kinds_json(const rt_evidence *evidence) {
    const rt_judgements *judgements = evidence->judgements;
    json_t *list = json_array();
    for (int32_t c = 0; c < rt_evidence_categories(evidence); c++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:b}", "kind", c, "type", "token", "name",
                                              evidence->lexicon->categories[c].name, "marked",
                                              has_marks(evidence->lexicon, c)));
    for (int32_t c = 0; c < evidence->columns; c++) {
        const rt_behavior_column *column = &judgements->column[c];
        if (!is_used(evidence, c)) continue;
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:b}", "kind", rt_evidence_categories(evidence) + c,
                                              "type", "behavior", "name", judgements->behaviors.items[column->behavior],
                                              "judge", judgements->judges.items[column->judge], "marked", 1));
    }
    return list;
}

static json_t *groups_json(const rt_runs *runs) {
    json_t *list = json_array();
    for (int32_t g = 0; g < runs->group_keys.count; g++)
        json_array_append_new(list, json_pack("[i, i]", runs->groups[g].model, runs->groups[g].benchmark));
    return list;
}

static json_t *problem_ids_json(const rt_runs *runs) {
    json_t *list = json_array();
    for (int32_t p = 0; p < runs->problem_keys.count; p++)
        json_array_append_new(list, json_pack("[i, s]", runs->problems[p].benchmark, runs->problems[p].id));
    return list;
}

static retort_status write_json_block(const char *folder, const char *name, json_t *value, retort_error *err) {
    rt_buffer text = {0};
    retort_status st = value != NULL ? rt_json_dump(value, JSON_COMPACT, &text, err)
                                     : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: index of the explorer");
    json_decref(value);
    if (st == RETORT_OK) st = rt_block_write(folder, name, text.data, text.length, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status write_problems(const char *folder, const rt_runs *runs, retort_error *err) {
    json_t *list = json_array();
    for (int32_t p = 0; p < runs->problem_keys.count; p++)
        json_array_append_new(list, json_pack("[s?, s?]", runs->problems[p].statement, runs->problems[p].answer));
    return write_json_block(folder, "problems", list, err);
}

static retort_status write_index(const char *folder, const rt_explorer *explorer, const rt_runs *runs,
                                 const rt_evidence *evidence, retort_error *err) {
    json_t *columns = json_array(), *words = json_array();
    retort_status st = write_columns(folder, runs, evidence, columns, err);
    if (st == RETORT_OK) st = rt_search_write(&explorer->search, folder, words, err);
    json_t *index = json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:O, s:o}", "title", explorer->title,
                              "retort", RETORT_VERSION, "rows", (json_int_t)runs->count, "models",
                              texts_json(&runs->models), "benchmarks", texts_json(&runs->benchmarks), "groups",
                              groups_json(runs), "problems", problem_ids_json(runs), "kinds", kinds_json(evidence),
                              "columns", columns, "texts", explorer->texts.first_rows, "search", words);
    if (st == RETORT_OK) return write_json_block(folder, "index", index, err);
    json_decref(index);
    return st;
}

static retort_status write_part(const char *folder, const char *part, const char *name, retort_error *err) {
    char *path = rt_path_join(folder, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of the explorer");
    retort_status st = rt_page_write(part, NULL, path, err);
    rt_free(path);
    return st;
}

retort_status rt_explorer_write(rt_explorer *explorer, const rt_runs *runs, const rt_evidence *evidence,
                                retort_error *err) {
    const char *folder = explorer->texts.folder;
    RT_TRY(rt_texts_finish(&explorer->texts, err));
    RT_TRY(write_index(folder, explorer, runs, evidence, err));
    RT_TRY(write_problems(folder, runs, err));
    RT_TRY(write_part(folder, "explorer-script", "explorer.js", err));
    RT_TRY(write_part(folder, "explorer-style", "explorer.css", err));
    return write_part(explorer->folder, "explorer-page", "explorer.html", err);
}

void rt_explorer_free(rt_explorer *explorer) {
    rt_texts_free(&explorer->texts);
    rt_search_free(&explorer->search);
}
