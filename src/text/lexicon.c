#include "text/lexicon.h"

#include <string.h>

#include "core/assets.h"
#include "core/yaml_tree.h"
#include "text/lexicon_scan.h"

enum { MAX_EXAMPLES = 64, MAX_EXAMPLE_BYTES = 4000 };

static const char *const CASES = "any|exact", *const BOUNDARIES = "word|whole|operator|none",
                         *const CONTEXTS = "prose|anywhere", *const CLASSES = "number|command";

const char *rt_boundary_name(rt_boundary boundary) {
    static const char *const NAMES[] = {"word", "whole", "operator", "none"};
    return NAMES[boundary];
}

static void free_texts(char **texts, int32_t count) {
    for (int32_t i = 0; i < count; i++) rt_free(texts[i]);
    rt_free(texts);
}

static void free_entry(rt_lexicon_entry *entry) {
    rt_free(entry->text);
    free_texts(entry->yes, entry->num_yes);
    free_texts(entry->never, entry->num_never);
}

void rt_lexicon_free(rt_lexicon *lexicon) {
    for (int32_t i = 0; i < lexicon->num_entries; i++) free_entry(&lexicon->entries[i]);
    for (int32_t i = 0; i < lexicon->num_categories; i++) {
        rt_free(lexicon->categories[i].name);
        rt_free(lexicon->categories[i].about);
    }
    rt_free(lexicon->entries);
    rt_free(lexicon->categories);
    *lexicon = (rt_lexicon){0};
}

int32_t rt_lexicon_category_find(const rt_lexicon *lexicon, const char *name) {
    for (int32_t i = 0; i < lexicon->num_categories; i++)
        if (strcmp(lexicon->categories[i].name, name) == 0) return i;
    return -1;
}

/* The index of a word among "a|b|c". */
static retort_status choose(const json_t *object, const char *key, const char *choices, const char *where, int *out,
                            retort_error *err) {
    const json_t *value = json_object_get(object, key);
    if (value == NULL) return RETORT_OK;
    const char *word = json_is_string(value) ? json_string_value(value) : "";
    int index = 0;
    for (const char *at = choices; at != NULL; index++) {
        size_t length = strcspn(at, "|");
        if (strlen(word) == length && strncmp(at, word, length) == 0) {
            *out = index;
            return RETORT_OK;
        }
        at = at[length] == '|' ? at + length + 1 : NULL;
    }
    return rt_fail(err, RETORT_ERR_FORMAT, "%s: '%s' is '%.40s', must be one of %s", where, key, word, choices);
}

static retort_status known_keys(const json_t *object, const char *const *known, const char *where, retort_error *err) {
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        bool found = false;
        for (const char *const *name = known; *name != NULL; name++) found = found || strcmp(*name, key) == 0;
        RT_CHECK(found, err, RETORT_ERR_FORMAT, "%s: unknown key '%.40s'", where, key);
    }
    return RETORT_OK;
}

static retort_status read_examples(const json_t *object, const char *key, const char *where, char ***texts,
                                   int32_t *count, retort_error *err) {
    const json_t *list = json_object_get(object, key);
    if (list == NULL) return RETORT_OK;
    size_t n = json_array_size(list);
    RT_CHECK(json_is_array(list) && n <= MAX_EXAMPLES, err, RETORT_ERR_FORMAT,
             "%s: '%s' must be a list of up to %d texts", where, key, MAX_EXAMPLES);
    *texts = rt_calloc(n + 1, sizeof **texts);
    RT_CHECK(*texts != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", where);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        RT_CHECK(json_is_string(item) && json_string_length(item) <= MAX_EXAMPLE_BYTES, err, RETORT_ERR_FORMAT,
                 "%s: '%s' must hold texts of up to %d bytes", where, key, MAX_EXAMPLE_BYTES);
        (*texts)[i] = rt_strndup(json_string_value(item), json_string_length(item));
        RT_CHECK((*texts)[i] != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", where);
        (*count)++;
    }
    return RETORT_OK;
}

/* Single blanks, ASCII apostrophes; nothing but printable bytes and UTF-8 is left. */
static retort_status read_text(const char *text, const char *where, char **out, retort_error *err) {
    char folded[RT_LEXICON_MAX_TEXT + 1];
    size_t n = 0;
    for (const char *c = text; *c != '\0';) {
        RT_CHECK(n < RT_LEXICON_MAX_TEXT, err, RETORT_ERR_FORMAT, "%s: '%.20s...' is longer than %d bytes", where, text,
                 RT_LEXICON_MAX_TEXT);
        if (strncmp(c, "\xe2\x80\x99", 3) == 0) {
            folded[n++] = '\'';
            c += 3;
            continue;
        }
        bool blank = *c == ' ';
        RT_CHECK((unsigned char)*c >= ' ' && *c != 127, err, RETORT_ERR_FORMAT, "%s: a control character in '%.40s'",
                 where, text);
        RT_CHECK(!blank || (n > 0 && folded[n - 1] != ' ' && c[1] != '\0'), err, RETORT_ERR_FORMAT,
                 "%s: '%.40s' begins, ends or doubles a blank", where, text);
        folded[n++] = *c++;
    }
    RT_CHECK(n > 0, err, RETORT_ERR_FORMAT, "%s: an empty text", where);
    *out = rt_strndup(folded, n);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", where);
    return RETORT_OK;
}

