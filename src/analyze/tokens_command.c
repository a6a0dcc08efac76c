#include <math.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/token_report.h"
#include "analyze/token_stream.h"
#include "retort/analyze.h"

enum { MOST_COMPARED = 16 }; /* groups of which every pair is compared */

#define FIELD(name) offsetof(retort_tokens_options, name)
const retort_option retort_tokens_option_table[] = {
    {"responses", RETORT_OPTION_LIST, FIELD(responses), NULL, "FILES", "responses: JSONL or run stores", "Input", 0, 0,
     NULL, true},
    {"by", RETORT_OPTION_LIST, FIELD(by), "model", "KEYS",
     "what tells the groups apart: keys of a line, such as model, step or benchmark; `file` is the file's name", NULL,
     0, 0, NULL, false},
    {"text_key", RETORT_OPTION_STRING, FIELD(text_key), NULL, "KEY",
     "key of a line that holds the response; default: the known ones are tried", NULL, 0, 0, NULL, false},
    {"problem_key", RETORT_OPTION_STRING, FIELD(problem_key), NULL, "KEY",
     "key that tells problems apart; default: the known ones are tried", NULL, 0, 0, NULL, false},
    {"lexicon", RETORT_OPTION_LIST, FIELD(lexicon), NULL, "NAMES",
     "lexicons: anthropomorphic, logical, mathematical, or YAML files; default: these three", "Counting", 0, 0, NULL,
     false},
    {"part", RETORT_OPTION_CHOICE, FIELD(part), "both", NULL,
     "where to count: in the whole response, its thought, or "
     "what follows the thought",
     NULL, 0, 0, "both|thought|answer", false},
    {"starts_in_thought", RETORT_OPTION_BOOL, FIELD(starts_in_thought), "false", NULL,
     "responses without any <think> or </think> are thoughts (the prompt ended in <think>)", NULL, 0, 0, NULL, false},
    {"keep", RETORT_OPTION_LIST, FIELD(keep), NULL, "REASONS",
     "truncated, repetitive: count such responses too, which are otherwise left out", NULL, 0, 0, NULL, false},
    {"tokenizer", RETORT_OPTION_STRING, FIELD(tokenizer), NULL, "DIR",
     "a model: its tokens are counted as well, and the distinctive terms are its tokens", NULL, 0, 0, NULL, false},
    {"first_words", RETORT_OPTION_INT, FIELD(first_words), "100", "N",
     "words of the beginnings that are compared at equal length", "Statistics", 1, 1e6, NULL, false},
    {"reference", RETORT_OPTION_STRING, FIELD(reference), NULL, "NAME",
     "compare every group with this one only; default: every pair of up to 16 groups", NULL, 0, 0, NULL, false},
    {"top", RETORT_OPTION_INT, FIELD(top), "15", "N", "distinctive terms listed on each side of a pair", NULL, 1, 1000,
     NULL, false},
    {"seed", RETORT_OPTION_INT, FIELD(seed), "401", "N", "seed of the bootstrap", NULL, 0, 1e9, NULL, false},
    {"resamples", RETORT_OPTION_INT, FIELD(resamples), "10000", "N", "resamples of the bootstrap, at most", NULL, 100,
     1e6, NULL, false},
    {"threads", RETORT_OPTION_INT, FIELD(threads), "0", "N", "threads; 0: all processors. They change no figure.",
     "Speed", 0, 1024, NULL, false},
    {0}};
#undef FIELD

static retort_status read_keep(const char *list, rt_token_rules *rules, retort_error *err) {
    for (const char *at = list != NULL ? list : ""; *at != '\0';) {
        size_t length = strcspn(at, ",");
        bool truncated = length == 9 && strncmp(at, "truncated", 9) == 0;
        bool repetitive = length == 10 && strncmp(at, "repetitive", 10) == 0;
        RT_CHECK(truncated || repetitive, err, RETORT_ERR_USAGE,
                 "'--keep' names '%.*s', must be truncated or repetitive", (int)length, at);
        rules->keep_truncated = rules->keep_truncated || truncated;
        rules->keep_repetitive = rules->keep_repetitive || repetitive;
        at += length + (at[length] == ',');
    }
    return RETORT_OK;
}

static retort_status read_all(const rt_token_rules *rules, const retort_tokens_options *options,
                              const retort_progress *progress, rt_count_table *table, retort_error *err) {
    char *copy = rt_strdup(options->responses), *rest = NULL;
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *name = strtok_r(copy, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest))
        st = rt_token_stream(rules, name, options->threads, progress, table, err);
    rt_free(copy);
    RT_CHECK(st != RETORT_OK || table->names.count > 0, err, RETORT_ERR_FORMAT, "'%s' holds no responses",
             options->responses);
    return st;
}

