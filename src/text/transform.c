#include "text/transform.h"

#include <string.h>

#include "text/nfc.h"

enum { MAX_KEPT = 1 << 20 };

retort_status rt_transforms_add(rt_transforms *transforms, rt_transform_kind kind, const char *from, const char *to,
                                bool only_at_start, retort_error *err) {
    RT_CHECK(transforms->count < RT_MAX_TRANSFORMS, err, RETORT_ERR_UNSUPPORTED,
             "normalizer has more than %d steps, which is not supported", RT_MAX_TRANSFORMS);
    rt_transform *t = &transforms->step[transforms->count++];
    *t = (rt_transform){.kind = kind, .only_at_start = only_at_start};
    if (from != NULL) t->from = rt_strdup(from);
    if (to != NULL) t->to = rt_strdup(to);
    RT_CHECK((from == NULL || t->from != NULL) && (to == NULL || t->to != NULL), err, RETORT_ERR_MEMORY,
             "out of memory: normalizer");
    return RETORT_OK;
}

void rt_transforms_free(rt_transforms *transforms) {
    for (int i = 0; i < transforms->count; i++) {
        rt_free(transforms->step[i].from);
        rt_free(transforms->step[i].to);
    }
    *transforms = (rt_transforms){0};
}

/* ---- views ---- */

rt_view rt_view_part(const rt_view *view, size_t begin, size_t end) {
    rt_view part = *view;
    part.text += begin;
    part.length = end - begin;
    if (part.begin != NULL) {
        part.begin += begin;
        part.end += begin;
    } else {
        part.base += begin;
    }
    return part;
}

void rt_view_span(const rt_view *view, size_t begin, size_t end, size_t *first, size_t *last) {
    if (view->begin == NULL) {
        *first = view->base + begin;
        *last = view->base + end;
        return;
    }
    if (begin < view->length) {
        *first = view->begin[begin];
    } else {
        *first = begin > 0 ? view->end[begin - 1] : 0;
    }
    *last = end > begin ? view->end[end - 1] : *first;
}

void rt_transformed_free(rt_transformed *memory) {
    for (int i = 0; i < 2; i++) {
        rt_buffer_free(&memory->side[i].text);
        rt_free(memory->side[i].begin);
        rt_free(memory->side[i].end);
    }
    *memory = (rt_transformed){0};
}

void rt_transformed_trim(rt_transformed *memory) {
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        size += memory->side[i].text.capacity + memory->side[i].capacity * 2 * sizeof *memory->side[i].begin;
    }
    if (size > MAX_KEPT) rt_transformed_free(memory);
}

/* ---- one step ---- */

/* What a step reads and where it writes. */
typedef struct step_run {
    const rt_transform *step;
    rt_view in;
    rt_transformed *memory;
    int side;
    bool spans, at_start;
} step_run;

/* Notes that the bytes from `from` on, to the end of the output, come from [first, last). */
static retort_status note(step_run *r, size_t from, size_t first, size_t last, retort_error *err) {
    if (!r->spans) return RETORT_OK;
    size_t length = r->memory->side[r->side].text.length;
    if (length > r->memory->side[r->side].capacity) {
        size_t capacity = length * 2;
        size_t *begin = rt_realloc_array(r->memory->side[r->side].begin, capacity, sizeof *begin);
        if (begin != NULL) r->memory->side[r->side].begin = begin;
        size_t *end = rt_realloc_array(r->memory->side[r->side].end, capacity, sizeof *end);
        if (end != NULL) r->memory->side[r->side].end = end;
        RT_CHECK(begin != NULL && end != NULL, err, RETORT_ERR_MEMORY, "out of memory: spans of %zu bytes", length);
        r->memory->side[r->side].capacity = capacity;
    }
    for (size_t i = from; i < length; i++) {
        r->memory->side[r->side].begin[i] = first;
        r->memory->side[r->side].end[i] = last;
    }
    return RETORT_OK;
}

