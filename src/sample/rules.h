/* Inside of rt_rules, for the engine. */
#ifndef RT_SAMPLE_RULES_H
#define RT_SAMPLE_RULES_H

#include "sample/engine.h"
#include "sample/stops.h"

struct rt_rules {
    rt_sampling settings;
    rt_stops stops;
    uint64_t *never; /* mask of the ids that are out whatever the text; NULL: none */
};

/* True where the logits to draw from differ from the model's; banned: the ban's tokens here, or NULL. */
bool rt_rules_adjust(const rt_rules *rules, const uint64_t *banned);
/* The logits to draw from, after `count` sampled ids: bias added, penalties taken off. mark [V] is all zero before and
 * after. As the OpenAI API defines them: l_j - times(j) * frequency_penalty - (times(j) > 0) * presence_penalty; then,
 * where bans are a penalty, ban_penalty off each token of `banned`. */
void rt_rules_adjusted(const rt_rules *rules, int64_t vocab, const float *logits, const int32_t *ids, int64_t count,
                       const uint64_t *banned, uint32_t *mark, float *out);

#endif
