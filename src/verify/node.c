#include "verify/node.h"
#include "verify/zero.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_TABLE = 64, NODES_MAXIMUM = 200000 };

static uint64_t mix(uint64_t h, uint64_t x) {
    h ^= x;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 29);
}

static uint64_t hash_of(const rt_node *n) {
    uint64_t h = mix(mix((uint64_t)n->kind, (uint64_t)n->fn), (uint64_t)n->order);
    for (uint32_t i = 0; i < n->count; i++) h = mix(h, n->kid[i]->id);
    for (const char *p = n->name; p != NULL && *p != '\0'; p++) h = mix(h, (unsigned char)*p);
    if (n->kind == RT_NUM) {
        h = mix(h, fmpz_fdiv_ui(fmpq_numref(n->number), UINT64_C(9223372036854775783)));
        h = mix(h, fmpz_fdiv_ui(fmpq_denref(n->number), UINT64_C(9223372036854775783)));
    }
    return h;
}

static bool same_node(const rt_node *a, const rt_node *b) {
    if (a->hash != b->hash || a->kind != b->kind || a->fn != b->fn || a->order != b->order || a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->kid[i] != b->kid[i]) return false;
    }
    if ((a->name == NULL) != (b->name == NULL) || (a->name != NULL && strcmp(a->name, b->name) != 0)) return false;
    return a->kind != RT_NUM || fmpq_equal(a->number, b->number);
}

static bool grow(rt_verify_context *c) {
    if (c->node_count < c->node_capacity) return true;
    uint32_t capacity = c->node_capacity == 0 ? FIRST_TABLE : 2 * c->node_capacity;
    if (capacity > NODES_MAXIMUM) {
        rt_stop_at(c, RT_STOP_BUDGET, "the expression has too many parts");
        return false;
    }
    rt_node **nodes = rt_arena(c, capacity, sizeof *nodes), **table = rt_arena(c, capacity, sizeof *table);
    if (nodes == NULL || table == NULL) return false;
    for (uint32_t i = 0; i < c->node_count; i++) {
        nodes[i] = c->nodes[i];
        nodes[i]->next = table[nodes[i]->hash % capacity];
        table[nodes[i]->hash % capacity] = nodes[i];
    }
    c->nodes = nodes;
    c->table = table;
    c->table_size = c->node_capacity = capacity;
    return true;
}

/* Looks a candidate up; a new one is copied into the arena with its arrays. The number stays with the caller. */
static rt_node *find_or_add(rt_verify_context *c, rt_node *candidate) {
    if (!rt_spend(c, 1 + candidate->count / 4) || !grow(c)) return NULL;
    candidate->hash = hash_of(candidate);
    for (rt_node *n = c->table[candidate->hash % c->table_size]; n != NULL; n = n->next) {
        if (same_node(n, candidate)) return n;
    }
    rt_node *n = rt_arena(c, 1, sizeof *n);
    if (n == NULL) return NULL;
    *n = *candidate;
    if (n->count > 0) {
        n->kid = rt_arena(c, n->count, sizeof *n->kid);
        if (n->kid == NULL) return NULL;
        memcpy(n->kid, candidate->kid, n->count * sizeof *n->kid);
    }
    fmpq_init(n->number);
    if (n->kind == RT_NUM) fmpq_set(n->number, candidate->number);
    n->id = c->node_count;
    c->nodes[c->node_count++] = n;
    n->next = c->table[n->hash % c->table_size];
    c->table[n->hash % c->table_size] = n;
    return n;
}

void rt_nodes_clear(rt_verify_context *c) {
    for (uint32_t i = 0; i < c->node_count; i++) {
        fmpq_clear(c->nodes[i]->number);
        rt_ball_clear(c->nodes[i]);
    }
    c->node_count = c->node_capacity = c->table_size = 0;
    c->one = c->minus_one = c->zero = NULL;
}

void rt_note_divisor(rt_verify_context *c, rt_node *base) {
    bool plain =
        base->kind == RT_NUM || base->kind == RT_PI || base->kind == RT_E || base->kind == RT_I || base->kind == RT_SYM;
    if (plain || (base->kind == RT_ROOT && base->kid[0]->kind == RT_NUM)) return;
    for (size_t i = c->divisor_count; i-- > 0;) {
        if (c->divisors[i] == base) return;
    }
    if (c->divisor_count == c->divisor_capacity) {
        size_t capacity = 2 * c->divisor_capacity + 8;
        rt_node **list = rt_arena(c, capacity, sizeof *list);
        if (list == NULL) return;
        if (c->divisor_count > 0) memcpy(list, c->divisors, c->divisor_count * sizeof *list);
        c->divisors = list;
        c->divisor_capacity = capacity;
    }
    c->divisors[c->divisor_count++] = base;
}

