#include "report/runs.h"

#include <string.h>

#include "core/progress.h"
#include "report/run_store.h"

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static retort_status reserve(void **block, int64_t used, int64_t *capacity, size_t size, retort_error *err) {
    if (used < *capacity) return RETORT_OK;
    int64_t wanted = *capacity == 0 ? 64 : 2 * *capacity;
    RT_CHECK(wanted <= INT32_MAX, err, RETORT_ERR_UNSUPPORTED, "more than %d responses", INT32_MAX);
    void *grown = rt_realloc_array(*block, (size_t)wanted, size);
    RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld responses", (long long)wanted);
    *block = grown;
    *capacity = wanted;
    return RETORT_OK;
}

static retort_status reserve32(void **block, int32_t used, int32_t *capacity, size_t size, retort_error *err) {
    int64_t wide = *capacity;
    RT_TRY(reserve(block, used, &wide, size, err));
    *capacity = (int32_t)wide;
    return RETORT_OK;
}

static retort_status find_group(rt_runs *runs, const char *model, const char *benchmark, int32_t *out,
                                retort_error *err) {
    int32_t pair[2], before = runs->group_keys.count;
    RT_TRY(rt_strings_add(&runs->models, model, strlen(model), &pair[0], err));
    RT_TRY(rt_strings_add(&runs->benchmarks, benchmark, strlen(benchmark), &pair[1], err));
    void *block = runs->groups;
    RT_TRY(reserve32(&block, before, &runs->groups_capacity, sizeof *runs->groups, err));
    runs->groups = block;
    RT_TRY(rt_strings_add(&runs->group_keys, (const char *)pair, sizeof pair, out, err));
    if (*out < before) return RETORT_OK;
    runs->groups[before] = (rt_run_group){.model = pair[0], .benchmark = pair[1]};
    runs->groups[before].set.model = rt_strdup(model);
    RT_CHECK(runs->groups[before].set.model != NULL, err, RETORT_ERR_MEMORY, "out of memory: model name");
    return RETORT_OK;
}

/* A key of a number and a string. */
static retort_status numbered_key(int32_t number, const char *text, rt_buffer *key, retort_error *err) {
    rt_buffer_clear(key);
    RT_TRY(rt_buffer_append(key, (const char *)&number, sizeof number, err));
    return rt_buffer_puts(key, text, err);
}

static char *copied(const char *text) {
    return text != NULL ? rt_strdup(text) : NULL;
}

static retort_status new_problem(rt_runs *runs, int32_t benchmark, const char *id, int32_t number, retort_error *err) {
    rt_run_problem *problem = &runs->problems[number];
    *problem = (rt_run_problem){.benchmark = benchmark, .id = rt_strdup(id)};
    RT_CHECK(problem->id != NULL, err, RETORT_ERR_MEMORY, "out of memory: problem id");
    int32_t known = rt_strings_find(&runs->known_ids, id, strlen(id));
    if (known < 0) return RETORT_OK;
    const rt_problem *found = &runs->known.items[known];
    problem->statement = copied(found->problem);
    problem->answer = copied(found->answer);
    problem->question = found->question;
    problem->question.answer = problem->answer;
    bool complete = problem->statement != NULL && (problem->answer != NULL) == (found->answer != NULL);
    RT_CHECK(complete, err, RETORT_ERR_MEMORY, "out of memory: problem");
    return RETORT_OK;
}

static retort_status find_problem(rt_runs *runs, int32_t benchmark, const char *id, int32_t *out, retort_error *err) {
    int32_t before = runs->problem_keys.count;
    void *block = runs->problems;
    RT_TRY(reserve32(&block, before, &runs->problems_capacity, sizeof *runs->problems, err));
    runs->problems = block;
    rt_buffer key = {0};
    retort_status st = numbered_key(benchmark, id, &key, err);
    if (st == RETORT_OK) st = rt_strings_add(&runs->problem_keys, key.data, key.length, out, err);
    rt_buffer_free(&key);
    if (st == RETORT_OK && *out == before) st = new_problem(runs, benchmark, id, before, err);
    return st;
}

