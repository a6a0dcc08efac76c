/* `retort model convert`: a folder or a GGUF file in, a folder or a GGUF file out. */
#include <dirent.h>
#include <string.h>

#include "core/hub_cache.h"
#include "core/progress.h"
#include "model/dtype.h"
#include "model/gguf_model.h"
#include "model/model.h"
#include "retort/model.h"
#include "text/chat.h"
#include "text/gguf_tokenizer.h"

enum { FORMAT_AUTO, FORMAT_HF, FORMAT_GGUF };
enum { DTYPE_AUTO, DTYPE_F32, DTYPE_BF16, DTYPE_F16, DTYPE_Q8_0 };

const retort_option retort_convert_option_table[] = {
    {.name = "in",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_convert_options, in),
     .argument = "DIR|FILE",
     .required = true,
     .help = "Model folder or GGUF file to read.",
     .group = "Models"},
    {.name = "out",
     .type = RETORT_OPTION_STRING,
     .offset = offsetof(retort_convert_options, out),
     .argument = "DIR|FILE",
     .required = true,
     .help = "Folder (hf) or file (gguf) to write."},
    {.name = "format",
     .type = RETORT_OPTION_CHOICE,
     .offset = offsetof(retort_convert_options, format),
     .default_value = "auto",
     .choices = "auto|hf|gguf",
     .help = "Hugging Face folder or GGUF file; auto: gguf where the name ends in .gguf, else hf.",
     .group = "Form"},
    {.name = "dtype",
     .type = RETORT_OPTION_CHOICE,
     .offset = offsetof(retort_convert_options, dtype),
     .default_value = "auto",
     .choices = "auto|f32|bf16|f16|q8_0",
     .help = "Type of the weights; auto: bf16 where that loses nothing, else f32. q8_0 in GGUF only, where norms "
             "and biases are always f32."},
    {.name = "overwrite",
     .type = RETORT_OPTION_BOOL,
     .offset = offsetof(retort_convert_options, overwrite),
     .help = "Replaces a file, or a model folder with all that is in it, that is there already."},
    {0},
};

typedef struct conversion {
    const retort_convert_options *options;
    char *in; /* the path that options->in means */
    bool gguf;
    rt_model model;
} conversion;

/* ---- checks before any work ---- */

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_model_folder(const char *path) {
    char *config = rt_path_join(path, "config.json");
    const bool there = config != NULL && rt_path_exists(config);
    rt_free(config);
    return there;
}

static bool is_empty_folder(const char *path) {
    DIR *stream = opendir(path);
    int entries = 0;
    while (stream != NULL && readdir(stream) != NULL) entries++;
    if (stream != NULL) closedir(stream);
    return stream != NULL && entries <= 2; /* "." and ".." */
}

static retort_status check_out(const conversion *c, retort_error *err) {
    const char *out = c->options->out;
    if (!rt_path_exists(out)) return RETORT_OK;
    const bool folder = rt_path_is_dir(out);
    RT_CHECK(folder != c->gguf, err, RETORT_ERR_USAGE, "'%s' is a %s, but the format %s makes a %s", out,
             folder ? "folder" : "file", c->gguf ? "gguf" : "hf", c->gguf ? "file" : "folder");
    if (folder && is_empty_folder(out)) return RETORT_OK;
    RT_CHECK(c->options->overwrite, err, RETORT_ERR_USAGE,
             "'%s' is there already; choose another name or give '--overwrite'", out);
    RT_CHECK(!folder || is_model_folder(out), err, RETORT_ERR_USAGE,
             "'%s' is there already and is no model folder; it is not overwritten", out);
    return RETORT_OK;
}

static retort_status prepare(conversion *c, retort_error *err) {
    const retort_convert_options *o = c->options;
    RT_CHECK(o->in != NULL && o->out != NULL, err, RETORT_ERR_USAGE, "'in' and 'out' are required");
    c->gguf = o->format == FORMAT_AUTO ? ends_with(o->out, ".gguf") : o->format == FORMAT_GGUF;
    RT_CHECK(o->dtype != DTYPE_Q8_0 || c->gguf, err, RETORT_ERR_USAGE,
             "the dtype q8_0 is for GGUF files only; '%s' is to be a Hugging Face folder", o->out);
    RT_TRY(rt_model_path(o->in, &c->in, err));
    return check_out(c, err);
}

/* Whether norms and biases, which a GGUF file holds as float32 beside bfloat16 matrices, are bfloat16 numbers too. */
static bool vectors_are_bf16(const rt_params *params) {
    for (int64_t i = 0; i < params->num_tensors; i++) {
        const rt_tensor *tensor = &params->tensors[i];
        for (int64_t k = 0; tensor->dims == 1 && k < tensor->count; k++) {
            float x, back;
            uint16_t half;
            rt_params_fetch(params, tensor, k, 1, &x);
            rt_dtype_encode(RT_DTYPE_BF16, &x, 1, &half);
            rt_dtype_decode(RT_DTYPE_BF16, &half, 1, &back);
            if (x != back) return false;
        }
    }
    return true;
}