static bool is_real(rt_verify_context *c, const rt_node *n) {
    switch (n->kind) {
    case RT_I: return false;
    case RT_ADD:
    case RT_MUL:
        for (uint32_t i = 0; i < n->count; i++) {
            if (!n->kid[i]->real) return false;
        }
        return true;
    case RT_POW:
        if (!n->kid[0]->real || !n->kid[1]->real) return false;
        return rt_is_integer(n->kid[1]) || n->kid[0]->has_variable || rt_sure_sign(c, n->kid[0]) == 1;
    case RT_ROOT:
        return n->kid[0]->real && (n->order % 2 == 1 || n->kid[0]->has_variable || rt_sure_sign(c, n->kid[0]) == 1);
    case RT_FN:
        if (n->fn == RT_ABS || n->fn == RT_FLOOR || n->fn == RT_CEIL) return true;
        if (n->fn == RT_LN && !n->kid[0]->has_variable) return n->kid[0]->real && rt_sure_sign(c, n->kid[0]) == 1;
        return n->kid[0]->real && n->fn != RT_ASIN && n->fn != RT_ACOS;
    default: return true;
    }
}

rt_node *rt_intern(rt_verify_context *c, rt_kind kind, rt_fn fn, int64_t order, rt_node *const *kids, size_t count,
                   const char *name) {
    rt_node n = {.kind = kind, .fn = fn, .order = order, .count = (uint32_t)count, .name = name};
    n.kid = (rt_node **)(uintptr_t)kids;
    n.has_variable = kind == RT_SYM || (kind == RT_FN && fn == RT_OPAQUE);
    n.has_infinity = kind == RT_INF;
    n.has_degree = kind == RT_DEG;
    n.has_sign = kind == RT_SIGN;
    for (size_t i = 0; i < count; i++) {
        if (kids[i] == NULL) return NULL;
        n.has_variable |= kids[i]->has_variable;
        n.has_infinity |= kids[i]->has_infinity;
        n.has_degree |= kids[i]->has_degree;
        n.has_sign |= kids[i]->has_sign;
    }
    uint32_t before = c->node_count;
    rt_node *found = find_or_add(c, &n);
    if (found != NULL && c->node_count > before) found->real = is_real(c, found);
    return found;
}

rt_node *rt_x_number(rt_verify_context *c, const fmpq_t q) {
    if (c->stop != RT_STOP_NONE) return NULL;
    if (fmpz_bits(fmpq_numref(q)) > RT_BITS_MAXIMUM || fmpz_bits(fmpq_denref(q)) > RT_BITS_MAXIMUM)
        return rt_stop_at(c, RT_STOP_BUDGET, "a number has more than %d bits", RT_BITS_MAXIMUM);
    rt_node n = {.kind = RT_NUM, .real = true};
    n.number[0] = *q;
    return find_or_add(c, &n);
}

rt_node *rt_x_fraction(rt_verify_context *c, int64_t n, int64_t d) {
    fmpq_t q;
    fmpq_init(q);
    fmpq_set_si(q, n, (ulong)d);
    rt_node *node = rt_x_number(c, q);
    fmpq_clear(q);
    return node;
}

static rt_node *kept(rt_verify_context *c, rt_node **place, int64_t n) {
    if (*place == NULL) *place = rt_x_fraction(c, n, 1);
    return *place;
}

rt_node *rt_x_integer(rt_verify_context *c, int64_t n) {
    switch (n) {
    case 0: return kept(c, &c->zero, 0);
    case 1: return kept(c, &c->one, 1);
    case -1: return kept(c, &c->minus_one, -1);
    default: return rt_x_fraction(c, n, 1);
    }
}

rt_node *rt_x_constant(rt_verify_context *c, rt_kind kind) {
    return rt_intern(c, kind, RT_SIN, 0, NULL, 0, NULL);
}

rt_node *rt_x_symbol(rt_verify_context *c, const char *name, size_t length) {
    char *copy = rt_arena_text(c, name, length);
    return copy == NULL ? NULL : rt_intern(c, RT_SYM, RT_SIN, 0, NULL, 0, copy);
}

rt_node *rt_x_sign(rt_verify_context *c, int64_t which, int order) {
    rt_node *sign = rt_intern(c, RT_SIGN, RT_SIN, which, NULL, 0, NULL);
    return order > 0 ? sign : rt_x_neg(c, sign);
}

