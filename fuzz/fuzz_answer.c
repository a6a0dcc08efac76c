/* Fuzz target of the answer grader: any bytes against questions of every family. Build with clang -fsanitize=fuzzer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "verify/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const rt_question questions[] = {
        {.family = RT_FAMILY_COUNTDOWN, .numbers = {3, 5, 7, 11}, .count = 4, .target = 24},
        {.family = RT_FAMILY_BLANKS, .numbers = {3, 5, 7}, .count = 3, .target = 22},
        {.family = RT_FAMILY_TEXT, .answer = "\\frac{1}{2}"},
        {.family = RT_FAMILY_TEXT, .answer = "#### 1,234"},
    };
    const char *text = (const char *)data;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const char *reason = NULL;
        rt_verdict verdict = rt_answer_grade(&questions[i], text, size, &reason);
        size_t begin, end;
        bool boxed = rt_answer_boxed(text, size, &begin, &end);
        if (!reason || (!boxed && verdict != RT_UNPARSED)) abort();
        if (boxed && (begin > end || end >= size || text[end] != '}' || text[begin - 1] != '{')) abort();
    }
    int64_t n, d;
    int32_t numbers[RT_MAX_NUMBERS], count;
    if (rt_expression_eval(text, size, &n, &d, numbers, &count) && (d <= 0 || count < 1 || count > RT_MAX_NUMBERS))
        abort();
    return 0;
}
