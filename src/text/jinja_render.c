/* Statements, and the two entry points. */
#include <string.h>

#include "text/jinja_internal.h"

const rt_jinja_limits RT_JINJA_LIMITS = {.steps = 20000000, .output = (size_t)64 << 20, .memory = (size_t)512 << 20};

/* How a statement ended. */
enum { GO_ON, BREAK, CONTINUE };

static retort_status emit(jj_run *run, const char *data, size_t length) {
    run->written += length;
    if (run->written > run->limits->output) {
        return jj_fail(run, RETORT_ERR_UNSUPPORTED, "the template writes more than %zu MiB", run->limits->output >> 20);
    }
    return length > 0 ? rt_buffer_append(run->out, data, length, run->err) : RETORT_OK;
}

static retort_status print(jj_run *run, const jj_value *value) {
    jj_text text;
    RT_TRY(jj_to_str(run, value, &text));
    return emit(run, text.data, text.length);
}

static retort_status assign(jj_run *run, jj_scope *scope, const jj_node *target, const jj_value *value) {
    if (target->kind == JJ_VARIABLE) return jj_define(run, scope, target->text, value);
    if (target->kind == JJ_ATTRIBUTE) {
        const jj_variable *v = jj_find(scope, target->a->text);
        if (v == NULL || v->value.type != JJ_NAMESPACE) {
            return jj_fail(run, RETORT_ERR_USAGE, "'%.*s' is no namespace, so its members cannot be set",
                           JJ_MESSAGE_TEXT(target->a->text));
        }
        jj_value key = jj_string(target->text.data, target->text.length);
        return jj_mapping_set(run, v->value.as.mapping, &key, value);
    }
    jj_value items = {0};
    size_t count = 0, wanted = 0;
    RT_TRY(jj_iterate(run, value, &items));
    for (const jj_node *i = target->items; i != NULL; i = i->next) wanted++;
    if (wanted != items.as.array->count) {
        return jj_fail(run, RETORT_ERR_USAGE, "%zu values cannot be taken apart into %zu names", items.as.array->count,
                       wanted);
    }
    for (const jj_node *i = target->items; i != NULL; i = i->next) {
        RT_TRY(assign(run, scope, i, &items.as.array->items[count++]));
    }
    return RETORT_OK;
}

/* The text that a body writes, instead of writing it. */
static retort_status capture(jj_run *run, jj_scope *scope, const jj_node *body, jj_value *out) {
    rt_buffer text = {0}, *before = run->out;
    int jump = GO_ON;
    run->out = &text;
    retort_status st = jj_execute(run, scope, body, &jump);
    run->out = before;
    if (st == RETORT_OK) st = jj_new_string(run, text.data, text.length, out);
    rt_buffer_free(&text);
    return st;
}

static retort_status set(jj_run *run, jj_scope *scope, const jj_node *node) {
    jj_value value = {0};
    if (node->b != NULL) {
        RT_TRY(jj_eval(run, scope, node->b, &value));
    } else {
        jj_scope inner = {.parent = scope};
        RT_TRY(capture(run, &inner, node->d, &value));
        RT_TRY(jj_define(run, &inner, (jj_text){" captured", 9}, &value));
        RT_TRY(jj_eval(run, &inner, node->c, &value));
    }
    run->line = node->line;
    return assign(run, scope, node->a, &value);
}

/* ---- loops ---- */

/* The items that the loop's condition keeps. */
static retort_status keep_items(jj_run *run, jj_scope *scope, const jj_node *node, jj_value *items) {
    if (node->c == NULL) return RETORT_OK;
    jj_value kept = {0};
    size_t count = 0;
    RT_TRY(jj_new_array(run, items->as.array->count, false, &kept));
    for (size_t i = 0; i < items->as.array->count; i++) {
        jj_scope inner = {.parent = scope};
        jj_value holds = {0};
        RT_TRY(assign(run, &inner, node->a, &items->as.array->items[i]));
        RT_TRY(jj_eval(run, &inner, node->c, &holds));
        if (jj_truth(&holds)) kept.as.array->items[count++] = items->as.array->items[i];
    }
    kept.as.array->count = count;
    *items = kept;
    return RETORT_OK;
}

