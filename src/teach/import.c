#include "teach/import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask/keep.h"
#include "core/file.h"

/* ---- problems by their text ---- */

typedef struct known_text {
    char sha256[65]; /* of the text with its white space made one space each */
    int64_t problem;
} known_text;

typedef struct importer {
    const retort_teach_options *options;
    rt_store *store;
    rt_trace_list *list;
    retort_teach_account *account;
    rt_findings *findings;
    const char *path;
    int64_t problems, capacity;
    known_text *texts; /* [problems], sorted by hash, then problem */
    int64_t *taken;    /* [problems]: traces so far */
    int64_t *last;     /* [problems]: the last of them, an entry of the list */
    int64_t *previous; /* [capacity]: the one of the same problem before an entry */
    rt_reply reply;
    rt_buffer text, request;
} importer;

static retort_status hash_text(rt_buffer *space, const char *text, char sha256[65], retort_error *err) {
    rt_buffer_clear(space);
    while (*text != '\0') {
        while (isspace((unsigned char)*text)) text++;
        size_t length = 0;
        while (text[length] != '\0' && !isspace((unsigned char)text[length])) length++;
        if (length > 0 && space->length > 0) RT_TRY(rt_buffer_puts(space, " ", err));
        RT_TRY(rt_buffer_append(space, text, length, err));
        text += length;
    }
    rt_sha256(space->length > 0 ? space->data : "", space->length, sha256);
    return RETORT_OK;
}

static int compare_texts(const void *a, const void *b) {
    const known_text *x = a, *y = b;
    const int order = strcmp(x->sha256, y->sha256);
    return order != 0 ? order : (x->problem > y->problem) - (x->problem < y->problem);
}

