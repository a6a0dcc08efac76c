#include "core/plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

retort_status rt_plan_begin(const char *command, const char *resident, const char *memory_limit, rt_plan *out,
                            retort_error *err) {
    *out = (rt_plan){.command = command, .memory = rt_memory_now()};
    if (memory_limit != NULL) RT_TRY(rt_size_parse(memory_limit, "memory_limit", &out->limit, err));
    rt_plan_add(out, RT_ALWAYS, (size_t)out->memory.resident, "%s", resident);
    return RETORT_OK;
}

retort_status rt_plan_elsewhere(rt_plan *plan, const retort_machine *machine, retort_error *err) {
    double bytes = 0;
    if (machine == NULL || machine->memory == NULL) return RETORT_OK;
    RT_TRY(rt_size_parse(machine->memory, "memory", &bytes, err));
    plan->memory.available = bytes - plan->memory.resident;
    plan->memory.source = "--memory";
    return RETORT_OK;
}

void rt_plan_add(rt_plan *plan, unsigned when, size_t bytes, const char *fmt, ...) {
    if (bytes == 0 || plan->num_parts == RT_PLAN_PARTS) return;
    rt_plan_part *part = &plan->parts[plan->num_parts++];
    va_list args;
    va_start(args, fmt);
    vsnprintf(part->name, sizeof part->name, fmt, args);
    va_end(args);
    part->bytes = bytes == SIZE_MAX ? INFINITY : (double)bytes;
    part->when = when;
}

static double sum(const rt_plan *plan, unsigned when) {
    double bytes = 0;
    for (int i = 0; i < plan->num_parts; i++) {
        if ((plan->parts[i].when & when) != 0) bytes += plan->parts[i].bytes;
    }
    return bytes;
}

double rt_plan_peak(const rt_plan *plan) {
    return fmax(sum(plan, RT_WHILE_PACKING), sum(plan, RT_WHILE_WORKING));
}

/* What the process may have in all. */
static double allowed(const rt_plan *plan, const char **source) {
    double machine = plan->memory.resident + plan->memory.available;
    bool own = plan->limit > 0 && plan->limit < machine;
    *source = own ? "memory_limit" : plan->memory.source;
    return own ? plan->limit : machine;
}

static bool fits(const rt_plan *plan) {
    const char *source;
    return rt_plan_peak(plan) <= allowed(plan, &source);
}

/* ---- for reading ---- */

retort_status rt_ceilings_text(const rt_ceilings *machine, rt_buffer *out, retort_error *err) {
    return rt_buffer_printf(out, err, "%d core%s of %.4g GFLOP/s%s, reading %.4g GB/s%s", machine->cores,
                            machine->cores == 1 ? "" : "s", machine->peak / 1e9,
                            machine->own_peak ? " (measured here)" : "", machine->bandwidth / 1e9,
                            machine->own_bandwidth ? " (measured here)" : "");
}

static void duration(double seconds, char *text, size_t size) {
    if (seconds < 1) {
        snprintf(text, size, "%.2g s", seconds);
    } else if (seconds < 100) {
        snprintf(text, size, "%.1f s", seconds);
    } else if (seconds < 6000) {
        snprintf(text, size, "%.0f min", seconds / 60);
    } else {
        snprintf(text, size, "%.1f h", seconds / 3600);
    }
}

static retort_status put_memory(const rt_plan *plan, rt_buffer *out, retort_error *err) {
    char size[16], most[16];
    const char *source;
    RT_TRY(rt_buffer_printf(out, err, "memory of %s\n", plan->command));
    for (int i = 0; i < plan->num_parts; i++) {
        const rt_plan_part *part = &plan->parts[i];
        const char *note = (part->when & RT_WHILE_WORKING) == 0 ? "  only at the beginning" : "";
        RT_TRY(rt_buffer_printf(out, err, "  %-46s %10s%s\n", part->name, rt_size_format(part->bytes, size), note));
    }
    double most_bytes = allowed(plan, &source);
    return rt_buffer_printf(out, err, "  %-46s %10s  of %s that %s allows%s\n", "peak",
                            rt_size_format(rt_plan_peak(plan), size), rt_size_format(most_bytes, most), source,
                            fits(plan) ? "" : ": does not fit");
}

