#include "report/page.h"

#include <string.h>

#include "core/assets.h"

static const rt_asset *find_asset(const char *name, size_t length) {
    for (const rt_asset *asset = RT_REPORT_ASSETS; asset->name != NULL; asset++)
        if (strlen(asset->name) == length && memcmp(asset->name, name, length) == 0) return asset;
    return NULL;
}

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
    if (length == 4 && memcmp(name, "data", 4) == 0 && json != NULL) return append_escaped(page, json, err);
    const rt_asset *asset = find_asset(name, length);
    RT_CHECK(asset != NULL, err, RETORT_ERR_STATE, "the report's template asks for an unknown part '%.*s'", (int)length,
             name);
    return rt_buffer_append(page, asset->data, asset->length, err);
}

static retort_status fill_template(const char *name, const char *json, rt_buffer *page, retort_error *err) {
    const rt_asset *asset = find_asset(name, strlen(name));
    RT_CHECK(asset != NULL, err, RETORT_ERR_STATE, "the library lacks the template '%s'", name);
    const char *at = asset->data, *end = at + asset->length;
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

retort_status rt_page_write(const char *template_name, const json_t *data, const char *path, retort_error *err) {
    rt_buffer text = {0}, page = {0};
    retort_status st = RETORT_OK;
    if (data != NULL) st = rt_json_dump(data, JSON_COMPACT | JSON_REAL_PRECISION(12), &text, err);
    if (st == RETORT_OK) st = fill_template(template_name, text.data, &page, err);
    if (st == RETORT_OK) st = rt_file_write(path, page.data, page.length, err);
    rt_buffer_free(&text);
    rt_buffer_free(&page);
    return st;
}
