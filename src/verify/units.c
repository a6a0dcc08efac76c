/* Units: known ones are powers of base units with an exact factor; others are names. */
#include <stdlib.h>
#include <string.h>

#include "verify/value.h"

enum { LENGTH, MASS, TIME, MONEY, ANGLE, DIMENSIONS };
enum { NAME_MAXIMUM = 40, PARTS_MAXIMUM = 8 };

typedef struct known_unit {
    const char *name;
    int8_t dimension, power; /* a litre is a length to the 3 */
    int64_t top, bottom;     /* to metre, kilogram, second, dollar, radian */
} known_unit;

/* Names are singular; a final s is taken off before the search. Inch, foot, yard, mile, pound and ounce are defined
 * exactly. Gallons and the like differ between countries and are names only. */
static const known_unit UNITS[] = {
    {"m", LENGTH, 1, 1, 1},
    {"meter", LENGTH, 1, 1, 1},
    {"metre", LENGTH, 1, 1, 1},
    {"cm", LENGTH, 1, 1, 100},
    {"centimeter", LENGTH, 1, 1, 100},
    {"centimetre", LENGTH, 1, 1, 100},
    {"mm", LENGTH, 1, 1, 1000},
    {"millimeter", LENGTH, 1, 1, 1000},
    {"km", LENGTH, 1, 1000, 1},
    {"kilometer", LENGTH, 1, 1000, 1},
    {"kilometre", LENGTH, 1, 1000, 1},
    {"inch", LENGTH, 1, 254, 10000},
    {"inche", LENGTH, 1, 254, 10000},
    {"in", LENGTH, 1, 254, 10000},
    {"ft", LENGTH, 1, 3048, 10000},
    {"foot", LENGTH, 1, 3048, 10000},
    {"feet", LENGTH, 1, 3048, 10000},
    {"yd", LENGTH, 1, 9144, 10000},
    {"yard", LENGTH, 1, 9144, 10000},
    {"mile", LENGTH, 1, 1609344, 1000},
    {"mi", LENGTH, 1, 1609344, 1000},
    {"kg", MASS, 1, 1, 1},
    {"kilogram", MASS, 1, 1, 1},
    {"g", MASS, 1, 1, 1000},
    {"gram", MASS, 1, 1, 1000},
    {"mg", MASS, 1, 1, 1000000},
    {"milligram", MASS, 1, 1, 1000000},
    {"lb", MASS, 1, 45359237, 100000000},
    {"pound", MASS, 1, 45359237, 100000000},
    {"oz", MASS, 1, 45359237, 1600000000},
    {"ounce", MASS, 1, 45359237, 1600000000},
    {"s", TIME, 1, 1, 1},
    {"sec", TIME, 1, 1, 1},
    {"second", TIME, 1, 1, 1},
    {"min", TIME, 1, 60, 1},
    {"minute", TIME, 1, 60, 1},
    {"h", TIME, 1, 3600, 1},
    {"hr", TIME, 1, 3600, 1},
    {"hour", TIME, 1, 3600, 1},
    {"day", TIME, 1, 86400, 1},
    {"week", TIME, 1, 604800, 1},
    {"dollar", MONEY, 1, 1, 1},
    {"usd", MONEY, 1, 1, 1},
    {"cent", MONEY, 1, 1, 100},
    {"l", LENGTH, 3, 1, 1000},
    {"liter", LENGTH, 3, 1, 1000},
    {"litre", LENGTH, 3, 1, 1000},
    {"ml", LENGTH, 3, 1, 1000000},
    {"milliliter", LENGTH, 3, 1, 1000000},
    {"radian", ANGLE, 1, 1, 1},
    {"rad", ANGLE, 1, 1, 1},
};

static size_t singular(const char *text, size_t length, char *name) {
    if (length == 0 || length >= NAME_MAXIMUM) return 0;
    for (size_t i = 0; i < length; i++) name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
    if (length > 3 && name[length - 1] == 's' && name[length - 2] != 's') length--;
    name[length] = '\0';
    return length;
}

static bool multiply(rt_verify_context *c, rt_unit *unit, rt_node *factor, int power) {
    rt_node *part = rt_x_power(c, factor, rt_x_integer(c, power));
    unit->factor = unit->factor == NULL ? part : rt_x_mul(c, unit->factor, part);
    return unit->factor != NULL;
}