static retort_status put_phase(const char *name, const char *bound, double tokens, double flops, double seconds,
                               rt_buffer *out, retort_error *err) {
    char time[24];
    if (tokens <= 0) return RETORT_OK;
    RT_TRY(rt_buffer_printf(out, err, "  %-10s %s%.4g tokens, %s%.3g FLOPs", name, bound, tokens, bound, flops));
    if (seconds > 0) {
        duration(seconds, time, sizeof time);
        RT_TRY(
            rt_buffer_printf(out, err, ", %s%s at the %.3g GFLOP/s measured now", bound, time, flops / seconds / 1e9));
    }
    return rt_buffer_puts(out, "\n", err);
}

/* "12 s of training (71 % products, 10 % attention, 19 % memory)" */
static retort_status put_cost(const char *name, const rt_cost *cost, const char *before, rt_buffer *out,
                              retort_error *err) {
    char time[24];
    const double seconds = rt_cost_seconds(cost);
    if (seconds <= 0) return RETORT_OK;
    duration(seconds, time, sizeof time);
    return rt_buffer_printf(out, err, "%s%s of %s (%.0f %% products, %.0f %% attention, %.0f %% memory)", before, time,
                            name, 100 * cost->products / seconds, 100 * cost->attention / seconds,
                            100 * cost->memory / seconds);
}

static retort_status put_prediction(const rt_plan *plan, rt_buffer *out, retort_error *err) {
    const rt_ceilings *m = &plan->machine;
    const bool trains = rt_cost_seconds(&plan->train_cost) > 0;
    if (m->cores <= 0 || rt_cost_seconds(&plan->train_cost) + rt_cost_seconds(&plan->sample_cost) <= 0)
        return RETORT_OK;
    RT_TRY(rt_buffer_printf(out, err, "  %-10s %s", "predicted", plan->at_most ? "up to " : ""));
    RT_TRY(put_cost("training", &plan->train_cost, "", out, err));
    RT_TRY(put_cost("sampling", &plan->sample_cost, trains ? ", " : "", out, err));
    RT_TRY(rt_buffer_puts(out, "\n             on ", err));
    RT_TRY(rt_ceilings_text(m, out, err));
    return rt_buffer_puts(out, "\n", err);
}

static retort_status put_work(const rt_plan *plan, rt_buffer *out, retort_error *err) {
    const char *bound = plan->at_most ? "up to " : "";
    char time[24];
    RT_TRY(rt_buffer_puts(out, "work", err));
    if (plan->steps > 0) RT_TRY(rt_buffer_printf(out, err, " of %.0f steps", plan->steps));
    if (plan->threads > 0) {
        RT_TRY(rt_buffer_printf(out, err, ", %d thread%s", plan->threads, plan->threads > 1 ? "s" : ""));
    }
    RT_TRY(rt_buffer_puts(out, "\n", err));
    RT_TRY(put_phase("training", bound, plan->trained_tokens, plan->train_flops, plan->train_seconds, out, err));
    RT_TRY(put_phase("sampling", bound, plan->generated_tokens, plan->sample_flops, plan->sample_seconds, out, err));
    double seconds = plan->train_seconds + plan->sample_seconds;
    if (seconds > 0) {
        duration(seconds, time, sizeof time);
        RT_TRY(rt_buffer_printf(out, err, "  %-10s %s%s here\n", "time", bound, time));
    }
    return put_prediction(plan, out, err);
}

retort_status rt_plan_text(const rt_plan *plan, rt_buffer *out, retort_error *err) {
    RT_TRY(put_memory(plan, out, err));
    return put_work(plan, out, err);
}

retort_status rt_plan_check(const rt_plan *plan, retort_error *err) {
    const char *source;
    char need[16], most[16];
    double bytes = allowed(plan, &source), peak = rt_plan_peak(plan);
    if (peak <= bytes) return RETORT_OK;
    rt_buffer text = {0};
    retort_status st = put_memory(plan, &text, err);
    if (st == RETORT_OK) {
        st = rt_fail(err, RETORT_ERR_USAGE,
                     "the run would need %s of memory, %s allows %s; nothing was started: take less per pass "
                     "(micro_batch_tokens, gradient_checkpointing, batch), or a larger machine, or say by "
                     "memory_limit what may be taken",
                     rt_size_format(peak, need), source, rt_size_format(bytes, most));
        rt_fail_detail(err, text.data);
    }
    rt_buffer_free(&text);
    return st;
}

/* ---- JSON ---- */

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static bool put_number(json_t *object, const char *key, double value) {
    return json_object_set_new(object, key, real_or_null(value)) == 0;
}

