#include "verify/grade.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "retort/verify.h"

/* One scale of verdicts inside and outside of the library. */
_Static_assert((int)RT_WRONG == (int)RETORT_VERDICT_WRONG && (int)RT_RIGHT == (int)RETORT_VERDICT_RIGHT &&
                   (int)RT_UNPARSED == (int)RETORT_VERDICT_UNPARSED &&
                   (int)RT_OVER_BUDGET == (int)RETORT_VERDICT_OVER_BUDGET,
               "the verdicts of answer.h and retort/verify.h are the same");

static bool is_verifiable(const rt_question *question) {
    return question->family == RT_FAMILY_TEXT && question->answer != NULL;
}

/* Where several answers are right, the first that the response equals counts, else the first of all. */
static retort_status grade_by(const rt_question *question, const char *response, size_t length, retort_profile profile,
                              retort_verify_result *out, retort_error *err) {
    const retort_verify_options options = {.profile = profile};
    const retort_pred pred = {response, length};
    RT_TRY(retort_verify(retort_gold_of(question->answer), pred, &options, out, err));
    const char *other = question->alternatives;
    for (; other != NULL && *other != '\0' && out->verdict != RETORT_VERDICT_RIGHT; other += strlen(other) + 1) {
        retort_verify_result result;
        const retort_status st = retort_verify(retort_gold_of(other), pred, &options, &result, err);
        if (st != RETORT_OK) {
            retort_verify_result_release(out);
            return st;
        }
        const bool right = result.verdict == RETORT_VERDICT_RIGHT;
        retort_verify_result_release(right ? out : &result);
        if (right) *out = result;
    }
    return RETORT_OK;
}

static retort_status grade_text(const rt_question *question, const char *response, size_t length, rt_grades *out,
                                retort_error *err) {
    retort_verify_result strict, tolerant;
    RT_TRY(grade_by(question, response, length, RETORT_PROFILE_STRICT, &strict, err));
    retort_status st = grade_by(question, response, length, RETORT_PROFILE_TOLERANT, &tolerant, err);
    if (st == RETORT_OK) {
        out->strict = (rt_verdict)strict.verdict;
        out->tolerant = (rt_verdict)tolerant.verdict;
        out->gold_unread = tolerant.side == RETORT_SIDE_GOLD;
        snprintf(out->strict_reason, sizeof out->strict_reason, "%s", strict.reason);
        snprintf(out->tolerant_reason, sizeof out->tolerant_reason, "%s", tolerant.reason);
        retort_verify_result_release(&tolerant);
    }
    retort_verify_result_release(&strict);
    return st;
}

retort_status rt_grade(const rt_question *question, const char *response, size_t length, rt_grades *out,
                       retort_error *err) {
    *out = (rt_grades){0};
    if (is_verifiable(question)) return grade_text(question, response, length, out, err);
    const char *reason;
    out->strict = out->tolerant = rt_answer_grade(question, response, length, &reason);
    snprintf(out->strict_reason, sizeof out->strict_reason, "%s", reason);
    snprintf(out->tolerant_reason, sizeof out->tolerant_reason, "%s", reason);
    return RETORT_OK;
}

retort_status rt_grade_strict(const rt_question *question, const char *response, size_t length, rt_verdict *out,
                              retort_error *err) {
    if (!is_verifiable(question)) {
        *out = rt_answer_grade(question, response, length, NULL);
        return RETORT_OK;
    }
    retort_verify_result result;
    RT_TRY(grade_by(question, response, length, RETORT_PROFILE_STRICT, &result, err));
    *out = (rt_verdict)result.verdict;
    retort_verify_result_release(&result);
    return RETORT_OK;
}

bool rt_verdict_parse(const char *name, rt_verdict *out) {
    for (rt_verdict v = RT_WRONG; v <= RT_OVER_BUDGET; v++) {
        if (strcmp(name, rt_verdict_name(v)) != 0) continue;
        *out = v;
        return true;
    }
    return false;
}
