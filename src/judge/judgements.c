#include "judge/judgements.h"

json_t *rt_judgement_spans(const char *text, const rt_behaviors *behaviors, const rt_vote *vote,
                           const rt_passages *spans) {
    json_t *all = json_object();
    for (int32_t b = 0; b < behaviors->count; b++) {
        if (vote->status != RT_JUDGED_OK || vote->counts[b] == RT_NOT_JUDGED) continue;
        json_t *list = json_array();
        for (size_t i = 0; i < spans->count; i++) {
            const rt_passage *s = &spans->items[i];
            if (s->behavior != b) continue;
            json_array_append_new(list,
                                  json_pack("{s:I, s:I, s:o}", "start", (json_int_t)s->begin, "end", (json_int_t)s->end,
                                            "quote", rt_json_text(text + s->begin, s->end - s->begin)));
        }
        json_object_set_new(all, behaviors->items[b].name, list);
    }
    return all;
}

retort_status rt_judgement_write(rt_atomic_file *file, const rt_items *items, const rt_item *item, const char *text,
                                 const rt_behaviors *behaviors, const rt_judge *judge, const rt_vote *vote,
                                 const rt_passages *spans, retort_error *err) {
    return rt_jsonl_write(
        file,
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:i, s:s, s:o}", "model", items->models.items[item->model], "problem_id",
                  items->problems.items[item->problem], "sample", (int)item->sample, "judge", judge->name,
                  "prompt_version", judge->version, "vote", (int)vote->vote, "status", rt_judged_name(vote->status),
                  "behaviors", rt_judgement_spans(text, behaviors, vote, spans)),
        err);
}
