#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "retort/text.h"

/* All of a stream; *out is owned by the caller and ended by NUL. */
static retort_status read_all(FILE *in, const char *name, char **out, size_t *length, retort_error *err) {
    size_t capacity = 1 << 16;
    *out = NULL;
    *length = 0;
    do {
        capacity *= 2;
        char *text = realloc(*out, capacity);
        if (text == NULL) return cli_fail(err, RETORT_ERR_MEMORY, "out of memory while reading '%s'", name);
        *out = text;
        *length += fread(text + *length, 1, capacity - 1 - *length, in);
    } while (*length == capacity - 1);
    (*out)[*length] = '\0';
    return ferror(in) != 0 ? cli_fail(err, RETORT_ERR_IO, "cannot read '%s'", name) : RETORT_OK;
}

static retort_status read_input(const char *path, char **out, size_t *length, retort_error *err) {
    if (path == NULL) return read_all(stdin, "standard input", out, length, err);
    FILE *in = fopen(path, "rb");
    *out = NULL;
    if (in == NULL) return cli_fail(err, RETORT_ERR_NOT_FOUND, "cannot open '%s'", path);
    retort_status st = read_all(in, path, out, length, err);
    fclose(in);
    return st;
}

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    const retort_tokenize_options *own = options;
    char *input = NULL, *result = NULL;
    size_t input_length = 0, length = 0;
    retort_status st = read_input(own->file, &input, &input_length, err);
    if (st == RETORT_OK) st = retort_tokenize(own, input, input_length, call->common.json, &result, &length, err);
    if (st == RETORT_OK) (void)fwrite(result, 1, length, stdout); /* a failure is seen when the output is finished */
    free(input);
    free(result);
    return st;
}

const command command_tokenize = {
    .name = "tokenize",
    .summary = "shows the tokens of a text, or the text of tokens",
    .description =
        "Reads a text on standard input and prints a line for each token: its id, the bytes of the text it stands for "
        "(begin-end), its piece as a JSON text. The ids are those of Hugging Face's tokenizers package: what the model "
        "was trained on. Text that spells a special token becomes that token.",
    .examples = "echo 'We have 3, 5' | retort tokenize --model assets/countdown-base\tids, bytes and pieces\n"
                "retort tokenize --model Qwen3-0.6B --file book.txt --json\t{\"ids\": [...]} for a script\n"
                "echo '[791, 4320]' | retort tokenize --model Llama-3 --decode\tthe text of ids\n",
    .table = retort_tokenize_option_table,
    .options_size = sizeof(retort_tokenize_options),
    .has_json = true,
    .run = run,
};
