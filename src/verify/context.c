#include "verify/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "verify/node.h"

/* Far above what an answer of RETORT_VERIFY_MAX_ANSWER bytes needs that ends within its budget. */
enum { ARENA_MAXIMUM = 64 << 20, BLOCK = 16 << 10 };

typedef struct rt_block {
    struct rt_block *next;
    size_t used, size;
    /* the bytes follow; the header keeps them aligned to 8 */
} rt_block;

void rt_context_init(rt_verify_context *c, int64_t budget) {
    *c = (rt_verify_context){.budget = budget};
}

void rt_context_init_fixed(rt_verify_context *c, int64_t budget, void *buffer, size_t size) {
    rt_context_init(c, budget);
    c->fixed = true;
    c->blocks = buffer;
    *c->blocks = (rt_block){.size = size - sizeof(rt_block)};
}

void rt_context_free(rt_verify_context *c) {
    rt_nodes_clear(c);
    while (c->blocks != NULL && !c->fixed) {
        rt_block *next = c->blocks->next;
        rt_free(c->blocks);
        c->blocks = next;
    }
    c->table = c->nodes = NULL;
}

void *rt_stop_at(rt_verify_context *c, rt_stop stop, const char *fmt, ...) {
    if (c->stop != RT_STOP_NONE) return NULL;
    c->stop = stop;
    va_list arguments;
    va_start(arguments, fmt);
    (void)vsnprintf(c->why, sizeof c->why, fmt, arguments);
    va_end(arguments);
    return NULL;
}

bool rt_spend(rt_verify_context *c, int64_t operations) {
    if (c->stop != RT_STOP_NONE) return false;
    if (operations <= c->budget - c->spent) {
        c->spent += operations;
        return true;
    }
    c->spent = c->budget;
    rt_stop_at(c, RT_STOP_BUDGET, "it would take more than %lld operations", (long long)c->budget);
    return false;
}

void *rt_arena(rt_verify_context *c, size_t count, size_t size) {
    if (c->stop != RT_STOP_NONE) return NULL;
    size_t bytes = 0;
    if (rt_mul_overflow(count, size, &bytes) || bytes > ARENA_MAXIMUM - c->arena_bytes)
        return rt_stop_at(c, RT_STOP_BUDGET, "it would take more than %d MiB of memory", ARENA_MAXIMUM >> 20);
    bytes = (bytes + 7) & ~(size_t)7;
    if (c->blocks == NULL || c->blocks->size - c->blocks->used < bytes) {
        if (c->fixed) return rt_stop_at(c, RT_STOP_BUDGET, "it does not fit its buffer");
        size_t room = bytes > BLOCK ? bytes : BLOCK;
        rt_block *block = rt_malloc(sizeof(rt_block) + room);
        if (block == NULL) return rt_stop_at(c, RT_STOP_MEMORY, "out of memory");
        *block = (rt_block){.next = c->blocks, .size = room};
        c->blocks = block;
        c->arena_bytes += room;
    }
    char *memory = (char *)(c->blocks + 1) + c->blocks->used;
    c->blocks->used += bytes;
    memset(memory, 0, bytes);
    return memory;
}

rt_arena_mark rt_arena_here(const rt_verify_context *c) {
    return (rt_arena_mark){c->blocks, c->blocks == NULL ? 0 : c->blocks->used};
}

void rt_arena_back(rt_verify_context *c, rt_arena_mark mark) {
    while (c->blocks != mark.block) {
        rt_block *next = c->blocks->next;
        c->arena_bytes -= c->blocks->size;
        rt_free(c->blocks);
        c->blocks = next;
    }
    if (c->blocks != NULL) c->blocks->used = mark.used;
}

char *rt_arena_text(rt_verify_context *c, const char *text, size_t length) {
    char *copy = rt_arena(c, length + 1, 1);
    if (copy != NULL) memcpy(copy, text, length);
    return copy;
}
