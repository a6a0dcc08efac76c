#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20, ALIGNMENT = 64 };

static long fail_countdown = -1;
static bool fail_persistent;
static long alloc_count;

void rt_fail_alloc(long countdown, bool persistent) {
    fail_countdown = countdown;
    fail_persistent = persistent;
    alloc_count = 0;
}

long rt_alloc_count(void) {
    return alloc_count;
}

/* Counts only while a test asks for it, so that allocation inside parallel regions stays free of races. */
static bool injected_failure(void) {
    if (fail_countdown < 0) return false;
    long index = alloc_count++;
    return fail_persistent ? index >= fail_countdown : index == fail_countdown;
}

bool rt_mul_overflow(size_t a, size_t b, size_t *out) {
    return __builtin_mul_overflow(a, b, out);
}

void *rt_malloc(size_t size) {
    if (injected_failure()) return NULL;
    return malloc(size == 0 ? 1 : size);
}

void *rt_malloc_array(size_t count, size_t size) {
    size_t bytes;
    if (rt_mul_overflow(count, size, &bytes)) return NULL;
    return rt_malloc(bytes);
}

void *rt_calloc(size_t count, size_t size) {
    size_t bytes; /* calloc checks too, but under a sanitizer by ending the program */
    if (rt_mul_overflow(count, size, &bytes) || injected_failure()) return NULL;
    return calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
}

void *rt_realloc_array(void *block, size_t count, size_t size) {
    size_t bytes;
    if (rt_mul_overflow(count, size, &bytes) || injected_failure()) return NULL;
    return realloc(block, bytes == 0 ? 1 : bytes);
}

char *rt_strndup(const char *text, size_t length) {
    char *copy = rt_malloc(length + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *rt_strdup(const char *text) {
    return rt_strndup(text, strlen(text));
}

void rt_free(void *block) {
    free(block);
}

size_t rt_aligned_size(size_t bytes) {
    if (bytes > SIZE_MAX - HUGE_PAGE) return SIZE_MAX;
    size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    return rounded == 0 ? alignment : rounded;
}

static void *aligned_block(size_t count, size_t size, size_t *rounded) {
    size_t bytes;
    if (rt_mul_overflow(count, size, &bytes) || injected_failure()) return NULL;
    const size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
    *rounded = rt_aligned_size(bytes);
    if (*rounded == SIZE_MAX) return NULL;
    void *block = aligned_alloc(alignment, *rounded);
    if (block != NULL && alignment == HUGE_PAGE) (void)madvise(block, *rounded, MADV_HUGEPAGE);
    return block;
}

void *rt_aligned_alloc(size_t count, size_t size) {
    size_t rounded;
    void *block = aligned_block(count, size, &rounded);
    if (block != NULL) memset(block, 0, rounded);
    return block;
}

void *rt_untouched_alloc(size_t count, size_t size) {
    size_t rounded;
    return aligned_block(count, size, &rounded);
}

void rt_give_back(const void *block, size_t bytes) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)block, end = begin + bytes;
    const uintptr_t first = (begin + page - 1) / page * page, last = end / page * page;
    if (first < last) (void)madvise((void *)first, last - first, MADV_DONTNEED);
}

static retort_status buffer_reserve(rt_buffer *buffer, size_t extra, retort_error *err) {
    size_t maximum = buffer->maximum != 0 ? buffer->maximum : (size_t)1 << 30;
    RT_CHECK(extra < maximum && buffer->length <= maximum - extra - 1, err, RETORT_ERR_MEMORY,
             "buffer would grow past its maximum of %zu bytes", maximum);
    size_t needed = buffer->length + extra + 1;
    if (needed <= buffer->capacity) return RETORT_OK;
    size_t capacity = buffer->capacity != 0 ? buffer->capacity : 64;
    while (capacity < needed) capacity *= 2;
    char *data = rt_realloc_array(buffer->data, capacity, 1);
    RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: buffer of %zu bytes", capacity);
    buffer->data = data;
    buffer->capacity = capacity;
    return RETORT_OK;
}

retort_status rt_buffer_append(rt_buffer *buffer, const void *bytes, size_t length, retort_error *err) {
    RT_TRY(buffer_reserve(buffer, length, err));
    if (length > 0) memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return RETORT_OK;
}

retort_status rt_buffer_puts(rt_buffer *buffer, const char *text, retort_error *err) {
    return rt_buffer_append(buffer, text, strlen(text), err);
}

retort_status rt_buffer_printf(rt_buffer *buffer, retort_error *err, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    RT_CHECK(length >= 0, err, RETORT_ERR_FORMAT, "cannot format text");
    RT_TRY(buffer_reserve(buffer, (size_t)length, err));
    va_start(args, fmt);
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, fmt, args);
    va_end(args);
    buffer->length += (size_t)length;
    return RETORT_OK;
}

void rt_buffer_clear(rt_buffer *buffer) {
    buffer->length = 0;
    if (buffer->data != NULL) buffer->data[0] = '\0';
}

void rt_buffer_free(rt_buffer *buffer) {
    rt_free(buffer->data);
    buffer->data = NULL;
    buffer->length = buffer->capacity = 0;
}
