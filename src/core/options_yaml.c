/* Recipes: YAML in, one value at a time, into option tables.
 *
 * A recipe is a mapping of depth one or two, so libyaml's event stream is walked directly: scalars and sequences of
 * scalars are values, mappings at the top level are sections, and anything else is an error that names its line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "core/mem.h"
#include "retort/options.h"

/* libyaml's time grows with the square of the nesting depth, so depth is bounded as well as length. */
enum { MAX_RECIPE_BYTES = 1 << 20, MAX_DEPTH = 16 };

typedef struct recipe {
    const char *path;
    rt_buffer text;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; valid while `holding` */
    bool holding;
    retort_error *err;
} recipe;

/* The keys seen in one mapping, to refuse a second one of the same name. */
typedef struct key_set {
    char **names;
    size_t count;
} key_set;

static size_t line_of(const recipe *r) {
    return r->event.start_mark.line + 1;
}

static retort_status next(recipe *r) {
    if (r->holding) yaml_event_delete(&r->event);
    r->holding = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (r->holding) {
        RT_CHECK(r->event.type != YAML_ALIAS_EVENT, r->err, RETORT_ERR_FORMAT,
                 "'%s' line %zu: aliases are not supported in recipes, write the value out", r->path, line_of(r));
        return RETORT_OK;
    }
    if (r->parser.error == YAML_MEMORY_ERROR) return rt_fail(r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->path);
    const char *problem = r->parser.problem != NULL ? r->parser.problem : "broken YAML";
    return rt_fail(r->err, RETORT_ERR_FORMAT, "'%s' line %zu: %s", r->path, r->parser.problem_mark.line + 1, problem);
}

static retort_status read_text(recipe *r) {
    struct stat status;
    RT_CHECK(stat(r->path, &status) == 0, r->err, errno == ENOENT ? RETORT_ERR_NOT_FOUND : RETORT_ERR_IO,
             "cannot open recipe '%s': %s", r->path, strerror(errno));
    RT_CHECK(!S_ISDIR(status.st_mode), r->err, RETORT_ERR_USAGE, "recipe '%s' is a folder", r->path);
    FILE *file = fopen(r->path, "rb");
    RT_CHECK(file != NULL, r->err, RETORT_ERR_IO, "cannot open recipe '%s': %s", r->path, strerror(errno));
    r->text.maximum = MAX_RECIPE_BYTES;
    retort_status st = RETORT_OK;
    char piece[4096];
    size_t n;
    while (st == RETORT_OK && (n = fread(piece, 1, sizeof piece, file)) > 0) {
        st = rt_buffer_append(&r->text, piece, n, NULL);
    }
    bool broken = ferror(file) != 0;
    fclose(file);
    RT_CHECK(st == RETORT_OK, r->err, RETORT_ERR_FORMAT, "recipe '%s' is longer than %d bytes", r->path,
             MAX_RECIPE_BYTES);
    RT_CHECK(!broken, r->err, RETORT_ERR_IO, "cannot read recipe '%s'", r->path);
    return RETORT_OK;
}

static void recipe_close(recipe *r) {
    if (r->holding) yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    rt_buffer_free(&r->text);
}

/* Opens and steps into the top-level mapping. *empty: the file holds only comments or nothing. */
static retort_status recipe_open(recipe *r, bool *empty) {
    RT_CHECK(yaml_parser_initialize(&r->parser) != 0, r->err, RETORT_ERR_MEMORY, "out of memory: '%s'", r->path);
    RT_TRY(read_text(r));
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(r->text.data != NULL ? r->text.data : ""),
                                 r->text.length);
    RT_TRY(next(r)); /* stream start */
    RT_TRY(next(r)); /* document start or stream end */
    *empty = r->event.type == YAML_STREAM_END_EVENT;
    if (*empty) return RETORT_OK;
    RT_TRY(next(r));
    bool blank = r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0;
    if (blank) {
        *empty = true;
        return RETORT_OK;
    }
    RT_CHECK(r->event.type == YAML_MAPPING_START_EVENT, r->err, RETORT_ERR_FORMAT,
             "'%s' line %zu: a recipe is a mapping of keys to values", r->path, line_of(r));
    return RETORT_OK;
}

