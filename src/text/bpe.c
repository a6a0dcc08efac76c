#include "text/bpe.h"

#include <string.h>

#include "text/bytes.h"

/* Words up to this length are merged in place by scanning; longer ones by a heap. */
enum { SHORT_WORD = 64, MAX_WORD = 1 << 28 };

/* ---- tokens ---- */

void rt_token_table_free(rt_token_table *table) {
    rt_buffer_free(&table->bytes);
    rt_free(table->offset);
    rt_free(table->buckets);
    *table = (rt_token_table){0};
}

static void enter(rt_token_table *table, int32_t id) {
    size_t length;
    const char *bytes = rt_token_table_get(table, id, &length);
    uint64_t place = rt_bytes_hash(bytes, length) & table->mask;
    while (table->buckets[place] >= 0) place = (place + 1) & table->mask;
    table->buckets[place] = id;
}

/* Buckets stay at most half full. Hidden tokens are told apart by not being found before the move. */
static retort_status grow(rt_token_table *table, retort_error *err) {
    int64_t capacity = table->capacity == 0 ? 512 : table->capacity * 2;
    uint64_t buckets = (uint64_t)capacity * 2;
    size_t *offset = rt_realloc_array(table->offset, (size_t)capacity + 1, sizeof *offset);
    if (offset != NULL) {
        if (table->offset == NULL) offset[0] = 0;
        table->offset = offset;
    }
    int32_t *fresh = rt_malloc_array(buckets, sizeof *fresh);
    if (offset == NULL || fresh == NULL) {
        rt_free(fresh);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: table of %lld tokens", (long long)capacity);
    }
    memset(fresh, 0xFF, buckets * sizeof *fresh);
    int32_t *old = table->buckets;
    uint64_t old_count = old == NULL ? 0 : table->mask + 1;
    table->buckets = fresh;
    table->mask = buckets - 1;
    table->capacity = capacity;
    for (uint64_t i = 0; i < old_count; i++) {
        if (old[i] >= 0) enter(table, old[i]);
    }
    rt_free(old);
    return RETORT_OK;
}

retort_status rt_token_table_add(rt_token_table *table, const char *bytes, size_t length, bool hidden,
                                 retort_error *err) {
    if (table->count == table->capacity) RT_TRY(grow(table, err));
    bool known = rt_token_table_find(table, bytes, length) >= 0;
    RT_TRY(rt_buffer_append(&table->bytes, bytes, length, err));
    table->offset[table->count + 1] = table->bytes.length;
    if (length > table->longest) table->longest = length;
    int32_t id = (int32_t)table->count++;
    if (!known && !hidden) enter(table, id);
    return RETORT_OK;
}

int32_t rt_token_table_find(const rt_token_table *table, const char *bytes, size_t length) {
    if (length > table->longest || table->buckets == NULL) return -1;
    uint64_t place = rt_bytes_hash(bytes, length) & table->mask;
    for (; table->buckets[place] >= 0; place = (place + 1) & table->mask) {
        size_t size;
        const char *other = rt_token_table_get(table, table->buckets[place], &size);
        if (size == length && memcmp(other, bytes, length) == 0) return table->buckets[place];
    }
    return -1;
}

/* ---- merges ---- */

retort_status rt_merges_create(rt_merges *merges, int64_t count, retort_error *err) {
    uint64_t slots = 64;
    while (slots < (uint64_t)count * 2) slots *= 2;
    *merges = (rt_merges){.slots = rt_aligned_alloc(slots, sizeof *merges->slots), .mask = slots - 1};
    merges->filter = rt_calloc(slots / 16, sizeof *merges->filter); /* four bits a slot */
    merges->filter_shift = 64 - 2;
    for (uint64_t i = slots; i > 1; i /= 2) merges->filter_shift--;
    if (merges->slots == NULL || merges->filter == NULL) {
        rt_merges_free(merges);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: table of %lld merges", (long long)count);
    }
    for (uint64_t i = 0; i < slots; i++) merges->slots[i].left = -1;
    return RETORT_OK;
}

void rt_merges_free(rt_merges *merges) {
    rt_free(merges->slots);
    rt_free(merges->filter);
    *merges = (rt_merges){0};
}

static uint64_t pair_hash(int32_t left, int32_t right) {
    return ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
}

static uint64_t pair_place(const rt_merges *merges, uint64_t hash) {
    return (hash ^ hash >> 29) & merges->mask;
}

const rt_merge *rt_merges_find(const rt_merges *merges, int32_t left, int32_t right) {
    uint64_t hash = pair_hash(left, right), bit = (hash ^ hash << 31) >> merges->filter_shift;
    if ((merges->filter[bit / 64] >> (bit % 64) & 1) == 0) return NULL;
    uint64_t place = pair_place(merges, hash);
    for (; merges->slots[place].left >= 0; place = (place + 1) & merges->mask) {
        const rt_merge *slot = &merges->slots[place];
        if (slot->left == left && slot->right == right) return slot;
    }
    return NULL;
}

void rt_merges_put(rt_merges *merges, int32_t left, int32_t right, int32_t merged, uint32_t rank) {
    uint64_t hash = pair_hash(left, right), bit = (hash ^ hash << 31) >> merges->filter_shift;
    merges->filter[bit / 64] |= (uint64_t)1 << (bit % 64);
    uint64_t place = pair_place(merges, hash);
    for (; merges->slots[place].left >= 0; place = (place + 1) & merges->mask) {
        if (merges->slots[place].left == left && merges->slots[place].right == right) break;
    }
    merges->slots[place] = (rt_merge){left, right, merged, rank};
}