static retort_status list_texts(importer *m, retort_error *err) {
    m->texts = rt_calloc((size_t)m->problems, sizeof *m->texts);
    m->taken = rt_calloc((size_t)m->problems, sizeof *m->taken);
    m->last = rt_calloc((size_t)m->problems, sizeof *m->last);
    RT_CHECK(m->texts != NULL && m->taken != NULL && m->last != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: problems");
    for (int64_t i = 0; i < m->problems; i++) {
        RT_TRY(hash_text(&m->text, m->list->problems->items[i].problem, m->texts[i].sha256, err));
        m->texts[i].problem = i;
    }
    qsort(m->texts, (size_t)m->problems, sizeof *m->texts, compare_texts);
    return RETORT_OK;
}

static bool has_id(const importer *m, int64_t problem, const char *id) {
    return id != NULL && strcmp(m->list->problems->items[problem].id, id) == 0;
}

/* -1: no problem of this run. */
static retort_status find_problem(importer *m, const char *text, const char *id, int64_t *out, retort_error *err) {
    char sha256[65];
    *out = -1;
    if (text == NULL) {
        for (int64_t i = 0; i < m->problems && *out < 0; i++)
            if (has_id(m, i, id)) *out = i;
        return RETORT_OK;
    }
    RT_TRY(hash_text(&m->text, text, sha256, err));
    int64_t low = 0, high = m->problems;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (strcmp(m->texts[middle].sha256, sha256) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (int64_t i = low; i < m->problems && strcmp(m->texts[i].sha256, sha256) == 0; i++)
        if (*out < 0 || has_id(m, m->texts[i].problem, id)) *out = m->texts[i].problem;
    return RETORT_OK;
}

/* ---- lines ---- */

static const char *first_text(const json_t *object, const char *const *names) {
    for (; *names != NULL; names++)
        if (json_is_string(json_object_get(object, *names))) return json_string_value(json_object_get(object, *names));
    return NULL;
}

/* The last message of a role, of `messages` or of a member that is itself a list of them. */
static const json_t *last_message(const json_t *object, const char *member, const char *role) {
    const json_t *list = json_object_get(object, member);
    if (!json_is_array(list)) list = json_object_get(object, "messages");
    for (size_t i = json_array_size(list); i > 0; i--) {
        const char *own = json_string_value(json_object_get(json_array_get(list, i - 1), "role"));
        if (own != NULL && strcmp(own, role) == 0) return json_array_get(list, i - 1);
    }
    return NULL;
}

typedef struct line_parts {
    const char *problem, *id, *response, *reasoning, *teacher, *finish_reason; /* NULL: not there */
} line_parts;

static line_parts read_parts(const json_t *object) {
    static const char *const
        PROBLEM[] = {"problem", "question", "prompt", NULL},
        *const ID[] = {"id", "problem_id", NULL}, *const RESPONSE[] = {"response",   "solution", "completion",
                                                                       "generation", "text",     NULL},
        *const REASONING[] = {"reasoning", "reasoning_content", NULL}, *const TEACHER[] = {"teacher", "model", NULL},
        *const FINISH[] = {"finish_reason", NULL}, *const CONTENT[] = {"content", NULL};
    line_parts p = {first_text(object, PROBLEM),   first_text(object, ID),      first_text(object, RESPONSE),
                    first_text(object, REASONING), first_text(object, TEACHER), first_text(object, FINISH)};
    const json_t *asked = last_message(object, "prompt", "user"),
                 *answer = last_message(object, "completion", "assistant");
    if (p.problem == NULL) p.problem = first_text(asked, CONTENT);
    if (p.response == NULL) p.response = first_text(answer, CONTENT);
    if (p.reasoning == NULL) p.reasoning = first_text(answer, REASONING);
    return p;
}

static retort_status grow(importer *m, retort_error *err) {
    if (m->list->count < m->capacity) return RETORT_OK;
    const int64_t capacity = m->capacity == 0 ? 256 : 2 * m->capacity;
    rt_trace_entry *entries = rt_realloc_array(m->list->entries, (size_t)capacity, sizeof *entries);
    if (entries != NULL) m->list->entries = entries;
    int64_t *previous = rt_realloc_array(m->previous, (size_t)capacity, sizeof *previous);
    if (previous != NULL) m->previous = previous;
    RT_CHECK(entries != NULL && previous != NULL, err, RETORT_ERR_MEMORY, "out of memory: imported traces");
    m->capacity = capacity;
    return RETORT_OK;
}

/* The same trace of the same problem has the same key in every file and every run. */
static retort_status make_key(importer *m, const rt_problem *problem, const line_parts *parts, const char *teacher,
                              char key[65], retort_error *err) {
    rt_buffer_clear(&m->text);
    RT_TRY(rt_buffer_printf(&m->text, err, "trace\n%s\n%s\n%zu\n", problem->id, teacher, strlen(parts->response)));
    RT_TRY(rt_buffer_puts(&m->text, parts->response, err));
    if (parts->reasoning != NULL) RT_TRY(rt_buffer_puts(&m->text, parts->reasoning, err));
    rt_sha256(m->text.data, m->text.length, key);
    return RETORT_OK;
}

/* What was asked is not known; the problem stands for it. */
static retort_status make_request(importer *m, const char *problem, retort_error *err) {
    json_t *request = json_pack("{s:[{s:s,s:s}]}", "messages", "role", "user", "content", problem);
    rt_buffer_clear(&m->request);
    RT_CHECK(request != NULL, err, RETORT_ERR_MEMORY, "out of memory: request");
    const retort_status st = rt_json_dump(request, JSON_COMPACT | JSON_SORT_KEYS, &m->request, err);
    json_decref(request);
    return st;
}

static retort_status store_trace(importer *m, const line_parts *parts, const char *teacher, int64_t at, const char *key,
                                 retort_error *err) {
    const rt_problem *problem = &m->list->problems->items[at];
    const char *slash = strrchr(m->path, '/');
    rt_buffer source = {0};
    rt_reply_clear(&m->reply);
    snprintf(m->reply.finish_reason, sizeof m->reply.finish_reason, "%s",
             parts->finish_reason != NULL ? parts->finish_reason : "");
    RT_TRY(make_request(m, problem->problem, err));
    RT_TRY(rt_buffer_puts(&m->reply.text, parts->response, err));
    if (parts->reasoning != NULL) RT_TRY(rt_buffer_puts(&m->reply.reasoning, parts->reasoning, err));
    retort_status st = rt_buffer_printf(&source, err, "file %s", slash != NULL ? slash + 1 : m->path);
    const rt_stored_response row = {.key = key,
                                    .problem_id = problem->id,
                                    .sample = m->taken[at],
                                    .model = teacher,
                                    .source = source.data,
                                    .cost = -1,
                                    .seconds = -1,
                                    .first_token_seconds = -1,
                                    .created = time(NULL)};
    if (st == RETORT_OK) st = rt_ask_put_reply(m->store, row, &m->reply, &m->request, NULL, err);
    rt_buffer_free(&source);
    return st;
}

static bool is_taken(const importer *m, int64_t problem, const char *key) {
    int64_t at = m->last[problem];
    for (int64_t left = m->taken[problem]; left > 0; left--, at = m->previous[at])
        if (strcmp(m->list->entries[at].key, key) == 0) return true;
    return false;
}

static retort_status take_trace(importer *m, const line_parts *parts, int64_t at, retort_error *err) {
    const char *named = m->options->endpoint.model;
    const char *teacher = named != NULL ? named : parts->teacher != NULL ? parts->teacher : "unknown";
    rt_trace_entry entry = {.problem = at, .sample = m->taken[at]};
    RT_TRY(make_key(m, &m->list->problems->items[at], parts, teacher, entry.key, err));
    if (m->taken[at] >= m->options->n || is_taken(m, at, entry.key)) {
        m->account->imported_again++;
        return RETORT_OK;
    }
    RT_TRY(grow(m, err));
    RT_TRY(store_trace(m, parts, teacher, at, entry.key, err));
    m->previous[m->list->count] = m->last[at];
    m->last[at] = m->list->count;
    m->list->entries[m->list->count++] = entry;
    m->taken[at]++;
    m->account->imported++;
    return RETORT_OK;
}

static retort_status read_line(void *context, json_t *object, size_t line, retort_error *err) {
    importer *m = context;
    const line_parts parts = read_parts(object);
    int64_t at;
    RT_CHECK(parts.response != NULL, err, RETORT_ERR_FORMAT,
             "'%s' line %zu has no response (or solution, completion, generation, text, messages)", m->path, line);
    RT_CHECK(parts.problem != NULL || parts.id != NULL, err, RETORT_ERR_FORMAT,
             "'%s' line %zu has neither a problem (or question, prompt, messages) nor an id", m->path, line);
    RT_TRY(find_problem(m, parts.problem, parts.id, &at, err));
    if (at >= 0) return take_trace(m, &parts, at, err);
    m->account->import_unmatched++;
    return rt_findings_add_unmatched(m->findings, m->path, line, parts.id, parts.problem != NULL ? parts.problem : "",
                                     err);
}

static int compare_entries(const void *a, const void *b) {
    const rt_trace_entry *x = a, *y = b;
    if (x->problem != y->problem) return x->problem < y->problem ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

static retort_status read_files(importer *m, retort_error *err) {
    RT_TRY(list_texts(m, err));
    char *list = rt_strdup(m->options->import_traces), *rest = NULL;
    RT_CHECK(list != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *path = strtok_r(list, ",", &rest); path != NULL && st == RETORT_OK; path = strtok_r(NULL, ",", &rest)) {
        m->path = path;
        st = rt_jsonl_read(path, read_line, m, err);
    }
    rt_free(list);
    RT_TRY(st);
    for (int64_t i = 0; i < m->problems; i++) m->account->missing += m->taken[i] == 0;
    if (m->list->count > 0) qsort(m->list->entries, (size_t)m->list->count, sizeof *m->list->entries, compare_entries);
    RT_CHECK(m->list->count > 0, err, RETORT_ERR_FORMAT,
             "none of the traces in '%s' belongs to one of the %lld problems; are these the right problems?",
             m->options->import_traces, (long long)m->problems);
    return RETORT_OK;
}

retort_status rt_import_traces(const retort_teach_options *options, int64_t problems, rt_store *store,
                               rt_trace_list *list, retort_teach_account *account, rt_findings *findings,
                               retort_error *err) {
    importer m = {.options = options,
                  .store = store,
                  .list = list,
                  .account = account,
                  .findings = findings,
                  .problems = problems};
    const retort_status st = read_files(&m, err);
    rt_free(m.texts);
    rt_free(m.taken);
    rt_free(m.last);
    rt_free(m.previous);
    rt_reply_free(&m.reply);
    rt_buffer_free(&m.text);
    rt_buffer_free(&m.request);
    return st;
}
