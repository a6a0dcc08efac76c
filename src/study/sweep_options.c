#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "study/sweep.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_sweep_options, name_), __VA_ARGS__ }

const retort_option retort_sweep_option_table[] = {
    ROW(recipe, STRING, .argument = "FILE", .group = "Sweep",
        .help = "Recipe: these options at its top level, training options in distill, distill_rigid and pretrain."),
    ROW(out, STRING, .default_value = "out/sweep", .argument = "DIR",
        .help = "Folder of everything; seed N is in seed-N, laid out as a study's folder."),
    ROW(base, STRING, .default_value = "assets/countdown-base", .argument = "DIR", .help = "Base model."),
    ROW(threads, INT, .default_value = "0", .argument = "N", .maximum = 1024,
        .help = "Threads, 0 for all processors; never changes a result."),
    ROW(seeds, LIST, .default_value = "1", .argument = "LIST", .group = "Lists",
        .help = "Seeds of problems, traces, training and sampling; every student is trained once for each."),
    ROW(examples, LIST, .default_value = "50,100,250,500,920", .argument = "LIST",
        .help = "Traces that a student is distilled from: the first N of the largest number."),
    ROW(teachers, LIST, .default_value = "flexible,rigid", .argument = "LIST",
        .help = "Whose traces: flexible, rigid, plain (flexible without marked words), sprinkled (rigid with them)."),
    ROW(max_lengths, LIST, .default_value = "0", .argument = "LIST",
        .help = "Tokens at which an example is cut, prompt included; 0 cuts none."),
    ROW(exposures, LIST, .argument = "LIST",
        .help =
            "Shares of exploratory documents in the corpus: a base is pre-trained for each, with the recipe's section "
            "pretrain; unset: the base as it is."),
    ROW(teacher_budget, INT, .default_value = "900", .argument = "N", .group = "Data and evaluation", .minimum = 50,
        .maximum = 1e6, .help = "Characters after which the flexible teacher gives up."),
    ROW(test_problems, INT, .default_value = "200", .argument = "N", .minimum = 2, .maximum = 1e6,
        .help = "Problems of the test split, for each seed."),
    ROW(samples, INT, .default_value = "16", .argument = "N", .minimum = 2, .maximum = 1024,
        .help = "Responses sampled for each problem (avg@N)."),
    ROW(max_new_tokens, INT, .default_value = "320", .argument = "N", .minimum = 1, .maximum = 1e6,
        .help = "Longest response, in tokens."),
    ROW(batch, INT, .default_value = "256", .argument = "N", .minimum = 1, .maximum = 4096,
        .help = "Responses sampled at once; never changes a result."),
    ROW(temperature, REAL, .default_value = "0.6", .argument = "T", .maximum = 10,
        .help = "Sampling temperature of every student."),
    ROW(top_p, REAL, .default_value = "0.95", .argument = "P", .maximum = 1,
        .help = "Nucleus sampling of every student."),
    {0}};

static const retort_recipe_part RECIPE_PARTS[] = {{NULL, retort_sweep_option_table},
                                                  {"distill", retort_distill_option_table},
                                                  {"distill_rigid", retort_distill_option_table},
                                                  {"pretrain", retort_pretrain_option_table},
                                                  {NULL, NULL}};

retort_status retort_sweep_load(retort_sweep_options *options, const char *recipe, retort_error *err) {
    RT_TRY(retort_options_defaults(retort_sweep_option_table, options, err));
    char *path = recipe != NULL ? rt_strdup(recipe) : rt_study_shipped("recipes/sweep-examples.yaml");
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: recipe path");
    retort_status st = retort_recipe_check(path, RECIPE_PARTS, err);
    if (st == RETORT_OK) st = retort_options_load_yaml(retort_sweep_option_table, options, path, NULL, err);
    if (st == RETORT_OK) st = retort_options_set(retort_sweep_option_table, options, "recipe", path, err);
    rt_free(path);
    if (st == RETORT_OK && options->base != NULL && !rt_path_exists(options->base)) {
        char *base = rt_study_shipped(options->base);
        RT_CHECK(base != NULL, err, RETORT_ERR_MEMORY, "out of memory: base path");
        st = retort_options_set(retort_sweep_option_table, options, "base", base, err);
        rt_free(base);
    }
    return st;
}

/* ---- lists ---- */

/* Calls `take` for each entry, as a string. */
typedef retort_status (*taker)(void *out, const char *entry, retort_error *err);

static retort_status each(const char *name, const char *list, taker take, void *out, retort_error *err) {
    for (const char *at = list != NULL ? list : ""; *at != '\0';) {
        char entry[64];
        const size_t length = strcspn(at, ",");
        RT_CHECK(length < sizeof entry, err, RETORT_ERR_USAGE, "'%s': the entry '%.*s...' is too long", name, 40, at);
        memcpy(entry, at, length);
        entry[length] = '\0';
        const retort_status st = take(out, entry, err);
        if (st != RETORT_OK) return rt_fail_context(err, st, "'%s'", name);
        at += length + (at[length] == ',');
    }
    return RETORT_OK;
}

