#include "model/workspace.h"

/* Every number of a batch comes from outside: nothing is used as an index before it has passed here. */
static retort_status check_documents(const rt_workspace *ws, const rt_batch *batch, retort_error *err) {
    RT_CHECK(batch->tokens >= 0 && batch->tokens <= ws->max_tokens, err, RETORT_ERR_FORMAT,
             "batch of %lld tokens does not fit a workspace of %lld", (long long)batch->tokens,
             (long long)ws->max_tokens);
    RT_CHECK(batch->docs >= 0, err, RETORT_ERR_FORMAT, "batch of %lld documents", (long long)batch->docs);
    if (batch->docs == 0) {
        RT_CHECK(batch->tokens == 0, err, RETORT_ERR_FORMAT, "batch of %lld tokens without a document",
                 (long long)batch->tokens);
        return RETORT_OK;
    }
    RT_CHECK(batch->doc_start[0] == 0, err, RETORT_ERR_FORMAT, "document 0 starts at token %d, must start at 0",
             batch->doc_start[0]);
    for (int64_t i = 0; i < batch->docs; i++) {
        const int64_t begin = batch->doc_start[i], end = batch->doc_start[i + 1];
        RT_CHECK(end >= begin && end <= batch->tokens, err, RETORT_ERR_FORMAT,
                 "document %lld ends at token %lld, must be between %lld and %lld", (long long)i, (long long)end,
                 (long long)begin, (long long)batch->tokens);
        RT_CHECK(end - begin <= ws->max_doc, err, RETORT_ERR_FORMAT,
                 "document %lld has %lld tokens, the model's context ends at %lld; cut it or split it", (long long)i,
                 (long long)(end - begin), (long long)ws->max_doc);
    }
    RT_CHECK(batch->doc_start[batch->docs] == batch->tokens, err, RETORT_ERR_FORMAT,
             "documents end at token %d, the batch has %lld", batch->doc_start[batch->docs], (long long)batch->tokens);
    return RETORT_OK;
}

static retort_status check_tokens(const rt_workspace *ws, const rt_batch *batch, retort_error *err) {
    const int64_t vocab = ws->config.vocab_size;
    for (int64_t t = 0; t < batch->tokens; t++) {
        RT_CHECK(batch->ids[t] >= 0 && batch->ids[t] < vocab, err, RETORT_ERR_FORMAT,
                 "token %lld of the batch has id %d, the vocabulary has %lld; does the tokenizer fit the model?",
                 (long long)t, batch->ids[t], (long long)vocab);
        RT_CHECK(batch->target[t] >= -1 && batch->target[t] < vocab, err, RETORT_ERR_FORMAT,
                 "token %lld of the batch has target %d, must be -1 (not scored) or below %lld", (long long)t,
                 batch->target[t], (long long)vocab);
    }
    return RETORT_OK;
}

retort_status rt_plan_batch(rt_workspace *ws, const rt_batch *batch, retort_error *err) {
    RT_TRY(check_documents(ws, batch, err));
    RT_TRY(check_tokens(ws, batch, err));
    rt_plan *plan = &ws->plan;
    plan->tokens = plan->docs = plan->scored = 0;
    plan->doc_start[0] = 0;
    for (int64_t i = 0; i < batch->docs; i++) {
        const int64_t begin = batch->doc_start[i];
        int64_t end = batch->doc_start[i + 1];
        while (end > begin && batch->target[end - 1] < 0) end--;
        if (end == begin) continue;
        for (int64_t t = begin; t < end; t++) {
            const int64_t row = plan->tokens++;
            plan->ids[row] = batch->ids[t];
            plan->position[row] = (int32_t)(t - begin);
            if (batch->target[t] < 0) continue;
            const int64_t s = plan->scored++;
            plan->scored_row[s] = (int32_t)row;
            plan->scored_from[s] = (int32_t)t;
            plan->target[s] = batch->target[t];
        }
        plan->doc_start[++plan->docs] = (int32_t)plan->tokens;
    }
    return RETORT_OK;
}
