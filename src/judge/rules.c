#include "judge/rules.h"

#include <string.h>
#include <strings.h>

/* Which lists have a phrase in a sentence; the first and last place of each, for `after`. */
typedef struct rt_sentence_lists {
    uint64_t any, at_start;
    uint32_t first[RT_MOST_LISTS], last[RT_MOST_LISTS]; /* bytes from the sentence's begin */
} sentence_lists;

typedef struct scan {
    sentence_lists *lists;
    size_t begin, start; /* of the sentence; of what follows its filler words */
} scan;

void rt_rules_work_free(rt_rules_work *work) {
    rt_sentences_free(&work->sentences);
    rt_free(work->lists);
    *work = (rt_rules_work){0};
}

/* Where a sentence begins in earnest: behind list marks and words that only lead over. */
static size_t skip_fillers(const char *text, size_t begin, size_t end) {
    static const char *const FILLERS[] = {"so",  "okay", "ok", "well", "now",  "hmm", "but",
                                          "and", "then", "oh", "yes",  "yeah", "ah",  "alright"};
    size_t at = begin;
    for (;;) {
        while (at < end && text[at] != '\0' && strchr(" \t\r\n,.;:-*#>\"'()0123456789", text[at]) != NULL) at++;
        size_t word = at;
        while (word < end && ((text[word] >= 'a' && text[word] <= 'z') || (text[word] >= 'A' && text[word] <= 'Z')))
            word++;
        size_t i = 0;
        while (i < sizeof FILLERS / sizeof *FILLERS &&
               !(strlen(FILLERS[i]) == word - at && strncasecmp(FILLERS[i], text + at, word - at) == 0))
            i++;
        if (i == sizeof FILLERS / sizeof *FILLERS) return at;
        at = word;
    }
}

static void see_phrase(void *context, int32_t list, size_t at, size_t end) {
    scan *s = context;
    const uint64_t bit = (uint64_t)1 << list;
    const uint32_t place = (uint32_t)(at - s->begin);
    (void)end;
    if (!(s->lists->any & bit)) s->lists->first[list] = place;
    s->lists->last[list] = place;
    s->lists->any |= bit;
    if (at <= s->start) s->lists->at_start |= bit;
}

static bool has(uint64_t lists, int32_t list) {
    return (lists >> list & 1) != 0;
}

/* Whether a phrase of `after` has come before what `any` found: earlier in the sentence or in those before it. */
static bool came_before(const rt_rule *rule, const sentence_lists *lists, size_t index) {
    const sentence_lists *here = &lists[index];
    if (has(here->any, rule->after) && (rule->any < 0 || here->first[rule->after] < here->last[rule->any])) return true;
    for (size_t back = 1; back <= (size_t)rule->reach && back <= index; back++)
        if (has(lists[index - back].any, rule->after)) return true;
    return false;
}

static bool holds(const rt_rule *rule, const rt_sentence *sentence, const sentence_lists *lists, size_t index) {
    const sentence_lists *here = &lists[index];
    if ((sentence->features & rule->needs) != rule->needs || (sentence->features & rule->without) != 0) return false;
    if (rule->any >= 0 && !has(rule->at_start ? here->at_start : here->any, rule->any)) return false;
    if (rule->also >= 0 && !has(here->any, rule->also)) return false;
    if (rule->not_any >= 0 && has(here->any, rule->not_any)) return false;
    return rule->after < 0 || came_before(rule, lists, index);
}

static bool shows(const rt_behavior *behavior, const rt_sentence *sentence, const sentence_lists *lists, size_t index) {
    for (int32_t i = 0; i < behavior->rule_count; i++)
        if (holds(&behavior->rules[i], sentence, lists, index)) return true;
    return false;
}

static retort_status add_runs(const rt_behaviors *behaviors, int32_t b, const rt_rules_work *work, rt_passages *out,
                              retort_error *err) {
    const rt_behavior *behavior = &behaviors->items[b];
    const rt_sentence *sentences = work->sentences.items;
    size_t last = 0;
    bool open = false;
    for (size_t i = 0; i < work->sentences.count; i++) {
        if (!shows(behavior, &sentences[i], work->lists, i)) continue;
        if (open && behavior->gap >= 0 && i - last <= (size_t)behavior->gap + 1)
            out->items[out->count - 1].end = sentences[i].end;
        else
            RT_TRY(rt_passages_add(out, (rt_passage){b, sentences[i].begin, sentences[i].end}, err));
        open = true;
        last = i;
    }
    return RETORT_OK;
}

retort_status rt_rules_judge(const rt_behaviors *behaviors, const char *text, size_t length, rt_rules_work *work,
                             rt_passages *out, retort_error *err) {
    RT_TRY(rt_sentences_cut(text, length, &work->sentences, err));
    const size_t count = work->sentences.count;
    if (count > work->capacity) {
        sentence_lists *grown = rt_realloc_array(work->lists, count, sizeof *grown);
        RT_CHECK(grown != NULL, err, RETORT_ERR_MEMORY, "out of memory: %zu sentences", count);
        work->lists = grown;
        work->capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        const rt_sentence *s = &work->sentences.items[i];
        work->lists[i].any = work->lists[i].at_start = 0;
        scan state = {&work->lists[i], s->begin, skip_fillers(text, s->begin, s->end)};
        rt_phrases_scan(&behaviors->phrases, text, s->begin, s->end, length, see_phrase, &state);
    }
    for (int32_t b = 0; b < behaviors->count; b++) RT_TRY(add_runs(behaviors, b, work, out, err));
    return RETORT_OK;
}
