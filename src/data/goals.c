#include "data/goals.h"

int rt_pair_results(int32_t x, int32_t y, int32_t limit, rt_step steps[RT_RESULTS_MAX]) {
    int32_t a = x < y ? y : x, b = x < y ? x : y;
    int n = 0;
    for (const char *op = "+-*/"; *op; op++) {
        int32_t value = rt_apply(a, *op, b);
        if (value < 0 || (b == 1 && *op == '/') || (*op == '*' && value > limit)) continue;
        steps[n++] = (rt_step){a, b, value, *op};
    }
    return n;
}

int rt_goals_of(int32_t target, int32_t z, int32_t reach, rt_goal goals[RT_GOALS_MAX]) {
    int n = 0;
    if (target >= z && target - z <= reach)
        goals[n++] = (rt_goal){target - z, {target, z, target - z, '-'}, '+', false};
    if (target + z <= reach) goals[n++] = (rt_goal){target + z, {target, z, target + z, '+'}, '-', false};
    if (z > 1 && target % z == 0 && target / z <= reach)
        goals[n++] = (rt_goal){target / z, {target, z, target / z, '/'}, '*', false};
    if (z > 1 && target * z <= reach && 2 * target * z >= reach && target * z <= RT_VALUE_MAX)
        goals[n++] = (rt_goal){target * z, {target, z, target * z, '*'}, '/', false};
    if (z > target && z - target <= reach) goals[n++] = (rt_goal){z - target, {z, target, z - target, '-'}, '-', true};
    if (z > target && target > 0 && z % target == 0 && z / target <= reach)
        goals[n++] = (rt_goal){z / target, {z, target, z / target, '/'}, '/', true};
    return n;
}

int32_t rt_reach_of(int32_t x, int32_t y) {
    return x * y > x + y ? x * y : x + y;
}
