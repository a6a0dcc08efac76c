#include "text/split.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "text/bytes.h"
#include "text/unicode.h"
#include "text/words.h"

enum { MAX_STAGES = 8, MAX_PATTERN = 1 << 16, MATCH_LIMIT = 1000000 };

const char *const RT_SPLIT_GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

struct rt_splitter {
    pcre2_general_context *memory; /* PCRE2's allocations go through rt_malloc */
    pcre2_match_context *limits;
    const uint8_t *bits; /* rt_unicode_bits() */
    struct {
        rt_matcher matcher; /* NULL: code */
        pcre2_code *code;
        bool invert;
        rt_split_behavior behavior;
    } stages[MAX_STAGES];
    int num_stages;
};

static void *pcre2_allocate(size_t size, void *unused) {
    (void)unused;
    return rt_malloc(size);
}

static void pcre2_release(void *block, void *unused) {
    (void)unused;
    rt_free(block);
}

retort_status rt_splitter_create(rt_splitter **out, retort_error *err) {
    rt_splitter *splitter = rt_calloc(1, sizeof *splitter);
    RT_CHECK(splitter != NULL, err, RETORT_ERR_MEMORY, "out of memory: pre-tokenizer");
    splitter->bits = rt_unicode_bits();
    splitter->memory = pcre2_general_context_create(pcre2_allocate, pcre2_release, NULL);
    if (splitter->memory != NULL) splitter->limits = pcre2_match_context_create(splitter->memory);
    if (splitter->limits == NULL) {
        rt_splitter_destroy(splitter);
        return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: pre-tokenizer");
    }
    pcre2_set_match_limit(splitter->limits, MATCH_LIMIT);
    *out = splitter;
    return RETORT_OK;
}

void rt_splitter_destroy(rt_splitter *splitter) {
    if (splitter == NULL) return;
    for (int i = 0; i < splitter->num_stages; i++) pcre2_code_free(splitter->stages[i].code);
    pcre2_match_context_free(splitter->limits);
    pcre2_general_context_free(splitter->memory);
    rt_free(splitter);
}

/* \p{L} and the like, with the members that an older PCRE2 lacks. A negated category inside a class cannot be had so;
 * it keeps PCRE2's members. */
static retort_status put_category(const char *escape, size_t size, bool in_class, rt_buffer *out, retort_error *err) {
    const char *newer = size == 5 ? rt_unicode_newer(escape[3]) : NULL;
    bool negated = escape[1] == 'P';
    if (newer == NULL || (negated && in_class)) return rt_buffer_append(out, escape, size, err);
    if (in_class) return rt_buffer_printf(out, err, "\\p{%c}%s", escape[3], newer);
    return rt_buffer_printf(out, err, "[%s\\p{%c}%s]", negated ? "^" : "", escape[3], newer);
}

/* Copies one escape (pattern[i] is the backslash) and returns its length; 0 if it is not one that both engines read
 * alike. Letters other than these mean different things in the two (\h, \w, \b, \z, ...). */
static size_t translate_escape(const char *pattern, size_t length, size_t i, bool in_class, rt_buffer *out,
                               retort_error *err, retort_status *st) {
    char c = i + 1 < length ? pattern[i + 1] : '\0';
    if (c == 's' || c == 'S') {
        *st = rt_buffer_puts(out, c == 's' ? "\\p{White_Space}" : "\\P{White_Space}", err);
        return 2;
    }
    size_t size = 0;
    if (strchr("rntfd", c) != NULL && c != '\0') size = 2;
    if (c != '\0' && strchr(".|()[]{}*+?^$\\/-'\"", c) != NULL) size = 2;
    if ((c == 'p' || c == 'P') && i + 2 < length && pattern[i + 2] == '{') {
        const char *close = memchr(pattern + i, '}', length - i);
        if (close == NULL) return 0;
        size = (size_t)(close - (pattern + i)) + 1;
        *st = put_category(pattern + i, size, in_class, out, err);
        return size;
    }
    if (size > 0) *st = rt_buffer_append(out, pattern + i, size, err);
    return size;
}

