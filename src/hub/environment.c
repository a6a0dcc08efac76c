#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/file.h"
#include "core/hub_cache.h"
#include "hub/hub.h"
#include "net/url.h"

enum { TOKEN_MAXIMUM = 4096 };

retort_status rt_hub_endpoint(char **out, retort_error *err) {
    const char *value = getenv("HF_ENDPOINT");
    if (value == NULL || value[0] == '\0') value = "https://huggingface.co";
    RT_TRY(rt_url_check(value, "HF_ENDPOINT", err));
    RT_CHECK(strpbrk(value, "?#") == NULL, err, RETORT_ERR_USAGE, "HF_ENDPOINT '%.200s' must not have a query", value);
    size_t length = strlen(value);
    while (length > 0 && value[length - 1] == '/') length--;
    *out = rt_strndup(value, length);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: address of the Hub");
    return RETORT_OK;
}

/* The word in the text: without spaces and line ends around it. It goes into a header, so it must be one word. */
static retort_status take_token(const char *text, size_t length, const char *where, char **out, retort_error *err) {
    while (length > 0 && isspace((unsigned char)text[0])) {
        text++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)text[length - 1])) length--;
    *out = NULL;
    if (length == 0) return RETORT_OK;
    RT_CHECK(length <= TOKEN_MAXIMUM, err, RETORT_ERR_USAGE, "the token of %s is longer than %d characters", where,
             TOKEN_MAXIMUM);
    for (size_t i = 0; i < length; i++) {
        RT_CHECK(isgraph((unsigned char)text[i]), err, RETORT_ERR_USAGE,
                 "the token of %s has a space or another character that no token has", where);
    }
    *out = rt_strndup(text, length);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: token");
    return RETORT_OK;
}

static retort_status read_token(const char *path, bool needed, char **out, retort_error *err) {
    rt_buffer text = {.maximum = 1 << 16};
    *out = NULL;
    if (!needed && !rt_path_exists(path)) return RETORT_OK;
    retort_status st = rt_file_read(path, &text, err);
    if (st == RETORT_OK) {
        const char *end = strchr(text.data, '\n');
        st = take_token(text.data, end != NULL ? (size_t)(end - text.data) : text.length, path, out, err);
    }
    if (st == RETORT_OK && needed && *out == NULL)
        st = rt_fail(err, RETORT_ERR_USAGE, "'%s' holds no token: its first line is empty", path);
    rt_buffer_free(&text);
    return st;
}

static bool is_true(const char *name) {
    static const char *const WORDS[] = {"1", "on", "yes", "true"}; /* as in huggingface_hub/constants.py */
    const char *value = getenv(name);
    for (size_t i = 0; value != NULL && i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcasecmp(value, WORDS[i]) == 0) return true;
    return false;
}

retort_status rt_hub_token(const char *file, char **out, retort_error *err) {
    static const char *const NAMES[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    *out = NULL;
    if (file != NULL) return read_token(file, true, out, err);
    if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return RETORT_OK;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *value = getenv(NAMES[i]);
        if (value != NULL) RT_TRY(take_token(value, strlen(value), NAMES[i], out, err));
        if (*out != NULL) return RETORT_OK;
    }
    char *path = NULL;
    RT_TRY(rt_hub_variable("HF_TOKEN_PATH", &path, err));
    if (path == NULL) {
        char *home = NULL;
        RT_TRY(rt_hub_home(&home, err));
        path = rt_path_join(home, "token");
        rt_free(home);
        RT_CHECK(path != NULL, err, RETORT_ERR_MEMORY, "out of memory: path of the token");
    }
    retort_status st = read_token(path, false, out, err);
    rt_free(path);
    return st;
}

retort_status rt_hub_check_secrecy(const char *endpoint, const char *token, retort_error *err) {
    RT_CHECK(token == NULL || strncasecmp(endpoint, "https:", 6) == 0 || rt_url_is_loopback(endpoint), err,
             RETORT_ERR_USAGE,
             "the token would travel unencrypted to HF_ENDPOINT '%.200s'; use an https address, or send no token "
             "(HF_HUB_DISABLE_IMPLICIT_TOKEN=1)",
             endpoint);
    return RETORT_OK;
}

bool rt_hub_is_offline(void) {
    const char *value = getenv("HF_HUB_OFFLINE");
    return is_true(value != NULL && value[0] != '\0' ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE");
}