/* After the top-level mapping: nothing but the end may follow. */
static retort_status expect_end(recipe *r) {
    RT_TRY(next(r)); /* document end */
    RT_TRY(next(r));
    RT_CHECK(r->event.type == YAML_STREAM_END_EVENT, r->err, RETORT_ERR_FORMAT,
             "'%s' line %zu: a recipe is one document, a second one starts here", r->path, line_of(r));
    return RETORT_OK;
}

static void key_set_free(key_set *keys) {
    for (size_t i = 0; i < keys->count; i++) rt_free(keys->names[i]);
    rt_free(keys->names);
    *keys = (key_set){0};
}

/* Adds the current scalar event as a key of this mapping; *name is owned by the set. */
static retort_status add_key(recipe *r, key_set *keys, const char **name) {
    RT_CHECK(r->event.type == YAML_SCALAR_EVENT, r->err, RETORT_ERR_FORMAT, "'%s' line %zu: a key must be a plain word",
             r->path, line_of(r));
    const char *text = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length;
    RT_CHECK(length > 0 && length < 64 && strlen(text) == length, r->err, RETORT_ERR_FORMAT,
             "'%s' line %zu: a key must have 1 to 63 characters", r->path, line_of(r));
    for (size_t i = 0; i < keys->count; i++) {
        RT_CHECK(retort_name_distance(keys->names[i], text) != 0, r->err, RETORT_ERR_USAGE,
                 "'%s' line %zu: key '%s' is given twice", r->path, line_of(r), text);
    }
    char **grown = rt_realloc_array(keys->names, keys->count + 1, sizeof *grown);
    RT_CHECK(grown != NULL, r->err, RETORT_ERR_MEMORY, "out of memory: keys of '%s'", r->path);
    keys->names = grown;
    grown[keys->count] = rt_strdup(text);
    RT_CHECK(grown[keys->count] != NULL, r->err, RETORT_ERR_MEMORY, "out of memory: keys of '%s'", r->path);
    *name = grown[keys->count++];
    return RETORT_OK;
}

static bool is_null(const recipe *r) {
    if (r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    const char *text = (const char *)r->event.data.scalar.value;
    return text[0] == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

/* Leaves the value that starts at the current event behind. */
static retort_status skip_value(recipe *r) {
    int depth = 0;
    for (;;) {
        yaml_event_type_t type = r->event.type;
        if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT) depth++;
        if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT) depth--;
        if (depth == 0) return RETORT_OK;
        RT_CHECK(depth <= MAX_DEPTH, r->err, RETORT_ERR_FORMAT, "'%s' line %zu: more than %d levels of nesting",
                 r->path, line_of(r), MAX_DEPTH);
        RT_TRY(next(r));
    }
}

/* The elements of a sequence, joined with commas. */
static retort_status join_sequence(recipe *r, const char *name, rt_buffer *out) {
    for (;;) {
        RT_TRY(next(r));
        if (r->event.type == YAML_SEQUENCE_END_EVENT) return RETORT_OK;
        RT_CHECK(r->event.type == YAML_SCALAR_EVENT, r->err, RETORT_ERR_USAGE,
                 "'%s' line %zu: the elements of '%s' must be single values", r->path, line_of(r), name);
        const char *text = (const char *)r->event.data.scalar.value;
        RT_CHECK(strlen(text) == r->event.data.scalar.length && strchr(text, ',') == NULL && text[0] != '\0', r->err,
                 RETORT_ERR_USAGE, "'%s' line %zu: an element of '%s' is empty or holds a comma", r->path, line_of(r),
                 name);
        if (out->length > 0) RT_TRY(rt_buffer_puts(out, ",", r->err));
        RT_TRY(rt_buffer_puts(out, text, r->err));
    }
}

