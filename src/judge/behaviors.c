#include "judge/behaviors.h"

#include <string.h>

#include "core/assets.h"
#include "core/yaml_tree.h"

static const struct {
    const char *name;
    uint32_t bit;
} FEATURES[] = {
    {"equation", RT_FEATURE_EQUATION},     {"number", RT_FEATURE_NUMBER},
    {"question", RT_FEATURE_QUESTION},     {"paragraph", RT_FEATURE_PARAGRAPH},
    {"recomputed", RT_FEATURE_RECOMPUTED}, {"changed", RT_FEATURE_CHANGED},
    {"answer", RT_FEATURE_ANSWER},         {"before_answer", RT_FEATURE_BEFORE_ANSWER},
    {"opening", RT_FEATURE_OPENING},
};

typedef struct reader {
    const char *name;
    const json_t *lists; /* named lists of the file */
    rt_behaviors *out;
    char where[200]; /* "'FILE': behaviors[1].rules[0]" */
    retort_error *err;
} reader;

static retort_status check_keys(const reader *r, const json_t *object, const char *const *known) {
    const char *key;
    json_t *value;
    RT_CHECK(json_is_object(object), r->err, RETORT_ERR_FORMAT, "%s: must be a mapping", r->where);
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        const char *const *k = known;
        while (*k != NULL && strcmp(*k, key) != 0) k++;
        RT_CHECK(*k != NULL, r->err, RETORT_ERR_FORMAT, "%s: unknown key '%.60s'", r->where, key);
    }
    return RETORT_OK;
}

static retort_status copy_text(const reader *r, const json_t *object, const char *key, bool required, char **out) {
    const json_t *value = json_object_get(object, key);
    RT_CHECK(value != NULL || !required, r->err, RETORT_ERR_FORMAT, "%s: '%s' is missing", r->where, key);
    RT_CHECK(value == NULL || (json_is_string(value) && json_string_length(value) > 0), r->err, RETORT_ERR_FORMAT,
             "%s: '%s' must be text", r->where, key);
    *out = rt_strdup(value != NULL ? json_string_value(value) : "");
    RT_CHECK(*out != NULL, r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->name);
    return RETORT_OK;
}

/* ---- lists ---- */

/* A phrase, or "$NAME" for all of a named list. */
static retort_status add_entry(reader *r, int32_t list, const json_t *entry, bool nested) {
    RT_CHECK(json_is_string(entry), r->err, RETORT_ERR_FORMAT,
             "%s: a phrase must be text; put it between quotation marks", r->where);
    const char *text = json_string_value(entry);
    if (text[0] != '$') {
        const retort_status st = rt_phrases_add(&r->out->phrases, list, text, r->err);
        return st == RETORT_OK ? st : rt_fail_context(r->err, st, "%s", r->where);
    }
    const json_t *named = json_object_get(r->lists, text + 1);
    RT_CHECK(json_is_array(named) && !nested, r->err, RETORT_ERR_FORMAT, "%s: there is no list '%.60s'%s", r->where,
             text + 1, nested ? " inside a list" : "");
    for (size_t i = 0; i < json_array_size(named); i++) RT_TRY(add_entry(r, list, json_array_get(named, i), true));
    return RETORT_OK;
}

static retort_status read_list(reader *r, const json_t *rule, const char *key, int32_t *out) {
    const json_t *value = json_object_get(rule, key);
    *out = -1;
    if (value == NULL) return RETORT_OK;
    RT_CHECK(json_is_array(value) && json_array_size(value) > 0, r->err, RETORT_ERR_FORMAT,
             "%s: '%s' must be a list of phrases", r->where, key);
    RT_CHECK(r->out->phrases.lists < RT_MOST_LISTS, r->err, RETORT_ERR_FORMAT, "%s: more than %d lists in all",
             r->where, (int)RT_MOST_LISTS);
    *out = r->out->phrases.lists;
    for (size_t i = 0; i < json_array_size(value); i++) RT_TRY(add_entry(r, *out, json_array_get(value, i), false));
    return RETORT_OK;
}