/* The place of a problem of the runs in a group. */
static retort_status find_place(rt_runs *runs, int32_t group, int32_t problem, rt_run_place **out, retort_error *err) {
    int32_t pair[2] = {group, problem}, before = runs->place_keys.count, number;
    rt_run_group *into = &runs->groups[group];
    void *block = runs->places;
    RT_TRY(reserve32(&block, before, &runs->places_capacity, sizeof *runs->places, err));
    runs->places = block;
    void *list = into->problems;
    RT_TRY(reserve(&list, into->set.problems, &into->problems_capacity, sizeof *into->problems, err));
    into->problems = list;
    RT_TRY(rt_strings_add(&runs->place_keys, (const char *)pair, sizeof pair, &number, err));
    if (number == before) {
        runs->places[before] = (rt_run_place){.number = (int32_t)into->set.problems};
        into->problems[into->set.problems++] = problem;
    }
    *out = &runs->places[number];
    return RETORT_OK;
}

/* Every response of a group has a sample number of its own, so that it can be named: a second one of the same number
 * takes the next free one. */
static retort_status free_sample(rt_runs *runs, int32_t group, rt_run_place *place, int32_t *sample,
                                 retort_error *err) {
    int32_t key[3] = {group, place->number, *sample};
    if (rt_strings_find(&runs->sample_keys, (const char *)key, sizeof key) >= 0) {
        key[2] = place->next_sample;
        while (rt_strings_find(&runs->sample_keys, (const char *)key, sizeof key) >= 0) key[2]++;
        place->next_sample = key[2] + 1;
        runs->renumbered++;
    }
    *sample = key[2];
    int32_t number;
    return rt_strings_add(&runs->sample_keys, (const char *)key, sizeof key, &number, err);
}

/* ---- one response ------------------------------------------------------------------------------------------------ */

/* Whether a comma list names it; NULL names everything. */
static bool is_listed(const char *list, const char *name) {
    if (list == NULL) return true;
    size_t length = strlen(name);
    for (const char *at = list;; at++) {
        size_t piece = strcspn(at, ",");
        if (piece == length && memcmp(at, name, length) == 0) return true;
        at += piece;
        if (*at == '\0') return false;
    }
}

retort_status rt_run_take(rt_run_reader *reader, rt_run_arrival *new, const json_t *gold, const char *where,
                          retort_error *err) {
    rt_runs *runs = reader->runs;
    if (!is_listed(reader->choice->models, new->model) || !is_listed(reader->choice->benchmarks, new->benchmark))
        return RETORT_OK;
    int32_t group, problem;
    rt_run_place *place;
    rt_run_row row = {.has_tokens = new->has_tokens, .has_finish = new->has_finish};
    RT_TRY(find_group(runs, new->model, new->benchmark, &group, err));
    RT_TRY(find_problem(runs, runs->groups[group].benchmark, new->problem, &problem, err));
    RT_TRY(find_place(runs, group, problem, &place, err));
    RT_TRY(free_sample(runs, group, place, &new->record.sample, err));
    rt_run_problem *asked = &runs->problems[problem];
    if (asked->statement == NULL && new->statement != NULL) asked->statement = rt_strdup(new->statement);
    if (gold != NULL && asked->answer == NULL && asked->question.family == RT_FAMILY_TEXT) {
        rt_problem read = {0};
        RT_TRY(rt_problem_read_gold(gold, where, &read, err));
        asked->answer = read.answer;
        asked->question = read.question;
    }
    rt_run_group *into = &runs->groups[group];
    void *block = into->set.records;
    RT_TRY(reserve(&block, into->set.count, &into->capacity, sizeof *into->set.records, err));
    into->set.records = block;
    block = runs->rows;
    RT_TRY(reserve(&block, runs->count, &runs->capacity, sizeof *runs->rows, err));
    runs->rows = block;
    new->record.problem = place->number;
    row.group = group;
    row.record = (int32_t)into->set.count;
    row.problem = problem;
    rt_record *record = &into->set.records[into->set.count++];
    *record = new->record;
    record->text = NULL;
    into->ungraded += !record->graded;
    into->without_tokens += !new->has_tokens;
    into->without_finish += !new->has_finish;
    runs->rows[runs->count++] = row;
    return reader->visit(reader->context, runs, runs->count - 1, new->record.text, new->record.length, err);
}

/* The benchmark that a line names, under whichever of the keys in use. */
static const char *named_benchmark(const json_t *object) {
    static const char *const KEYS[] = {"benchmark", "split", "dataset"};
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        const json_t *value = json_object_get(object, KEYS[i]);
        if (json_is_string(value)) return json_string_value(value);
    }
    return "all";
}

