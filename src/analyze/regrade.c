/* `retort regrade`: stored responses graded again, without sampling.
 *
 * A file is read three times: for the problems it answers and their golds, for the responses, and, where the result is
 * written, to copy every other key of its lines as it is. */
#include <stdlib.h>
#include <string.h>

#include "analyze/jsonout.h"
#include "analyze/responses.h"
#include "core/progress.h"
#include "retort/analyze.h"

#define FIELD(name) offsetof(retort_regrade_options, name)
const retort_option retort_regrade_option_table[] = {
    {"run", RETORT_OPTION_STRING, FIELD(run), NULL, "PATH",
     "responses, JSONL (of eval, sample or another tool), a folder of such files, or a study's folder", "Input", 0, 0,
     NULL, true},
    {"problems", RETORT_OPTION_STRING, FIELD(problems), NULL, "FILE",
     "problems with their answers, JSONL; default: the answers that stand in the responses, or the study's own "
     "problems",
     NULL, 0, 0, NULL, false},
    {"grader", RETORT_OPTION_CHOICE, FIELD(grader), "tolerant", "NAME",
     "whose verdict is compared with the old one and written as `verdict`; both are always shown", NULL, 0, 0,
     "strict|tolerant", false},
    {"output", RETORT_OPTION_STRING, FIELD(output), NULL, "PATH",
     "write the responses with their new verdicts; a folder where the responses are one", "Output", 0, 0, NULL, false},
    {0}};

/* ---- golds ------------------------------------------------------------------------------------------------------ */

typedef struct gold_reader {
    const char *path;
    const rt_problem **known; /* sorted by id; NULL: golds stand in the lines */
    int64_t num_known;
    rt_problems *out; /* by first appearance */
    int64_t last;
} gold_reader;

static int compare_ids(const void *a, const void *b) {
    return strcmp((*(const rt_problem *const *)a)->id, (*(const rt_problem *const *)b)->id);
}

static retort_status sort_known(const rt_problems *problems, gold_reader *reader, retort_error *err) {
    reader->known = rt_malloc_array((size_t)problems->count, sizeof *reader->known);
    RT_CHECK(reader->known != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)problems->count);
    for (int64_t i = 0; i < problems->count; i++) reader->known[i] = &problems->items[i];
    reader->num_known = problems->count;
    qsort(reader->known, (size_t)problems->count, sizeof *reader->known, compare_ids);
    return RETORT_OK;
}

/* Responses come problem by problem, so the search starts at the last one. */
static const rt_problem *find_seen(gold_reader *reader, const char *id) {
    for (int64_t i = 0; i < reader->out->count; i++) {
        int64_t at = (reader->last + i) % reader->out->count;
        if (strcmp(reader->out->items[at].id, id) != 0) continue;
        reader->last = at;
        return &reader->out->items[at];
    }
    return NULL;
}

static retort_status gold_of(gold_reader *reader, const json_t *object, const char *where, const char *id,
                             rt_problem *out, retort_error *err) {
    if (reader->known == NULL) return rt_problem_read_gold(object, where, out, err);
    const rt_problem key = {.id = (char *)(uintptr_t)id}, *wanted = &key;
    const rt_problem **found =
        bsearch(&wanted, reader->known, (size_t)reader->num_known, sizeof *reader->known, compare_ids);
    RT_CHECK(found != NULL, err, RETORT_ERR_NOT_FOUND, "%s: problem '%s' is not among the problems given", where, id);
    return rt_problem_copy_gold(*found, out, err);
}

static bool same_gold(const rt_problem *a, const rt_problem *b) {
    const rt_question *x = &a->question, *y = &b->question;
    if ((a->answer == NULL) != (b->answer == NULL) || (a->answer != NULL && strcmp(a->answer, b->answer) != 0))
        return false;
    return x->family == y->family && x->count == y->count && x->target == y->target &&
           memcmp(x->numbers, y->numbers, sizeof x->numbers) == 0;
}

static retort_status check_gold(const rt_problem *seen, const rt_problem *gold, const char *where, retort_error *err) {
    bool gradable = gold->answer != NULL || gold->question.family != RT_FAMILY_TEXT;
    RT_CHECK(gradable, err, RETORT_ERR_NOT_FOUND,
             "%s: no answer to grade by; name the problems with --problems, or give each line an 'answer'", where);
    RT_CHECK(seen == NULL || same_gold(seen, gold), err, RETORT_ERR_FORMAT,
             "%s: problem '%s' has another answer here than in an earlier line", where, seen->id);
    return RETORT_OK;
}

