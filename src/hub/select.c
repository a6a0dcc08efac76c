#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "hub/hub.h"

/* What this program reads of a model, all in its top folder: weights come below. */
static const char *const NEEDED[] = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
    "chat_template.json",
    "adapter_config.json",
    "adapter_model.safetensors",
    NULL,
};

/* As Python's fnmatch: '*' stands for slashes, too, and a backslash for itself. A pattern that ends with '/' means all
 * below that folder. */
static bool matches_one(const char *pattern, size_t length, const char *path) {
    char text[1100];
    if (length == 0 || length + 2 > sizeof text) return false;
    memcpy(text, pattern, length);
    text[length] = '\0';
    if (text[length - 1] == '/') memcpy(text + length, "*", 2);
    return fnmatch(text, path, FNM_NOESCAPE) == 0;
}

static bool matches(const char *patterns, const char *path) {
    while (patterns != NULL && *patterns != '\0') {
        const size_t length = strcspn(patterns, ",");
        if (matches_one(patterns, length, path)) return true;
        patterns += length;
        patterns += *patterns == ',';
    }
    return false;
}

static bool ends_with(const char *path, const char *end) {
    const size_t a = strlen(path), b = strlen(end);
    return a >= b && strcmp(path + a - b, end) == 0;
}

/* Some repositories hold the same weights under other names besides (consolidated.safetensors): those are left out
 * where there are weights under the names that transformers gives them. */
static bool is_standard_weights(const char *path) {
    return strcmp(path, "model.safetensors") == 0 || strcmp(path, "model.safetensors.index.json") == 0 ||
           (strncmp(path, "model-", 6) == 0 && ends_with(path, ".safetensors"));
}

static bool is_needed(const char *path, bool standard) {
    if (strchr(path, '/') != NULL) return false;
    for (size_t i = 0; NEEDED[i] != NULL; i++)
        if (strcmp(path, NEEDED[i]) == 0) return true;
    return standard ? is_standard_weights(path)
                    : ends_with(path, ".safetensors") || ends_with(path, ".safetensors.index.json");
}

/* What a repository holds instead of what was looked for. */
static retort_status nothing_left(const rt_hub_files *files, const rt_hub *hub, bool chosen, retort_error *err) {
    static const char *const ENDS[] = {".gguf", ".bin", ".pt", ".pth", ".onnx", ".h5", ".msgpack"};
    char seen[80] = "";
    for (size_t k = 0; k < sizeof ENDS / sizeof *ENDS; k++) {
        bool found = false;
        for (size_t i = 0; i < files->count; i++) found = found || ends_with(files->data[i].path, ENDS[k]);
        const size_t used = strlen(seen);
        if (found) snprintf(seen + used, sizeof seen - used, "%s*%s", used > 0 ? ", " : "", ENDS[k]);
    }
    if (chosen || seen[0] == '\0')
        return rt_fail(err, RETORT_ERR_NOT_FOUND, "none of the %zu files of '%s' %s", files->count, hub->repo,
                       chosen ? "is left by --include and --exclude" : "is a part of a model");
    return rt_fail(
        err, RETORT_ERR_NOT_FOUND,
        "'%s' has no weights as safetensors, only %s; --include chooses other files, such as '*.gguf' (*.bin "
        "and *.pt are pickles, which this program never reads)",
        hub->repo, seen);
}

retort_status rt_hub_select(rt_hub_files *files, const rt_hub *hub, const char *include, const char *exclude,
                            retort_error *err) {
    const bool model = strcmp(hub->kind, "model") == 0, by_default = include == NULL && model;
    bool standard = false, weights = false;
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) standard = standard || is_standard_weights(files->data[i].path);
    rt_hub_file *data = files->data;
    for (size_t i = 0; i < files->count; i++) {
        const char *path = data[i].path;
        const bool wanted = by_default ? is_needed(path, standard) : include == NULL || matches(include, path);
        weights = weights || (wanted && ends_with(path, ".safetensors"));
        if (!wanted || matches(exclude, path)) continue;
        const rt_hub_file file = data[i]; /* the ones left out move behind, where they are freed with the rest */
        data[i] = data[kept];
        data[kept++] = file;
    }
    if (kept == 0 || (by_default && !weights)) return nothing_left(files, hub, !by_default || weights, err);
    for (size_t i = kept; i < files->count; i++) rt_free(data[i].path);
    files->count = kept;
    return RETORT_OK;
}
