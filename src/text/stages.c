/* tokenizer.json's stages around the model. Each reader knows the members of its component; what it does not know is an
 * error with the component's name. */
#include <string.h>

#include "text/bytes.h"
#include "text/internal.h"
#include "text/unicode.h"

typedef struct component {
    const char *type;
    retort_status (*read)(rt_tokenizer *t, const json_t *object, retort_error *err);
} component;

enum { MAX_STEPS = 32 };

/* Reads a component by its type, or the members of a Sequence (its list has the name `list`). */
static retort_status read_components(rt_tokenizer *t, const json_t *object, const char *kind, const char *list,
                                     const component *known, retort_error *err) {
    const char *type = json_string_value(json_object_get(object, "type"));
    RT_CHECK(type != NULL, err, RETORT_ERR_FORMAT, "%s has no 'type'", kind);
    if (strcmp(type, "Sequence") == 0) {
        const json_t *steps = json_object_get(object, list);
        RT_CHECK(json_is_array(steps), err, RETORT_ERR_FORMAT, "%s 'Sequence' has no list '%s'", kind, list);
        RT_CHECK(json_array_size(steps) <= MAX_STEPS, err, RETORT_ERR_UNSUPPORTED, "%s has more than %d steps", kind,
                 MAX_STEPS);
        for (size_t i = 0; i < json_array_size(steps); i++) {
            const json_t *step = json_array_get(steps, i);
            const char *inner = json_string_value(json_object_get(step, "type"));
            RT_CHECK(inner == NULL || strcmp(inner, "Sequence") != 0, err, RETORT_ERR_UNSUPPORTED,
                     "%s has a 'Sequence' inside a 'Sequence', which is not supported", kind);
            RT_TRY(read_components(t, step, kind, list, known, err));
        }
        return RETORT_OK;
    }
    for (const component *c = known; c->type != NULL; c++) {
        if (strcmp(c->type, type) == 0) return c->read(t, object, err);
    }
    return rt_fail(err, RETORT_ERR_UNSUPPORTED, "%s '%.100s' is not supported", kind, type);
}

/* A pattern's text; *literal tells {"String": ...} from {"Regex": ...}. */
static retort_status read_pattern(const json_t *object, const char *where, const char **text, bool *literal,
                                  retort_error *err) {
    const json_t *pattern = json_object_get(object, "pattern");
    *literal = json_object_get(pattern, "String") != NULL;
    return rt_json_plain_text(pattern, where, *literal ? "String" : "Regex", text, err);
}

/* ---- normalizer ---- */

static retort_status read_nfc(rt_tokenizer *t, const json_t *object, retort_error *err) {
    (void)object;
    return rt_transforms_add(&t->normalizer, RT_TRANSFORM_NFC, NULL, NULL, false, err);
}

static retort_status read_prepend(rt_tokenizer *t, const json_t *object, retort_error *err) {
    const char *text;
    RT_TRY(rt_json_plain_text(object, "normalizer 'Prepend'", "prepend", &text, err));
    if (text[0] == '\0') return RETORT_OK;
    return rt_transforms_add(&t->normalizer, RT_TRANSFORM_PREPEND, NULL, text, false, err);
}

static retort_status read_replace(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "normalizer 'Replace'";
    const char *from, *to;
    bool literal = false;
    RT_TRY(read_pattern(object, WHERE, &from, &literal, err));
    RT_TRY(rt_json_plain_text(object, WHERE, "content", &to, err));
    RT_CHECK(literal, err, RETORT_ERR_UNSUPPORTED, "%s has a 'Regex', only a 'String' is supported", WHERE);
    RT_CHECK(from[0] != '\0', err, RETORT_ERR_FORMAT, "%s has an empty 'String'", WHERE);
    return rt_transforms_add(&t->normalizer, RT_TRANSFORM_REPLACE, from, to, false, err);
}

static const component NORMALIZERS[] = {{"NFC", read_nfc}, {"Prepend", read_prepend}, {"Replace", read_replace}, {0}};

/* ---- pre-tokenizer ---- */

/* A pre-tokenizer that puts text in must see the whole text, before any split. */
static retort_status check_first(const rt_tokenizer *t, const char *name, retort_error *err) {
    RT_CHECK(rt_splitter_stages(t->splitter) == 0 && t->pre_transforms.count == 0, err, RETORT_ERR_UNSUPPORTED,
             "pre-tokenizer %s behind another one is not supported", name);
    return RETORT_OK;
}