static bool add_name(rt_verify_context *c, rt_unit *unit, const char *name, int power) {
    const char *old = unit->other == NULL ? "" : unit->other;
    size_t n = strlen(old), m = strlen(name);
    char *joined = rt_arena(c, n + m + 8, 1);
    if (joined == NULL) return false;
    memcpy(joined, old, n);
    if (n > 0) joined[n++] = ' ';
    memcpy(joined + n, name, m);
    n += m;
    if (power != 1) {
        joined[n++] = '^';
        if (power < 0) joined[n++] = '-';
        joined[n] = (char)('0' + (power < 0 ? -power : power) % 10);
    }
    unit->other = joined;
    return true;
}

bool rt_named_unit(rt_verify_context *c, const char *text, size_t length, int power, rt_unit *unit) {
    char name[NAME_MAXIMUM];
    if (singular(text, length, name) == 0) return false;
    unit->present = true;
    if (unit->factor == NULL) unit->factor = rt_x_integer(c, 1);
    if (strcmp(name, "percent") == 0 || strcmp(name, "%") == 0) {
        unit->percent = true;
        return multiply(c, unit, rt_x_fraction(c, 1, 100), 1);
    }
    if (strcmp(name, "degree") == 0) {
        unit->dimension[ANGLE] = (int8_t)(unit->dimension[ANGLE] + power);
        return multiply(c, unit, rt_x_mul(c, rt_x_constant(c, RT_PI), rt_x_fraction(c, 1, 180)), power);
    }
    if (strcmp(name, "mph") == 0) {
        unit->dimension[LENGTH]++;
        unit->dimension[TIME]--;
        return multiply(c, unit, rt_x_fraction(c, 1609344, 3600000), 1);
    }
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        const known_unit *u = &UNITS[i];
        if (strcmp(u->name, name) != 0) continue;
        unit->dimension[u->dimension] = (int8_t)(unit->dimension[u->dimension] + power * u->power);
        return multiply(c, unit, rt_x_fraction(c, u->top, u->bottom), power);
    }
    return add_name(c, unit, name, power);
}

static bool word_is(const rt_token *t, const char *word) {
    return t->length == strlen(word) && memcmp(t->text, word, t->length) == 0;
}

/* How a unit's name may go on: ^2, ^{2}, squared. */
static int power_behind(const rt_token *t, size_t *at, size_t end) {
    if (*at < end && word_is(&t[*at], "squared")) {
        ++*at;
        return 2;
    }
    if (*at < end && word_is(&t[*at], "cubed")) {
        ++*at;
        return 3;
    }
    if (*at + 1 >= end || t[*at].kind != RT_T_CARET) return 1;
    size_t i = *at + 1;
    bool group = t[i].kind == RT_T_OPEN_GROUP;
    i += group;
    bool negative = i < end && t[i].kind == RT_T_MINUS;
    i += negative;
    if (i >= end || t[i].kind != RT_T_NUMBER || t[i].length != 1 || *t[i].text == '0') return 1;
    int power = *t[i].text - '0';
    i++;
    if (group && (i >= end || t[i].kind != RT_T_CLOSE_GROUP)) return 1;
    *at = i + group;
    return negative ? -power : power;
}

/* "square inches" is inches squared; "per" and "/" turn the sign of what follows; "of ..." and articles say nothing. */
bool rt_parse_unit(rt_verify_context *c, const rt_token *t, size_t at, size_t end, rt_unit *out) {
    rt_unit unit = {0};
    int sign = 1, before = 1, parts = 0;
    size_t begin = at;
    while (at < end) {
        if (t[at].kind == RT_T_DIVIDE || word_is(&t[at], "per")) {
            sign = -1;
            at++;
            continue;
        }
        if (t[at].kind == RT_T_TIMES || t[at].kind == RT_T_OPEN_GROUP || t[at].kind == RT_T_CLOSE_GROUP) {
            at++;
            continue;
        }
        if (word_is(&t[at], "square") || word_is(&t[at], "sq") || word_is(&t[at], "cubic")) {
            before = word_is(&t[at], "cubic") ? 3 : 2;
            at++;
            continue;
        }
        bool name = t[at].kind == RT_T_WORD || (t[at].kind == RT_T_SYMBOL && t[at].upright) ||
                    t[at].kind == RT_T_PERCENT || t[at].kind == RT_T_CURRENCY || t[at].kind == RT_T_DEGREE;
        if (!name || ++parts > PARTS_MAXIMUM) return false;
        const rt_token *word = &t[at++];
        int power = power_behind(t, &at, end);
        if (before != 1) power = before;
        before = 1;
        if (!rt_named_unit(c, word->text, word->length, sign * power, &unit)) return false;
    }
    if (parts == 0 || c->stop != RT_STOP_NONE) return false;
    unit.text = t[begin].text;
    *out = unit;
    return true;
}
