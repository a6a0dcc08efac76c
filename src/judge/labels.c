/* Labelling by hand: the order, what is marked so far, and the store. The terminal is the program's matter. */
#include <string.h>
#include <time.h>

#include "core/random.h"
#include "judge/judgements.h"
#include "retort/judge.h"
#include "store/judgements.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_label_options, name_), __VA_ARGS__ }

const retort_option retort_label_option_table[] = {
    ROW(responses, LIST, .argument = "FILES", .group = "Input", .required = true, .help = "Responses as JSONL."),
    ROW(behaviors, STRING, .argument = "FILE", .help = "What is labelled, YAML; what ships when missing."),
    ROW(store, STRING, .argument = "FILE", .required = true, .group = "Labels",
        .help = "SQLite file that keeps the labels, as judgements by human:NAME."),
    ROW(name, STRING, .argument = "NAME", .required = true, .help = "Who labels."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 9e15,
        .help = "Fixes the order; people with the same seed see the same responses first."),
    ROW(count, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1e9,
        .help = "Only the first N of that order; 0 for all."),
    {0}};

enum { MOST_COUNT = 999 };

typedef struct mark {
    int behavior, before;
} mark;

struct retort_labels {
    rt_behaviors behaviors;
    rt_items items;
    rt_store *store;
    char judge[80], version[160];
    int64_t *order;                /* [total]: indices into items */
    bool *done;                    /* [items] */
    int (*counts)[RT_MOST_JUDGED]; /* [items]: stored, or as marked so far */
    int64_t total, at;
    mark *marks; /* on the response at hand */
    size_t mark_count, mark_capacity;
    const char *names[RT_MOST_JUDGED], *titles[RT_MOST_JUDGED], *definitions[RT_MOST_JUDGED];
};

/* ---- opening ---- */