static retort_status read_byte_level(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "pre-tokenizer 'ByteLevel'";
    bool prefix = false, use_regex = true;
    RT_TRY(rt_json_flag(object, WHERE, "add_prefix_space", true, &prefix, err));
    RT_TRY(rt_json_flag(object, WHERE, "use_regex", true, &use_regex, err));
    if (prefix) {
        RT_TRY(check_first(t, "'ByteLevel' with 'add_prefix_space'", err));
        RT_TRY(rt_transforms_add(&t->pre_transforms, RT_TRANSFORM_ENSURE, NULL, " ", false, err));
    }
    t->byte_level = true;
    return use_regex ? rt_splitter_add(t->splitter, &(rt_split_stage){.pattern = RT_SPLIT_GPT2}, err) : RETORT_OK;
}

static retort_status read_split(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const struct {
        const char *name;
        rt_split_behavior value;
    } BEHAVIORS[] = {{"Isolated", RT_SPLIT_ISOLATED},
                     {"Removed", RT_SPLIT_REMOVED},
                     {"Contiguous", RT_SPLIT_CONTIGUOUS},
                     {"MergedWithPrevious", RT_SPLIT_TO_PREVIOUS},
                     {"MergedWithNext", RT_SPLIT_TO_NEXT}};
    static const char WHERE[] = "pre-tokenizer 'Split'";
    rt_split_stage stage = {0};
    const char *behavior;
    RT_TRY(read_pattern(object, WHERE, &stage.pattern, &stage.literal, err));
    RT_TRY(rt_json_plain_text(object, WHERE, "behavior", &behavior, err));
    RT_TRY(rt_json_flag(object, WHERE, "invert", false, &stage.invert, err));
    for (size_t i = 0; i < sizeof BEHAVIORS / sizeof *BEHAVIORS; i++) {
        if (strcmp(BEHAVIORS[i].name, behavior) != 0) continue;
        stage.behavior = BEHAVIORS[i].value;
        /* All parts are pieces: what is called a match makes no difference, and the plain way is the fast one. */
        if (stage.behavior == RT_SPLIT_ISOLATED) stage.invert = false;
        return rt_splitter_add(t->splitter, &stage, err);
    }
    return rt_fail(err, RETORT_ERR_UNSUPPORTED, "%s has the behavior '%.100s', which is not supported", WHERE,
                   behavior);
}

static retort_status read_digits(rt_tokenizer *t, const json_t *object, retort_error *err) {
    bool individual = false;
    RT_TRY(rt_json_flag(object, "pre-tokenizer 'Digits'", "individual_digits", false, &individual, err));
    rt_split_stage stage = {.pattern = individual ? RT_UNICODE_DIGIT : RT_UNICODE_DIGITS};
    return rt_splitter_add(t->splitter, &stage, err);
}

/* Metaspace's scheme, also in the older spelling "add_prefix_space". */
static retort_status read_scheme(const json_t *object, const char *where, const char **scheme, retort_error *err) {
    bool prefix = true;
    RT_TRY(rt_json_flag(object, where, "add_prefix_space", true, &prefix, err));
    *scheme = prefix ? "always" : "never";
    if (rt_json_is_off(json_object_get(object, "prepend_scheme"))) return RETORT_OK;
    RT_TRY(rt_json_plain_text(object, where, "prepend_scheme", scheme, err));
    RT_CHECK(strcmp(*scheme, "always") == 0 || strcmp(*scheme, "first") == 0 || strcmp(*scheme, "never") == 0, err,
             RETORT_ERR_FORMAT, "%s has the 'prepend_scheme' '%.100s', must be always, first or never", where, *scheme);
    return RETORT_OK;
}

static retort_status read_mark(const json_t *object, const char *where, const char **mark, retort_error *err) {
    RT_TRY(rt_json_plain_text(object, where, "replacement", mark, err));
    size_t length = strlen(*mark);
    RT_CHECK(length > 0 && (size_t)rt_utf8_char(*mark, length, NULL) == length, err, RETORT_ERR_FORMAT,
             "%s has a 'replacement' that is not one character", where);
    return RETORT_OK;
}

static retort_status read_metaspace(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "pre-tokenizer 'Metaspace'";
    const char *mark, *scheme;
    bool split = true;
    RT_TRY(check_first(t, "'Metaspace'", err));
    RT_TRY(read_mark(object, WHERE, &mark, err));
    RT_TRY(read_scheme(object, WHERE, &scheme, err));
    RT_TRY(rt_json_flag(object, WHERE, "split", true, &split, err));
    RT_TRY(rt_transforms_add(&t->pre_transforms, RT_TRANSFORM_REPLACE, " ", mark, false, err));
    if (strcmp(scheme, "never") != 0) {
        bool first = strcmp(scheme, "first") == 0;
        RT_TRY(rt_transforms_add(&t->pre_transforms, RT_TRANSFORM_ENSURE, NULL, mark, first, err));
    }
    rt_split_stage stage = {.pattern = mark, .literal = true, .behavior = RT_SPLIT_TO_NEXT};
    return split ? rt_splitter_add(t->splitter, &stage, err) : RETORT_OK;
}

