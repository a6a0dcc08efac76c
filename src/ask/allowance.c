#include "ask/allowance.h"

#include "core/progress.h"

rt_allowance rt_allowance_make(double per_minute) {
    return (rt_allowance){
        .per_second = per_minute / 60, .level = per_minute / 60, .most = per_minute, .when = rt_now()};
}

bool rt_allowance_has_room(rt_allowance *allowance) {
    if (allowance->per_second <= 0) return true;
    const double now = rt_now();
    allowance->level += (now - allowance->when) * allowance->per_second;
    allowance->when = now;
    if (allowance->level > allowance->most) allowance->level = allowance->most;
    return allowance->level > 0;
}

void rt_allowance_take(rt_allowance *allowance, double amount) {
    allowance->level -= amount;
}
