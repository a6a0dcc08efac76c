#include "sample/ban_list.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"

enum { MAX_APOSTROPHES = 3 };

void rt_ban_list_free(rt_ban_list *list) {
    for (int32_t i = 0; i < list->count; i++) rt_free(list->texts[i]);
    rt_free(list->texts);
    rt_free(list->patterns);
    *list = (rt_ban_list){0};
}

static retort_status no_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: ban list");
}

static retort_status reserve(rt_ban_list *list, retort_error *err) {
    if (list->count < list->capacity) return RETORT_OK;
    const int32_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
    RT_CHECK(list->count < RT_PATTERNS, err, RETORT_ERR_UNSUPPORTED, "more than %d banned words", RT_PATTERNS);
    rt_pattern *patterns = rt_realloc_array(list->patterns, (size_t)capacity, sizeof *patterns);
    if (patterns != NULL) list->patterns = patterns;
    char **texts = rt_realloc_array(list->texts, (size_t)capacity, sizeof *texts);
    if (texts != NULL) list->texts = texts;
    if (patterns == NULL || texts == NULL) return no_memory(err);
    list->capacity = capacity;
    return RETORT_OK;
}

/* One pattern; takes the text, which may be NULL. */
static retort_status push(rt_ban_list *list, char *text, const rt_pattern *rules, retort_error *err) {
    const retort_status st = text == NULL ? no_memory(err) : reserve(list, err);
    if (st != RETORT_OK) {
        rt_free(text);
        return st;
    }
    list->texts[list->count] = text;
    list->patterns[list->count] = *rules;
    list->patterns[list->count++].text = text;
    return RETORT_OK;
}