static retort_status take_gold(void *context, json_t *object, size_t line, retort_error *err) {
    gold_reader *reader = context;
    char where[300], number[32];
    const char *id;
    snprintf(where, sizeof where, "'%.200s' line %zu", reader->path, line);
    RT_TRY(rt_response_problem(object, where, number, &id, err));
    const rt_problem *seen = find_seen(reader, id);
    if (seen != NULL && reader->known != NULL) return RETORT_OK;
    rt_problem gold = {0};
    retort_status st = gold_of(reader, object, where, id, &gold, err);
    if (st == RETORT_OK) st = check_gold(seen, &gold, where, err);
    if (st != RETORT_OK || seen != NULL) {
        rt_free(gold.answer);
        return st;
    }
    gold.id = rt_strdup(id);
    gold.problem = rt_strdup("");
    if (gold.id != NULL && gold.problem != NULL) return rt_problems_push(reader->out, &gold, err);
    rt_free(gold.id);
    rt_free(gold.problem);
    rt_free(gold.answer);
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: problem '%.60s'", id);
}

/* The problems that a file answers, with their golds. */
static retort_status read_golds(const char *path, const rt_problems *known, rt_problems *out, retort_error *err) {
    gold_reader reader = {.path = path, .out = out};
    if (known != NULL) RT_TRY(sort_known(known, &reader, err));
    retort_status st = rt_jsonl_read(path, take_gold, &reader, err);
    rt_free(reader.known);
    if (st == RETORT_OK && out->count == 0) st = rt_fail(err, RETORT_ERR_FORMAT, "'%s' holds no responses", path);
    return st;
}

/* ---- what changed ----------------------------------------------------------------------------------------------- */

enum { VERDICTS = RT_OVER_BUDGET + 1, NO_VERDICT = -1 };

static void add_changes(const rt_response_set *set, const int *old, json_t *result) {
    json_t *rows = json_array();
    json_object_set_new(result, "changes", rows);
    for (int g = 0; g < RT_GRADERS; g++) {
        int64_t from[VERDICTS][VERDICTS] = {0};
        for (int64_t i = 0; i < set->count; i++) {
            if (old[i] != NO_VERDICT) from[old[i]][set->records[i].by[g]]++;
        }
        for (int a = 0; a < VERDICTS; a++)
            for (int b = 0; b < VERDICTS; b++) {
                if (a == b || from[a][b] == 0) continue;
                json_array_append_new(rows,
                                      json_pack("{s:s, s:s, s:s, s:I}", "grader", rt_grader_name((rt_grader)g), "old",
                                                rt_verdict_name((rt_verdict)a), "new", rt_verdict_name((rt_verdict)b),
                                                "responses", (json_int_t)from[a][b]));
            }
    }
}

static retort_status add_changed(const rt_response_set *set, const rt_problems *problems, const int *old,
                                 json_t *result, retort_error *err) {
    json_t *list = json_array();
    json_object_set_new(result, "changed", list);
    for (int64_t i = 0; i < set->count; i++) {
        const rt_record *record = &set->records[i];
        if (old[i] == NO_VERDICT || (int)record->verdict == old[i]) continue;
        rt_grades grades;
        const rt_problem *problem = &problems->items[record->problem];
        RT_TRY(rt_grade(&problem->question, record->text, record->length, &grades, err));
        const char *reason =
            record->verdict == record->by[RT_GRADER_TOLERANT] ? grades.tolerant_reason : grades.strict_reason;
        json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s, s:s, s:o}", "problem_id", problem->id, "sample",
                                              (int)record->sample, "old", rt_verdict_name((rt_verdict)old[i]), "strict",
                                              rt_verdict_name(record->by[RT_GRADER_STRICT]), "tolerant",
                                              rt_verdict_name(record->by[RT_GRADER_TOLERANT]), "reason",
                                              rt_json_text(reason, strlen(reason))));
    }
    return RETORT_OK;
}