static retort_status read_files(retort_labels *l, const char *list, retort_error *err) {
    const rt_items_reading reading = {.keep_texts = true};
    char *files = rt_strdup(list), *rest = NULL;
    RT_CHECK(files != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of files");
    retort_status st = RETORT_OK;
    for (char *name = strtok_r(files, ",", &rest); name != NULL && st == RETORT_OK; name = strtok_r(NULL, ",", &rest))
        st = rt_items_read(name, &reading, &l->items, err);
    rt_free(files);
    if (st == RETORT_OK && l->items.count == 0) st = rt_fail(err, RETORT_ERR_USAGE, "no responses file was named");
    return st;
}

/* A shuffle by the seed (Fisher and Yates), of which the first `count` are taken. */
static retort_status make_order(retort_labels *l, uint64_t seed, int64_t count, retort_error *err) {
    const int64_t all = l->items.count;
    RT_CHECK(all <= INT32_MAX, err, RETORT_ERR_USAGE, "more responses than can be labelled");
    l->order = rt_malloc_array((size_t)all, sizeof *l->order);
    l->done = rt_calloc((size_t)all, sizeof *l->done);
    l->counts = rt_calloc((size_t)all, sizeof *l->counts);
    RT_CHECK(l->order != NULL && l->done != NULL && l->counts != NULL, err, RETORT_ERR_MEMORY,
             "out of memory: %lld responses", (long long)all);
    rt_rng rng = rt_rng_make(seed, 0);
    for (int64_t i = 0; i < all; i++) l->order[i] = i;
    for (int64_t i = all - 1; i > 0; i--) {
        const int64_t other = rt_rng_below(&rng, (uint32_t)i + 1), kept = l->order[i];
        l->order[i] = l->order[other];
        l->order[other] = kept;
    }
    l->total = count > 0 && count < all ? count : all;
    return RETORT_OK;
}

typedef struct loading {
    retort_labels *labels;
    int64_t item;
} loading;

static retort_status load_row(void *context, const rt_stored_judgement *row, retort_error *err) {
    const loading *load = context;
    retort_labels *l = load->labels;
    (void)err;
    if (strcmp(row->judge, l->judge) != 0 || strcmp(row->prompt_version, l->version) != 0) return RETORT_OK;
    const int32_t b = rt_behaviors_find(&l->behaviors, row->behavior);
    if (b < 0) return RETORT_OK;
    l->counts[load->item][b] = (int)(row->count < MOST_COUNT ? row->count : MOST_COUNT);
    l->done[load->item] = true;
    return RETORT_OK;
}

/* What this person has labelled before, under the same definitions. */
static retort_status load_labels(retort_labels *l, retort_error *err) {
    for (int64_t i = 0; i < l->total; i++) {
        loading load = {l, l->order[i]};
        RT_TRY(rt_store_each_judgement(l->store, l->items.items[l->order[i]].key, load_row, &load, err));
    }
    while (l->at < l->total && l->done[l->order[l->at]]) l->at++;
    return RETORT_OK;
}

static retort_status name_judge(retort_labels *l, const char *name, retort_error *err) {
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const size_t length = strlen(name);
    RT_CHECK(length > 0 && length <= 60 && strspn(name, LETTERS) == length, err, RETORT_ERR_USAGE,
             "'name' must be 1 to 60 letters, digits, '-', '_' or '.'");
    snprintf(l->judge, sizeof l->judge, "human:%s", name);
    snprintf(l->version, sizeof l->version, "%.80s:%s", l->behaviors.name, l->behaviors.sha256);
    for (int32_t b = 0; b < l->behaviors.count; b++) {
        l->names[b] = l->behaviors.items[b].name;
        l->titles[b] = l->behaviors.items[b].title[0] != '\0' ? l->behaviors.items[b].title : l->names[b];
        l->definitions[b] = l->behaviors.items[b].definition;
    }
    return RETORT_OK;
}

retort_status retort_labels_open(const retort_label_options *options, retort_labels **out, retort_error *err) {
    *out = NULL;
    RT_TRY(retort_options_check(retort_label_option_table, options, err));
    retort_labels *l = rt_calloc(1, sizeof *l);
    RT_CHECK(l != NULL, err, RETORT_ERR_MEMORY, "out of memory: labels");
    retort_status st = rt_behaviors_load(options->behaviors, &l->behaviors, err);
    if (st == RETORT_OK) st = name_judge(l, options->name, err);
    if (st == RETORT_OK) st = read_files(l, options->responses, err);
    if (st == RETORT_OK) st = make_order(l, (uint64_t)options->seed, options->count, err);
    if (st == RETORT_OK) st = rt_store_open(options->store, &l->store, err);
    if (st == RETORT_OK) st = load_labels(l, err);
    if (st == RETORT_OK)
        *out = l;
    else
        retort_labels_close(l);
    return st;
}

void retort_labels_close(retort_labels *l) {
    if (l == NULL) return;
    rt_behaviors_free(&l->behaviors);
    rt_items_free(&l->items);
    rt_store_close(l->store);
    rt_free(l->order);
    rt_free(l->done);
    rt_free(l->counts);
    rt_free(l->marks);
    rt_free(l);
}

/* ---- at work ---- */

void retort_labels_show(const retort_labels *l, retort_label_view *view) {
    *view = (retort_label_view){.index = l->at,
                                .total = l->total,
                                .behaviors = l->behaviors.count,
                                .names = l->names,
                                .titles = l->titles,
                                .definitions = l->definitions};
    for (int64_t i = 0; i < l->total; i++) view->done += l->done[l->order[i]];
    if (l->at == l->total) return;
    const rt_item *item = &l->items.items[l->order[l->at]];
    view->text = item->text;
    view->length = item->length;
    view->counts = l->counts[l->order[l->at]];
    view->labelled = l->done[l->order[l->at]];
}

retort_status retort_labels_mark(retort_labels *l, int behavior, int add, retort_error *err) {
    RT_CHECK(l->at < l->total && behavior >= 0 && behavior < l->behaviors.count, err, RETORT_ERR_USAGE,
             "there is no behaviour %d to mark here", behavior);
    if (l->mark_count == l->mark_capacity) {
        const size_t capacity = l->mark_capacity == 0 ? 64 : l->mark_capacity * 2;
        mark *grown = rt_realloc_array(l->marks, capacity, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: marks");
        l->marks = grown;
        l->mark_capacity = capacity;
    }
    int *count = &l->counts[l->order[l->at]][behavior];
    const int before = *count, after = before + add;
    *count = after < 0 ? 0 : after > MOST_COUNT ? MOST_COUNT : after;
    if (*count != before) l->marks[l->mark_count++] = (mark){behavior, before};
    return RETORT_OK;
}

bool retort_labels_undo(retort_labels *l) {
    if (l->mark_count == 0) return false;
    const mark last = l->marks[--l->mark_count];
    l->counts[l->order[l->at]][last.behavior] = last.before;
    return true;
}

static retort_status put_all(retort_labels *l, int64_t item, retort_error *err) {
    for (int32_t b = 0; b < l->behaviors.count; b++) {
        const rt_stored_judgement row = {.response_key = l->items.items[item].key,
                                         .judge = l->judge,
                                         .prompt_version = l->version,
                                         .behavior = l->names[b],
                                         .status = rt_judged_name(RT_JUDGED_OK),
                                         .count = l->counts[item][b],
                                         .spans = "[]",
                                         .created = time(NULL)};
        RT_TRY(rt_store_put_judgement(l->store, &row, err));
    }
    return RETORT_OK;
}

retort_status retort_labels_next(retort_labels *l, retort_error *err) {
    if (l->at == l->total) return RETORT_OK;
    const int64_t item = l->order[l->at];
    RT_TRY(rt_store_begin(l->store, err));
    retort_status st = put_all(l, item, err);
    if (st == RETORT_OK) st = rt_store_commit(l->store, err);
    if (st != RETORT_OK) {
        rt_store_rollback(l->store);
        return st;
    }
    l->done[item] = true;
    l->mark_count = 0;
    l->at++;
    return RETORT_OK;
}

/* What was marked and not stored is taken back, so that a view always shows what is stored or being marked. */
void retort_labels_move(retort_labels *l, int step) {
    const int64_t to = l->at + step;
    if (to < 0 || to > l->total) return;
    while (l->at < l->total && retort_labels_undo(l)) continue;
    l->at = to;
}