/* Sets one option from the value that starts at the current event. */
static retort_status set_value(recipe *r, const retort_option *option, void *options) {
    const retort_option pair[2] = {*option, {0}};
    size_t line = line_of(r);
    rt_buffer text = {0};
    retort_status st = RETORT_OK;
    bool list = option->type == RETORT_OPTION_LIST, textual = list || option->type == RETORT_OPTION_STRING;
    if (r->event.type == YAML_SEQUENCE_START_EVENT && list) {
        RT_GOTO(st, join_sequence(r, option->name, &text), done);
    } else if (r->event.type != YAML_SCALAR_EVENT) {
        st = rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: '%s' must be %s", r->path, line, option->name,
                     list ? "a list of values" : "a single value");
        goto done;
    } else if (strlen((const char *)r->event.data.scalar.value) != r->event.data.scalar.length) {
        st = rt_fail(r->err, RETORT_ERR_FORMAT, "'%s' line %zu: '%s' holds a NUL character", r->path, line,
                     option->name);
        goto done;
    } else if (is_null(r) && !textual) {
        st = rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: '%s' has no value", r->path, line, option->name);
        goto done;
    } else if (!is_null(r)) {
        RT_GOTO(st, rt_buffer_puts(&text, (const char *)r->event.data.scalar.value, r->err), done);
    }
    st = retort_options_set(pair, options, option->name, text.data != NULL ? text.data : "", r->err);
    if (st != RETORT_OK) rt_fail_context(r->err, st, "'%s' line %zu", r->path, line);
done:
    rt_buffer_free(&text);
    return st;
}

static retort_status unknown_key(recipe *r, const retort_option *table, const char *name, const char *section) {
    const retort_option *nearest = retort_options_nearest(table, name);
    const char *known = nearest != NULL ? nearest->name : "(none)";
    if (section == NULL) {
        return rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: unknown key '%s', the nearest known one is '%s'",
                       r->path, line_of(r), name, known);
    }
    return rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: unknown key '%s' in '%s', the nearest known one is '%s'",
                   r->path, line_of(r), name, section, known);
}

/* Walks a mapping whose start event is current. options NULL: names are checked and values passed over. With
 * `sections`, unknown keys whose value is a mapping are passed over. */
static retort_status walk_mapping(recipe *r, const retort_option *table, void *options, const char *section,
                                  bool sections) {
    key_set keys = {0};
    retort_status st;
    for (;;) {
        RT_GOTO(st, next(r), done);
        if (r->event.type == YAML_MAPPING_END_EVENT) break;
        const char *name = NULL;
        RT_GOTO(st, add_key(r, &keys, &name), done);
        const retort_option *option = retort_options_find(table, name);
        if (option == NULL && !sections) {
            st = unknown_key(r, table, name, section);
            goto done;
        }
        RT_GOTO(st, next(r), done);
        if (option != NULL && options != NULL) {
            st = set_value(r, option, options);
        } else if (option != NULL || r->event.type == YAML_MAPPING_START_EVENT) {
            st = skip_value(r);
        } else {
            st = unknown_key(r, table, name, section);
        }
        if (st != RETORT_OK) goto done;
    }
done:
    key_set_free(&keys);
    return st;
}

/* Reads the mapping under one top-level key and passes over the rest. */
static retort_status walk_section(recipe *r, const retort_option *table, void *options, const char *section) {
    key_set keys = {0};
    retort_status st;
    for (;;) {
        RT_GOTO(st, next(r), done);
        if (r->event.type == YAML_MAPPING_END_EVENT) break;
        const char *name = NULL;
        RT_GOTO(st, add_key(r, &keys, &name), done);
        bool wanted = retort_name_distance(name, section) == 0;
        RT_GOTO(st, next(r), done);
        if (!wanted || (r->event.type == YAML_SCALAR_EVENT && is_null(r))) {
            st = skip_value(r);
        } else if (r->event.type != YAML_MAPPING_START_EVENT) {
            st = rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: section '%s' must be a mapping of keys to values",
                         r->path, line_of(r), section);
        } else {
            st = walk_mapping(r, table, options, section, false);
        }
        if (st != RETORT_OK) goto done;
    }
done:
    key_set_free(&keys);
    return st;
}

retort_status retort_options_load_yaml(const retort_option *table, void *options, const char *path, const char *section,
                                       retort_error *err) {
    recipe r = {.path = path, .err = err};
    bool empty = false;
    retort_status st;
    RT_GOTO(st, recipe_open(&r, &empty), done);
    if (empty) goto done;
    if (section == NULL) {
        RT_GOTO(st, walk_mapping(&r, table, options, NULL, true), done);
    } else {
        RT_GOTO(st, walk_section(&r, table, options, section), done);
    }
    st = expect_end(&r);
done:
    recipe_close(&r);
    return st;
}

