#include "retort/report.h"

#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "core/assets.h"

#define FIELD(name) offsetof(retort_report_options, name)
const retort_option retort_report_option_table[] = {
    {"input", RETORT_OPTION_STRING, FIELD(input), NULL, "FILE", "report.json of a study, or the folder that holds it",
     "Report", 0, 0, NULL, true},
    {"output", RETORT_OPTION_STRING, FIELD(output), NULL, "FILE",
     "page to write; default: report.html beside the input", NULL, 0, 0, NULL, false},
    {0}};

/* JSON inside a script element: "</" would end the element and "<!--" would open a comment, so every "<" becomes its
 * JSON escape, which changes no value. */
static retort_status append_escaped(rt_buffer *page, const char *json, retort_error *err) {
    for (;;) {
        size_t plain = strcspn(json, "<");
        RT_TRY(rt_buffer_append(page, json, plain, err));
        if (json[plain] == '\0') return RETORT_OK;
        RT_TRY(rt_buffer_puts(page, "\\u003c", err));
        json += plain + 1;
    }
}

static retort_status append_part(rt_buffer *page, const char *name, size_t length, const char *json,
                                 retort_error *err) {
    if (length == 4 && memcmp(name, "data", 4) == 0) return append_escaped(page, json, err);
    for (const rt_asset *asset = RT_REPORT_ASSETS; asset->name != NULL; asset++)
        if (strlen(asset->name) == length && memcmp(asset->name, name, length) == 0)
            return rt_buffer_append(page, asset->data, asset->length, err);
    return rt_fail(err, RETORT_ERR_STATE, "the report's template asks for an unknown part '%.*s'", (int)length, name);
}

/* The template with each {{name}} replaced by the asset of that name, and {{data}} by the report. */
static retort_status fill_template(const char *json, rt_buffer *page, retort_error *err) {
    const rt_asset *template_asset = RT_REPORT_ASSETS; /* the first is the template */
    const char *at = template_asset->data, *end = at + template_asset->length;
    while (at < end) {
        const char *open = memmem(at, (size_t)(end - at), "{{", 2);
        if (open == NULL) return rt_buffer_append(page, at, (size_t)(end - at), err);
        const char *close = memmem(open, (size_t)(end - open), "}}", 2);
        RT_CHECK(close != NULL, err, RETORT_ERR_STATE, "the report's template has an open '{{'");
        RT_TRY(rt_buffer_append(page, at, (size_t)(open - at), err));
        RT_TRY(append_part(page, open + 2, (size_t)(close - open - 2), json, err));
        at = close + 2;
    }
    return RETORT_OK;
}

static retort_status check_report(const char *path, const json_t *report, retort_error *err) {
    static const char *const SECTIONS[] = {"arms", "scores", "tokens", "bans", "behaviors", "claims"};
    for (size_t i = 0; i < sizeof SECTIONS / sizeof SECTIONS[0]; i++)
        RT_CHECK(json_is_array(json_object_get(report, SECTIONS[i])), err, RETORT_ERR_FORMAT,
                 "'%s' is no report: it lacks the list '%s'; make one with retort study", path, SECTIONS[i]);
    return RETORT_OK;
}

static retort_status write_page(const char *input, const char *output, retort_error *err) {
    json_t *report;
    RT_TRY(rt_json_load(input, &report, err));
    retort_status st = check_report(input, report, err);
    rt_buffer text = {0}, page = {0};
    if (st == RETORT_OK) st = rt_json_dump(report, JSON_COMPACT | JSON_REAL_PRECISION(12), &text, err);
    json_decref(report);
    if (st == RETORT_OK) st = fill_template(text.data, &page, err);
    if (st == RETORT_OK) st = rt_file_write(output, page.data, page.length, err);
    rt_buffer_free(&text);
    rt_buffer_free(&page);
    return st;
}

retort_status retort_report(const retort_report_options *options, retort_error *err) {
    RT_TRY(retort_options_check(retort_report_option_table, options, err));
    char *input =
        rt_path_is_dir(options->input) ? rt_path_join(options->input, "report.json") : rt_strdup(options->input);
    char *output = NULL;
    if (options->output != NULL)
        output = rt_strdup(options->output);
    else if (input != NULL) {
        const char *slash = strrchr(input, '/');
        char *folder = slash == NULL ? rt_strdup(".") : rt_strndup(input, slash == input ? 1 : (size_t)(slash - input));
        if (folder != NULL) output = rt_path_join(folder, "report.html");
        rt_free(folder);
    }
    retort_status st = input != NULL && output != NULL ? write_page(input, output, err)
                                                       : rt_fail(err, RETORT_ERR_MEMORY, "out of memory: report paths");
    rt_free(input);
    rt_free(output);
    return st;
}
