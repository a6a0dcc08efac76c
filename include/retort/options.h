/* Options: one declarative table per command, from which flags, recipe keys, --help, the manual and shell completion
 * all come.
 *
 * A table describes the fields of a plain struct. The same table fills the struct from defaults, from a YAML recipe
 * (keys with underscores), and from command-line flags (hyphens or underscores), in that order, later winning:
 *
 *     retort_distill_options options;
 *     retort_options_defaults(retort_distill_option_table, &options);
 *     retort_options_load_yaml(retort_distill_option_table, &options, "recipe.yaml", NULL, &err);
 *     retort_options_set(retort_distill_option_table, &options, "learning-rate", "1e-4", &err);
 *     ...
 *     retort_options_release(retort_distill_option_table, &options);
 */
#ifndef RETORT_OPTIONS_H
#define RETORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum retort_option_type {
    RETORT_OPTION_BOOL,   /* bool;      --flag, --no-flag, or a YAML true / false */
    RETORT_OPTION_INT,    /* int64_t;   checked against minimum and maximum */
    RETORT_OPTION_REAL,   /* double;    likewise */
    RETORT_OPTION_STRING, /* char *;    owned by the struct, NULL when unset */
    RETORT_OPTION_CHOICE, /* int;       index into `choices` */
    RETORT_OPTION_LIST    /* char *;    comma list or YAML sequence, stored joined with commas, NULL when unset */
} retort_option_type;

typedef struct retort_option {
    const char *name; /* with underscores, as in a recipe; NULL ends the table */
    retort_option_type type;
    size_t offset;             /* offsetof(struct, field) */
    const char *default_value; /* as text; NULL: false, 0 or unset */
    const char *argument;      /* shown in help: "DIR", "N"; "[N]": the flag alone means 1; NULL for booleans */
    const char *help;          /* one sentence: effect, unit, and source where it comes from a paper */
    const char *group;         /* heading in --help; NULL repeats the previous one */
    double minimum, maximum;   /* INT and REAL; both 0: no bounds */
    const char *choices;       /* CHOICE: "cosine|linear|constant" */
    bool required;
} retort_option;

/* Sets every field to its default (allocating strings). The struct may be uninitialised. */
RETORT_API retort_status retort_options_defaults(const retort_option *table, void *options, retort_error *err);

/* Sets one option from text. An unknown name is RETORT_ERR_USAGE and names the nearest known one. An empty text unsets
 * a STRING or LIST; numbers are decimal and finite; booleans are true, false, yes, no, on, off, 1 or 0. */
RETORT_API retort_status retort_options_set(const retort_option *table, void *options, const char *name,
                                            const char *value, retort_error *err);

/* Reads a YAML mapping of scalars and sequences of scalars. `section` NULL reads the top level and passes over the
 * sections there (keys not in the table whose value is a mapping; see retort_recipe_check); otherwise the mapping under
 * that top-level key ("distill") is read, doing nothing where the key is absent. Unknown and duplicate keys are
 * RETORT_ERR_USAGE, broken YAML is RETORT_ERR_FORMAT; errors name file, line and key. Values read before an error stay
 * set. A plain null unsets a string. Aliases, merge keys and a second document are refused. */
RETORT_API retort_status retort_options_load_yaml(const retort_option *table, void *options, const char *path,
                                                  const char *section, retort_error *err);

/* One part of a recipe that several tables share: its top level (section NULL) or a section. */
typedef struct retort_recipe_part {
    const char *section;
    const retort_option *table; /* NULL ends the list of parts */
} retort_recipe_part;

/* Checks every key of a recipe against all its parts, before any of them is loaded: an unknown section, an unknown or
 * duplicate key anywhere is an error that names the nearest known one. Values are checked on loading. */
RETORT_API retort_status retort_recipe_check(const char *path, const retort_recipe_part *parts, retort_error *err);

/* The top-level keys of a recipe whose values are mappings, in their order, as one text with a line for each; *out is
 * owned by the caller (free), "" where there is none. A top-level key with another value is an error. */
RETORT_API retort_status retort_recipe_sections(const char *path, char **out, retort_error *err);

/* Checks required options; call after all sources were read. */
RETORT_API retort_status retort_options_check(const retort_option *table, const void *options, retort_error *err);

/* The value as text, as a recipe would write it; *out is owned by the caller (free). For manifests and --help. */
RETORT_API retort_status retort_options_get(const retort_option *table, const void *options, const char *name,
                                            char **out, retort_error *err);

/* Frees the strings. */
RETORT_API void retort_options_release(const retort_option *table, void *options);

/* Looks a name up, hyphens equal to underscores; NULL if unknown. */
RETORT_API const retort_option *retort_options_find(const retort_option *table, const char *name);

/* The option whose name is nearest to an unknown one by edit distance (hyphens equal to underscores, case ignored);
 * NULL only for an empty table. */
RETORT_API const retort_option *retort_options_nearest(const retort_option *table, const char *name);

/* Edits (insert, delete, replace, swap of neighbours) from one name to another, counted as above; for other lists of
 * names, such as commands. Only the first 63 characters of each count. */
RETORT_API int retort_name_distance(const char *a, const char *b);

#ifdef __cplusplus
}
#endif
#endif
