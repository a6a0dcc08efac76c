/* What the BPE trainer learns, and the files it becomes. */
#ifndef RT_TEXT_TRAINER_H
#define RT_TEXT_TRAINER_H

#include "text/bpe.h"

#define RT_END_OF_TEXT "<|endoftext|>"

typedef struct rt_bpe_vocabulary {
    rt_token_table tokens;    /* id 0: the end of text */
    rt_ids merges;            /* left, right, left, right, ... by rank */
    int64_t model_max_length; /* 0: not written */
} rt_bpe_vocabulary;

/* Writes tokenizer.json and tokenizer_config.json into dir. */
retort_status rt_bpe_write(const rt_bpe_vocabulary *vocabulary, const char *prompt_template, const char *dir,
                           retort_error *err);

#endif