/* ---- rules ---- */

static retort_status read_features(const reader *r, const json_t *rule, const char *key, uint32_t *out) {
    const json_t *value = json_object_get(rule, key);
    *out = 0;
    RT_CHECK(value == NULL || json_is_array(value), r->err, RETORT_ERR_FORMAT, "%s: '%s' must be a list", r->where,
             key);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *word = json_string_value(json_array_get(value, i));
        uint32_t bit = 0;
        for (size_t f = 0; word != NULL && f < sizeof FEATURES / sizeof *FEATURES; f++)
            if (strcmp(FEATURES[f].name, word) == 0) bit = FEATURES[f].bit;
        RT_CHECK(bit != 0, r->err, RETORT_ERR_FORMAT, "%s: '%s' has the unknown feature '%.40s'", r->where, key,
                 word != NULL ? word : "");
        *out |= bit;
    }
    return RETORT_OK;
}

static retort_status read_number(const reader *r, const json_t *object, const char *key, int32_t low, int32_t most,
                                 int32_t standard, int32_t *out) {
    const json_t *value = json_object_get(object, key);
    *out = standard;
    if (value == NULL) return RETORT_OK;
    const json_int_t number = json_integer_value(value);
    RT_CHECK(json_is_integer(value) && number >= low && number <= most, r->err, RETORT_ERR_FORMAT,
             "%s: '%s' must be a whole number from %d to %d", r->where, key, (int)low, (int)most);
    *out = (int32_t)number;
    return RETORT_OK;
}

static retort_status read_rule(reader *r, const json_t *object, rt_rule *out) {
    static const char *const KEYS[] = {"any", "not", "also", "after", "reach", "at_start", "needs", "without", NULL};
    RT_TRY(check_keys(r, object, KEYS));
    RT_TRY(read_list(r, object, "any", &out->any));
    RT_TRY(read_list(r, object, "not", &out->not_any));
    RT_TRY(read_list(r, object, "also", &out->also));
    RT_TRY(read_list(r, object, "after", &out->after));
    RT_TRY(read_number(r, object, "reach", 0, 20, 1, &out->reach));
    RT_TRY(read_features(r, object, "needs", &out->needs));
    RT_TRY(read_features(r, object, "without", &out->without));
    const json_t *start = json_object_get(object, "at_start");
    RT_CHECK(start == NULL || json_is_boolean(start), r->err, RETORT_ERR_FORMAT, "%s: 'at_start' must be true or false",
             r->where);
    out->at_start = json_is_true(start);
    RT_CHECK(out->any >= 0 || (out->needs != 0 && !out->at_start), r->err, RETORT_ERR_FORMAT,
             "%s: a rule needs 'any', or 'needs' without 'at_start'", r->where);
    return RETORT_OK;
}

static retort_status read_rules(reader *r, const json_t *object, rt_behavior *out, size_t index) {
    const json_t *rules = json_object_get(object, "rules");
    const size_t count = json_array_size(rules);
    RT_CHECK(rules == NULL || json_is_array(rules), r->err, RETORT_ERR_FORMAT, "%s: 'rules' must be a list", r->where);
    RT_CHECK(count <= RT_MOST_RULES, r->err, RETORT_ERR_FORMAT, "%s: more than %d rules", r->where, (int)RT_MOST_RULES);
    for (size_t i = 0; i < count; i++) {
        snprintf(r->where, sizeof r->where, "'%.120s': behaviors[%zu].rules[%zu]", r->name, index, i);
        RT_TRY(read_rule(r, json_array_get(rules, i), &out->rules[out->rule_count]));
        out->rule_count++;
    }
    return RETORT_OK;
}

/* Names become JSON keys and column heads. */
static bool is_name(const char *text) {
    const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return text[length] == '\0' && length > 0 && length <= 40;
}

