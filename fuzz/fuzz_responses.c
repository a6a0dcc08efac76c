/* Fuzz target of the response reader: any bytes as a line of JSONL, and as a response's text. A category cannot have
 * more places than its entries have matches, nor none where they have some. */
#include <stdlib.h>

#include "analyze/token_count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const rt_lexicon *lexicon, const rt_count_table *table) {
    for (int64_t g = 0; g < table->names.count; g++)
        for (int64_t p = 0; p < table->groups[g].problems.count; p++) {
            const rt_problem_counts *counts = &table->groups[g].counts[p];
            uint64_t matches[RT_LEXICON_MAX_CATEGORIES] = {0};
            for (int32_t e = 0; e < lexicon->num_entries; e++)
                matches[lexicon->entries[e].category] += counts->entries[e];
            for (int32_t c = 0; c < lexicon->num_categories; c++) {
                uint64_t places = 0;
                for (int d = 0; d < RT_DECILES; d++) places += counts->places[c * RT_DECILES + d];
                if (places > matches[c] || (places == 0) != (matches[c] == 0)) abort();
            }
        }
}

static void count(const rt_lexicon *lexicon, const rt_scanner *scanner, const json_t *line, rt_part part) {
    rt_token_rules rules = {.lexicon = lexicon,
                            .scanner = scanner,
                            .part = part,
                            .keep_truncated = true,
                            .keep_repetitive = true,
                            .first_words = 3};
    rt_token_counter *counter;
    rt_count_table table;
    retort_error err;
    rt_count_table_init(&table, lexicon);
    if (rt_token_counter_create(&rules, &counter, &err) != RETORT_OK) abort();
    (void)rt_token_count_line(counter, line, "file", "line", &table, &err);
    check(lexicon, &table);
    rt_token_counter_destroy(counter);
    rt_count_table_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static rt_lexicon lexicon;
    static rt_scanner *scanner;
    retort_error err;
    if (scanner == NULL && (rt_lexicon_read(NULL, &lexicon, &err) != RETORT_OK ||
                            rt_scanner_create(&lexicon, &scanner, &err) != RETORT_OK))
        abort();
    json_t *line;
    if (rt_json_parse((const char *)data, size, "fuzz", &line, &err) == RETORT_OK) {
        if (json_is_object(line)) count(&lexicon, scanner, line, RT_PART_THOUGHT);
        json_decref(line);
    }
    line = json_object();
    json_object_set_new(line, "text", rt_json_text((const char *)data, size));
    for (int part = 0; part < 3; part++) count(&lexicon, scanner, line, (rt_part)part);
    json_decref(line);
    return 0;
}