/* Constructs that the two engines read differently, or that no pre-tokenizer needs: Ruby's nested and intersected
 * classes, its line-wise ^ and $, {,n}, {n}+ (possessive in PCRE2 only), options other than (?i:...), verbs. */
static bool construct_supported(const char *at, bool in_class) {
    if (in_class) return at[0] != '[' && !(at[0] == '&' && at[1] == '&');
    switch (at[0]) {
    case '^':
    case '$': return false;
    case '[': return at[1] != ']' && !(at[1] == '^' && at[2] == ']');
    case '{': return at[1] != ',';
    case '}': return at[1] != '+';
    case '(':
        if (at[1] == '*') return false;
        if (at[1] != '?') return true;
        if (at[2] == 'i') return at[3] == ':';
        if (at[2] == '<') return at[3] == '=' || at[3] == '!';
        return at[2] == ':' || at[2] == '=' || at[2] == '!' || at[2] == '>';
    default: return true;
    }
}

static retort_status translate_pattern(const char *pattern, rt_buffer *out, retort_error *err) {
    size_t length = strlen(pattern);
    bool in_class = false;
    for (size_t i = 0; i < length;) {
        char c = pattern[i];
        if (c == '\\') {
            retort_status st = RETORT_OK;
            size_t size = translate_escape(pattern, length, i, in_class, out, err, &st);
            RT_TRY(st);
            RT_CHECK(size > 0, err, RETORT_ERR_UNSUPPORTED,
                     "pre-tokenizer pattern '%.200s' uses an escape that is not supported at byte %zu", pattern, i);
            i += size;
            continue;
        }
        RT_CHECK(construct_supported(pattern + i, in_class), err, RETORT_ERR_UNSUPPORTED,
                 "pre-tokenizer pattern '%.200s' uses a construct that is not supported at byte %zu", pattern, i);
        RT_TRY(rt_buffer_append(out, &c, 1, err));
        if (!in_class && c == '[') {
            in_class = true;
        } else if (c == ']') {
            in_class = false;
        }
        i++;
    }
    return RETORT_OK;
}

static retort_status compile(const rt_splitter *splitter, const rt_split_stage *stage, pcre2_code **out,
                             retort_error *err) {
    rt_buffer translated = {0};
    retort_status st = stage->literal ? rt_buffer_puts(&translated, stage->pattern, err)
                                      : translate_pattern(stage->pattern, &translated, err);
    pcre2_compile_context *context = NULL;
    if (st != RETORT_OK) goto done;
    context = pcre2_compile_context_create(splitter->memory);
    if (context == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: pre-tokenizer pattern");
        goto done;
    }
    int number;
    PCRE2_SIZE offset;
    uint32_t options = stage->literal ? PCRE2_UTF | PCRE2_LITERAL : PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
    *out = pcre2_compile((PCRE2_SPTR)translated.data, translated.length, options, &number, &offset, context);
    if (*out == NULL) {
        char reason[128];
        pcre2_get_error_message(number, (PCRE2_UCHAR *)reason, sizeof reason);
        bool memory = number == PCRE2_ERROR_HEAP_FAILED;
        st = rt_fail(err, memory ? RETORT_ERR_MEMORY : RETORT_ERR_FORMAT,
                     "pre-tokenizer pattern '%.200s' cannot be compiled: %s", stage->pattern, reason);
    }
done:
    pcre2_compile_context_free(context);
    rt_buffer_free(&translated);
    return st;
}