static retort_status run_loop(jj_run *run, jj_scope *scope, const jj_node *node, int *jump) {
    jj_value over = {0}, items = {0};
    RT_TRY(jj_eval(run, scope, node->b, &over));
    run->line = node->line;
    RT_TRY(jj_iterate(run, &over, &items));
    RT_TRY(keep_items(run, scope, node, &items));
    if (items.as.array->count == 0) return node->e != NULL ? jj_execute(run, scope, node->e, jump) : RETORT_OK;
    jj_loop *loop = jj_alloc(&run->arena, 1, sizeof *loop, run->err);
    if (loop == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    loop->items = items.as.array;
    jj_value value = {.type = JJ_LOOP, .as.loop = loop};
    for (size_t i = 0; i < items.as.array->count; i++) {
        jj_scope *inner = jj_alloc(&run->arena, 1, sizeof *inner, run->err); /* a macro may keep it */
        if (inner == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
        int end = GO_ON;
        inner->parent = scope;
        loop->index = i;
        RT_TRY(assign(run, inner, node->a, &items.as.array->items[i]));
        RT_TRY(jj_define(run, inner, (jj_text){"loop", 4}, &value));
        RT_TRY(jj_execute(run, inner, node->d, &end));
        if (end == BREAK) break;
    }
    return RETORT_OK;
}

/* ---- macros ---- */

static retort_status define_macro(jj_run *run, jj_scope *scope, const jj_node *node) {
    jj_closure *closure = jj_alloc(&run->arena, 1, sizeof *closure, run->err);
    if (closure == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    *closure = (jj_closure){node, scope};
    jj_value value = {.type = JJ_CALLABLE, .as.closure = closure};
    return jj_define(run, scope, node->text, &value);
}

static retort_status bind(jj_run *run, jj_scope *scope, const jj_node *macro, const jj_arguments *arguments) {
    int place = 0, used = 0;
    for (const jj_node *p = macro->items; p != NULL; p = p->next, place++) {
        const jj_value *given = place < arguments->num_plain ? &arguments->plain[place] : NULL;
        for (int i = 0; i < arguments->num_named && given == NULL; i++) {
            jj_text name = arguments->names[i];
            if (name.length == p->text.length && memcmp(name.data, p->text.data, name.length) == 0) {
                given = &arguments->named[i];
                used++;
            }
        }
        jj_value value = jj_undefined(p->text);
        if (given != NULL) {
            value = *given;
        } else if (p->a != NULL) {
            RT_TRY(jj_eval(run, scope, p->a, &value));
        }
        RT_TRY(jj_define(run, scope, p->text, &value));
    }
    if (arguments->num_plain > place || arguments->num_named > used) {
        return jj_fail(run, RETORT_ERR_USAGE, "macro '%.*s' is given arguments it does not take",
                       JJ_MESSAGE_TEXT(macro->text));
    }
    return RETORT_OK;
}

retort_status jj_call_macro(jj_run *run, const jj_closure *closure, const jj_arguments *arguments, jj_value *out) {
    jj_scope *scope = jj_alloc(&run->arena, 1, sizeof *scope, run->err);
    if (scope == NULL) return run->err != NULL ? run->err->code : RETORT_ERR_MEMORY;
    scope->parent = closure->scope;
    RT_TRY(bind(run, scope, closure->macro, arguments));
    return capture(run, scope, closure->macro->d, out);
}

/* ---- statements ---- */

static retort_status execute_items(jj_run *run, jj_scope *scope, const jj_node *node, int *jump) {
    for (const jj_node *i = node->items; i != NULL && *jump == GO_ON; i = i->next) {
        RT_TRY(jj_execute(run, scope, i, jump));
    }
    return RETORT_OK;
}

static retort_status execute_node(jj_run *run, jj_scope *scope, const jj_node *node, int *jump) {
    jj_value value = {0};
    switch (node->kind) {
    case JJ_TEXT: return emit(run, node->text.data, node->text.length);
    case JJ_PRINT:
        RT_TRY(jj_eval(run, scope, node->a, &value));
        run->line = node->line;
        return print(run, &value);
    case JJ_IF:
        RT_TRY(jj_eval(run, scope, node->a, &value));
        if (jj_truth(&value)) return jj_execute(run, scope, node->b, jump);
        return node->c != NULL ? jj_execute(run, scope, node->c, jump) : RETORT_OK;
    case JJ_FOR: return run_loop(run, scope, node, jump);
    case JJ_SET: return set(run, scope, node);
    case JJ_MACRO: return define_macro(run, scope, node);
    case JJ_BREAK: *jump = BREAK; return RETORT_OK;
    case JJ_CONTINUE: *jump = CONTINUE; return RETORT_OK;
    default: return execute_items(run, scope, node, jump);
    }
}

retort_status jj_execute(jj_run *run, jj_scope *scope, const jj_node *node, int *jump) {
    RT_TRY(jj_count_step(run, node));
    run->depth++;
    retort_status st = execute_node(run, scope, node, jump);
    run->depth--;
    return st;
}

/* ---- entry points ---- */

retort_status rt_jinja_compile(const char *name, const char *text, size_t length, rt_jinja **out, retort_error *err) {
    enum { MAX_TEMPLATE = 1 << 22 };
    RT_CHECK(length <= MAX_TEMPLATE, err, RETORT_ERR_UNSUPPORTED, "%s is longer than %d MiB", name, MAX_TEMPLATE >> 20);
    rt_jinja *jinja = rt_calloc(1, sizeof *jinja);
    RT_CHECK(jinja != NULL, err, RETORT_ERR_MEMORY, "out of memory: %s", name);
    jj_tokens tokens = {0};
    retort_error local = {0};
    if (err == NULL) err = &local;
    retort_status st = RETORT_OK;
    jinja->name = rt_strdup(name);
    if (jinja->name == NULL) st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: template");
    if (st == RETORT_OK) st = jj_lex(text, length, &jinja->arena, &tokens, err);
    if (st == RETORT_OK) st = jj_parse(&tokens, &jinja->arena, &jinja->root, err);
    rt_free(tokens.data);
    if (st != RETORT_OK) {
        rt_jinja_destroy(jinja);
        return rt_fail_context(err, err->code, "%s", name);
    }
    *out = jinja;
    return RETORT_OK;
}

void rt_jinja_destroy(rt_jinja *jinja) {
    if (jinja == NULL) return;
    jj_arena_free(&jinja->arena);
    rt_free(jinja->name);
    rt_free(jinja);
}

static retort_status define_context(jj_run *run, jj_scope *globals) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)run->context, key, value) {
        jj_value one = {0};
        RT_TRY(jj_from_json(run, value, 0, &one));
        RT_TRY(jj_define(run, globals, (jj_text){key, strlen(key)}, &one));
    }
    return RETORT_OK;
}

retort_status rt_jinja_render(const rt_jinja *jinja, const json_t *context, time_t now, const rt_jinja_limits *limits,
                              rt_buffer *out, retort_error *err) {
    retort_error local = {0};
    rt_buffer text = {0};
    jj_run run = {.limits = limits, .context = context, .now = now, .out = &text, .err = &local, .line = 1};
    jj_scope globals = {0}, top = {.parent = &globals};
    int jump = GO_ON;
    run.arena.maximum = limits->memory;
    retort_status st = define_context(&run, &globals);
    if (st == RETORT_OK) st = jj_execute(&run, &top, jinja->root, &jump);
    jj_arena_free(&run.arena);
    if (st == RETORT_OK && text.length > 0) st = rt_buffer_append(out, text.data, text.length, &local);
    rt_buffer_free(&text);
    if (st == RETORT_OK) return RETORT_OK;
    return rt_fail(err, local.code, "%s: %s", jinja->name, local.message);
}