static retort_status keep(step_run *r, size_t begin, size_t end, retort_error *err) {
    rt_buffer *out = &r->memory->side[r->side].text;
    if (!r->spans) return rt_buffer_append(out, r->in.text + begin, end - begin, err);
    for (size_t i = begin; i < end; i++) {
        size_t first, last, at = out->length;
        RT_TRY(rt_buffer_append(out, r->in.text + i, 1, err));
        rt_view_span(&r->in, i, i + 1, &first, &last);
        RT_TRY(note(r, at, first, last, err));
    }
    return RETORT_OK;
}

/* Writes `text` for the input's bytes [begin, end). */
static retort_status put(step_run *r, const char *text, size_t begin, size_t end, retort_error *err) {
    rt_buffer *out = &r->memory->side[r->side].text;
    size_t first = 0, last = 0, at = out->length;
    RT_TRY(rt_buffer_puts(out, text, err));
    rt_view_span(&r->in, begin, end, &first, &last);
    return note(r, at, first, last, err);
}

static retort_status run_nfc(step_run *r, bool *changed, retort_error *err) {
    rt_buffer *out = &r->memory->side[r->side].text;
    size_t length = r->in.length, done = 0, at = rt_nfc_next(r->in.text, length, 0);
    *changed = at < length;
    while (*changed && at < length) {
        size_t end = rt_nfc_stretch(r->in.text, length, at), from, first, last;
        RT_TRY(keep(r, done, at, err));
        from = out->length;
        RT_TRY(rt_nfc_append(r->in.text + at, end - at, out, err));
        rt_view_span(&r->in, at, end, &first, &last);
        RT_TRY(note(r, from, first, last, err));
        done = end;
        at = rt_nfc_next(r->in.text, length, end);
    }
    return *changed ? keep(r, done, length, err) : RETORT_OK;
}

static retort_status run_prepend(step_run *r, bool *changed, retort_error *err) {
    const char *to = r->step->to;
    bool there = r->in.length >= strlen(to) && memcmp(r->in.text, to, strlen(to)) == 0;
    *changed = r->in.length > 0;
    if (r->step->kind == RT_TRANSFORM_ENSURE) {
        *changed = *changed && !there && (r->at_start || !r->step->only_at_start);
    }
    if (!*changed) return RETORT_OK;
    RT_TRY(put(r, to, 0, 0, err));
    return keep(r, 0, r->in.length, err);
}

static retort_status run_replace(step_run *r, bool *changed, retort_error *err) {
    const char *from = r->step->from, *text = r->in.text;
    size_t width = strlen(from), done = 0;
    const char *at = r->in.length > 0 ? memmem(text, r->in.length, from, width) : NULL;
    *changed = at != NULL;
    while (at != NULL) {
        size_t begin = (size_t)(at - text);
        RT_TRY(keep(r, done, begin, err));
        RT_TRY(put(r, r->step->to, begin, begin + width, err));
        done = begin + width;
        at = memmem(text + done, r->in.length - done, from, width);
    }
    return *changed ? keep(r, done, r->in.length, err) : RETORT_OK;
}

retort_status rt_transforms_run(const rt_transforms *transforms, const rt_view *in, bool at_start, bool spans,
                                rt_transformed *memory, rt_view *out, retort_error *err) {
    step_run r = {.in = *in, .memory = memory, .spans = spans, .at_start = at_start};
    for (int i = 0; i < transforms->count; i++) {
        r.step = &transforms->step[i];
        rt_buffer_clear(&memory->side[r.side].text);
        bool changed = false;
        switch (r.step->kind) {
        case RT_TRANSFORM_NFC: RT_TRY(run_nfc(&r, &changed, err)); break;
        case RT_TRANSFORM_PREPEND:
        case RT_TRANSFORM_ENSURE: RT_TRY(run_prepend(&r, &changed, err)); break;
        case RT_TRANSFORM_REPLACE: RT_TRY(run_replace(&r, &changed, err)); break;
        }
        if (!changed) continue;
        r.in = (rt_view){.text = memory->side[r.side].text.data, .length = memory->side[r.side].text.length};
        if (r.in.text == NULL) r.in.text = "";
        if (spans) {
            r.in.begin = memory->side[r.side].begin;
            r.in.end = memory->side[r.side].end;
        }
        r.side = 1 - r.side;
    }
    *out = r.in;
    return RETORT_OK;
}
