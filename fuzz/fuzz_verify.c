/* Fuzz target of the answer verifier: the first line is the gold, the rest is the response. Whatever the bytes, a
 * verdict comes back, the same twice over; what strict calls right, tolerant calls right; an answer is never wrong for
 * itself. Build with clang -fsanitize=fuzzer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "retort/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small, so that the fuzzer sees many inputs; the code is the same. */
enum { BUDGET = 200000 };

static retort_verdict grade(retort_gold gold, retort_pred pred, retort_profile profile, bool answer) {
    const retort_verify_options options = {.profile = profile, .canonical = true, .budget = BUDGET};
    retort_verify_result first, second;
    retort_error err;
    retort_status (*verify)(retort_gold, retort_pred, const retort_verify_options *, retort_verify_result *,
                            retort_error *) = answer ? retort_verify_answer : retort_verify;
    if (verify(gold, pred, &options, &first, &err) != RETORT_OK) abort();
    if (verify(gold, pred, &options, &second, &err) != RETORT_OK) abort();
    if (first.verdict != second.verdict || first.spent != second.spent || first.side != second.side) abort();
    if (strcmp(first.reason, second.reason) != 0 || first.reason[0] == '\0') abort();
    const bool judged = first.verdict == RETORT_VERDICT_RIGHT || first.verdict == RETORT_VERDICT_WRONG;
    if (judged != (first.side == RETORT_SIDE_NONE) && first.verdict != RETORT_VERDICT_OVER_BUDGET) abort();
    const retort_verdict verdict = first.verdict;
    retort_verify_result_release(&first);
    retort_verify_result_release(&second);
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data, *line = memchr(text, '\n', size);
    const size_t length = line != NULL ? (size_t)(line - text) : size;
    const retort_gold gold = {text, length};
    const size_t rest = line != NULL ? length + 1 : 0;
    const retort_pred pred = {text + rest, size - rest};
    const retort_verdict strict = grade(gold, pred, RETORT_PROFILE_STRICT, false);
    const retort_verdict tolerant = grade(gold, pred, RETORT_PROFILE_TOLERANT, false);
    if (strict == RETORT_VERDICT_RIGHT && tolerant != RETORT_VERDICT_RIGHT) abort();
    /* A gold may be a whole solution, of which its box or what follows "####" is the answer. */
    if (memchr(text, '#', length) != NULL || memmem(text, length, "box", 3) != NULL) return 0;
    if (grade(gold, (retort_pred){text, length}, RETORT_PROFILE_STRICT, true) == RETORT_VERDICT_WRONG) abort();
    return 0;
}