static retort_status add_old(const rt_response_set *set, json_t *result, retort_error *err) {
    int64_t missing = 0;
    for (int64_t i = 0; i < set->count; i++) missing += !set->records[i].graded;
    json_object_set_new(result, "responses_without_old_verdict", json_integer(missing));
    if (missing > 0) return RETORT_OK; /* a score by some of the responses would not compare with the new ones */
    json_t *row, *rows = json_object();
    json_object_set_new(result, "graders", rows);
    RT_TRY(rt_verdicts_json(set, RT_GRADER_CHOSEN, &row, err));
    json_object_set_new(rows, "old", row);
    return RETORT_OK;
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

typedef struct writer {
    rt_atomic_file file;
    const rt_response_set *set;
    int64_t next;
} writer;

static retort_status write_line(void *context, json_t *object, size_t line, retort_error *err) {
    writer *w = context;
    (void)line;
    RT_CHECK(w->next < w->set->count, err, RETORT_ERR_STATE, "the responses changed while they were read");
    const rt_record *record = &w->set->records[w->next++];
    int bad = json_object_set_new(object, "verdict", json_string(rt_verdict_name(record->verdict)));
    for (int g = 0; g < RT_GRADERS; g++)
        bad |= json_object_set_new(object, rt_grader_name((rt_grader)g), json_string(rt_verdict_name(record->by[g])));
    RT_CHECK(bad == 0, err, RETORT_ERR_MEMORY, "out of memory: response");
    return rt_jsonl_write(&w->file, json_incref(object), err);
}

static retort_status write_output(const char *from, const char *to, const rt_response_set *set, retort_error *err) {
    writer w = {.set = set};
    RT_TRY(rt_atomic_open(&w.file, to, err));
    retort_status st = rt_jsonl_read(from, write_line, &w, err);
    if (st == RETORT_OK) return rt_atomic_commit(&w.file, err);
    rt_atomic_abort(&w.file);
    return st;
}

static retort_status grade_all(rt_response_set *set, const rt_problems *problems, rt_grader grader,
                               const retort_progress *progress, retort_error *err) {
    for (int64_t i = 0; i < set->count; i++) {
        RT_CHECK(!rt_interrupted(), err, RETORT_ERR_INTERRUPTED, "interrupted; nothing was written");
        RT_TRY(rt_record_grade(&set->records[i], &problems->items[set->records[i].problem].question, grader, err));
        rt_progress(progress, "regrade", (double)(i + 1), (double)set->count, "responses", NULL);
    }
    return RETORT_OK;
}

static retort_status compare(const rt_response_set *set, const rt_problems *problems, const int *old, json_t *result,
                             retort_error *err) {
    const char **ids = rt_malloc_array((size_t)problems->count, sizeof *ids);
    RT_CHECK(ids != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld problems", (long long)problems->count);
    for (int64_t i = 0; i < problems->count; i++) ids[i] = problems->items[i].id;
    retort_status st = rt_graders_json(set, ids, result, err);
    rt_free(ids);
    RT_TRY(st);
    add_changes(set, old, result);
    return add_changed(set, problems, old, result, err);
}

static retort_status regrade_set(const retort_regrade_options *options, rt_response_set *set,
                                 const rt_problems *problems, const retort_progress *progress, json_t *result,
                                 retort_error *err) {
    json_object_set_new(result, "responses", json_integer(set->count));
    json_object_set_new(result, "n_problems", json_integer(problems->count));
    RT_TRY(add_old(set, result, err));
    int *old = rt_malloc_array((size_t)set->count, sizeof *old);
    RT_CHECK(old != NULL, err, RETORT_ERR_MEMORY, "out of memory: %lld verdicts", (long long)set->count);
    for (int64_t i = 0; i < set->count; i++)
        old[i] = set->records[i].graded ? (int)set->records[i].verdict : NO_VERDICT;
    retort_status st = grade_all(set, problems, (rt_grader)options->grader, progress, err);
    if (st == RETORT_OK) st = compare(set, problems, old, result, err);
    rt_free(old);
    return st;
}

static retort_status regrade_file(const retort_regrade_options *options, const char *path, const rt_problems *known,
                                  const char *output, const retort_progress *progress, json_t *files,
                                  retort_error *err) {
    rt_problems problems = {0};
    rt_response_set set = {0};
    json_t *result = json_object();
    json_object_set_new(result, "file", rt_json_text(path, strlen(path)));
    retort_status st = read_golds(path, known, &problems, err);
    if (st == RETORT_OK) st = rt_responses_read(path, &problems, &set, err);
    if (st == RETORT_OK) st = regrade_set(options, &set, &problems, progress, result, err);
    if (st == RETORT_OK && output != NULL) st = write_output(path, output, &set, err);
    rt_response_set_free(&set);
    rt_problems_free(&problems);
    if (st == RETORT_OK) {
        json_array_append_new(files, result);
    } else {
        json_decref(result);
    }
    return st;
}

/* ---- folders ---------------------------------------------------------------------------------------------------- */

/* In a study's folder "responses/ARM.SPLIT.jsonl" answers "data/SPLIT.jsonl". */
static retort_status study_problems(const char *run, const char *name, rt_problems *out, bool *found,
                                    retort_error *err) {
    const char *split = strchr(name, '.');
    rt_buffer path = {0};
    *found = false;
    if (split == NULL) return RETORT_OK;
    retort_status st = rt_buffer_printf(&path, err, "%s/data/%s", run, split + 1);
    if (st == RETORT_OK && rt_path_exists(path.data)) {
        *found = true;
        st = rt_problems_read(path.data, out, err);
    }
    rt_buffer_free(&path);
    return st;
}

static retort_status regrade_entry(const retort_regrade_options *options, const char *folder, const char *name,
                                   const rt_problems *known, const retort_progress *progress, json_t *files,
                                   retort_error *err) {
    char *path = rt_path_join(folder, name);
    char *output = options->output != NULL ? rt_path_join(options->output, name) : NULL;
    rt_problems own = {0};
    bool found = false;
    retort_status st = path != NULL && (output != NULL || options->output == NULL)
                           ? RETORT_OK
                           : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: name of a file");
    if (st == RETORT_OK && known == NULL) st = study_problems(options->run, name, &own, &found, err);
    if (st == RETORT_OK) st = regrade_file(options, path, found ? &own : known, output, progress, files, err);
    rt_problems_free(&own);
    rt_free(path);
    rt_free(output);
    return st;
}

static retort_status regrade_folder(const retort_regrade_options *options, const rt_problems *known,
                                    const retort_progress *progress, json_t *files, retort_error *err) {
    char *inner = rt_path_join(options->run, "responses"), **names = NULL;
    int64_t count = 0;
    RT_CHECK(inner != NULL, err, RETORT_ERR_MEMORY, "out of memory: name of a folder");
    const char *folder = rt_path_is_dir(inner) ? inner : options->run;
    retort_status st = rt_dir_list(folder, ".jsonl", &names, &count, err);
    if (st == RETORT_OK && count == 0)
        st = rt_fail(err, RETORT_ERR_NOT_FOUND, "folder '%s' has no file of responses (*.jsonl)", folder);
    if (st == RETORT_OK && options->output != NULL) st = rt_make_dirs(options->output, err);
    for (int64_t i = 0; st == RETORT_OK && i < count; i++)
        st = regrade_entry(options, folder, names[i], known, progress, files, err);
    for (int64_t i = 0; i < count; i++) rt_free(names[i]);
    rt_free(names);
    rt_free(inner);
    return st;
}

retort_status retort_regrade(const retort_regrade_options *options, const retort_progress *progress, char **json,
                             retort_error *err) {
    RT_TRY(retort_options_check(retort_regrade_option_table, options, err));
    rt_problems given = {0};
    const rt_problems *known = options->problems != NULL ? &given : NULL;
    json_t *files = json_array();
    json_t *result = json_pack("{s:s, s:o}", "grader", rt_grader_name((rt_grader)options->grader), "files", files);
    retort_status st = result != NULL ? RETORT_OK : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: result");
    if (st == RETORT_OK && known != NULL) st = rt_problems_read(options->problems, &given, err);
    if (st == RETORT_OK)
        st = rt_path_is_dir(options->run)
                 ? regrade_folder(options, known, progress, files, err)
                 : regrade_file(options, options->run, known, options->output, progress, files, err);
    rt_problems_free(&given);
    if (st != RETORT_OK) {
        json_decref(result);
        return st;
    }
    return rt_json_result(result, json, err);
}