static json_t *cost_json(const rt_cost *cost) {
    return json_pack("{s:o, s:o, s:o, s:o}", "seconds", real_or_null(rt_cost_seconds(cost)), "products",
                     real_or_null(cost->products), "attention", real_or_null(cost->attention), "memory",
                     real_or_null(cost->memory));
}

json_t *rt_ceilings_json(const rt_ceilings *machine) {
    return json_pack("{s:i, s:o, s:o, s:b, s:b}", "cores", machine->cores, "peak_gflops",
                     real_or_null(machine->peak / 1e9), "bandwidth_gbs", real_or_null(machine->bandwidth / 1e9),
                     "peak_measured", machine->own_peak, "bandwidth_measured", machine->own_bandwidth);
}

/* What the ceilings promise beside what was measured. */
static bool put_predicted(json_t *object, const rt_plan *plan) {
    if (plan->machine.cores <= 0) return true;
    return json_object_set_new(object, "machine", rt_ceilings_json(&plan->machine)) == 0 &&
           json_object_set_new(object, "predicted",
                               json_pack("{s:o, s:o}", "train", cost_json(&plan->train_cost), "sample",
                                         cost_json(&plan->sample_cost))) == 0;
}

static json_t *parts_json(const rt_plan *plan) {
    json_t *list = json_array();
    for (int i = 0; i < plan->num_parts && list != NULL; i++) {
        const rt_plan_part *part = &plan->parts[i];
        json_t *one =
            json_pack("{s:s, s:o, s:b, s:b}", "name", part->name, "bytes", real_or_null(part->bytes), "packing",
                      (part->when & RT_WHILE_PACKING) != 0, "working", (part->when & RT_WHILE_WORKING) != 0);
        if (json_array_append_new(list, one) == 0) continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

retort_status rt_plan_json(const rt_plan *plan, json_t **out, retort_error *err) {
    const char *source;
    double most = allowed(plan, &source);
    json_t *object = json_object();
    bool made = object != NULL && json_object_set_new(object, "command", json_string(plan->command)) == 0 &&
                json_object_set_new(object, "memory", parts_json(plan)) == 0 &&
                put_number(object, "peak_bytes", rt_plan_peak(plan)) && put_number(object, "allowed_bytes", most) &&
                json_object_set_new(object, "allowed_by", json_string(source)) == 0 &&
                json_object_set_new(object, "fits", json_boolean(fits(plan))) == 0 &&
                put_number(object, "steps", plan->steps) &&
                put_number(object, "trained_tokens", plan->trained_tokens) &&
                put_number(object, "generated_tokens", plan->generated_tokens) &&
                put_number(object, "train_flops", plan->train_flops) &&
                put_number(object, "sample_flops", plan->sample_flops) &&
                put_number(object, "train_seconds", plan->train_seconds) &&
                put_number(object, "sample_seconds", plan->sample_seconds) &&
                json_object_set_new(object, "at_most", json_boolean(plan->at_most)) == 0 &&
                json_object_set_new(object, "threads", json_integer(plan->threads)) == 0 && put_predicted(object, plan);
    if (!made) {
        json_decref(object);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of a plan");
    }
    *out = object;
    return RETORT_OK;
}

/* ---- results ---- */

static retort_status line_of(const rt_plan *plan, const json_t *more, rt_buffer *out, retort_error *err) {
    json_t *object = NULL;
    RT_TRY(rt_plan_json(plan, &object, err));
    retort_status st = RETORT_OK;
    if (more != NULL && json_object_update(object, (json_t *)(uintptr_t)more) != 0) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of a plan");
    }
    if (st == RETORT_OK) st = rt_json_dump(object, JSON_COMPACT, out, err);
    if (st == RETORT_OK) st = rt_buffer_puts(out, "\n", err);
    json_decref(object);
    return st;
}

retort_status rt_plan_result(const rt_plan *plan, bool json, const json_t *more, char **out, size_t *length,
                             retort_error *err) {
    rt_buffer text = {0};
    *out = NULL;
    retort_status st = json ? line_of(plan, more, &text, err) : rt_plan_text(plan, &text, err);
    if (st != RETORT_OK) {
        rt_buffer_free(&text);
        return st;
    }
    *out = text.data;
    *length = text.length;
    st = rt_plan_check(plan, err);
    if (st != RETORT_OK && err != NULL) err->detail[0] = '\0'; /* the table stands in the result */
    return st;
}
