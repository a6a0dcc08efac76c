/* report_equal A B: exits 0 if two reports are equal apart from times, else 1 with the first difference. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int differ(const json_t *a, const json_t *b, const char *path) {
    if (json_typeof(a) != json_typeof(b)) return printf("%s: different types\n", path) > 0;
    char inner[512];
    if (json_is_object(a)) {
        if (json_object_size(a) != json_object_size(b)) return printf("%s: different keys\n", path) > 0;
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)a, key, value) {
            if (strcmp(key, "times") == 0) continue;
            snprintf(inner, sizeof inner, "%.400s.%.100s", path, key);
            const json_t *other = json_object_get(b, key);
            if (other == NULL) return printf("%s: only in the first\n", inner) > 0;
            if (differ(value, other, inner)) return 1;
        }
        return 0;
    }
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b)) return printf("%s: different lengths\n", path) > 0;
        for (size_t i = 0; i < json_array_size(a); i++) {
            snprintf(inner, sizeof inner, "%.480s[%zu]", path, i);
            if (differ(json_array_get(a, i), json_array_get(b, i), inner)) return 1;
        }
        return 0;
    }
    return json_equal(a, b) ? 0 : printf("%s: different values\n", path) > 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    json_error_t cause;
    json_t *a = json_load_file(argv[1], 0, &cause), *b = json_load_file(argv[2], 0, &cause);
    if (a == NULL || b == NULL) {
        printf("cannot read a report: %s\n", cause.text);
        return 2;
    }
    int result = differ(a, b, "report");
    json_decref(a);
    json_decref(b);
    return result;
}