/* ---- one word ---- */

/* A short word: the ranks of its neighbouring pairs side by side, so that the lowest is found by a few vector
 * instructions. Places behind the last pair have the rank NONE. */
enum { NONE = INT32_MAX };
typedef struct short_word {
    const rt_merges *merges;
    int count;
    int32_t id[SHORT_WORD];
    int32_t rank[SHORT_WORD], merged[SHORT_WORD]; /* of the pair that begins here */
} short_word;

static void look_up(short_word *w, int i) {
    const rt_merge *pair = i + 1 < w->count ? rt_merges_find(w->merges, w->id[i], w->id[i + 1]) : NULL;
    w->rank[i] = pair != NULL ? (int32_t)pair->rank : NONE;
    w->merged[i] = pair != NULL ? pair->merged : -1;
}

static int32_t lowest_rank(const short_word *w) {
    int32_t lowest = NONE;
    int padded = (w->count + 7) & ~7;
    for (int i = 0; i < padded; i++) lowest = w->rank[i] < lowest ? w->rank[i] : lowest;
    return lowest;
}

static void remove_at(short_word *w, int gone) {
    size_t behind = (size_t)(w->count - gone - 1) * sizeof *w->id;
    memmove(w->id + gone, w->id + gone + 1, behind);
    memmove(w->rank + gone, w->rank + gone + 1, behind);
    memmove(w->merged + gone, w->merged + gone + 1, behind);
    w->rank[--w->count] = NONE;
}

static void merge_short(short_word *w) {
    for (int i = 0; i < w->count; i++) look_up(w, i);
    for (int i = w->count; i < ((w->count + 7) & ~7); i++) w->rank[i] = NONE;
    for (int32_t lowest; (lowest = lowest_rank(w)) != NONE;) {
        int best = 0;
        while (w->rank[best] != lowest) best++;
        w->id[best] = w->merged[best];
        remove_at(w, best + 1);
        look_up(w, best);
        if (best > 0) look_up(w, best - 1);
    }
}

/* A long word: symbols in a linked list, candidates (rank, place) in a binary heap of 64-bit keys. A candidate whose
 * pair was changed meanwhile no longer has its rank at its place, and is dropped when it comes up. */
typedef struct long_word {
    const rt_merges *merges;
    int32_t *id, *previous, *next; /* id -1: merged into its left neighbour */
    uint64_t *heap;
    size_t heap_count;
} long_word;

static void heap_push(long_word *w, uint64_t key) {
    size_t i = w->heap_count++;
    while (i > 0 && w->heap[(i - 1) / 2] > key) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = key;
}

static uint64_t heap_pop(long_word *w) {
    uint64_t top = w->heap[0], last = w->heap[--w->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < w->heap_count; i = child) {
        if (child + 1 < w->heap_count && w->heap[child + 1] < w->heap[child]) child++;
        if (w->heap[child] >= last) break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return top;
}

static const rt_merge *pair_at(const long_word *w, int32_t i) {
    if (w->id[i] < 0 || w->next[i] < 0) return NULL;
    return rt_merges_find(w->merges, w->id[i], w->id[w->next[i]]);
}

static void propose(long_word *w, int32_t i) {
    const rt_merge *pair = pair_at(w, i);
    if (pair != NULL) heap_push(w, (uint64_t)pair->rank << 32 | (uint32_t)i);
}

static void merge_long(long_word *w, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        w->previous[i] = i - 1;
        w->next[i] = i + 1 < count ? i + 1 : -1;
    }
    for (int32_t i = 0; i + 1 < count; i++) propose(w, i);
    while (w->heap_count > 0) {
        uint64_t key = heap_pop(w);
        int32_t i = (int32_t)(key & 0xFFFFFFFFu);
        const rt_merge *pair = pair_at(w, i);
        if (pair == NULL || pair->rank != key >> 32) continue;
        int32_t gone = w->next[i];
        w->id[i] = pair->merged;
        w->id[gone] = -1;
        w->next[i] = w->next[gone];
        if (w->next[i] >= 0) w->previous[w->next[i]] = i;
        propose(w, i);
        if (w->previous[i] >= 0) propose(w, w->previous[i]);
    }
}

retort_status rt_bpe_merge(const rt_merges *merges, const int32_t *symbols, size_t count, rt_ids *ids,
                           retort_error *err) {
    if (count <= SHORT_WORD) {
        short_word w;
        w.merges = merges;
        w.count = (int)count;
        if (count > 0) memcpy(w.id, symbols, count * sizeof *symbols);
        merge_short(&w);
        return rt_ids_append(ids, w.id, w.count, err);
    }
    RT_CHECK(count <= MAX_WORD, err, RETORT_ERR_UNSUPPORTED, "a word of %zu symbols is too long to tokenize", count);
    /* Each place is proposed once at the start and at most twice for each of the n - 1 merges. */
    int32_t *block = rt_malloc_array(count * 3, sizeof *block);
    uint64_t *heap = rt_malloc_array(count * 3, sizeof *heap);
    long_word w = {.merges = merges, .heap = heap};
    retort_status st = RETORT_OK;
    if (block == NULL || heap == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: word of %zu symbols", count);
        goto done;
    }
    w.id = block;
    w.previous = block + count;
    w.next = block + 2 * count;
    memcpy(w.id, symbols, count * sizeof *symbols);
    merge_long(&w, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        if (w.id[i] >= 0) RT_GOTO(st, rt_ids_push(ids, w.id[i], err), done);
    }
done:
    rt_free(block);
    rt_free(heap);
    return st;
}
