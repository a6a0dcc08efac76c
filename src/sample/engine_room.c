#include "sample/engine_internal.h"

void rt_engine_forget_prompt(rt_engine *e) {
    if (e->current != NULL && e->slots[e->current_slot].state == SLOT_IDLE)
        rt_decoder_drop(e->decoder, e->current_slot);
    e->current = NULL;
}

/* Positions that it holds with the token that it draws then. */
static int64_t held_behind(const rt_engine *e, const slot *x) {
    const int64_t length = rt_slot_length(x) + 1;
    return length < e->capacity ? length : e->capacity;
}

/* Blocks that slots will take which have begun to feed, or have not written behind a prompt they share: nobody else may
 * have them, so that whoever has begun to feed can end. */
static int64_t promised_blocks(const rt_engine *e) {
    int64_t promised = 0;
    for (int32_t i = 0; i < e->num_slots; i++) {
        const slot *x = &e->slots[i];
        if (x->state == SLOT_PREFILL || x->state == SLOT_REFILL)
            promised += rt_decoder_wants(e->decoder, i, x->fed, held_behind(e, x));
        else if (x->state == SLOT_WAIT || x->state == SLOT_FIRST)
            promised++;
    }
    return promised;
}

/* Blocks that responses under way want for their next token. */
static int64_t wanted_blocks(const rt_engine *e) {
    int64_t wanted = 0;
    for (int32_t i = 0; i < e->num_slots; i++) {
        const slot *x = &e->slots[i];
        if (x->state != SLOT_DECODE) continue;
        wanted += rt_decoder_wants(e->decoder, i, rt_slot_length(x) - 1, rt_slot_length(x));
    }
    return wanted;
}

static int64_t room(const rt_engine *e) {
    int64_t num_free;
    rt_decoder_blocks(e->decoder, &num_free);
    return num_free - promised_blocks(e);
}

/* The youngest response that is being decoded; NULL if there is none but the oldest of all. */
static slot *find_youngest(const rt_engine *e) {
    slot *youngest = NULL, *oldest = NULL;
    for (int64_t i = 0; i < e->num_slots; i++) {
        slot *x = &e->slots[i];
        if (x->state == SLOT_IDLE) continue;
        if (oldest == NULL || x->age < oldest->age) oldest = x;
        if (x->state == SLOT_DECODE && (youngest == NULL || x->age > youngest->age)) youngest = x;
    }
    return youngest == oldest ? NULL : youngest;
}

static void put_off(rt_engine *e, slot *x) {
    const int32_t index = (int32_t)(x - e->slots);
    if (e->current != NULL && e->current_slot == index) e->current = NULL; /* the next job feeds the prompt itself */
    rt_decoder_drop(e->decoder, index);
    x->state = SLOT_PUT_OFF;
    x->fed = 0;
    e->num_put_off++;
    e->counts.put_off++;
}

/* Responses being decoded each may want a block soon: what begins must leave them that, or it would be put off again at
 * once. */
static int64_t spare_blocks(const rt_engine *e) {
    int64_t decoding = 0;
    for (int64_t i = 0; i < e->num_slots; i++) decoding += e->slots[i].state == SLOT_DECODE;
    return decoding;
}

static bool is_resting(const rt_engine *e) {
    for (int64_t i = 0; i < e->num_slots; i++)
        if (e->slots[i].state != SLOT_IDLE && e->slots[i].state != SLOT_PUT_OFF) return false;
    return true;
}

static slot *find_put_off(const rt_engine *e) {
    slot *oldest = NULL;
    for (int64_t i = 0; i < e->num_slots && e->num_put_off > 0; i++) {
        slot *x = &e->slots[i];
        if (x->state == SLOT_PUT_OFF && (oldest == NULL || x->age < oldest->age)) oldest = x;
    }
    return oldest;
}

void rt_engine_resume(rt_engine *e) {
    for (slot *oldest = find_put_off(e); oldest != NULL; oldest = find_put_off(e)) {
        const int64_t wanted = rt_kv_blocks(held_behind(e, oldest));
        if (is_resting(e))
            rt_engine_forget_prompt(e);
        else if (room(e) < wanted + spare_blocks(e))
            return;
        oldest->state = SLOT_REFILL;
        e->num_put_off--;
    }
}

bool rt_engine_fits(rt_engine *e, const pending *p) {
    if (e->ample) return true;
    const int64_t length = p->request.prompt.count + 1;
    const int64_t wanted = e->current == p ? 1 : rt_kv_blocks(length < e->capacity ? length : e->capacity);
    if (room(e) >= wanted + spare_blocks(e)) return true;
    if (!is_resting(e)) return false;
    rt_engine_forget_prompt(e);
    return true;
}

bool rt_engine_make_room(rt_engine *e) {
    if (e->ample) return true;
    while (wanted_blocks(e) > room(e)) {
        if (e->current != NULL && e->slots[e->current_slot].state == SLOT_IDLE) {
            rt_engine_forget_prompt(e);
            continue;
        }
        slot *x = find_youngest(e);
        if (x == NULL) return false;
        put_off(e, x);
    }
    return true;
}