rt_node *rt_power_plain(rt_verify_context *c, rt_node *base, rt_node *exponent) {
    return rt_intern(c, RT_POW, RT_SIN, 0, (rt_node *[]){base, exponent}, 2, NULL);
}

bool rt_is_integer(const rt_node *n) {
    return n->kind == RT_NUM && fmpz_is_one(fmpq_denref(n->number));
}

bool rt_small_integer(const rt_node *n, int64_t bound, int64_t *value) {
    if (!rt_is_integer(n) || fmpz_bits(fmpq_numref(n->number)) > 62) return false;
    *value = fmpz_get_si(fmpq_numref(n->number));
    return *value >= -bound && *value <= bound;
}

bool rt_rational_times(rt_verify_context *c, rt_node *n, const rt_node *what, fmpq_t r) {
    if (n == NULL || what == NULL) return false;
    const fmpq *coefficient = NULL;
    rt_node *rest = NULL;
    rt_split_term(c, n, &coefficient, &rest);
    if (rest != what) return false;
    fmpq_set(r, coefficient);
    return true;
}

static int by_id(const void *a, const void *b) {
    uint32_t x = (*(rt_node *const *)a)->id, y = (*(rt_node *const *)b)->id;
    return x < y ? -1 : x > y;
}

rt_node **rt_parts(rt_verify_context *c, rt_node *n, size_t *count) {
    size_t capacity = 16, used = 0;
    rt_node **list = rt_arena(c, capacity, sizeof *list);
    if (list == NULL) return NULL;
    uint32_t visit = ++c->visit;
    n->visit = visit;
    list[used++] = n;
    /* A list that grows while it is walked; operands have smaller ids, so sorting by id puts them first. */
    for (size_t i = 0; i < used; i++) {
        const rt_node *m = list[i];
        for (uint32_t k = 0; k < m->count; k++) {
            if (m->kid[k]->visit == visit) continue;
            m->kid[k]->visit = visit;
            if (used == capacity) {
                rt_node **more = rt_arena(c, 2 * capacity, sizeof *more);
                if (more == NULL) return NULL;
                memcpy(more, list, used * sizeof *more);
                list = more;
                capacity *= 2;
            }
            list[used++] = m->kid[k];
        }
    }
    if (used > 1) qsort(list, used, sizeof *list, by_id);
    for (size_t i = 0; i < used; i++) list[i]->place = (uint32_t)i;
    *count = used;
    return list;
}

/* The image of a part: places may have been overwritten by other walks, so it is looked up by id. */
static rt_node *image_of(rt_node *const *parts, rt_node *const *images, size_t count, const rt_node *n) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (parts[middle]->id < n->id)
            low = middle + 1;
        else
            high = middle;
    }
    return images[low];
}

static rt_node *rebuilt(rt_verify_context *c, const rt_node *n, rt_node **kids) {
    switch (n->kind) {
    case RT_ADD: return rt_x_sum(c, kids, n->count);
    case RT_MUL: return rt_x_product(c, kids, n->count);
    case RT_POW: return rt_x_power(c, kids[0], kids[1]);
    case RT_ROOT: return rt_x_root(c, kids[0], n->order);
    default: return n->fn == RT_OPAQUE ? rt_x_opaque(c, n->name, kids[0]) : rt_x_function(c, n->fn, kids[0]);
    }
}

rt_node *rt_x_replace(rt_verify_context *c, rt_node *tree, const rt_node *from, rt_node *to) {
    size_t count = 0;
    if (tree == NULL || from == NULL || to == NULL || c->stop != RT_STOP_NONE) return NULL;
    rt_node **parts = rt_parts(c, tree, &count), **images = rt_arena(c, count + 1, sizeof *images);
    if (parts == NULL || images == NULL || !rt_spend(c, (int64_t)count)) return NULL;
    for (size_t i = 0; i < count; i++) {
        rt_node *n = parts[i];
        bool changed = false;
        rt_node **kids = rt_arena(c, n->count + 1, sizeof *kids);
        if (kids == NULL) return NULL;
        for (uint32_t k = 0; k < n->count; k++) {
            kids[k] = image_of(parts, images, i, n->kid[k]);
            changed |= kids[k] != n->kid[k];
        }
        images[i] = n == from ? to : changed ? rebuilt(c, n, kids) : n;
        if (images[i] == NULL) return NULL;
    }
    return images[count - 1];
}
