#include "judge/prompt.h"

#include <string.h>

#include "core/assets.h"
#include "core/json.h"

static const char DIVIDER[] = "===== user\n";

typedef struct field {
    const char *name; /* "{check}" */
    const char *value;
    size_t length;
} field;

/* Replaces each {name} once, in one pass, so that what is put in is not searched again. */
static retort_status fill(const char *template, const field *fields, size_t count, rt_buffer *out, retort_error *err) {
    while (*template != '\0') {
        size_t f = 0;
        while (f < count && strncmp(template, fields[f].name, strlen(fields[f].name)) != 0) f++;
        if (f < count) {
            RT_TRY(rt_buffer_append(out, fields[f].value, fields[f].length, err));
            template += strlen(fields[f].name);
        } else {
            RT_TRY(rt_buffer_append(out, template ++, 1, err));
        }
    }
    return RETORT_OK;
}

static retort_status write_behaviors(const rt_behaviors *behaviors, rt_buffer *list, rt_buffer *names,
                                     retort_error *err) {
    for (int32_t b = 0; b < behaviors->count; b++) {
        const rt_behavior *item = &behaviors->items[b];
        const char *title = item->title[0] != '\0' ? item->title : item->name;
        RT_TRY(rt_buffer_printf(list, err, "%s%s (%s): %s", b > 0 ? "\n\n" : "", item->name, title, item->definition));
        RT_TRY(rt_buffer_printf(names, err, "%s\"%s\": []", b > 0 ? ", " : "", item->name));
    }
    return RETORT_OK;
}

static retort_status check_template(const char *name, const char *text, const char **user, retort_error *err) {
    static const char *const NEEDED[] = {"{check}", "{response}"};
    const char *divider = strstr(text, DIVIDER), *behaviors = strstr(text, "{behaviors}");
    RT_CHECK(divider != NULL && (divider == text || divider[-1] == '\n'), err, RETORT_ERR_FORMAT,
             "prompt '%s' has no line '===== user'", name);
    RT_CHECK(behaviors != NULL && behaviors < divider, err, RETORT_ERR_FORMAT,
             "prompt '%s' does not say {behaviors} before its line '===== user'", name);
    for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++)
        RT_CHECK(strstr(divider, NEEDED[i]) != NULL, err, RETORT_ERR_FORMAT,
                 "prompt '%s' does not say %s behind its line '===== user'", name, NEEDED[i]);
    *user = divider;
    return RETORT_OK;
}

/* The file's name without folder and extension, then the hash. */
static retort_status name_version(const char *path, const rt_prompt *prompt, char **out, retort_error *err) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    rt_buffer all = {0};
    char hash[65], version[200];
    retort_status st = rt_buffer_append(&all, prompt->system.data, prompt->system.length, err);
    if (st == RETORT_OK) st = rt_buffer_puts(&all, DIVIDER, err);
    if (st == RETORT_OK) st = rt_buffer_append(&all, prompt->user.data, prompt->user.length, err);
    if (st == RETORT_OK) {
        rt_sha256(all.data, all.length, hash);
        snprintf(version, sizeof version, "%.*s:%s", (int)strcspn(name, "."), name, hash);
        *out = rt_strdup(version);
        if (*out == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: prompt");
    }
    rt_buffer_free(&all);
    return st;
}

static retort_status build(const char *name, const char *text, const rt_behaviors *behaviors, rt_prompt *out,
                           retort_error *err) {
    const char *user = text;
    rt_buffer list = {0}, names = {0}, system = {0};
    RT_TRY(check_template(name, text, &user, err));
    retort_status st = rt_buffer_append(&system, text, (size_t)(user - text), err);
    if (st == RETORT_OK) st = write_behaviors(behaviors, &list, &names, err);
    if (st == RETORT_OK) {
        const field fields[] = {{"{behaviors}", list.data, list.length}, {"{names}", names.data, names.length}};
        st = fill(system.data, fields, 2, &out->system, err);
    }
    if (st == RETORT_OK) st = rt_buffer_puts(&out->user, user + sizeof DIVIDER - 1, err);
    if (st == RETORT_OK) st = name_version(name, out, &out->version, err);
    rt_buffer_free(&list);
    rt_buffer_free(&names);
    rt_buffer_free(&system);
    return st;
}

retort_status rt_prompt_load(const char *path, const rt_behaviors *behaviors, rt_prompt *out, retort_error *err) {
    const rt_asset *shipped = &RT_PROMPT_ASSETS[0];
    rt_buffer text = {.maximum = 1 << 20};
    *out = (rt_prompt){0};
    retort_status st = RETORT_OK;
    if (path != NULL)
        st = rt_file_read(path, &text, err);
    else
        st = rt_buffer_append(&text, shipped->data, shipped->length, err);
    if (st == RETORT_OK && (text.data == NULL || strlen(text.data) != text.length))
        st = rt_fail(err, RETORT_ERR_FORMAT, "prompt '%s' is empty or no text", path);
    if (st == RETORT_OK) st = build(path != NULL ? path : shipped->name, text.data, behaviors, out, err);
    rt_buffer_free(&text);
    if (st != RETORT_OK) rt_prompt_free(out);
    return st;
}

void rt_prompt_free(rt_prompt *prompt) {
    rt_free(prompt->version);
    rt_buffer_free(&prompt->system);
    rt_buffer_free(&prompt->user);
    *prompt = (rt_prompt){0};
}

void rt_prompt_check(const rt_prompt *prompt, const char *key, int64_t segment, char check[13]) {
    char text[400], hash[65];
    const int length = snprintf(text, sizeof text, "%s\n%s\n%lld", prompt->version, key, (long long)segment);
    rt_sha256(text, (size_t)length, hash);
    memcpy(check, hash, 12);
    check[12] = '\0';
}

/* UTF-8 without NUL, whatever the bytes. */
static retort_status clean(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    json_t *value = rt_json_text(text, length);
    RT_CHECK(value != NULL, err, RETORT_ERR_MEMORY, "out of memory: prompt");
    const char *bytes = json_string_value(value);
    const size_t count = json_string_length(value);
    retort_status st = RETORT_OK;
    for (size_t at = 0; at < count && st == RETORT_OK;) {
        const size_t run = strlen(bytes + at);
        st = rt_buffer_append(out, bytes + at, run, err);
        at += run;
        if (at < count && st == RETORT_OK) st = rt_buffer_puts(out, "\xef\xbf\xbd", err);
        at++;
    }
    json_decref(value);
    return st;
}

retort_status rt_prompt_write(const rt_prompt *prompt, const char *text, size_t length, const char *check,
                              int64_t segment, int64_t segments, rt_buffer *out, retort_error *err) {
    char part[160] = "The whole response:";
    rt_buffer cleaned = {0};
    if (segments > 1)
        snprintf(part, sizeof part, "Part %lld of %lld of a response; parts overlap, and each is judged by itself:",
                 (long long)segment + 1, (long long)segments);
    retort_status st = clean(text, length, &cleaned, err);
    if (st == RETORT_OK) {
        const field fields[] = {{"{part}", part, strlen(part)},
                                {"{check}", check, strlen(check)},
                                {"{response}", cleaned.data != NULL ? cleaned.data : "", cleaned.length}};
        st = fill(prompt->user.data, fields, 3, out, err);
    }
    rt_buffer_free(&cleaned);
    return st;
}
