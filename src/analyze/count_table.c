#include "analyze/count_table.h"

#include <string.h>

const char *rt_left_out_name(rt_left_out reason) {
    static const char *const NAMES[] = {"kept", "empty", "repetitive", "truncated", "without_part"};
    return NAMES[reason];
}

/* Names. */

static size_t hash_of(const char *name, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    return (size_t)(hash ^ (hash >> 29));
}

static int32_t *find_slot(const rt_name_table *t, const char *name, size_t length) {
    size_t mask = (size_t)t->slot_capacity - 1, at = hash_of(name, length) & mask;
    for (; t->slots[at] != 0; at = (at + 1) & mask) {
        const char *own = t->names[t->slots[at] - 1];
        if (strncmp(own, name, length) == 0 && own[length] == '\0') break;
    }
    return &t->slots[at];
}

static retort_status grow_names(rt_name_table *t, retort_error *err) {
    int64_t capacity = t->capacity == 0 ? 16 : t->capacity * 2;
    char **names = rt_realloc_array(t->names, (size_t)capacity, sizeof *names);
    RT_CHECK(names != NULL && capacity < INT32_MAX / 2, err, RETORT_ERR_MEMORY, "out of memory: %lld names",
             (long long)capacity);
    t->names = names;
    t->capacity = capacity;
    rt_free(t->slots);
    t->slot_capacity = capacity * 2;
    t->slots = rt_calloc((size_t)t->slot_capacity, sizeof *t->slots);
    RT_CHECK(t->slots != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld names", (long long)capacity);
    for (int64_t i = 0; i < t->count; i++) *find_slot(t, t->names[i], strlen(t->names[i])) = (int32_t)i + 1;
    return RETORT_OK;
}

int64_t rt_name_find(const rt_name_table *table, const char *name, size_t length) {
    return table->slot_capacity == 0 ? -1 : *find_slot(table, name, length) - 1;
}

retort_status rt_name_intern(rt_name_table *t, const char *name, size_t length, int64_t *index, retort_error *err) {
    size_t whole = strnlen(name, length); /* a name ends at a NUL */
    if (t->count == t->capacity) RT_TRY(grow_names(t, err));
    int32_t *slot = find_slot(t, name, whole);
    if (*slot == 0) {
        t->names[t->count] = rt_strndup(name, whole);
        RT_CHECK(t->names[t->count] != NULL, err, RETORT_ERR_MEMORY, "out of memory: a name");
        *slot = (int32_t)++t->count;
    }
    *index = *slot - 1;
    return RETORT_OK;
}

static void free_names(rt_name_table *t) {
    for (int64_t i = 0; i < t->count; i++) rt_free(t->names[i]);
    rt_free(t->names);
    rt_free(t->slots);
}

/* The table. */

void rt_count_table_init(rt_count_table *table, const rt_lexicon *lexicon) {
    *table = (rt_count_table){.num_entries = lexicon->num_entries, .num_categories = lexicon->num_categories};
}

static void free_group(rt_token_group *group) {
    for (int64_t i = 0; i < group->problems.count && i < group->counts_capacity; i++) {
        rt_free(group->counts[i].entries);
        rt_free(group->counts[i].places);
    }
    rt_free(group->counts);
    rt_free(group->records);
    rt_free(group->record_places);
    rt_vocabulary_free(&group->vocabulary);
    free_names(&group->problems);
}

void rt_count_table_free(rt_count_table *table) {
    for (int64_t i = 0; i < table->names.count && i < table->groups_capacity; i++) free_group(&table->groups[i]);
    rt_free(table->groups);
    free_names(&table->names);
    *table = (rt_count_table){0};
}

/* Room for index `needed`, zeroed. */
static retort_status reserve(void **array, int64_t *capacity, int64_t needed, size_t size, retort_error *err) {
    if (needed < *capacity) return RETORT_OK;
    int64_t larger = *capacity == 0 ? 8 : *capacity * 2;
    char *grown = rt_realloc_array(*array, (size_t)larger, size);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: table of %lld rows", (long long)larger);
    memset(grown + (size_t)*capacity * size, 0, (size_t)(larger - *capacity) * size);
    *array = grown;
    *capacity = larger;
    return RETORT_OK;
}

retort_status rt_count_table_group(rt_count_table *table, const char *name, size_t length, rt_token_group **out,
                                   retort_error *err) {
    int64_t index;
    RT_TRY(reserve((void **)&table->groups, &table->groups_capacity, table->names.count, sizeof *table->groups, err));
    RT_TRY(rt_name_intern(&table->names, name, length, &index, err));
    *out = &table->groups[index];
    return RETORT_OK;
}

retort_status rt_token_group_problem(rt_count_table *table, rt_token_group *group, const char *name, size_t length,
                                     int32_t *index, retort_error *err) {
    int64_t at;
    RT_TRY(
        reserve((void **)&group->counts, &group->counts_capacity, group->problems.count, sizeof *group->counts, err));
    RT_TRY(rt_name_intern(&group->problems, name, length, &at, err));
    rt_problem_counts *counts = &group->counts[at];
    if (counts->entries == NULL) counts->entries = rt_calloc((size_t)table->num_entries + 1, sizeof *counts->entries);
    if (counts->places == NULL)
        counts->places = rt_calloc((size_t)table->num_categories * RT_DECILES, sizeof *counts->places);
    RT_CHECK(counts->entries != NULL && counts->places != NULL, err, RETORT_ERR_MEMORY, "out of memory: counts");
    *index = (int32_t)at;
    return RETORT_OK;
}

retort_status rt_token_group_record(rt_count_table *table, rt_token_group *group, const rt_response_record *record,
                                    const uint32_t *places, retort_error *err) {
    size_t width = 2 * (size_t)table->num_categories;
    if (group->num_records == group->record_capacity) {
        int64_t capacity = group->record_capacity == 0 ? 64 : group->record_capacity * 2;
        rt_response_record *records = rt_realloc_array(group->records, (size_t)capacity, sizeof *records);
        if (records != NULL) group->records = records;
        uint32_t *more = rt_realloc_array(group->record_places, (size_t)capacity * width, sizeof *more);
        if (more != NULL) group->record_places = more;
        RT_CHECK(records != NULL && more != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses",
                 (long long)capacity);
        group->record_capacity = capacity;
    }
    group->records[group->num_records] = *record;
    memcpy(group->record_places + (size_t)group->num_records * width, places, width * sizeof *places);
    group->num_records++;
    return RETORT_OK;
}

/* Counts that would not fit are an error, not a wrong number. */
static bool add_counts(uint32_t *into, const uint32_t *from, size_t count) {
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        fits = fits && from[i] <= UINT32_MAX - into[i];
        into[i] += from[i];
    }
    return fits;
}

