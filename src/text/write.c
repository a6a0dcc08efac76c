/* The files of a trained tokenizer, in the form that `tokenizers` 0.13 and later and transformers read. */
#include <string.h>

#include "core/file.h"
#include "core/json.h"
#include "text/bytes.h"
#include "text/trainer.h"

static retort_status out_of_memory(retort_error *err) {
    return rt_fail(err, RETORT_ERR_MEMORY, "out of memory: JSON of a tokenizer");
}

static json_t *byte_level(void) {
    return json_pack("{s:s, s:b, s:b, s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex",
                     1);
}

static retort_status spell_token(const rt_bpe_vocabulary *v, int32_t id, rt_buffer *out, retort_error *err) {
    size_t length;
    const char *bytes = rt_token_table_get(&v->tokens, id, &length);
    return rt_bytes_spell(bytes, length, out, err);
}

static retort_status pack_vocab(const rt_bpe_vocabulary *v, json_t *vocab, rt_buffer *scratch, retort_error *err) {
    if (vocab == NULL) return out_of_memory(err);
    for (int64_t id = 0; id < v->tokens.count; id++) {
        rt_buffer_clear(scratch);
        RT_TRY(spell_token(v, (int32_t)id, scratch, err));
        if (json_object_set_new(vocab, scratch->data, json_integer(id)) != 0) return out_of_memory(err);
    }
    return RETORT_OK;
}

static retort_status pack_merges(const rt_bpe_vocabulary *v, json_t *merges, rt_buffer *scratch, retort_error *err) {
    if (merges == NULL) return out_of_memory(err);
    for (int64_t i = 0; i + 1 < v->merges.count; i += 2) {
        rt_buffer_clear(scratch);
        RT_TRY(spell_token(v, v->merges.data[i], scratch, err));
        RT_TRY(rt_buffer_puts(scratch, " ", err));
        RT_TRY(spell_token(v, v->merges.data[i + 1], scratch, err));
        if (json_array_append_new(merges, json_string(scratch->data)) != 0) return out_of_memory(err);
    }
    return RETORT_OK;
}

/* vocab and merges are borrowed. */
static json_t *pack_tokenizer(json_t *vocab, json_t *merges) {
    json_t *added = json_pack("[{s:i, s:s, s:b, s:b, s:b, s:b, s:b}]", "id", 0, "content", RT_END_OF_TEXT,
                              "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1);
    json_t *model = json_pack("{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:b, s:O, s:O}", "type", "BPE", "dropout",
                              "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0,
                              "byte_fallback", 0, "ignore_merges", 0, "vocab", vocab, "merges", merges);
    return json_pack("{s:s, s:n, s:n, s:o, s:n, s:o, s:o, s:o, s:o}", "version", "1.0", "truncation", "padding",
                     "added_tokens", added, "normalizer", "pre_tokenizer", byte_level(), "post_processor", byte_level(),
                     "decoder", byte_level(), "model", model);
}

/* A text as a Jinja string literal. */
static retort_status quote_jinja(const char *text, size_t length, rt_buffer *out, retort_error *err) {
    RT_TRY(rt_buffer_puts(out, "'", err));
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\n') {
            RT_TRY(rt_buffer_puts(out, "\\n", err));
        } else if (c == '\r') {
            RT_TRY(rt_buffer_puts(out, "\\r", err));
        } else {
            if (c == '\'' || c == '\\') RT_TRY(rt_buffer_puts(out, "\\", err));
            RT_TRY(rt_buffer_append(out, &c, 1, err));
        }
    }
    return rt_buffer_puts(out, "'", err);
}

/* A user's message becomes the prompt template around its text, an assistant's its text and the end of text: the same
 * string as rt_tokenizer_render_problem and a training example. */
static retort_status chat_template(const char *prompt_template, rt_buffer *out, retort_error *err) {
    static const char MARK[] = "{problem}";
    const char *mark = strstr(prompt_template, MARK);
    RT_TRY(rt_buffer_puts(out, "{%- for message in messages -%}{%- if message['role'] == 'user' -%}{{- ", err));
    RT_TRY(quote_jinja(prompt_template, (size_t)(mark - prompt_template), out, err));
    RT_TRY(rt_buffer_puts(out, " + message['content'] + ", err));
    RT_TRY(quote_jinja(mark + strlen(MARK), strlen(mark + strlen(MARK)), out, err));
    return rt_buffer_puts(out,
                          " -}}{%- elif message['role'] == 'assistant' -%}{{- message['content'] + eos_token -}}"
                          "{%- else -%}{{- raise_exception('only user and assistant messages are supported') -}}"
                          "{%- endif -%}{%- endfor -%}",
                          err);
}

static retort_status save(const char *dir, const char *name, const json_t *value, retort_error *err) {
    char *path = rt_path_join(dir, name);
    if (value == NULL || path == NULL) {
        rt_free(path);
        return out_of_memory(err);
    }
    retort_status st = rt_json_save(path, value, err);
    rt_free(path);
    return st;
}

static retort_status write_tokenizer(const rt_bpe_vocabulary *v, const char *dir, retort_error *err) {
    json_t *vocab = json_object(), *merges = json_array(), *root = NULL;
    rt_buffer scratch = {0};
    retort_status st;
    RT_GOTO(st, pack_vocab(v, vocab, &scratch, err), done);
    RT_GOTO(st, pack_merges(v, merges, &scratch, err), done);
    root = pack_tokenizer(vocab, merges);
    st = save(dir, "tokenizer.json", root, err);
done:
    json_decref(root);
    json_decref(vocab);
    json_decref(merges);
    rt_buffer_free(&scratch);
    return st;
}

/* transformers 5 gives every Qwen2 model Qwen2's own pre-tokenizer, whatever tokenizer.json and tokenizer_class say
 * (MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS), and so other ids. An auto_map that is not trusted, the default, makes it
 * take tokenizer.json as it is, and changes nothing in transformers 4. With trust_remote_code=True, for which nothing
 * is here to be trusted, the name is what the error shows. */
static json_t *auto_map(void) {
    return json_pack("{s:[n, s]}", "AutoTokenizer", "needs_no_remote_code.PreTrainedTokenizerFast");
}

static retort_status write_config(const rt_bpe_vocabulary *v, const char *prompt_template, const char *dir,
                                  retort_error *err) {
    rt_buffer chat = {0};
    retort_status st = chat_template(prompt_template, &chat, err);
    if (st == RETORT_OK) {
        json_t *config = json_pack(
            "{s:s, s:o, s:b, s:b, s:s, s:s, s:s, s:s}", "tokenizer_class", "PreTrainedTokenizerFast", "auto_map",
            auto_map(), "add_prefix_space", 0, "clean_up_tokenization_spaces", 0, "eos_token", RT_END_OF_TEXT,
            "pad_token", RT_END_OF_TEXT, "retort_prompt_template", prompt_template, "chat_template", chat.data);
        if (config != NULL && v->model_max_length > 0 &&
            json_object_set_new(config, "model_max_length", json_integer(v->model_max_length)) != 0) {
            json_decref(config);
            config = NULL;
        }
        st = save(dir, "tokenizer_config.json", config, err);
        json_decref(config);
    }
    rt_buffer_free(&chat);
    return st;
}

retort_status rt_bpe_write(const rt_bpe_vocabulary *vocabulary, const char *prompt_template, const char *dir,
                           retort_error *err) {
    RT_TRY(write_tokenizer(vocabulary, dir, err));
    return write_config(vocabulary, prompt_template, dir, err);
}
