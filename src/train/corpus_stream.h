/* The generated corpus as batches of token sequences; the only state is the index of the next document. */
#ifndef RT_CORPUS_STREAM_H
#define RT_CORPUS_STREAM_H

#include "text/tokenizer.h"
#include "train/pack.h"

/* What a problem becomes in the corpus, and with it in every model trained on it. It ends in a newline, where the
 * pre-tokenizer always cuts, so that prompt and response tokenized apart give the tokens of the whole. */
extern const char rt_corpus_prompt_template[];

typedef struct rt_corpus_stream {
    const rt_tokenizer *tokenizer; /* borrowed */
    uint64_t seed;
    double exploratory_rate;
    int64_t batch_tokens, max_rows;
    int64_t next;      /* data cursor: index of the first document not yet in a batch */
    int64_t truncated; /* documents cut at max_rows */

    rt_buffer text;
    rt_ids document; /* tokens of document `held`, which was made but did not fit into the last batch */
    int64_t held;    /* -1: none */
    rt_ids ids;      /* of the batch */
    rt_sequence *sequences;
    int64_t count, capacity;
} rt_corpus_stream;

/* max_rows: rows of the longest document; a longer one is cut there. */
rt_corpus_stream rt_corpus_stream_make(const rt_tokenizer *tokenizer, uint64_t seed, double exploratory_rate,
                                       int64_t batch_tokens, int64_t max_rows);
/* Fills stream->sequences, stream->count with whole documents of at most batch_tokens rows together (at least one
 * document), each closed by the end token; the first token of a document is its only unsupervised one. */
retort_status rt_corpus_stream_fill(rt_corpus_stream *stream, retort_error *err);
void rt_corpus_stream_release(rt_corpus_stream *stream);

/* Trains a tokenizer on the first `documents` documents and writes its files into dir. */
retort_status rt_corpus_tokenizer(uint64_t seed, double exploratory_rate, int64_t documents, int64_t vocab_size,
                                  int64_t max_length, const char *dir, retort_error *err);

#endif
