/* Memory: checked sizes, aligned blocks, one growable buffer with a hard maximum.
 *
 * Every allocation of the library goes through here, so that a test can make the Nth one fail
 * (RETORT_FAIL_ALLOC in test builds) and so that sizes are checked before they are multiplied.
 */
#ifndef RT_CORE_MEM_H
#define RT_CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* All return NULL on overflow of count * size or when memory is exhausted; rt_calloc zeroes. Free with rt_free. */
void *rt_malloc(size_t size);
void *rt_malloc_array(size_t count, size_t size);
void *rt_calloc(size_t count, size_t size);
void *rt_realloc_array(void *block, size_t count, size_t size);
char *rt_strdup(const char *text);
char *rt_strndup(const char *text, size_t length);
void rt_free(void *block);

/* Zeroed block aligned to 64 bytes (one cache line, one AVX-512 register); blocks of 2 MiB and more are advised to
 * use huge pages, because first touch through 4 KiB pages is several times slower. Free with rt_free. */
void *rt_aligned_alloc(size_t count, size_t size);
/* The same without zeroes: pages come from the system as they are first written to. */
void *rt_untouched_alloc(size_t count, size_t size);
/* The memory that such a block really takes, all of it at once; SIZE_MAX when out of range. */
size_t rt_aligned_size(size_t bytes);

/* Gives the pages that lie whole within a block, of memory or of a mapped file, back to the system: what memory held is
 * lost. */
void rt_give_back(const void *block, size_t bytes);

/* True when a * b overflows size_t; otherwise *out = a * b. */
bool rt_mul_overflow(size_t a, size_t b, size_t *out);

/* Makes the allocation number `countdown` from now fail (0 = the next); negative = never. Persistent failures go on
 * failing. For tests; not thread-safe. */
void rt_fail_alloc(long countdown, bool persistent);
/* Number of allocations since the last call of rt_fail_alloc. */
long rt_alloc_count(void);

/* Growable byte buffer, always NUL-terminated behind `length`. Zero-initialise; set `maximum` (0 = 1 GiB). */
typedef struct rt_buffer {
    char *data;
    size_t length, capacity, maximum;
} rt_buffer;

retort_status rt_buffer_append(rt_buffer *buffer, const void *bytes, size_t length, retort_error *err);
retort_status rt_buffer_puts(rt_buffer *buffer, const char *text, retort_error *err);
retort_status rt_buffer_printf(rt_buffer *buffer, retort_error *err, const char *fmt, ...) RETORT_PRINTF(3, 4);
void rt_buffer_clear(rt_buffer *buffer); /* length 0, memory kept */
void rt_buffer_free(rt_buffer *buffer);

#endif