static retort_status no_room(retort_error *err) {
    return rt_fail(err, RETORT_ERR_USAGE, "more than %d entries", RT_SWEEP_LIST);
}

static retort_status take_int(void *out, const char *entry, retort_error *err) {
    rt_int_list *list = out;
    char *end;
    errno = 0;
    const long long value = strtoll(entry, &end, 10);
    RT_CHECK(*entry >= '0' && *entry <= '9' && *end == '\0' && errno == 0 && value <= 1000000000, err, RETORT_ERR_USAGE,
             "'%s' is no whole number of 0 to 1000000000", entry);
    RT_CHECK(list->count == 0 || value > list->items[list->count - 1], err, RETORT_ERR_USAGE,
             "'%s' comes after %lld: the numbers must ascend", entry, (long long)list->items[list->count - 1]);
    if (list->count == RT_SWEEP_LIST) return no_room(err);
    list->items[list->count++] = value;
    return RETORT_OK;
}

static const struct {
    const char *name;
    rt_arm_id arm;
} TEACHERS[] = {
    {"flexible", RT_ARM_DISTILLED}, {"rigid", RT_ARM_RIGID}, {"plain", RT_ARM_PLAIN}, {"sprinkled", RT_ARM_SPRINKLED}};

const char *rt_sweep_teacher_name(rt_arm_id arm) {
    for (size_t i = 0; i < sizeof TEACHERS / sizeof *TEACHERS; i++)
        if (TEACHERS[i].arm == arm) return TEACHERS[i].name;
    return "base";
}

static retort_status take_teacher(void *out, const char *entry, retort_error *err) {
    rt_sweep_axes *axes = out;
    for (size_t i = 0; i < sizeof TEACHERS / sizeof *TEACHERS; i++) {
        if (strcmp(TEACHERS[i].name, entry) != 0) continue;
        for (int k = 0; k < axes->teacher_count; k++)
            RT_CHECK(axes->teachers[k] != TEACHERS[i].arm, err, RETORT_ERR_USAGE, "'%s' stands there twice", entry);
        axes->teachers[axes->teacher_count++] = TEACHERS[i].arm;
        return RETORT_OK;
    }
    return rt_fail(err, RETORT_ERR_USAGE, "unknown teacher '%s': use flexible, rigid, plain or sprinkled", entry);
}

static retort_status take_exposure(void *out, const char *entry, retort_error *err) {
    rt_sweep_axes *axes = out;
    char *end;
    const double value = strtod(entry, &end);
    RT_CHECK(((*entry >= '0' && *entry <= '9') || *entry == '.') && *end == '\0' && value >= 0 && value <= 1, err,
             RETORT_ERR_USAGE, "'%s' is no share of 0 to 1", entry);
    RT_CHECK(axes->exposure_count == 0 || value > axes->exposures[axes->exposure_count - 1], err, RETORT_ERR_USAGE,
             "'%s': the shares must ascend", entry);
    if (axes->exposure_count == RT_SWEEP_LIST) return no_room(err);
    axes->exposures[axes->exposure_count++] = value;
    return RETORT_OK;
}

retort_status rt_sweep_axes_read(const retort_sweep_options *options, rt_sweep_axes *out, retort_error *err) {
    *out = (rt_sweep_axes){0};
    RT_TRY(each("seeds", options->seeds, take_int, &out->seeds, err));
    RT_TRY(each("examples", options->examples, take_int, &out->examples, err));
    RT_TRY(each("max_lengths", options->max_lengths, take_int, &out->max_lengths, err));
    RT_TRY(each("teachers", options->teachers, take_teacher, out, err));
    RT_TRY(each("exposures", options->exposures, take_exposure, out, err));
    RT_CHECK(out->seeds.count > 0 && out->examples.count > 0 && out->max_lengths.count > 0 && out->teacher_count > 0,
             err, RETORT_ERR_USAGE, "'seeds', 'examples', 'max_lengths' and 'teachers' need at least one entry each");
    RT_CHECK(out->examples.items[0] > 0, err, RETORT_ERR_USAGE, "'examples': a student needs at least one");
    const int exposures = out->exposure_count > 0 ? out->exposure_count : 1;
    const int cells = exposures * out->max_lengths.count * out->teacher_count * out->examples.count;
    RT_CHECK(cells <= RT_SWEEP_CELLS, err, RETORT_ERR_USAGE, "the lists make %d combinations; at most %d are run",
             cells, RT_SWEEP_CELLS);
    return RETORT_OK;
}