/* ByteLevel changes the alphabet, so what follows it would see other characters than here. */
static retort_status check_byte_level_last(const json_t *pre, retort_error *err) {
    const json_t *steps = json_object_get(pre, "pretokenizers");
    for (size_t i = 0; i + 1 < json_array_size(steps); i++) {
        const char *type = json_string_value(json_object_get(json_array_get(steps, i), "type"));
        RT_CHECK(type == NULL || strcmp(type, "ByteLevel") != 0, err, RETORT_ERR_UNSUPPORTED,
                 "pre-tokenizer 'ByteLevel' before another one is not supported");
    }
    return RETORT_OK;
}

static const component PRE_TOKENIZERS[] = {
    {"ByteLevel", read_byte_level}, {"Split", read_split}, {"Digits", read_digits}, {"Metaspace", read_metaspace}, {0}};

/* ---- post-processor ---- */

/* Its ByteLevel only trims offsets. */
static retort_status read_nothing(rt_tokenizer *t, const json_t *object, retort_error *err) {
    (void)t;
    (void)object;
    (void)err;
    return RETORT_OK;
}

static retort_status template_token(rt_tokenizer *t, const json_t *known, const json_t *piece, rt_ids *out,
                                    retort_error *err) {
    static const char WHERE[] = "post-processor 'TemplateProcessing'";
    const char *name;
    RT_TRY(rt_json_plain_text(piece, WHERE, "id", &name, err));
    const json_t *ids = json_object_get(json_object_get(known, name), "ids");
    RT_CHECK(json_array_size(ids) > 0, err, RETORT_ERR_FORMAT, "%s has no ids for '%.100s'", WHERE, name);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        json_int_t id = json_integer_value(json_array_get(ids, i));
        RT_CHECK(json_is_integer(json_array_get(ids, i)) && id >= 0 && id < t->tokens.count, err, RETORT_ERR_FORMAT,
                 "%s has an id of '%.100s' that is not in the vocabulary", WHERE, name);
        RT_TRY(rt_ids_push(out, (int32_t)id, err));
    }
    return RETORT_OK;
}

static retort_status read_template(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "post-processor 'TemplateProcessing'";
    const json_t *single = json_object_get(object, "single"), *known = json_object_get(object, "special_tokens");
    RT_CHECK(json_is_array(single), err, RETORT_ERR_FORMAT, "%s has no list 'single'", WHERE);
    bool text = false;
    for (size_t i = 0; i < json_array_size(single); i++) {
        const json_t *piece = json_array_get(single, i), *token = json_object_get(piece, "SpecialToken");
        const char *sequence = json_string_value(json_object_get(json_object_get(piece, "Sequence"), "id"));
        if (token != NULL) {
            RT_TRY(template_token(t, known, token, text ? &t->suffix : &t->prefix, err));
            continue;
        }
        RT_CHECK(sequence != NULL && strcmp(sequence, "A") == 0 && !text, err, RETORT_ERR_FORMAT,
                 "%s is not tokens around one sequence 'A'", WHERE);
        text = true;
    }
    RT_CHECK(text, err, RETORT_ERR_FORMAT, "%s is not tokens around one sequence 'A'", WHERE);
    return RETORT_OK;
}

static const component POST_PROCESSORS[] = {{"ByteLevel", read_nothing}, {"TemplateProcessing", read_template}, {0}};

/* ---- decoder ---- */

static retort_status decode_byte_level(rt_tokenizer *t, const json_t *object, retort_error *err) {
    (void)object;
    RT_CHECK(t->byte_level, err, RETORT_ERR_UNSUPPORTED,
             "decoder 'ByteLevel' without a pre-tokenizer 'ByteLevel' is not supported");
    return RETORT_OK;
}

/* Every other decoder works on texts of tokens. */
static retort_status check_text_decoder(const rt_tokenizer *t, const char *name, retort_error *err) {
    RT_CHECK(!t->byte_level, err, RETORT_ERR_UNSUPPORTED,
             "decoder '%s' with a pre-tokenizer 'ByteLevel' is not supported", name);
    return RETORT_OK;
}

static retort_status add_replacement(rt_tokenizer *t, const char *from, const char *to, retort_error *err) {
    rt_decoder *d = &t->decoder;
    RT_CHECK(d->num_replace < RT_MAX_REPLACEMENTS, err, RETORT_ERR_UNSUPPORTED, "decoder has more than %d 'Replace'",
             RT_MAX_REPLACEMENTS);
    int i = d->num_replace++;
    d->replace[i].from = rt_strdup(from);
    d->replace[i].to = rt_strdup(to);
    RT_CHECK(d->replace[i].from != NULL && d->replace[i].to != NULL, err, RETORT_ERR_MEMORY, "out of memory: decoder");
    return RETORT_OK;
}