static retort_status merge_group(rt_count_table *table, rt_token_group *into, const rt_token_group *from,
                                 retort_error *err) {
    size_t categories = (size_t)table->num_categories, width = 2 * categories;
    int32_t *renumbered = rt_malloc_array((size_t)from->problems.count + 1, sizeof *renumbered);
    RT_CHECK(renumbered != NULL, err, RETORT_ERR_MEMORY, "out of memory: problems");
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < from->problems.count && st == RETORT_OK; i++) {
        const char *name = from->problems.names[i];
        st = rt_token_group_problem(table, into, name, strlen(name), &renumbered[i], err);
        if (st != RETORT_OK) break;
        rt_problem_counts *counts = &into->counts[renumbered[i]];
        const rt_problem_counts *more = &from->counts[i];
        counts->responses += more->responses;
        counts->words += more->words;
        counts->tokens += more->tokens;
        bool fits = add_counts(counts->entries, more->entries, (size_t)table->num_entries) &&
                    add_counts(counts->places, more->places, categories * RT_DECILES) &&
                    add_counts(counts->decile_words, more->decile_words, RT_DECILES);
        if (!fits) st = rt_fail(err, RETORT_ERR_UNSUPPORTED, "problem '%.80s' has more than 2^32 matches", name);
    }
    for (int64_t i = 0; i < from->num_records && st == RETORT_OK; i++) {
        rt_response_record record = from->records[i];
        record.problem = renumbered[record.problem];
        st = rt_token_group_record(table, into, &record, from->record_places + (size_t)i * width, err);
    }
    rt_free(renumbered);
    for (int r = 0; r < RT_LEFT_OUT_KINDS; r++) {
        into->reasons[r] += from->reasons[r];
        into->reason_words[r] += from->reason_words[r];
    }
    into->unclosed += from->unclosed;
    into->without_problem += from->without_problem;
    return st == RETORT_OK ? rt_vocabulary_merge(&into->vocabulary, &from->vocabulary, err) : st;
}

retort_status rt_count_table_merge(rt_count_table *into, const rt_count_table *from, retort_error *err) {
    for (int64_t g = 0; g < from->names.count; g++) {
        rt_token_group *group;
        const char *name = from->names.names[g];
        RT_TRY(rt_count_table_group(into, name, strlen(name), &group, err));
        RT_TRY(merge_group(into, group, &from->groups[g], err));
    }
    return RETORT_OK;
}
