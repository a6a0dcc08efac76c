#include "text/tokenizer.h"

#include <string.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "text/gguf_tokenizer.h"
#include "text/internal.h"

static retort_status grow(rt_ids *ids, int64_t wanted, retort_error *err) {
    int64_t capacity = ids->capacity == 0 ? 64 : ids->capacity * 2;
    if (capacity < wanted) capacity = wanted;
    int32_t *data = rt_realloc_array(ids->data, (size_t)capacity, sizeof *data);
    RT_CHECK(data != NULL, err, RETORT_ERR_MEMORY, "out of memory: list of %lld token ids", (long long)capacity);
    ids->data = data;
    ids->capacity = capacity;
    return RETORT_OK;
}

retort_status rt_ids_push(rt_ids *ids, int32_t id, retort_error *err) {
    if (ids->count == ids->capacity) RT_TRY(grow(ids, ids->count + 1, err));
    ids->data[ids->count++] = id;
    return RETORT_OK;
}

retort_status rt_ids_append(rt_ids *ids, const int32_t *more, int64_t count, retort_error *err) {
    if (count > ids->capacity - ids->count) RT_TRY(grow(ids, ids->count + count, err));
    for (int64_t i = 0; i < count; i++) ids->data[ids->count + i] = more[i];
    ids->count += count;
    return RETORT_OK;
}

void rt_ids_free(rt_ids *ids) {
    rt_free(ids->data);
    *ids = (rt_ids){0};
}

void rt_tokenizer_destroy(rt_tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    rt_token_table_free(&tokenizer->tokens);
    rt_token_table_free(&tokenizer->pieces);
    rt_merges_free(&tokenizer->merges);
    rt_junctions_free(&tokenizer->junctions);
    rt_free(tokenizer->char_id);
    rt_added_set_free(&tokenizer->raw);
    rt_added_set_free(&tokenizer->normalized);
    for (int32_t i = 0; i < tokenizer->num_added; i++) {
        rt_free(tokenizer->added[i].text);
        rt_free(tokenizer->added[i].pattern);
    }
    rt_transforms_free(&tokenizer->normalizer);
    rt_transforms_free(&tokenizer->pre_transforms);
    rt_ids_free(&tokenizer->prefix);
    rt_ids_free(&tokenizer->suffix);
    for (int i = 0; i < tokenizer->decoder.num_replace; i++) {
        rt_free(tokenizer->decoder.replace[i].from);
        rt_free(tokenizer->decoder.replace[i].to);
    }
    rt_free(tokenizer->added);
    rt_free(tokenizer->flags);
    rt_free(tokenizer->prompt_template);
    rt_splitter_destroy(tokenizer->splitter);
    rt_workspaces_destroy(tokenizer->workspaces);
    rt_free(tokenizer);
}

/* ---- look-up ---- */

const char *rt_tokenizer_piece(const rt_tokenizer *tokenizer, int32_t id, size_t *length) {
    if (id < 0 || id >= tokenizer->tokens.count) return NULL;
    return rt_token_table_get(tokenizer->byte_level ? &tokenizer->tokens : &tokenizer->pieces, id, length);
}

bool rt_tokenizer_is_special(const rt_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && id < tokenizer->tokens.count && (tokenizer->flags[id] & RT_TOKEN_SPECIAL) != 0;
}

int64_t rt_tokenizer_vocab_size(const rt_tokenizer *tokenizer) {
    return tokenizer->tokens.count;
}

int32_t rt_tokenizer_find(const rt_tokenizer *tokenizer, const char *text) {
    for (int32_t i = 0; i < tokenizer->num_added; i++) {
        if (strcmp(tokenizer->added[i].text, text) == 0) return tokenizer->added[i].id;
    }
    return rt_token_table_find(&tokenizer->tokens, text, strlen(text));
}

int32_t rt_tokenizer_eos(const rt_tokenizer *tokenizer) {
    return tokenizer->eos;
}

int32_t rt_tokenizer_bos(const rt_tokenizer *tokenizer) {
    return tokenizer->bos;
}

bool rt_tokenizer_has_prompt_template(const rt_tokenizer *tokenizer) {
    return tokenizer->prompt_template != NULL;
}

retort_status rt_tokenizer_render_problem(const rt_tokenizer *tokenizer, const char *problem, rt_buffer *out,
                                          retort_error *err) {
    static const char MARK[] = "{problem}";
    RT_CHECK(tokenizer->prompt_template != NULL, err, RETORT_ERR_NOT_FOUND,
             "tokenizer_config.json has no 'retort_prompt_template': give the whole text as 'prompt' instead of a "
             "problem");
    const char *mark = strstr(tokenizer->prompt_template, MARK); /* checked by the reader */
    RT_TRY(rt_buffer_append(out, tokenizer->prompt_template, (size_t)(mark - tokenizer->prompt_template), err));
    RT_TRY(rt_buffer_puts(out, problem, err));
    return rt_buffer_puts(out, mark + sizeof MARK - 1, err);
}

static retort_status copy_file(const char *from_dir, const char *to_dir, const char *name, retort_error *err) {
    char *from = rt_path_join(from_dir, name), *to = rt_path_join(to_dir, name);
    rt_buffer bytes = {0};
    retort_status st = RETORT_OK;
    if (from == NULL || to == NULL) {
        st = rt_fail(err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
        goto done;
    }
    RT_GOTO(st, rt_file_read(from, &bytes, err), done);
    st = rt_file_write(to, bytes.data, bytes.length, err);
done:
    rt_buffer_free(&bytes);
    rt_free(from);
    rt_free(to);
    return st;
}

static retort_status copy_if_there(const char *from_dir, const char *to_dir, const char *name, retort_error *err) {
    char *from = rt_path_join(from_dir, name);
    RT_CHECK(from != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
    bool there = rt_path_exists(from);
    rt_free(from);
    return there ? copy_file(from_dir, to_dir, name, err) : RETORT_OK;
}

static retort_status save_document(const char *dir, const char *name, const json_t *document, retort_error *err) {
    char *path = rt_path_join(dir, name);
    RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of '%s'", name);
    retort_status st = rt_json_save(path, document, err);
    rt_free(path);
    return st;
}

static retort_status save_documents(const char *from, const char *to_dir, retort_error *err) {
    json_t *tokenizer = NULL, *config = NULL;
    RT_TRY(rt_tokenizer_documents(from, &tokenizer, &config, err));
    retort_status st = save_document(to_dir, "tokenizer.json", tokenizer, err);
    if (st == RETORT_OK) st = save_document(to_dir, "tokenizer_config.json", config, err);
    json_decref(tokenizer);
    json_decref(config);
    return st;
}

static retort_status copy_files(const char *from_dir, const char *to_dir, retort_error *err) {
    if (rt_gguf_is(from_dir)) return save_documents(from_dir, to_dir, err);
    RT_TRY(copy_file(from_dir, to_dir, "tokenizer.json", err));
    RT_TRY(copy_file(from_dir, to_dir, "tokenizer_config.json", err));
    RT_TRY(copy_if_there(from_dir, to_dir, "chat_template.jinja", err));
    return copy_if_there(from_dir, to_dir, "special_tokens_map.json", err);
}

retort_status rt_tokenizer_copy_files(const char *from, const char *to_dir, retort_error *err) {
    char *path;
    RT_TRY(rt_model_path(from, &path, err));
    retort_status st = copy_files(path, to_dir, err);
    rt_free(path);
    return st;
}