static retort_status read_line(void *context, json_t *object, size_t line, retort_error *err) {
    rt_run_reader *reader = context;
    char where[300], number[32];
    snprintf(where, sizeof where, "'%.200s' line %zu", reader->source->path, line);
    RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "stopped; nothing was written");
    rt_run_arrival new = {.model = reader->source->model, .benchmark = reader->source->benchmark};
    RT_TRY(rt_response_problem(object, where, number, &new.problem, err));
    if (new.model == NULL) {
        const char *slash = strrchr(reader->source->path, '/');
        new.model = slash != NULL ? slash + 1 : reader->source->path;
        if (json_object_get(object, "model") != NULL) RT_TRY(rt_json_string(object, "model", where, &new.model, err));
    }
    if (new.benchmark == NULL) new.benchmark = named_benchmark(object);
    new.statement = json_string_value(json_object_get(object, "problem"));
    new.has_tokens = json_object_get(object, "tokens") != NULL;
    new.has_finish = json_object_get(object, "finish_reason") != NULL || json_object_get(object, "truncated") != NULL;
    RT_TRY(rt_record_parse(object, where, &new.record, err));
    retort_status st = rt_run_take(reader, &new, object, where, err);
    rt_free(new.record.text);
    return st;
}

static retort_status read_source(rt_run_reader *reader, retort_error *err) {
    bool store = false;
    RT_TRY(rt_run_is_store(reader->source->path, &store, err));
    return store ? rt_run_store_read(reader, err) : rt_jsonl_read(reader->source->path, read_line, reader, err);
}

/* ---- outside ----------------------------------------------------------------------------------------------------- */

retort_status rt_runs_know(rt_runs *runs, const char *problems_path, retort_error *err) {
    rt_problems read = {0};
    RT_TRY(rt_problems_read(problems_path, &read, err));
    retort_status st = RETORT_OK;
    for (int64_t i = 0; i < read.count && st == RETORT_OK; i++) {
        int32_t number, before = runs->known_ids.count;
        st = rt_strings_add(&runs->known_ids, read.items[i].id, strlen(read.items[i].id), &number, err);
        if (st != RETORT_OK || number < before) continue; /* the first file that has it counts */
        st = rt_problems_push(&runs->known, &read.items[i], err);
        if (st == RETORT_OK) read.items[i] = (rt_problem){0};
    }
    rt_problems_free(&read);
    return st;
}

retort_status rt_runs_read(rt_runs *runs, const rt_run_sources *sources, const rt_run_choice *choice,
                           rt_run_visitor visit, void *context, retort_error *err) {
    rt_run_reader reader = {.runs = runs, .choice = choice, .visit = visit, .context = context};
    for (int64_t i = 0; i < sources->count; i++) {
        reader.source = &sources->items[i];
        RT_TRY(read_source(&reader, err));
    }
    RT_CHECK(runs->count > 0, err, RETORT_ERR_NOT_FOUND, "no responses%s",
             choice->models != NULL || choice->benchmarks != NULL
                 ? " of the models and benchmarks asked for; see --models and --benchmarks"
                 : " in the files named");
    return RETORT_OK;
}

const rt_record *rt_run_record(const rt_runs *runs, const rt_run_row *row) {
    return &runs->groups[row->group].set.records[row->record];
}

void rt_runs_free(rt_runs *runs) {
    for (int32_t i = 0; i < runs->group_keys.count; i++) {
        rt_response_set_free(&runs->groups[i].set);
        rt_free(runs->groups[i].problems);
    }
    for (int32_t i = 0; i < runs->problem_keys.count; i++) {
        rt_free(runs->problems[i].id);
        rt_free(runs->problems[i].statement);
        rt_free(runs->problems[i].answer);
    }
    rt_free(runs->groups);
    rt_free(runs->problems);
    rt_free(runs->places);
    rt_free(runs->rows);
    rt_strings_free(&runs->models);
    rt_strings_free(&runs->benchmarks);
    rt_strings_free(&runs->group_keys);
    rt_strings_free(&runs->problem_keys);
    rt_strings_free(&runs->place_keys);
    rt_strings_free(&runs->sample_keys);
    rt_strings_free(&runs->known_ids);
    rt_problems_free(&runs->known);
    *runs = (rt_runs){0};
}
