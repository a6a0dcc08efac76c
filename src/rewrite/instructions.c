#include "rewrite/instructions.h"

#include <string.h>

#include "core/assets.h"
#include "core/file.h"

static const char DIVIDER[] = "===== user\n";

/* Appends a template with each {name} replaced, in one pass, so that what is put in is not searched again. */
static retort_status fill(const char *template, const char *const *names, const char *const *values, size_t count,
                          rt_buffer *out, retort_error *err) {
    while (*template != '\0') {
        size_t f = 0;
        while (f < count && strncmp(template, names[f], strlen(names[f])) != 0) f++;
        if (f < count) {
            RT_TRY(rt_buffer_puts(out, values[f], err));
            template += strlen(names[f]);
        } else {
            RT_TRY(rt_buffer_append(out, template, 1, err));
            template ++;
        }
    }
    return RETORT_OK;
}

static retort_status build(const rt_asset *asset, const char *words, rt_instructions *out, retort_error *err) {
    const char *divider = strstr(asset->data, DIVIDER);
    char hash[65];
    RT_CHECK(divider != NULL, err, RETORT_ERR_STATE, "prompt '%s' has no line '===== user'", asset->name);
    rt_buffer system = {0};
    retort_status st = rt_buffer_append(&system, asset->data, (size_t)(divider - asset->data), err);
    if (st == RETORT_OK)
        st = fill(system.data, (const char *const[]){"{words}"}, (const char *const[]){words}, 1, &out->system, err);
    rt_buffer_free(&system);
    RT_TRY(st);
    out->user = divider + sizeof DIVIDER - 1;
    rt_buffer all = {0};
    st = rt_buffer_append(&all, out->system.data, out->system.length, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&all, out->user, err);
    if (st == RETORT_OK) rt_sha256(all.data, all.length, hash);
    rt_buffer_free(&all);
    if (st == RETORT_OK) snprintf(out->version, sizeof out->version, "%.30s:%s", asset->name, hash);
    return st;
}

retort_status rt_instructions_load(int style, const rt_marks *marks, rt_instructions *out, retort_error *err) {
    rt_buffer words = {0};
    *out = (rt_instructions){0};
    retort_status st = rt_marks_list(marks, &words, err);
    if (st == RETORT_OK) st = build(&RT_REWRITE_ASSETS[style], words.data, out, err);
    rt_buffer_free(&words);
    if (st != RETORT_OK) rt_instructions_free(out);
    return st;
}

void rt_instructions_free(rt_instructions *instructions) {
    rt_buffer_free(&instructions->system);
}

retort_status rt_instructions_write(const rt_instructions *instructions, const char *text, size_t length,
                                    rt_buffer *out, retort_error *err) {
    char hash[65];
    rt_sha256(text, length, hash);
    hash[12] = '\0';
    return fill(instructions->user, (const char *const[]){"{check}", "{text}"}, (const char *const[]){hash, text}, 2,
                out, err);
}
