/* Rollouts: sampling groups of responses to problems, and grading them.
 *
 * A rollout holds the responses of one step in flat arrays that grow to the size of the largest step and are then
 * reused. A response is identified by its index; group g has responses g * n .. g * n + n - 1.
 */
#ifndef RT_ROLLOUT_H
#define RT_ROLLOUT_H

#include "core/progress.h"
#include "data/problem.h"
#include "sample/sampler.h"
#include "text/prompting.h"
#include "train/pack.h"

/* Problems with their prompts as tokens. */
typedef struct rt_prompt_set {
    rt_problems problems;
    rt_ids ids;
    int64_t *begin; /* [count + 1] into ids */
    int64_t longest;
    char hash[65]; /* SHA-256 of the file and, where a chat template rendered it, of its tokens */
} rt_prompt_set;
/* Reads problems and renders their prompts. An empty file, or a problem that nothing could grade, is
 * RETORT_ERR_FORMAT. */
retort_status rt_prompt_set_read(const char *path, const rt_prompting *prompting, rt_prompt_set *out,
                                 retort_error *err);
void rt_prompt_set_free(rt_prompt_set *set);

typedef struct rt_graded {
    int64_t begin;         /* into ids: prompt, then response */
    int64_t prompt, count; /* tokens of the prompt; tokens of the response */
    int64_t logp;          /* into logp: the response's first token */
    bool truncated;        /* ended at the length limit */
    bool right, parsed;    /* parsed: has an answer that can be read, right or wrong */
    double reward;
} rt_graded;

typedef struct rt_reward {
    bool is_signed; /* +1 / -1, else 1 / format / 0 */
    double format;
} rt_reward;

typedef struct rt_rollout {
    const rt_prompt_set *prompts; /* borrowed, as the next three */
    const rt_tokenizer *tokenizer;
    const rt_config *config;
    const retort_progress *progress;
    rt_reward reward;
    rt_sampling sampling; /* seed is set for each call */
    int64_t n;            /* responses of a group */
    rt_decoder *decoder;  /* owned */

    rt_ids ids;
    float *logp; /* the sampler's, one a response token */
    int64_t tokens, logp_capacity;
    rt_graded *items;
    int64_t count, item_capacity;
    rt_prompt *requests;
    int64_t request_capacity;
    rt_buffer text;
} rt_rollout;

void rt_rollout_clear(rt_rollout *rollout);
void rt_rollout_release(rt_rollout *rollout);

/* What a call cost. */
typedef struct rt_rollout_cost {
    double generated_tokens, prompt_tokens, flops; /* prompt_tokens: once a response */
} rt_rollout_cost;

/* Appends one group for each of problem[0 .. count-1] (indices into the prompt set). Draws are keyed by seed, the
 * problem's id and serial + its place, so that no two groups of a run share their draws. Adds to *cost. */
retort_status rt_rollout_groups(rt_rollout *rollout, const int64_t *problem, int64_t count, uint64_t seed,
                                int64_t serial, const char *stage, rt_rollout_cost *cost, retort_error *err);

#endif
