/* embed OUTPUT.c LIST INPUT...: writes a C file that defines the array LIST of core/assets.h with the bytes of the
 * inputs, in order. A build-time tool, so that the library needs no data files at run time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *path) {
    fprintf(stderr, "embed: cannot %s '%s'\n", what, path);
    exit(1);
}

static void write_bytes(FILE *out, const char *path, int index) {
    FILE *in = fopen(path, "rb");
    if (in == NULL) fail("open", path);
    fprintf(out, "static const unsigned char BYTES_%d[] = {", index);
    int c, n = 0;
    while ((c = fgetc(in)) != EOF) fprintf(out, "%s%d,", n++ % 24 == 0 ? "\n" : "", c);
    fprintf(out, "0};\n");
    fclose(in);
}

/* The file's name without folder and extension. */
static void write_name(FILE *out, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    fprintf(out, "\"%.*s\"", (int)strcspn(name, "."), name);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: embed OUTPUT.c LIST INPUT...\n");
        return 2;
    }
    FILE *out = fopen(argv[1], "wb");
    if (out == NULL) fail("write", argv[1]);
    fprintf(out, "#include \"core/assets.h\"\n\n");
    for (int i = 3; i < argc; i++) write_bytes(out, argv[i], i);
    fprintf(out, "const rt_asset %s[] = {\n", argv[2]);
    for (int i = 3; i < argc; i++) {
        fprintf(out, "    {");
        write_name(out, argv[i]);
        fprintf(out, ", (const char *)BYTES_%d, sizeof BYTES_%d - 1},\n", i, i);
    }
    fprintf(out, "    {0}};\n");
    if (fclose(out) != 0) fail("write", argv[1]);
    return 0;
}
