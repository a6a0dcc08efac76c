#include "sample/engine_internal.h"

enum { LONGEST_KEY = 3, SHORTEST_KEY = 2 };

/* Whether the `key` tokens before `end` are the last ones of all. */
static bool stands_before(const slot *x, int64_t end, int64_t length, int64_t key) {
    for (int64_t i = 1; i <= key; i++)
        if (rt_slot_token(x, end - i) != rt_slot_token(x, length - i)) return false;
    return true;
}

int32_t rt_guess_tokens(const slot *x, int32_t most, int32_t *out) {
    const int64_t length = rt_slot_length(x);
    for (int64_t key = LONGEST_KEY; key >= SHORTEST_KEY; key--) {
        for (int64_t end = length - 1; end >= key; end--) {
            if (!stands_before(x, end, length, key)) continue;
            int32_t count = 0;
            for (; count < most && end + count < length; count++) out[count] = rt_slot_token(x, end + count);
            return count;
        }
    }
    return 0;
}
