/* Examples for supervised fine-tuning, read from JSONL (one object a line, see example.h) and turned into token
 * sequences.
 */
#ifndef RT_DATASET_H
#define RT_DATASET_H

#include "train/example.h"
#include "train/lengths.h"
#include "train/pack.h"

typedef struct rt_dataset_settings {
    rt_example_settings example;
    int64_t max_length;   /* tokens of an example, end token included */
    int64_t max_examples; /* 0: all */
    bool truncate;        /* cut completions at max_length; else a longer example is an error */
} rt_dataset_settings;

typedef struct rt_dataset {
    rt_sequence *items; /* ids point into `examples` */
    size_t *lines;      /* [count]: where each stands in the file */
    int64_t count;
    int64_t longest;    /* rows of the longest sequence */
    int64_t truncated;  /* examples that were cut */
    rt_lengths lengths; /* before any was cut */
    rt_examples examples;
    char hash[65]; /* SHA-256 of the file and, where a chat template rendered it, of its tokens */
} rt_dataset;

/* Errors name the file and the line: RETORT_ERR_FORMAT for a line that is none of the forms, an example that fails the
 * checks of example.h, an empty file, or an example that is too long (with the histogram of lengths as detail). */
retort_status rt_dataset_read(const char *path, const rt_dataset_settings *settings, rt_dataset *out,
                              retort_error *err);
/* Its two halves: all examples at their full length, whatever max_length says; and the limit. */
retort_status rt_dataset_load(const char *path, const rt_dataset_settings *settings, rt_dataset *out,
                              retort_error *err);
retort_status rt_dataset_limit(rt_dataset *dataset, const char *path, const rt_dataset_settings *settings,
                               retort_error *err);
void rt_dataset_free(rt_dataset *dataset);

/* RETORT_ERR_FORMAT if the tokenizer can make ids that the model has no embedding for; `dir` names both. */
retort_status rt_check_vocabulary(const rt_tokenizer *tokenizer, const rt_config *config, const char *dir,
                                  retort_error *err);

#endif