static retort_status read_behavior(reader *r, const json_t *object, size_t index) {
    static const char *const KEYS[] = {"name", "title", "definition", "gap", "rules", NULL};
    rt_behavior *out = &r->out->items[r->out->count];
    snprintf(r->where, sizeof r->where, "'%.120s': behaviors[%zu]", r->name, index);
    RT_TRY(check_keys(r, object, KEYS));
    char *name = NULL;
    RT_TRY(copy_text(r, object, "name", true, &name));
    const bool known = rt_behaviors_find(r->out, name) >= 0, good = is_name(name);
    *out = (rt_behavior){.name = name};
    r->out->count++; /* from here on rt_behaviors_free frees it */
    RT_CHECK(good, r->err, RETORT_ERR_FORMAT, "%s: 'name' must be 1 to 40 of a-z, 0-9 and _", r->where);
    RT_CHECK(!known, r->err, RETORT_ERR_FORMAT, "%s: there are two behaviours '%s'", r->where, name);
    RT_TRY(copy_text(r, object, "title", false, &out->title));
    RT_TRY(copy_text(r, object, "definition", true, &out->definition));
    RT_TRY(read_number(r, object, "gap", -1, 20, -1, &out->gap));
    return read_rules(r, object, out, index);
}

static retort_status read_tree(reader *r, const json_t *tree) {
    static const char *const KEYS[] = {"name", "lists", "behaviors", NULL};
    snprintf(r->where, sizeof r->where, "'%.120s'", r->name);
    RT_TRY(check_keys(r, tree, KEYS));
    RT_TRY(copy_text(r, tree, "name", true, &r->out->name));
    r->lists = json_object_get(tree, "lists");
    RT_CHECK(r->lists == NULL || json_is_object(r->lists), r->err, RETORT_ERR_FORMAT,
             "%s: 'lists' must be a mapping of names to lists of phrases", r->where);
    const json_t *behaviors = json_object_get(tree, "behaviors");
    const size_t count = json_array_size(behaviors);
    RT_CHECK(count > 0 && count <= RT_MOST_JUDGED, r->err, RETORT_ERR_FORMAT,
             "%s: 'behaviors' must be a list of 1 to %d", r->where, (int)RT_MOST_JUDGED);
    for (size_t i = 0; i < count; i++) RT_TRY(read_behavior(r, json_array_get(behaviors, i), i));
    return RETORT_OK;
}

retort_status rt_behaviors_parse(const char *text, size_t length, const char *name, rt_behaviors *out,
                                 retort_error *err) {
    json_t *tree = NULL;
    *out = (rt_behaviors){0};
    rt_phrases_init(&out->phrases);
    RT_TRY(rt_yaml_parse(text, length, name, &tree, err));
    rt_sha256(text, length, out->sha256);
    reader r = {.name = name, .out = out, .err = err};
    const retort_status st = read_tree(&r, tree);
    json_decref(tree);
    if (st != RETORT_OK) rt_behaviors_free(out);
    return st;
}

retort_status rt_behaviors_load(const char *path, rt_behaviors *out, retort_error *err) {
    const rt_asset *shipped = &RT_BEHAVIOR_ASSETS[0];
    *out = (rt_behaviors){0};
    if (path == NULL) return rt_behaviors_parse(shipped->data, shipped->length, shipped->name, out, err);
    rt_buffer text = {0};
    retort_status st = rt_file_read(path, &text, err);
    if (st == RETORT_OK) st = rt_behaviors_parse(text.data != NULL ? text.data : "", text.length, path, out, err);
    rt_buffer_free(&text);
    return st;
}

void rt_behaviors_free(rt_behaviors *behaviors) {
    for (int32_t i = 0; i < behaviors->count; i++) {
        rt_free(behaviors->items[i].name);
        rt_free(behaviors->items[i].title);
        rt_free(behaviors->items[i].definition);
    }
    rt_phrases_free(&behaviors->phrases);
    rt_free(behaviors->name);
    *behaviors = (rt_behaviors){0};
}

int32_t rt_behaviors_find(const rt_behaviors *behaviors, const char *name) {
    for (int32_t i = 0; i < behaviors->count; i++)
        if (strcmp(behaviors->items[i].name, name) == 0) return i;
    return -1;
}
