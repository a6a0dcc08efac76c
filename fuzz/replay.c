/* Gives a fuzz target every file of its corpus once: what was found stays found, with any compiler and under any
 * sanitizer.
 *   replay_TARGET FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The block has exactly the file's size, so that a sanitizer sees a read of one byte too many. */
static uint8_t *load(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) return NULL;
    const long length = ftell(f);
    uint8_t *bytes = length >= 0 ? malloc(length > 0 ? (size_t)length : 1) : NULL;
    rewind(f);
    const size_t got = bytes != NULL ? fread(bytes, 1, (size_t)length, f) : 0;
    fclose(f);
    *size = (size_t)length;
    if (bytes != NULL && got == (size_t)length) return bytes;
    free(bytes);
    return NULL;
}

int main(int count, char **arguments) {
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    const struct dirent *entry;
    int files = 0;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) {
        char path[4096];
        size_t size;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", arguments[1], entry->d_name);
        uint8_t *bytes = load(path, &size);
        if (bytes == NULL) {
            fprintf(stderr, "cannot read '%s'\n", path);
            return 2;
        }
        printf("%s\n", entry->d_name); /* the last one printed is the one that fails */
        fflush(stdout);
        (void)LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
        files++;
    }
    closedir(folder);
    printf("%d files\n", files);
    return files > 0 ? 0 : 1;
}
