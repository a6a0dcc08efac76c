#include "teach/findings.h"

#include <string.h>

enum { LONGEST_LIST = 100, LONGEST_TEXT = 200 };

static retort_status add(json_t **list, const char *file, size_t line, const char *id, const char *key,
                         const char *text, retort_error *err) {
    if (*list == NULL) *list = json_array();
    if (json_array_size(*list) >= LONGEST_LIST) return RETORT_OK;
    json_t *entry = json_pack("{s:o,s:I,s:o,s:o}", "file", rt_json_text(file, strlen(file)), "line", (json_int_t)line,
                              "id", id != NULL ? rt_json_text(id, strlen(id)) : json_null(), key,
                              rt_json_text(text, strnlen(text, LONGEST_TEXT)));
    RT_CHECK(json_array_append_new(*list, entry) == 0, err, RETORT_ERR_MEMORY, "out of memory: findings");
    return RETORT_OK;
}

retort_status rt_findings_add_failed(rt_findings *findings, const char *file, size_t line, const char *id,
                                     const char *message, retort_error *err) {
    return add(&findings->failed, file, line, id, "message", message, err);
}

retort_status rt_findings_add_unmatched(rt_findings *findings, const char *file, size_t line, const char *id,
                                        const char *text, retort_error *err) {
    return add(&findings->unmatched, file, line, id, "text", text, err);
}

retort_status rt_findings_finish(rt_findings *findings, char **out, retort_error *err) {
    rt_buffer text = {0};
    json_t *all = json_object();
    retort_status st = RETORT_OK;
    int bad = all == NULL;
    *out = NULL;
    if (findings->contamination != NULL) bad |= json_object_set(all, "contamination", findings->contamination);
    if (findings->failed != NULL) bad |= json_object_set(all, "failed", findings->failed);
    if (findings->unmatched != NULL) bad |= json_object_set(all, "unmatched", findings->unmatched);
    if (bad == 0 && json_object_size(all) > 0) {
        st = rt_json_dump(all, JSON_COMPACT | JSON_REAL_PRECISION(4), &text, err);
        if (st == RETORT_OK) *out = strdup(text.data); /* the caller frees with free */
        bad = *out == NULL;
    }
    if (st == RETORT_OK && bad) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: findings");
    rt_buffer_free(&text);
    json_decref(all);
    json_decref(findings->contamination);
    json_decref(findings->failed);
    json_decref(findings->unmatched);
    *findings = (rt_findings){0};
    return st;
}
