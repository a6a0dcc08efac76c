#include "train/corpus_stream.h"

#include "core/progress.h"
#include "data/world.h"

const char rt_corpus_prompt_template[] = "Problem: {problem}\nSolution:\n";

rt_corpus_stream rt_corpus_stream_make(const rt_tokenizer *tokenizer, uint64_t seed, double exploratory_rate,
                                       int64_t batch_tokens, int64_t max_rows) {
    return (rt_corpus_stream){.tokenizer = tokenizer,
                              .seed = seed,
                              .exploratory_rate = exploratory_rate,
                              .batch_tokens = batch_tokens,
                              .max_rows = max_rows,
                              .held = -1};
}

void rt_corpus_stream_release(rt_corpus_stream *stream) {
    rt_buffer_free(&stream->text);
    rt_ids_free(&stream->document);
    rt_ids_free(&stream->ids);
    rt_free(stream->sequences);
    *stream = (rt_corpus_stream){0};
}

static retort_status make_document(rt_corpus_stream *s, int64_t index, retort_error *err) {
    if (s->held == index) return RETORT_OK;
    s->held = -1;
    s->document.count = 0;
    rt_buffer_clear(&s->text);
    RT_TRY(rt_corpus_document(s->seed, (uint64_t)index, s->exploratory_rate, rt_corpus_prompt_template, &s->text, err));
    RT_TRY(rt_tokenizer_encode(s->tokenizer, s->text.data, s->text.length, false, &s->document, err));
    RT_TRY(rt_ids_push(&s->document, rt_tokenizer_eos(s->tokenizer), err));
    RT_CHECK(s->document.count >= 2, err, RETORT_ERR_FORMAT, "corpus document %lld is empty", (long long)index);
    if (s->document.count > s->max_rows + 1) {
        s->document.count = s->max_rows + 1;
        s->truncated++;
    }
    s->held = index;
    return RETORT_OK;
}

static retort_status push_document(rt_corpus_stream *s, retort_error *err) {
    if (s->count == s->capacity) {
        int64_t capacity = s->capacity == 0 ? 256 : 2 * s->capacity;
        rt_sequence *sequences = rt_realloc_array(s->sequences, (size_t)capacity, sizeof *sequences);
        RT_CHECK(sequences != NULL, err, RETORT_ERR_MEMORY, "out of memory: batch of documents");
        s->sequences = sequences;
        s->capacity = capacity;
    }
    for (int64_t i = 0; i < s->document.count; i++) RT_TRY(rt_ids_push(&s->ids, s->document.data[i], err));
    s->sequences[s->count++] = (rt_sequence){.count = s->document.count, .prompt = 1};
    s->held = -1;
    return RETORT_OK;
}

retort_status rt_corpus_stream_fill(rt_corpus_stream *s, retort_error *err) {
    s->ids.count = s->count = 0;
    int64_t rows = 0;
    for (;; s->next++) {
        RT_TRY(make_document(s, s->next, err));
        int64_t n = s->document.count - 1;
        if (s->count > 0 && rows + n > s->batch_tokens) break;
        RT_TRY(push_document(s, err));
        rows += n;
    }
    /* Only now does the id list stay where it is. */
    const int32_t *at = s->ids.data;
    for (int64_t i = 0; i < s->count; i++) {
        s->sequences[i].ids = at;
        at += s->sequences[i].count;
    }
    return RETORT_OK;
}

static retort_status feed(rt_bpe_trainer *trainer, uint64_t seed, double exploratory_rate, int64_t documents,
                          rt_buffer *text, retort_error *err) {
    for (int64_t i = 0; i < documents; i++) {
        if (rt_interrupted()) return rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted before the first step");
        rt_buffer_clear(text);
        RT_TRY(rt_corpus_document(seed, (uint64_t)i, exploratory_rate, rt_corpus_prompt_template, text, err));
        RT_TRY(rt_bpe_trainer_add(trainer, text->data, text->length, err));
    }
    return RETORT_OK;
}

retort_status rt_corpus_tokenizer(uint64_t seed, double exploratory_rate, int64_t documents, int64_t vocab_size,
                                  int64_t max_length, const char *dir, retort_error *err) {
    rt_bpe_trainer *trainer = NULL;
    rt_buffer text = {0};
    RT_TRY(rt_bpe_trainer_create(&trainer, err));
    rt_bpe_trainer_set_max_length(trainer, max_length);
    retort_status st = feed(trainer, seed, exploratory_rate, documents, &text, err);
    if (st == RETORT_OK) st = rt_bpe_trainer_write(trainer, vocab_size, rt_corpus_prompt_template, dir, err);
    rt_bpe_trainer_destroy(trainer);
    rt_buffer_free(&text);
    return st;
}
