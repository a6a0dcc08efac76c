/* One verification: its memory, its budget, and why it stopped.
 *
 * All memory of a verification comes from one context and is given back at once. What can stop the work (no memory, no
 * budget left, no value, no sense) sets `stop` and a reason once; whatever is called afterwards returns NULL or false
 * without doing anything, so callers check at the end of a stage and not after each step. */
#ifndef RT_VERIFY_CONTEXT_H
#define RT_VERIFY_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

typedef enum rt_stop {
    RT_STOP_NONE,
    RT_STOP_MEMORY,
    RT_STOP_BUDGET,    /* operations, memory or depth */
    RT_STOP_UNDEFINED, /* no value: division by zero */
    RT_STOP_SYNTAX     /* cannot be read */
} rt_stop;

struct rt_node;

typedef struct rt_verify_context {
    rt_stop stop;
    char why[160];
    int64_t spent, budget;

    struct rt_block *blocks; /* the arena, newest first */
    size_t arena_bytes;
    bool fixed; /* the arena is one block of the caller's and does not grow */

    struct rt_node **table; /* every node once, by hash */
    struct rt_node **nodes; /* and by id: operands come before what is made of them */
    uint32_t table_size, node_count, node_capacity;
    struct rt_node *one, *minus_one, *zero;
    uint32_t visit;            /* the number of the last walk through an expression */
    struct rt_node **divisors; /* what was divided by and is not plainly unlike zero: see rt_defined */
    size_t divisor_count, divisor_capacity;
    unsigned zero_depth; /* how deep questions "is this zero?" are nested */
} rt_verify_context;

void rt_context_init(rt_verify_context *c, int64_t budget);
/* Works in the caller's buffer (aligned to 8) alone: what does not fit is over budget, and nothing can be out of
 * memory. */
void rt_context_init_fixed(rt_verify_context *c, int64_t budget, void *buffer, size_t size);
void rt_context_free(rt_verify_context *c);

/* Sets the reason unless there is one already; always returns NULL, to be returned by functions that make things. */
void *rt_stop_at(rt_verify_context *c, rt_stop stop, const char *fmt, ...) RETORT_PRINTF(3, 4);

/* Takes operations from the budget; false (and stopped) when it is used up. */
bool rt_spend(rt_verify_context *c, int64_t operations);

/* Zeroed memory that lives as long as the context; NULL and stopped when there is none. */
void *rt_arena(rt_verify_context *c, size_t count, size_t size);
/* Memory for a while: what was taken since the mark is given back. No node may have been made in between. */
typedef struct rt_arena_mark {
    struct rt_block *block;
    size_t used;
} rt_arena_mark;
rt_arena_mark rt_arena_here(const rt_verify_context *c);
void rt_arena_back(rt_verify_context *c, rt_arena_mark mark);
char *rt_arena_text(rt_verify_context *c, const char *text, size_t length);

#endif