static retort_status compile_checked(const rt_splitter *splitter, const rt_split_stage *stage, pcre2_code **out,
                                     retort_error *err) {
    pcre2_code *code = NULL;
    RT_TRY(compile(splitter, stage, &code, err));
    uint32_t empty = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
    if (empty != 0) {
        pcre2_code_free(code);
        return rt_fail(err, RETORT_ERR_UNSUPPORTED, "pre-tokenizer pattern '%.200s' can match nothing", stage->pattern);
    }
    /* Without JIT (a hardened kernel, an exotic processor) the interpreter gives the same pieces. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    *out = code;
    return RETORT_OK;
}

retort_status rt_splitter_add(rt_splitter *splitter, const rt_split_stage *stage, retort_error *err) {
    RT_CHECK(splitter->num_stages < MAX_STAGES, err, RETORT_ERR_UNSUPPORTED, "pre-tokenizer has more than %d patterns",
             MAX_STAGES);
    RT_CHECK(strlen(stage->pattern) < MAX_PATTERN, err, RETORT_ERR_UNSUPPORTED,
             "pre-tokenizer pattern is longer than %d bytes", MAX_PATTERN);
    RT_CHECK(stage->pattern[0] != '\0', err, RETORT_ERR_UNSUPPORTED, "pre-tokenizer pattern is empty");
    rt_matcher matcher = stage->literal || stage->plain ? NULL : rt_matcher_find(stage->pattern);
    pcre2_code *code = NULL;
    if (matcher == NULL) RT_TRY(compile_checked(splitter, stage, &code, err));
    int last = splitter->num_stages++;
    splitter->stages[last].matcher = matcher;
    splitter->stages[last].code = code;
    splitter->stages[last].invert = stage->invert;
    splitter->stages[last].behavior = stage->behavior;
    return RETORT_OK;
}

int rt_splitter_stages(const rt_splitter *splitter) {
    return splitter->num_stages;
}

typedef struct split_run {
    const rt_splitter *splitter;
    pcre2_match_data *match[MAX_STAGES];
    rt_piece_visitor visit;
    void *context;
} split_run;

static retort_status find_match(const split_run *run, int stage, const char *text, size_t length, size_t from,
                                size_t *begin, size_t *end, retort_error *err) {
    if (run->splitter->stages[stage].matcher != NULL) {
        rt_subject whole = {.text = (const uint8_t *)text, .length = length, .bits = run->splitter->bits};
        run->splitter->stages[stage].matcher(&whole, from, begin, end);
        return RETORT_OK;
    }
    const pcre2_code *code = run->splitter->stages[stage].code;
    PCRE2_SPTR subject = (PCRE2_SPTR)text;
    pcre2_match_data *data = run->match[stage];
    int rc = pcre2_match(code, subject, length, from, PCRE2_NO_UTF_CHECK, data, run->splitter->limits);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
        rc = pcre2_match(code, subject, length, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, run->splitter->limits);
    }
    if (rc == PCRE2_ERROR_NOMATCH) {
        *begin = *end = length;
        return RETORT_OK;
    }
    RT_CHECK(rc != PCRE2_ERROR_NOMEMORY, err, RETORT_ERR_MEMORY, "out of memory: splitting text into words");
    RT_CHECK(rc > 0, err, RETORT_ERR_UNSUPPORTED, "pre-tokenizer pattern is too costly on this text (pcre2 error %d)",
             rc);
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(data);
    *begin = bounds[0];
    *end = bounds[1];
    /* \K is refused and lookbehind cannot move the start, so this holds; a loop that trusts it must not hang. */
    RT_CHECK(*begin >= from && *end > *begin && *end <= length, err, RETORT_ERR_UNSUPPORTED,
             "pre-tokenizer pattern matched nothing at byte %zu", from);
    return RETORT_OK;
}

static retort_status split_stage(const split_run *run, int stage, const char *text, size_t length, retort_error *err);

/* A stage other than ISOLATED: the piece that the next part may still be joined to. */
typedef struct joining {
    const split_run *run;
    int stage;
    const char *text;
    size_t begin, end; /* the piece; empty: none yet */
    bool match;        /* whether the last part was a match */
} joining;

