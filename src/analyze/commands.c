#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/token_stats.h"
#include "core/file.h"
#include "retort/analyze.h"

void retort_free(char *text) {
    free(text);
}

#define FIELD(name) offsetof(retort_tokens_options, name)
const retort_option retort_tokens_option_table[] = {
    {"responses", RETORT_OPTION_LIST, FIELD(responses), NULL, "FILES",
     "responses, JSONL, one file a model; the `model` key of the first line names it, else the file", "Input", 0, 0,
     NULL, true},
    {"seed", RETORT_OPTION_INT, FIELD(seed), "401", "N", "seed of the bootstrap", "Statistics", 0, 1e9, NULL, false},
    {"top", RETORT_OPTION_INT, FIELD(top), "15", "N", "distinctive tokens listed on each side of a pair", NULL, 1, 1000,
     NULL, false},
    {0}};
#undef FIELD

/* The sets named by a comma list of files. */
typedef struct set_list {
    rt_response_set *sets;
    int64_t count;
} set_list;

static void free_sets(set_list *list) {
    for (int64_t i = 0; i < list->count; i++) rt_response_set_free(&list->sets[i]);
    rt_free(list->sets);
    *list = (set_list){0};
}

static retort_status read_sets(const char *files, const rt_problems *problems, set_list *out, retort_error *err) {
    *out = (set_list){0};
    char *copy = rt_strdup(files);
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    size_t most = 1;
    for (const char *c = files; *c != '\0'; c++) most += *c == ',';
    out->sets = rt_calloc(most, sizeof *out->sets);
    retort_status st = out->sets != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: list of files");
    char *rest = NULL;
    for (char *name = strtok_r(copy, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest)) {
        st = rt_responses_read(name, problems, &out->sets[out->count], err);
        if (st == RETORT_OK) out->count++;
    }
    rt_free(copy);
    if (st == RETORT_OK && out->count == 0) st = rt_fail(err, RETORT_ERR_USAGE, "no responses file was named");
    if (st != RETORT_OK) free_sets(out);
    return st;
}

static retort_status add_pairs(const set_list *list, const rt_term_table *tables, int64_t top, json_t *pairs,
                               retort_error *err) {
    for (int64_t a = 0; a < list->count; a++)
        for (int64_t b = a + 1; b < list->count; b++) {
            json_t *tokens;
            RT_TRY(rt_distinctive_json(&tables[a], &tables[b], top, &tokens, err));
            json_array_append_new(pairs, json_pack("{s:s, s:s, s:o}", "a", list->sets[a].model, "b",
                                                   list->sets[b].model, "tokens", tokens));
        }
    return RETORT_OK;
}

retort_status retort_tokens(const retort_tokens_options *options, char **json, retort_error *err) {
    RT_TRY(retort_options_check(retort_tokens_option_table, options, err));
    set_list list;
    RT_TRY(read_sets(options->responses, NULL, &list, err));
    rt_term_table *tables = rt_calloc((size_t)list.count, sizeof *tables);
    json_t *models = json_array(), *pairs = json_array();
    json_t *result = json_pack("{s:o, s:o}", "models", models, "distinctive", pairs);
    retort_status st =
        tables != NULL && result != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: tokens");
    for (int64_t i = 0; i < list.count && st == RETORT_OK; i++) {
        json_t *stats;
        st = rt_terms_count(&list.sets[i], &tables[i], err);
        if (st == RETORT_OK) st = rt_token_stats_json(&list.sets[i], &tables[i], (uint64_t)options->seed, &stats, err);
        if (st != RETORT_OK) break;
        json_object_set_new(stats, "model", json_string(list.sets[i].model));
        json_array_append_new(models, stats);
    }
    if (st == RETORT_OK) st = add_pairs(&list, tables, options->top, pairs, err);
    for (int64_t i = 0; tables != NULL && i < list.count; i++) rt_term_table_free(&tables[i]);
    rt_free(tables);
    free_sets(&list);
    if (st != RETORT_OK) {
        json_decref(result);
        return st;
    }
    return rt_json_result(result, json, err);
}