static const retort_recipe_part *find_part(const retort_recipe_part *parts, const char *section) {
    for (const retort_recipe_part *part = parts; part->table != NULL; part++) {
        bool both = part->section != NULL && section != NULL;
        if (both ? retort_name_distance(part->section, section) == 0 : part->section == section) return part;
    }
    return NULL;
}

/* The nearest among sections and top-level keys. */
static retort_status unknown_top(recipe *r, const retort_recipe_part *parts, const char *name) {
    const retort_recipe_part *top = find_part(parts, NULL);
    const retort_option *option = top != NULL ? retort_options_nearest(top->table, name) : NULL;
    const char *nearest = option != NULL ? option->name : NULL;
    for (const retort_recipe_part *part = parts; part->table != NULL; part++) {
        if (part->section == NULL) continue;
        bool nearer =
            nearest == NULL || retort_name_distance(part->section, name) < retort_name_distance(nearest, name);
        if (nearer) nearest = part->section;
    }
    return rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: unknown key '%s', the nearest known one is '%s'", r->path,
                   line_of(r), name, nearest != NULL ? nearest : "(none)");
}

static retort_status check_top(recipe *r, const retort_recipe_part *parts) {
    const retort_recipe_part *top = find_part(parts, NULL);
    key_set keys = {0};
    retort_status st;
    for (;;) {
        RT_GOTO(st, next(r), done);
        if (r->event.type == YAML_MAPPING_END_EVENT) break;
        const char *name = NULL;
        RT_GOTO(st, add_key(r, &keys, &name), done);
        const retort_recipe_part *part = find_part(parts, name);
        bool known = part != NULL || (top != NULL && retort_options_find(top->table, name) != NULL);
        if (!known) {
            st = unknown_top(r, parts, name);
            goto done;
        }
        RT_GOTO(st, next(r), done);
        bool section = part != NULL && r->event.type == YAML_MAPPING_START_EVENT;
        RT_GOTO(st, section ? walk_mapping(r, part->table, NULL, part->section, false) : skip_value(r), done);
    }
done:
    key_set_free(&keys);
    return st;
}

retort_status retort_recipe_check(const char *path, const retort_recipe_part *parts, retort_error *err) {
    recipe r = {.path = path, .err = err};
    bool empty = false;
    retort_status st;
    RT_GOTO(st, recipe_open(&r, &empty), done);
    if (empty) goto done;
    RT_GOTO(st, check_top(&r, parts), done);
    st = expect_end(&r);
done:
    recipe_close(&r);
    return st;
}

static retort_status list_sections(recipe *r, rt_buffer *out) {
    key_set keys = {0};
    retort_status st;
    for (;;) {
        RT_GOTO(st, next(r), done);
        if (r->event.type == YAML_MAPPING_END_EVENT) break;
        const char *name = NULL;
        RT_GOTO(st, add_key(r, &keys, &name), done);
        if (strchr(name, '\n') != NULL) {
            st = rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: a name of several lines", r->path, line_of(r));
            goto done;
        }
        RT_GOTO(st, rt_buffer_printf(out, r->err, "%s\n", name), done);
        RT_GOTO(st, next(r), done);
        if (r->event.type != YAML_MAPPING_START_EVENT) {
            st = rt_fail(r->err, RETORT_ERR_USAGE, "'%s' line %zu: a section must be a mapping of keys to values",
                         r->path, line_of(r));
            goto done;
        }
        RT_GOTO(st, skip_value(r), done);
    }
done:
    key_set_free(&keys);
    return st;
}

retort_status retort_recipe_sections(const char *path, char **out, retort_error *err) {
    recipe r = {.path = path, .err = err};
    rt_buffer names = {0};
    bool empty = false;
    *out = NULL;
    retort_status st = recipe_open(&r, &empty);
    if (st == RETORT_OK && !empty) st = list_sections(&r, &names);
    if (st == RETORT_OK && !empty) st = expect_end(&r);
    recipe_close(&r);
    if (st == RETORT_OK) *out = strdup(names.length > 0 ? names.data : ""); /* the caller frees with free */
    if (st == RETORT_OK && *out == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: sections");
    rt_buffer_free(&names);
    return st;
}
