#include "analyze/repetition.h"

#include <string.h>

#include "core/mem.h"
#include "text/lexicon_scan.h"

enum { TAIL = 4096, LEAST_LOOP = 400, LEAST_TIMES = 8, LEAST_WORDS = 60 };

/* Words by a 64-bit hash of their lower-case letters: a collision could only join two words, at one in 2^64. */
typedef struct slot {
    uint64_t hash;
    uint32_t epoch; /* of the text that put it there */
    uint32_t count;
} slot;

struct rt_repetition {
    slot *slots;
    size_t capacity; /* a power of two, at most half full */
    size_t used;
    uint32_t epoch;
    int64_t words, most;
    uint16_t border[TAIL + 1];
};

retort_status rt_repetition_create(rt_repetition **out, retort_error *err) {
    rt_repetition *room = rt_calloc(1, sizeof *room);
    RT_CHECK(room != NULL, err, RETORT_ERR_MEMORY, "out of memory: words of a response");
    room->capacity = 1024;
    room->slots = rt_calloc(room->capacity, sizeof *room->slots);
    if (room->slots == NULL) {
        rt_free(room);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: words of a response");
    }
    *out = room;
    return RETORT_OK;
}

void rt_repetition_destroy(rt_repetition *room) {
    if (room == NULL) return;
    rt_free(room->slots);
    rt_free(room);
}

void rt_repetition_begin(rt_repetition *room) {
    room->words = room->most = 0;
    room->used = 0;
    if (++room->epoch == 0) {
        memset(room->slots, 0, room->capacity * sizeof *room->slots);
        room->epoch = 1;
    }
}

static slot *find(slot *slots, size_t capacity, uint32_t epoch, uint64_t hash) {
    size_t at = (size_t)(hash >> 20) & (capacity - 1);
    while (slots[at].epoch == epoch && slots[at].hash != hash) at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static retort_status grow(rt_repetition *room, retort_error *err) {
    size_t capacity = room->capacity * 2;
    slot *slots = rt_calloc(capacity, sizeof *slots);
    RT_CHECK(slots != NULL, err, RETORT_ERR_MEMORY, "out of memory: words of a response");
    for (size_t i = 0; i < room->capacity; i++)
        if (room->slots[i].epoch == room->epoch)
            *find(slots, capacity, room->epoch, room->slots[i].hash) = room->slots[i];
    rt_free(room->slots);
    room->slots = slots;
    room->capacity = capacity;
    return RETORT_OK;
}

retort_status rt_repetition_add(rt_repetition *room, const char *text, size_t length, retort_error *err) {
    size_t at = 0, begin, end;
    while (rt_word_next(text, length, &at, &begin, &end)) {
        room->words++;
        /* Long sums name \cdot, and equations x, in every other word; that is no degeneration. */
        if (end - begin < 2 || (begin > 0 && text[begin - 1] == '\\')) continue;
        uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
        for (size_t i = begin; i < end; i++) hash = (hash ^ ((unsigned char)text[i] | 0x20u)) * 0x100000001b3u;
        if (room->used * 2 >= room->capacity) RT_TRY(grow(room, err));
        slot *own = find(room->slots, room->capacity, room->epoch, hash);
        if (own->epoch != room->epoch) {
            *own = (slot){hash, room->epoch, 0};
            room->used++;
        }
        own->count++;
        if ((int64_t)own->count > room->most) room->most = own->count;
    }
    return RETORT_OK;
}

bool rt_repetition_one_word(const rt_repetition *room) {
    return room->words > LEAST_WORDS && room->most * 5 > room->words * 2;
}

int64_t rt_repetition_words(const rt_repetition *room) {
    return room->words;
}

static bool holds_letters(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80) return true;
    }
    return false;
}

/* Knuth, Morris and Pratt's borders of the tail read backwards: a stretch of n bytes with border b has period n - b. */
bool rt_repetition_loops(rt_repetition *room, const char *text, size_t length) {
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\n')) length--;
    size_t n = length < TAIL ? length : TAIL, border = 0;
    const char *last = text + length - 1;
    room->border[0] = 0;
    for (size_t i = 1; i < n; i++) {
        while (border > 0 && last[-(ptrdiff_t)i] != last[-(ptrdiff_t)border]) border = room->border[border - 1];
        if (last[-(ptrdiff_t)i] == last[-(ptrdiff_t)border]) border++;
        room->border[i] = (uint16_t)border;
        size_t stretch = i + 1, period = stretch - border;
        if (stretch >= LEAST_LOOP && stretch >= LEAST_TIMES * period && holds_letters(text + length - period, period))
            return true;
    }
    return false;
}