static retort_status add_groups(const rt_token_settings *settings, const rt_count_table *table, json_t *list,
                                retort_error *err) {
    for (int64_t g = 0; g < table->names.count; g++) {
        json_t *group;
        RT_TRY(rt_token_group_json(settings, table, g, &group, err));
        json_array_append_new(list, group);
    }
    return RETORT_OK;
}

static retort_status add_pairs(const rt_token_settings *settings, const rt_count_table *table, const char *reference,
                               json_t *list, retort_error *err) {
    int64_t fixed = -1;
    if (reference != NULL) {
        fixed = rt_name_find(&table->names, reference, strlen(reference));
        RT_CHECK(fixed >= 0, err, RETORT_ERR_USAGE, "'--reference' is '%s', which no response belongs to", reference);
    }
    for (int64_t a = 0; a < table->names.count; a++)
        for (int64_t b = fixed >= 0 ? fixed : a + 1; b < (fixed >= 0 ? fixed + 1 : table->names.count); b++) {
            json_t *pair;
            if (a == b) continue;
            RT_TRY(rt_token_pair_json(settings, table, a, b, &pair, err));
            json_array_append_new(list, pair);
        }
    return rt_token_adjust(list, err);
}

static retort_status settings_json(const rt_token_settings *settings, const retort_tokens_options *options,
                                   json_t **out, retort_error *err) {
    static const char *const PARTS[] = {"both", "thought", "answer"};
    rt_buffer categories = {0};
    for (int32_t c = 0; c < settings->rules->lexicon->num_categories; c++)
        RT_TRY(rt_buffer_printf(&categories, err, "%s%s", c > 0 ? ", " : "",
                                settings->rules->lexicon->categories[c].name));
    *out = json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:I}", "categories", categories.data, "by", options->by, "part",
                     PARTS[options->part], "starts_in_thought", options->starts_in_thought, "kept",
                     options->keep != NULL ? options->keep : "", "first_words", (json_int_t)options->first_words,
                     "seed", (json_int_t)options->seed);
    rt_buffer_free(&categories);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: settings");
    return RETORT_OK;
}

static retort_status analyze(const rt_token_rules *rules, const retort_tokens_options *options,
                             const retort_progress *progress, char **json, retort_error *err) {
    rt_token_settings settings = {rules, options->resamples, options->top, (uint64_t)options->seed};
    rt_count_table table;
    rt_count_table_init(&table, rules->lexicon);
    json_t *models = json_array(), *pairs = json_array();
    json_t *chosen = NULL;
    retort_status st = settings_json(&settings, options, &chosen, err);
    json_t *result = json_pack("{s:o*, s:o, s:o}", "settings", chosen, "models", models, "comparisons", pairs);
    if (st == RETORT_OK && result == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: result");
    if (st == RETORT_OK) st = read_all(rules, options, progress, &table, err);
    if (st == RETORT_OK) st = add_groups(&settings, &table, models, err);
    bool compare = options->reference != NULL || table.names.count <= MOST_COMPARED;
    if (st == RETORT_OK && compare) st = add_pairs(&settings, &table, options->reference, pairs, err);
    if (st == RETORT_OK && !compare)
        json_object_set_new(result, "comparisons_left_out",
                            json_string("more than 16 groups: name one with --reference to compare with"));
    rt_count_table_free(&table);
    if (st != RETORT_OK) {
        json_decref(result);
        return st;
    }
    return rt_json_result(result, json, err);
}

retort_status retort_tokens(const retort_tokens_options *options, const retort_progress *progress, char **json,
                            retort_error *err) {
    RT_TRY(retort_options_check(retort_tokens_option_table, options, err));
    rt_lexicon lexicon;
    rt_scanner *scanner = NULL;
    rt_tokenizer *tokenizer = NULL;
    rt_token_rules rules = {.lexicon = &lexicon,
                            .keys = {.text = options->text_key, .problem = options->problem_key, .by = options->by},
                            .part = (rt_part)options->part,
                            .starts_in_thought = options->starts_in_thought,
                            .first_words = options->first_words};
    RT_TRY(read_keep(options->keep, &rules, err));
    RT_TRY(rt_lexicon_read(options->lexicon, &lexicon, err));
    retort_status st = rt_scanner_create(&lexicon, &scanner, err);
    if (st == RETORT_OK && options->tokenizer != NULL) st = rt_tokenizer_load(options->tokenizer, &tokenizer, err);
    rules.scanner = scanner;
    rules.tokenizer = tokenizer;
    if (st == RETORT_OK) st = analyze(&rules, options, progress, json, err);
    rt_tokenizer_destroy(tokenizer);
    rt_scanner_destroy(scanner);
    rt_lexicon_free(&lexicon);
    return st;
}