static retort_status decode_replace(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "decoder 'Replace'";
    const char *from, *to;
    bool literal = false;
    RT_TRY(check_text_decoder(t, "Replace", err));
    RT_TRY(read_pattern(object, WHERE, &from, &literal, err));
    RT_TRY(rt_json_plain_text(object, WHERE, "content", &to, err));
    RT_CHECK(literal && from[0] != '\0', err, RETORT_ERR_UNSUPPORTED, "%s has no 'String', only that is supported",
             WHERE);
    RT_CHECK(!t->decoder.byte_fallback, err, RETORT_ERR_UNSUPPORTED, "%s behind 'ByteFallback' is not supported",
             WHERE);
    return add_replacement(t, from, to, err);
}

static retort_status decode_fallback(rt_tokenizer *t, const json_t *object, retort_error *err) {
    (void)object;
    t->decoder.byte_fallback = true;
    return check_text_decoder(t, "ByteFallback", err);
}

static retort_status decode_fuse(rt_tokenizer *t, const json_t *object, retort_error *err) {
    (void)object;
    t->decoder.fused = true;
    return check_text_decoder(t, "Fuse", err);
}

static retort_status decode_strip(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "decoder 'Strip'";
    const char *content;
    long long start = 0, stop = 0;
    RT_TRY(check_text_decoder(t, "Strip", err));
    RT_TRY(rt_json_plain_text(object, WHERE, "content", &content, err));
    RT_TRY(rt_json_int(object, "start", WHERE, 0, INT32_MAX, &start, err));
    RT_TRY(rt_json_int(object, "stop", WHERE, 0, INT32_MAX, &stop, err));
    RT_CHECK(t->decoder.fused && t->decoder.strip[0] == '\0', err, RETORT_ERR_UNSUPPORTED,
             "%s is supported once and behind 'Fuse'", WHERE);
    RT_CHECK(stop == 0, err, RETORT_ERR_UNSUPPORTED, "%s with a 'stop' is not supported", WHERE);
    size_t length = strlen(content);
    RT_CHECK(length > 0 && (size_t)rt_utf8_char(content, length, NULL) == length, err, RETORT_ERR_FORMAT,
             "%s has a 'content' that is not one character", WHERE);
    memcpy(t->decoder.strip, content, length + 1);
    t->decoder.strip_start = (int32_t)start;
    return RETORT_OK;
}

static retort_status decode_metaspace(rt_tokenizer *t, const json_t *object, retort_error *err) {
    static const char WHERE[] = "decoder 'Metaspace'";
    const char *mark, *scheme;
    RT_TRY(check_text_decoder(t, "Metaspace", err));
    RT_TRY(read_mark(object, WHERE, &mark, err));
    RT_TRY(read_scheme(object, WHERE, &scheme, err));
    RT_CHECK(t->decoder.num_replace == 0 && !t->decoder.byte_fallback && !t->decoder.fused, err, RETORT_ERR_UNSUPPORTED,
             "%s behind another decoder is not supported", WHERE);
    if (strcmp(scheme, "never") != 0) memcpy(t->decoder.drop_first, mark, strlen(mark) + 1);
    return add_replacement(t, mark, " ", err);
}

static const component DECODERS[] = {{"ByteLevel", decode_byte_level},
                                     {"Replace", decode_replace},
                                     {"ByteFallback", decode_fallback},
                                     {"Fuse", decode_fuse},
                                     {"Strip", decode_strip},
                                     {"Metaspace", decode_metaspace},
                                     {0}};

/* ---- all of them ---- */

retort_status rt_read_stages(rt_tokenizer *t, const json_t *root, retort_error *err) {
    const json_t *normalizer = json_object_get(root, "normalizer"), *pre = json_object_get(root, "pre_tokenizer");
    const json_t *decoder = json_object_get(root, "decoder");
    RT_TRY(rt_splitter_create(&t->splitter, err));
    if (!rt_json_is_off(normalizer)) {
        RT_TRY(read_components(t, normalizer, "normalizer", "normalizers", NORMALIZERS, err));
    }
    if (!rt_json_is_off(pre)) {
        RT_TRY(check_byte_level_last(pre, err));
        RT_TRY(read_components(t, pre, "pre-tokenizer", "pretokenizers", PRE_TOKENIZERS, err));
    }
    RT_CHECK(!rt_json_is_off(decoder), err, RETORT_ERR_UNSUPPORTED,
             "there is no decoder; a tokenizer without one is not supported");
    return read_components(t, decoder, "decoder", "decoders", DECODERS, err);
}

retort_status rt_read_post_processor(rt_tokenizer *t, const json_t *root, retort_error *err) {
    const json_t *post = json_object_get(root, "post_processor");
    if (rt_json_is_off(post)) return RETORT_OK;
    return read_components(t, post, "post-processor", "processors", POST_PROCESSORS, err);
}