/* Without loss where nothing is said. */
static int dtype_of(const conversion *c) {
    if (c->options->dtype != DTYPE_AUTO) return c->options->dtype;
    const bool half = c->model.config.weights_dtype == RT_DTYPE_BF16 && (c->gguf || vectors_are_bf16(&c->model.params));
    return half ? DTYPE_BF16 : DTYPE_F32;
}

/* ---- a folder ---- */

static bool has_tokenizer(const char *path) {
    if (rt_gguf_is(path)) return true;
    char *file = rt_path_join(path, "tokenizer.json");
    const bool there = file != NULL && rt_path_exists(file);
    rt_free(file);
    return there;
}

static retort_status fill_folder(const conversion *c, const char *dir, retort_error *err) {
    static const rt_dtype DTYPES[] = {
        [DTYPE_F32] = RT_DTYPE_F32, [DTYPE_BF16] = RT_DTYPE_BF16, [DTYPE_F16] = RT_DTYPE_F16};
    RT_TRY(rt_make_dirs(dir, err));
    RT_TRY(rt_model_save(&c->model, dir, DTYPES[dtype_of(c)], err));
    return has_tokenizer(c->in) ? rt_tokenizer_copy_files(c->in, dir, err) : RETORT_OK;
}

/* Everything goes to a folder beside the wanted one, which then takes its name. */
static retort_status write_folder(const conversion *c, retort_error *err) {
    rt_buffer temporary = {0};
    size_t length = strlen(c->options->out);
    while (length > 1 && c->options->out[length - 1] == '/') length--;
    RT_TRY(rt_buffer_printf(&temporary, err, "%.*s.tmp", (int)length, c->options->out));
    retort_status st = rt_remove_tree(temporary.data, err);
    if (st == RETORT_OK) st = fill_folder(c, temporary.data, err);
    if (st == RETORT_OK) st = rt_dir_commit(temporary.data, c->options->out, err);
    if (st != RETORT_OK) (void)rt_remove_tree(temporary.data, NULL);
    rt_buffer_free(&temporary);
    return st;
}

/* ---- a file ---- */

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static retort_status put_tokenizer(const conversion *c, rt_gguf_writer *writer, retort_error *err) {
    const rt_config *config = &c->model.config;
    const rt_gguf_special there = {config->bos_token_id >= 0, config->num_eos > 0, config->pad_token_id >= 0};
    json_t *tokenizer = NULL, *documents = NULL;
    rt_buffer chat = {0};
    RT_TRY(rt_tokenizer_documents(c->in, &tokenizer, &documents, err));
    retort_error none;
    const retort_status found = rt_chat_text(c->in, &chat, &none);
    retort_status st =
        found == RETORT_OK || found == RETORT_ERR_NOT_FOUND ? RETORT_OK : rt_fail(err, found, "%s", none.message);
    if (st == RETORT_OK)
        st = rt_gguf_put_tokenizer(writer, tokenizer, documents, found == RETORT_OK ? chat.data : NULL,
                                   config->vocab_size, &there, err);
    if (st != RETORT_OK) st = rt_fail_context(err, st, "'%s'", c->in);
    json_decref(tokenizer);
    json_decref(documents);
    rt_buffer_free(&chat);
    return st;
}

static retort_status stream_file(const conversion *c, rt_gguf_writer *writer, rt_atomic_file *file, retort_error *err) {
    static const rt_ggml_type TYPES[] = {
        [DTYPE_F32] = RT_GGML_F32, [DTYPE_BF16] = RT_GGML_BF16, [DTYPE_F16] = RT_GGML_F16, [DTYPE_Q8_0] = RT_GGML_Q8_0};
    const rt_ggml_type type = TYPES[dtype_of(c)];
    RT_TRY(rt_gguf_put_model(writer, &c->model, type, name_of(c->options->in), err));
    RT_TRY(put_tokenizer(c, writer, err));
    RT_TRY(rt_gguf_write_header(writer, file, err));
    RT_TRY(rt_gguf_write_weights(writer, file, &c->model, type, err));
    return rt_gguf_write_end(writer, file, err);
}

static retort_status write_file(const conversion *c, retort_error *err) {
    rt_gguf_writer writer = {0};
    rt_atomic_file file;
    RT_CHECK(has_tokenizer(c->in), err, RETORT_ERR_NOT_FOUND,
             "'%s' has no tokenizer.json, without which a GGUF file cannot be run", c->in);
    RT_TRY(rt_atomic_open(&file, c->options->out, err));
    retort_status st = stream_file(c, &writer, &file, err);
    if (st == RETORT_OK) st = rt_atomic_commit(&file, err);
    rt_atomic_abort(&file);
    rt_gguf_writer_free(&writer);
    return st;
}

retort_status retort_model_convert(const retort_convert_options *options, retort_error *err) {
    conversion c = {.options = options};
    retort_status st = prepare(&c, err);
    if (st == RETORT_OK) st = rt_model_load_as(c.in, RT_WEIGHTS_AUTO, &c.model, err);
    if (st == RETORT_OK && rt_interrupted())
        st = rt_fail(err, RETORT_ERR_INTERRUPTED, "interrupted; nothing was written");
    if (st == RETORT_OK) st = c.gguf ? write_file(&c, err) : write_folder(&c, err);
    rt_model_release(&c.model);
    rt_free(c.in);
    return st;
}