static retort_status read_class(const json_t *object, const char *where, rt_lexicon_entry *entry, retort_error *err) {
    static const char *const KNOWN[] = {"class", "context", "yes", "not", NULL};
    int class = 0, context = RT_CONTEXT_PROSE;
    RT_TRY(known_keys(object, KNOWN, where, err));
    RT_TRY(choose(object, "class", CLASSES, where, &class, err));
    RT_TRY(choose(object, "context", CONTEXTS, where, &context, err));
    entry->kind = class == 0 ? RT_ENTRY_NUMBER : RT_ENTRY_COMMAND;
    entry->boundary = RT_BOUNDARY_NONE;
    entry->context = (rt_context)context;
    entry->text = rt_strdup(class == 0 ? "<number>" : "<command>");
    RT_CHECK(entry->text != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", where);
    return RETORT_OK;
}

static retort_status read_entry(const json_t *item, const char *where, rt_lexicon_entry *entry, retort_error *err) {
    if (json_is_string(item)) return read_text(json_string_value(item), where, &entry->text, err);
    RT_CHECK(json_is_object(item), err, RETORT_ERR_FORMAT, "%s must be a text or a mapping with 'text'", where);
    static const char *const KNOWN[] = {"text", "case", "boundary", "context", "yes", "not", NULL};
    if (json_object_get(item, "class") != NULL) {
        RT_TRY(read_class(item, where, entry, err));
    } else {
        const char *text;
        int letter_case = RT_CASE_ANY, boundary = RT_BOUNDARY_WORD, context = RT_CONTEXT_PROSE;
        RT_TRY(known_keys(item, KNOWN, where, err));
        RT_TRY(rt_json_string(item, "text", where, &text, err));
        RT_TRY(read_text(text, where, &entry->text, err));
        RT_TRY(choose(item, "case", CASES, where, &letter_case, err));
        RT_TRY(choose(item, "boundary", BOUNDARIES, where, &boundary, err));
        RT_TRY(choose(item, "context", CONTEXTS, where, &context, err));
        entry->letter_case = (rt_letter_case)letter_case;
        entry->boundary = (rt_boundary)boundary;
        entry->context = (rt_context)context;
    }
    RT_TRY(read_examples(item, "yes", where, &entry->yes, &entry->num_yes, err));
    return read_examples(item, "not", where, &entry->never, &entry->num_never, err);
}

static bool same_entry(const rt_lexicon_entry *a, const rt_lexicon_entry *b) {
    if (a->category != b->category || a->kind != b->kind) return false;
    bool exact = a->letter_case == RT_CASE_EXACT && b->letter_case == RT_CASE_EXACT;
    return exact ? strcmp(a->text, b->text) == 0 : strcasecmp(a->text, b->text) == 0;
}

static retort_status add_entries(const json_t *list, int32_t category, const char *what, rt_lexicon *lexicon,
                                 retort_error *err) {
    const char *name = lexicon->categories[category].name;
    size_t n = json_array_size(list);
    RT_CHECK(json_is_array(list) && n > 0, err, RETORT_ERR_FORMAT, "'%s': category '%s' must have a list 'entries'",
             what, name);
    RT_CHECK(n <= (size_t)(RT_LEXICON_MAX_ENTRIES - lexicon->num_entries), err, RETORT_ERR_FORMAT,
             "'%s': more than %d entries", what, RT_LEXICON_MAX_ENTRIES);
    size_t total = (size_t)lexicon->num_entries + n;
    rt_lexicon_entry *entries = rt_realloc_array(lexicon->entries, total, sizeof *entries);
    RT_CHECK(entries != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", what);
    lexicon->entries = entries;
    for (size_t i = 0; i < n; i++) {
        rt_lexicon_entry *entry = &entries[lexicon->num_entries++];
        *entry = (rt_lexicon_entry){.category = category};
        char where[300];
        snprintf(where, sizeof where, "'%.150s': category '%s', entry %zu", what, name, i + 1);
        RT_TRY(read_entry(json_array_get(list, i), where, entry, err));
        for (const rt_lexicon_entry *other = entries; other < entry; other++)
            RT_CHECK(!same_entry(other, entry), err, RETORT_ERR_FORMAT, "%s: '%s' is there already", where,
                     entry->text);
    }
    return RETORT_OK;
}

static retort_status add_category(const char *name, const json_t *object, const char *what, rt_lexicon *lexicon,
                                  retort_error *err) {
    static const char *const KNOWN[] = {"about", "entries", NULL};
    size_t length = strlen(name);
    bool plain = length > 0 && length <= 40 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
    RT_CHECK(plain, err, RETORT_ERR_FORMAT,
             "'%s': '%.60s' cannot name a category: 1 to 40 of a-z, 0-9, hyphen and underscore can", what, name);
    RT_CHECK(rt_lexicon_category_find(lexicon, name) < 0, err, RETORT_ERR_FORMAT,
             "'%s': category '%s' was read already", what, name);
    RT_CHECK(lexicon->num_categories < RT_LEXICON_MAX_CATEGORIES, err, RETORT_ERR_FORMAT,
             "'%s': more than %d categories", what, RT_LEXICON_MAX_CATEGORIES);
    char where[300];
    snprintf(where, sizeof where, "'%.200s': category '%s'", what, name);
    RT_CHECK(json_is_object(object), err, RETORT_ERR_FORMAT, "%s must be a mapping with 'entries'", where);
    RT_TRY(known_keys(object, KNOWN, where, err));
    rt_lexicon_category *categories =
        rt_realloc_array(lexicon->categories, (size_t)lexicon->num_categories + 1, sizeof *categories);
    RT_CHECK(categories != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", where);
    lexicon->categories = categories;
    rt_lexicon_category *category = &categories[lexicon->num_categories++];
    const char *about = json_string_value(json_object_get(object, "about"));
    *category = (rt_lexicon_category){rt_strdup(name), rt_strdup(about != NULL ? about : "")};
    RT_CHECK(category->name != NULL && category->about != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", where);
    return add_entries(json_object_get(object, "entries"), lexicon->num_categories - 1, what, lexicon, err);
}

static retort_status add_document(const json_t *document, const char *what, rt_lexicon *lexicon, retort_error *err) {
    static const char *const KNOWN[] = {"categories", NULL};
    const json_t *categories = json_object_get(document, "categories");
    RT_CHECK(json_is_object(categories) && json_object_size(categories) > 0, err, RETORT_ERR_FORMAT,
             "'%s': a lexicon is a mapping with 'categories'", what);
    RT_TRY(known_keys(document, KNOWN, what, err));
    const char *name;
    const json_t *object;
    json_object_foreach((json_t *)(uintptr_t)categories, name, object)
        RT_TRY(add_category(name, object, what, lexicon, err));
    return RETORT_OK;
}

retort_status rt_lexicon_add(const char *yaml, size_t length, const char *what, rt_lexicon *lexicon,
                             retort_error *err) {
    json_t *document;
    RT_TRY(rt_yaml_parse(yaml, length, what, &document, err));
    retort_status st = add_document(document, what, lexicon, err);
    json_decref(document);
    return st;
}

const char *rt_lexicon_shipped(int i) {
    return RT_LEXICON_ASSETS[i].name;
}

static retort_status add_item(const char *item, rt_lexicon *lexicon, retort_error *err) {
    for (const rt_asset *asset = RT_LEXICON_ASSETS; asset->name != NULL; asset++)
        if (strcmp(asset->name, item) == 0) return rt_lexicon_add(asset->data, asset->length, item, lexicon, err);
    rt_buffer text = {.maximum = 1 << 21};
    retort_status st = rt_file_read(item, &text, err);
    if (st == RETORT_OK) st = rt_lexicon_add(text.data != NULL ? text.data : "", text.length, item, lexicon, err);
    rt_buffer_free(&text);
    return st;
}

static retort_status read_list(const char *list, rt_lexicon *out, retort_error *err) {
    if (list == NULL) {
        for (int i = 0; rt_lexicon_shipped(i) != NULL; i++) RT_TRY(add_item(rt_lexicon_shipped(i), out, err));
        return RETORT_OK;
    }
    char *copy = rt_strdup(list), *rest = NULL;
    RT_CHECK(copy != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of lexicons");
    retort_status st = RETORT_OK;
    for (char *item = strtok_r(copy, ",", &rest); item != NULL && st == RETORT_OK; item = strtok_r(NULL, ",", &rest))
        st = add_item(item, out, err);
    rt_free(copy);
    return st;
}

retort_status rt_lexicon_read(const char *list, rt_lexicon *out, retort_error *err) {
    *out = (rt_lexicon){0};
    retort_status st = read_list(list, out, err);
    if (st == RETORT_OK && out->num_entries == 0) st = rt_fail(err, RETORT_ERR_USAGE, "no lexicon was named");
    if (st == RETORT_OK) st = rt_lexicon_prove(out, err);
    if (st != RETORT_OK) rt_lexicon_free(out);
    return st;
}
