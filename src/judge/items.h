/* Responses to be judged, read from JSONL of any tool: docs/behaviors.md lists the keys. */
#ifndef RT_JUDGE_ITEMS_H
#define RT_JUDGE_ITEMS_H

#include "core/json.h"
#include "data/problem.h"

/* Names numbered in the order in which they first came. Zero-initialise. */
typedef struct rt_names {
    char **items;
    int64_t count, capacity;
    json_t *index;
} rt_names;
retort_status rt_names_number(rt_names *names, const char *name, int64_t *out, retort_error *err);
void rt_names_free(rt_names *names);

typedef struct rt_item {
    int32_t model, problem; /* indices into rt_items.models and .problems; the problem is the cluster of a bootstrap */
    int32_t sample;
    bool truncated;
    int64_t words; /* white-space separated */
    char key[65];  /* SHA-256 of model, problem, sample and text: the response's identity in a run store */
    char *text;    /* NULL where texts are not kept; bytes, not always UTF-8 */
    size_t length;
    bool world;
    rt_question question; /* where `world` */
} rt_item;

typedef struct rt_items { /* zero-initialise; free with rt_items_free */
    rt_item *items;
    int64_t count, capacity;
    rt_names models, problems;
} rt_items;

/* Called for each response as it is read, with its text; NULL for no visitor. */
typedef retort_status (*rt_item_visitor)(void *context, const rt_item *item, int64_t index, retort_error *err);

/* Appends the responses of a file. The model is the line's `model`, else the file's name. problems NULL: the world's
 * question stands in the line ("world"), if anywhere; else each problem_id must be among them. Errors name file and
 * line. */
typedef struct rt_items_reading {
    const rt_problems *problems;
    bool keep_texts;
    rt_item_visitor visit;
    void *context;
} rt_items_reading;
retort_status rt_items_read(const char *path, const rt_items_reading *reading, rt_items *out, retort_error *err);
void rt_items_free(rt_items *items);
/* Takes the text's ownership. */
retort_status rt_items_push(rt_items *items, const rt_item *item, retort_error *err);

#endif