/* The text with U+2019 in place of those apostrophes whose bit is set. */
static char *with_curly(const char *text, size_t length, unsigned which) {
    rt_buffer out = {0};
    int number = 0;
    retort_status st = rt_buffer_append(&out, "", 0, NULL);
    for (size_t i = 0; i < length && st == RETORT_OK; i++) {
        const bool curly = text[i] == '\'' && (which >> number++ & 1) != 0;
        st = curly ? rt_buffer_append(&out, "\xe2\x80\x99", 3, NULL) : rt_buffer_append(&out, text + i, 1, NULL);
    }
    if (st == RETORT_OK) return out.data;
    rt_buffer_free(&out);
    return NULL;
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static retort_status add_entry(rt_ban_list *list, const char *text, size_t length, const rt_pattern *rules,
                               retort_error *err) {
    while (length > 0 && is_space(*text)) text++, length--;
    while (length > 0 && is_space(text[length - 1])) length--;
    int apostrophes = 0;
    for (size_t i = 0; i < length; i++) apostrophes += text[i] == '\'';
    RT_CHECK(length > 0 && length <= RT_PATTERN_BYTES && memchr(text, '\0', length) == NULL, err, RETORT_ERR_USAGE,
             "'%.*s' cannot be banned: a word or phrase has 1 to %d bytes, none of them NUL",
             length < 80 ? (int)length : 80, text, RT_PATTERN_BYTES);
    RT_CHECK(apostrophes <= MAX_APOSTROPHES, err, RETORT_ERR_USAGE, "'%.*s' cannot be banned: more than %d apostrophes",
             length < 80 ? (int)length : 80, text, MAX_APOSTROPHES);
    for (unsigned which = 0; which < 1u << apostrophes; which++)
        RT_TRY(push(list, with_curly(text, length, which), rules, err));
    return RETORT_OK;
}

retort_status rt_ban_list_add(rt_ban_list *list, const char *text, size_t length, retort_error *err) {
    return add_entry(list, text, length, &(rt_pattern){0}, err);
}

/* An entry of a lexicon. Hyphens and code, which its rule may look at, make no difference to a ban. */
static retort_status add_rule(rt_ban_list *list, const rt_lexicon *lexicon, const rt_lexicon_entry *e,
                              retort_error *err) {
    RT_CHECK(e->kind == RT_ENTRY_TEXT && e->boundary != RT_BOUNDARY_OPERATOR, err, RETORT_ERR_USAGE,
             "'%s' of category '%s' cannot be banned, only words and phrases can", e->text,
             lexicon->categories[e->category].name);
    const rt_pattern rules = {.exact_case = e->letter_case == RT_CASE_EXACT,
                              .inside_words = e->boundary == RT_BOUNDARY_NONE,
                              .in_commands = e->context == RT_CONTEXT_ANYWHERE};
    return add_entry(list, e->text, strlen(e->text), &rules, err);
}

retort_status rt_ban_list_add_lexicon(rt_ban_list *list, const rt_lexicon *lexicon, int32_t category,
                                      retort_error *err) {
    for (int32_t i = 0; i < lexicon->num_entries; i++) {
        const rt_lexicon_entry *e = &lexicon->entries[i];
        if (category < 0 || e->category == category) RT_TRY(add_rule(list, lexicon, e, err));
    }
    return RETORT_OK;
}

static retort_status add_category(rt_ban_list *list, const char *name, bool *found, retort_error *err) {
    rt_lexicon shipped = {0};
    retort_status st = rt_lexicon_read(NULL, &shipped, err);
    const int32_t category = st == RETORT_OK ? rt_lexicon_category_find(&shipped, name) : -1;
    *found = category >= 0;
    if (*found) st = rt_ban_list_add_lexicon(list, &shipped, category, err);
    rt_lexicon_free(&shipped);
    return st;
}

static retort_status read_yaml(const char *path, rt_ban_list *list, retort_error *err) {
    rt_lexicon lexicon = {0};
    retort_status st = rt_lexicon_read(path, &lexicon, err);
    if (st == RETORT_OK) st = rt_ban_list_add_lexicon(list, &lexicon, -1, err);
    rt_lexicon_free(&lexicon);
    return st;
}

static bool is_yaml(const char *path) {
    const size_t n = strlen(path);
    return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) || (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}

/* The names that could have been meant. */
static retort_status refuse_name(const char *item, retort_error *err) {
    rt_lexicon lexicon = {0};
    char names[512] = "";
    RT_TRY(rt_lexicon_read(NULL, &lexicon, err));
    for (int32_t i = 0; i < lexicon.num_categories; i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", lexicon.categories[i].name);
    }
    rt_lexicon_free(&lexicon);
    return rt_fail(err, RETORT_ERR_USAGE,
                   "ban list '%.200s' is neither a file (a lexicon .yaml, or one word or phrase a line) nor a category "
                   "of the shipped lexicons (%s)",
                   item, names);
}

retort_status rt_ban_list_add_named(rt_ban_list *list, const char *const *texts, int32_t count, retort_error *err) {
    rt_lexicon shipped = {0};
    retort_status st = rt_lexicon_read(NULL, &shipped, err);
    for (int32_t i = 0; i < count && st == RETORT_OK; i++) {
        const int32_t category = rt_lexicon_category_find(&shipped, texts[i]);
        st = category >= 0 ? rt_ban_list_add_lexicon(list, &shipped, category, err)
                           : rt_ban_list_add(list, texts[i], strlen(texts[i]), err);
    }
    rt_lexicon_free(&shipped);
    return st;
}

retort_status rt_ban_list_append(rt_ban_list *list, const rt_ban_list *more, retort_error *err) {
    for (int32_t i = 0; i < more->count; i++) RT_TRY(push(list, rt_strdup(more->texts[i]), &more->patterns[i], err));
    return RETORT_OK;
}

static retort_status read_lines(const char *path, rt_ban_list *list, retort_error *err) {
    rt_buffer text = {.maximum = (size_t)1 << 24};
    retort_status st = rt_file_read(path, &text, err);
    for (size_t at = 0; st == RETORT_OK && at < text.length;) {
        const size_t length = strcspn(text.data + at, "\r\n");
        if (length > 0) st = rt_ban_list_add(list, text.data + at, length, err);
        at += length + 1;
    }
    rt_buffer_free(&text);
    return st;
}

static retort_status read_item(const char *item, rt_ban_list *list, retort_error *err) {
    bool found;
    RT_TRY(add_category(list, item, &found, err));
    if (found) return RETORT_OK;
    if (!rt_path_exists(item)) return refuse_name(item, err);
    return is_yaml(item) ? read_yaml(item, list, err) : read_lines(item, list, err);
}

retort_status rt_ban_list_read(const char *names, rt_ban_list *list, retort_error *err) {
    retort_status st = RETORT_OK;
    for (const char *at = names; st == RETORT_OK && *at != '\0';) {
        const size_t length = strcspn(at, ",");
        if (length > 0) {
            char *item = rt_strndup(at, length);
            st = item == NULL ? no_memory(err) : read_item(item, list, err);
            rt_free(item);
        }
        at += length + (at[length] == ',');
    }
    return st;
}
