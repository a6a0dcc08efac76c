#include "ask/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "net/url.h"

static retort_status check_mode(const char *path, retort_error *err) {
    struct stat info;
    RT_CHECK(stat(path, &info) == 0, err, RETORT_ERR_NOT_FOUND, "cannot open the key file '%s': %s", path,
             strerror(errno));
    RT_CHECK((info.st_mode & 077) == 0, err, RETORT_ERR_USAGE,
             "the key file '%s' can be read by others (mode %03o); run: chmod 600 '%s'", path,
             (unsigned)info.st_mode & 0777U, path);
    return RETORT_OK;
}

static retort_status copy_key(const char *text, const char *path, char **out, retort_error *err) {
    const size_t length = text != NULL ? strcspn(text, "\r\n") : 0;
    for (size_t i = 0; i < length; i++)
        RT_CHECK(text[i] > ' ' && text[i] <= '~', err, RETORT_ERR_USAGE,
                 "the key has a character that no key has (a space?)");
    RT_CHECK(path == NULL || length > 0, err, RETORT_ERR_USAGE, "the key file '%s' is empty", path);
    if (length == 0) return RETORT_OK;
    *out = rt_strndup(text, length);
    RT_CHECK(*out != NULL, err, RETORT_ERR_MEMORY, "out of memory: key");
    return RETORT_OK;
}

/* A key over an open line is everybody's. */
static retort_status check_secrecy(const char *base_url, retort_error *err) {
    RT_CHECK(strncmp(base_url, "https:", 6) == 0 || rt_url_is_loopback(base_url), err, RETORT_ERR_USAGE,
             "the key would travel unencrypted to '%s'; use https, or unset OPENAI_API_KEY if this endpoint needs none",
             base_url);
    return RETORT_OK;
}

retort_status rt_secret_read(const retort_endpoint_options *options, char **out, retort_error *err) {
    const char *path = options->api_key_file;
    *out = NULL;
    if (path == NULL) {
        RT_TRY(copy_key(getenv("OPENAI_API_KEY"), NULL, out, err));
    } else {
        rt_buffer file = {.maximum = 1 << 16};
        RT_TRY(check_mode(path, err));
        retort_status st = rt_file_read(path, &file, err);
        if (st == RETORT_OK) st = copy_key(file.length > 0 ? file.data : "", path, out, err);
        if (file.data != NULL) explicit_bzero(file.data, file.length);
        rt_buffer_free(&file);
        RT_TRY(st);
    }
    const retort_status st = *out != NULL ? check_secrecy(options->base_url, err) : RETORT_OK;
    if (st == RETORT_OK) return RETORT_OK;
    rt_secret_free(*out);
    *out = NULL;
    return st;
}

void rt_secret_free(char *key) {
    if (key != NULL) explicit_bzero(key, strlen(key));
    rt_free(key);
}