static retort_status flush(joining *j, retort_error *err) {
    RT_TRY(split_stage(j->run, j->stage + 1, j->text + j->begin, j->end - j->begin, err));
    j->begin = j->end;
    return RETORT_OK;
}

/* Takes the next part of the text, a match or what lies between two. */
static retort_status join_part(joining *j, size_t begin, size_t end, bool match, retort_error *err) {
    if (begin == end) return RETORT_OK;
    rt_split_behavior behavior = j->run->splitter->stages[j->stage].behavior;
    if (j->run->splitter->stages[j->stage].invert) match = !match;
    bool first = j->begin == j->end, joined = false;
    if (behavior == RT_SPLIT_CONTIGUOUS) joined = match == j->match;
    if (behavior == RT_SPLIT_TO_PREVIOUS) joined = match && !j->match;
    if (behavior == RT_SPLIT_TO_NEXT) joined = !match && j->match;
    if (!joined || first) {
        RT_TRY(flush(j, err));
        j->begin = begin;
    }
    j->end = end;
    j->match = match;
    if (behavior == RT_SPLIT_REMOVED && match) j->begin = end;
    return RETORT_OK;
}

static retort_status split_joining(const split_run *run, int stage, const char *text, size_t length,
                                   retort_error *err) {
    joining j = {.run = run, .stage = stage, .text = text};
    for (size_t done = 0; done < length;) {
        size_t begin = 0, end = 0;
        RT_TRY(find_match(run, stage, text, length, done, &begin, &end, err));
        RT_TRY(join_part(&j, done, begin, false, err));
        RT_TRY(join_part(&j, begin, end, true, err));
        done = end;
    }
    return flush(&j, err);
}

/* text is valid UTF-8. Recursion is at most MAX_STAGES deep. */
static retort_status split_stage(const split_run *run, int stage, const char *text, size_t length, retort_error *err) {
    if (length == 0) return RETORT_OK;
    if (stage == run->splitter->num_stages) return run->visit(run->context, text, length, err);
    if (run->splitter->stages[stage].behavior != RT_SPLIT_ISOLATED) return split_joining(run, stage, text, length, err);
    for (size_t done = 0; done < length;) {
        size_t begin = 0, end = 0;
        RT_TRY(find_match(run, stage, text, length, done, &begin, &end, err));
        RT_TRY(split_stage(run, stage + 1, text + done, begin - done, err));
        RT_TRY(split_stage(run, stage + 1, text + begin, end - begin, err));
        done = end;
    }
    return RETORT_OK;
}

static size_t valid_run(const char *text, size_t length) {
    size_t done = 0;
    while (done < length) {
        done += rt_ascii_run(text + done, length - done);
        if (done == length) break;
        int size = rt_utf8_char(text + done, length - done, NULL);
        if (size == 0) break;
        done += (size_t)size;
    }
    return done;
}

retort_status rt_splitter_run(const rt_splitter *splitter, const char *text, size_t length, rt_piece_visitor visit,
                              void *context, retort_error *err) {
    split_run run = {.splitter = splitter, .visit = visit, .context = context};
    retort_status st = RETORT_OK;
    if (splitter->num_stages == 0) return length > 0 ? visit(context, text, length, err) : RETORT_OK;
    for (int i = 0; i < splitter->num_stages; i++) {
        if (splitter->stages[i].matcher != NULL) continue;
        run.match[i] = pcre2_match_data_create(1, splitter->memory);
        if (run.match[i] == NULL) {
            st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: splitting text into words");
            goto done;
        }
    }
    for (size_t i = 0; i < length;) {
        size_t valid = valid_run(text + i, length - i);
        RT_GOTO(st, split_stage(&run, 0, text + i, valid, err), done);
        i += valid;
        if (i < length) RT_GOTO(st, visit(context, text + i++, 1, err), done);
    }
done:
    for (int i = 0; i < splitter->num_stages; i++) pcre2_match_data_free(run.match[i]);
    return st;
}
