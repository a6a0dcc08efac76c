/* What the judges look for: behaviours, each with a definition for language models and rules for the offline judge.
 *
 * The list that ships is assets/behaviors/reasoning.yaml; a user's file has the same form (docs/behaviors.md).
 */
#ifndef RT_JUDGE_BEHAVIORS_H
#define RT_JUDGE_BEHAVIORS_H

#include "judge/phrases.h"

enum { RT_MOST_JUDGED = 32, RT_MOST_RULES = 24 };

/* Properties of a sentence that a rule can ask for, as a bit each; their names are in behaviors.c. */
typedef enum rt_feature {
    RT_FEATURE_EQUATION = 1,        /* a = b with an operation on the left and a number on the right */
    RT_FEATURE_NUMBER = 2,          /* a digit */
    RT_FEATURE_QUESTION = 4,        /* ends with ? */
    RT_FEATURE_PARAGRAPH = 8,       /* the first of a line */
    RT_FEATURE_RECOMPUTED = 16,     /* an equation whose left side stood in an earlier sentence */
    RT_FEATURE_CHANGED = 32,        /* such an equation, with another result */
    RT_FEATURE_ANSWER = 64,         /* holds \boxed or "answer is" */
    RT_FEATURE_BEFORE_ANSWER = 128, /* the next sentence does, or this one */
    RT_FEATURE_OPENING = 256        /* the first of the response, which restates the problem as a rule */
} rt_feature;

typedef struct rt_rule { /* holds for a sentence if all that is given holds */
    int32_t any;         /* list of which a phrase must stand in the sentence; -1: not asked for */
    int32_t not_any;     /* list of which none may */
    int32_t also;        /* a second list of which one must */
    int32_t after; /* list of which one must have come before: earlier in the sentence, or within `reach` sentences */
    int32_t reach;
    bool at_start; /* `any` stands at the beginning, after nothing but words such as "so" and "okay" */
    uint32_t needs, without;
} rt_rule;

typedef struct rt_behavior {
    char *name, *title, *definition;
    rt_rule rules[RT_MOST_RULES];
    int32_t rule_count;
    int32_t gap; /* so many sentences without it may lie within one occurrence; -1: each sentence is one */
} rt_behavior;

typedef struct rt_behaviors {
    char *name;
    char sha256[65]; /* of the file */
    rt_behavior items[RT_MOST_JUDGED];
    int32_t count;
    rt_phrases phrases;
} rt_behaviors;

/* `name` stands for the file in messages. RETORT_ERR_FORMAT names the place ("behaviors[2].rules[0]"). */
retort_status rt_behaviors_parse(const char *text, size_t length, const char *name, rt_behaviors *out,
                                 retort_error *err);
/* path NULL: the list that ships. */
retort_status rt_behaviors_load(const char *path, rt_behaviors *out, retort_error *err);
void rt_behaviors_free(rt_behaviors *behaviors);
/* Index; -1 if there is none. */
int32_t rt_behaviors_find(const rt_behaviors *behaviors, const char *name);

#endif
