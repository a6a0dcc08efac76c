/* Reports on runs: what is read, what the blocks of the explorer hold, the figures as files, and which folders may be
 * replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "core/json.h"
#include "report/block.h"
#include "report/search_index.h"
#include "report/sheets.h"
#include "retort/report.h"
#include "store/judgements.h"
#include "store/scores.h"

static char folder[] = "/tmp/retort-runs-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rt_remove_tree(folder, NULL) == RETORT_OK ? 0 : -1;
}

static char *in_folder(const char *name) {
    char *path = rt_path_join(folder, name);
    assert_non_null(path);
    return path;
}

static void put_file(const char *name, const char *text) {
    char *path = in_folder(name);
    retort_error err;
    assert_int_equal(rt_file_write(path, text, strlen(text), &err), RETORT_OK);
    rt_free(path);
}

/* Options of a report: pairs of a name and a value, ended by NULL. A name that ends in "@" takes its value as the name
 * of a file in the folder. */
static retort_status make(retort_error *err, ...) {
    retort_report_options options;
    assert_int_equal(retort_options_defaults(retort_report_option_table, &options, err), RETORT_OK);
    va_list list;
    va_start(list, err);
    for (const char *name; (name = va_arg(list, const char *)) != NULL;) {
        const char *value = va_arg(list, const char *);
        char bare[32], *path = NULL;
        size_t length = strlen(name);
        bool is_file = name[length - 1] == '@';
        snprintf(bare, sizeof bare, "%.*s", (int)(length - is_file), name);
        if (is_file) value = path = in_folder(value);
        assert_int_equal(retort_options_set(retort_report_option_table, &options, bare, value, err), RETORT_OK);
        rt_free(path);
    }
    va_end(list);
    retort_status st = retort_report(&options, NULL, err);
    retort_options_release(retort_report_option_table, &options);
    return st;
}

#define MAKE(...)                                                                                                      \
    do {                                                                                                               \
        retort_error made;                                                                                             \
        if (make(&made, __VA_ARGS__, (char *)NULL) != RETORT_OK) fail_msg("%s", made.message);                         \
    } while (0)

static void refuses(const char *said, const char *input, const char *judgements) {
    retort_error err;
    char *out = in_folder("refused");
    retort_status st = judgements == NULL
                           ? make(&err, "input@", input, "output@", "refused", (char *)NULL)
                           : make(&err, "input@", input, "judgements@", judgements, "output@", "refused", (char *)NULL);
    assert_int_not_equal(st, RETORT_OK);
    if (strstr(err.message, said) == NULL) fail_msg("'%s' does not say '%s'", err.message, said);
    assert_false(rt_path_exists(out));
    char *left = in_folder("refused.tmp");
    assert_false(rt_path_exists(left));
    rt_free(left);
    rt_free(out);
}

/* ---- reading blocks back ----------------------------------------------------------------------------------------- */

static int digit_of(char c) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(DIGITS, c) : NULL;
    return at != NULL ? (int)(at - DIGITS) : -1;
}

/* The bytes of a block; fails unless the file is one call with two plain strings. */
static rt_buffer read_block(const char *report, const char *name) {
    char path[256], begin[64];
    rt_buffer script = {0}, packed = {0}, out = {0};
    retort_error err;
    snprintf(path, sizeof path, "%s/%s/explorer/%s.js", folder, report, name);
    if (rt_file_read(path, &script, &err) != RETORT_OK) fail_msg("%s", err.message);
    snprintf(begin, sizeof begin, "retortBlock(\"%s\",\"", name);
    assert_memory_equal(script.data, begin, strlen(begin));
    const char *at = script.data + strlen(begin);
    uint32_t bits = 0;
    int held = 0;
    for (; digit_of(*at) >= 0; at++) {
        bits = (bits << 6) | (uint32_t)digit_of(*at);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        char byte = (char)(bits >> held);
        assert_int_equal(rt_buffer_append(&packed, &byte, 1, &err), RETORT_OK);
    }
    while (*at == '=') at++;
    assert_string_equal(at, "\");\n");
    uLongf size = 1 << 22;
    out.data = rt_malloc(size + 1);
    assert_non_null(out.data);
    assert_int_equal(uncompress((Bytef *)out.data, &size, (const Bytef *)packed.data, packed.length), Z_OK);
    out.length = size;
    out.data[size] = '\0';
    rt_buffer_free(&script);
    rt_buffer_free(&packed);
    return out;
}

static json_t *read_json_block(const char *report, const char *name) {
    rt_buffer bytes = read_block(report, name);
    retort_error err;
    json_t *value;
    if (rt_json_parse(bytes.data, bytes.length, name, &value, &err) != RETORT_OK) fail_msg("%s", err.message);
    rt_buffer_free(&bytes);
    return value;
}

static int32_t column_value(const char *report, const char *column, int64_t row) {
    json_t *index = read_json_block(report, "index");
    const json_t *names = json_object_get(index, "columns");
    int64_t rows = json_integer_value(json_object_get(index, "rows")), at = -1;
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), column) == 0) at = (int64_t)i;
    if (at < 0) fail_msg("no column '%s'", column);
    rt_buffer bytes = read_block(report, "columns");
    assert_int_equal(bytes.length, (size_t)rows * 4 * json_array_size(names));
    const unsigned char *b = (const unsigned char *)bytes.data + 4 * (at * rows + row);
    int32_t value = (int32_t)((uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
    rt_buffer_free(&bytes);
    json_decref(index);
    return value;
}

/* The report's data, out of index.html. */
static json_t *page_data(const char *report) {
    static const char OPEN[] = "<script type=\"application/json\" id=\"report-data\">";
    char path[256];
    rt_buffer page = {0};
    retort_error err;
    snprintf(path, sizeof path, "%s/%s/index.html", folder, report);
    if (rt_file_read(path, &page, &err) != RETORT_OK) fail_msg("%s", err.message);
    const char *begin = strstr(page.data, OPEN) + sizeof OPEN - 1;
    const char *end = strchr(begin, '<');
    json_t *data;
    if (rt_json_parse(begin, (size_t)(end - begin), "page", &data, &err) != RETORT_OK) fail_msg("%s", err.message);
    rt_buffer_free(&page);
    return data;
}

/* The cell of the first row of a chart whose cells hold `wanted` under the key; NULL: any row. */
static const json_t *cell(const json_t *data, const char *chart, const char *key, const char *wanted_key,
                          const char *wanted) {
    size_t i, c;
    json_t *one, *column;
    json_array_foreach(json_object_get(data, "charts"), i, one) {
        if (strcmp(json_string_value(json_object_get(one, "id")), chart) != 0) continue;
        size_t at = SIZE_MAX, by = SIZE_MAX;
        json_array_foreach(json_object_get(one, "columns"), c, column) {
            if (strcmp(json_string_value(json_object_get(column, "key")), key) == 0) at = c;
            if (wanted != NULL && strcmp(json_string_value(json_object_get(column, "key")), wanted_key) == 0) by = c;
        }
        const json_t *rows = json_object_get(one, "rows");
        for (size_t r = 0; r < json_array_size(rows); r++) {
            const json_t *row = json_array_get(rows, r);
            if (wanted == NULL || strcmp(json_string_value(json_array_get(row, by)), wanted) == 0)
                return json_array_get(row, at);
        }
    }
    fail_msg("chart '%s' has no cell '%s'", chart, key);
    return NULL;
}

static bool has_note(const json_t *data, const char *text, int64_t count) {
    size_t i;
    json_t *note;
    json_array_foreach(json_object_get(data, "notes"), i,
                       note) if (strstr(json_string_value(json_object_get(note, "text")), text) !=
                                 NULL) return json_integer_value(json_object_get(note, "count")) == count;
    return false;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void base64_vectors(void **state) {
    (void)state;
    static const char *const PAIRS[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) { /* RFC 4648, section 10 */
        rt_buffer out = {0};
        retort_error err;
        const char *in = PAIRS[i][0];
        assert_int_equal(rt_base64((const unsigned char *)in, strlen(in), &out, &err), RETORT_OK);
        assert_string_equal(out.data, PAIRS[i][1]);
        rt_buffer_free(&out);
    }
}

static void terms_are(const char *text, const char *expected) {
    char all[512] = "", term[RT_SEARCH_TERM_MAX];
    size_t length, filled = 0;
    for (size_t at = 0; rt_search_term(text, strlen(text), &at, term, &length);)
        filled += (size_t)snprintf(all + filled, sizeof all - filled, "%.*s|", (int)length, term);
    assert_string_equal(all, expected);
}

static void search_terms(void **state) {
    (void)state;
    terms_are("", "");
    terms_are(" .,\n", "");
    terms_are("Wait, let's try x2=10!", "wait|let|s|try|x|2|10|");
    terms_are("\\boxed{42}", "boxed|42|");
    terms_are("\xC3\x9C"
              "ber \xC3\x97 \xE4\xB8\xAD\xE6\x96\x87 \xF0\x9F\x98\x80",
              "\xC3\x9C"
              "ber|\xC3\x97|\xE4\xB8\xAD|\xE6\x96\x87|\xF0\x9F\x98\x80|");
    terms_are("a\xFF"
              "b \xE4\xB8",
              "a|b|"); /* bytes that are no UTF-8 end a term */
    terms_are("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|b|");
}

static size_t varint(const unsigned char **at) {
    size_t value = 0;
    for (int shift = 0;; shift += 7) {
        unsigned char byte = *(*at)++;
        value |= (size_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
}

/* The responses that the first shard of a report lists for a word, as text. */
static void postings(const char *report, const char *word, char *out, size_t size) {
    rt_buffer shard = read_block(report, "search/0");
    const unsigned char *at = (const unsigned char *)shard.data, *end = at + shard.length;
    out[0] = '\0';
    while (at < end) {
        size_t length = varint(&at);
        bool found = length == strlen(word) && memcmp(at, word, length) == 0;
        at += length;
        size_t responses = varint(&at), bytes = varint(&at), row = 0, used = 0;
        const unsigned char *stop = at + bytes;
        for (size_t i = 0; i < responses; i++) {
            row += varint(&at);
            if (found) used += (size_t)snprintf(out + used, size - used, "%zu ", row - 1);
        }
        assert_ptr_equal(at, stop);
    }
    rt_buffer_free(&shard);
}

static const char HOSTILE[] =
    "{\"model\": \"m\", \"problem_id\": \"p\", \"text\": \"Wait \xF0\x9F\x98\x80 </script><script>alert(1)</script> "
    "so\", "
    "\"verdict\": \"right\", \"finish_reason\": \"stop\", \"tokens\": 7}\n"
    "{\"model\": \"m\", \"problem_id\": \"p\", \"sample\": 1, \"response\": \"\\\");retortBlock(\\\"index\\\",\\\"\", "
    "\"correct\": false, \"finish_reason\": \"length\", \"tokens\": 9}\n"
    "{\"model\": \"<b>\", \"problem_id\": 3, \"text\": \"wait\", \"benchmark\": \"other\"}\n";

static void blocks_hold_the_texts(void **state) {
    (void)state;
    put_file("hostile.jsonl", HOSTILE);
    MAKE("input@", "hostile.jsonl", "output@", "hostile");
    json_t *texts = read_json_block("hostile", "texts/0");
    assert_int_equal(json_array_size(texts), 3);
    json_t *first = json_array_get(texts, 0), *marks = json_array_get(first, 1);
    assert_string_equal(json_string_value(json_array_get(first, 0)),
                        "Wait \xF0\x9F\x98\x80 </script><script>alert(1)</script> so");
    /* "Wait" at 0; "so" at 45 bytes, which is 43 UTF-16 units: the emoji has four bytes and two units */
    assert_int_equal(json_array_size(marks), 6);
    assert_int_equal(json_integer_value(json_array_get(marks, 1)), 0);
    assert_int_equal(json_integer_value(json_array_get(marks, 2)), 4);
    assert_int_equal(json_integer_value(json_array_get(marks, 4)), 43);
    assert_int_equal(json_integer_value(json_array_get(marks, 5)), 2);
    assert_string_equal(json_string_value(json_array_get(json_array_get(texts, 1), 0)), "\");retortBlock(\"index\",\"");
    json_decref(texts);
    char rows[64];
    postings("hostile", "wait", rows, sizeof rows);
    assert_string_equal(rows, "0 2 ");
    postings("hostile", "index", rows, sizeof rows);
    assert_string_equal(rows, "1 ");
    postings("hostile", "nowhere", rows, sizeof rows);
    assert_string_equal(rows, "");
    assert_int_equal(column_value("hostile", "verdict", 0), 1);
    assert_int_equal(column_value("hostile", "verdict", 1), 0);
    assert_int_equal(column_value("hostile", "verdict", 2), -1);
    assert_int_equal(column_value("hostile", "cut", 1), 1);
    assert_int_equal(column_value("hostile", "cut", 2), -1);
    assert_int_equal(column_value("hostile", "tokens", 0), 7);
    assert_int_equal(column_value("hostile", "tokens", 2), -1);
    assert_int_equal(column_value("hostile", "words", 2), 1);
    json_t *data = page_data("hostile");
    assert_true(has_note(data, "no verdict", 1));
    assert_int_equal(json_array_size(json_object_get(data, "arms")), 2);
    json_decref(data);
}

/* Of a text of several blocks each row is found again. */
static void many_blocks(void **state) {
    (void)state;
    rt_buffer lines = {0};
    retort_error err;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(
            rt_buffer_printf(&lines, &err, "{\"model\":\"m\",\"problem_id\":\"p%d\",\"text\":\"begin%d ", i, i),
            RETORT_OK);
        for (int w = 0; w < 3000; w++)
            assert_int_equal(rt_buffer_printf(&lines, &err, "w%d ", i * 3000 + w), RETORT_OK);
        assert_int_equal(rt_buffer_puts(&lines, "\"}\n", &err), RETORT_OK);
    }
    put_file("many.jsonl", lines.data);
    rt_buffer_free(&lines);
    MAKE("input@", "many.jsonl", "output@", "many");
    json_t *index = read_json_block("many", "index");
    const json_t *firsts = json_object_get(index, "texts"), *search = json_object_get(index, "search");
    assert_true(json_array_size(firsts) > 2);
    assert_true(json_array_size(search) > 1);
    size_t rows = 0;
    for (size_t b = 0; b < json_array_size(firsts); b++) {
        char name[32], begin[32];
        snprintf(name, sizeof name, "texts/%zu", b);
        assert_int_equal(json_integer_value(json_array_get(firsts, b)), rows);
        json_t *block = read_json_block("many", name);
        for (size_t i = 0; i < json_array_size(block); i++, rows++) {
            snprintf(begin, sizeof begin, "begin%zu ", rows);
            assert_memory_equal(json_string_value(json_array_get(json_array_get(block, i), 0)), begin, strlen(begin));
        }
        json_decref(block);
    }
    assert_int_equal(rows, 60);
    for (size_t i = 1; i < json_array_size(search); i++)
        assert_true(
            strcmp(json_string_value(json_array_get(search, i - 1)), json_string_value(json_array_get(search, i))) < 0);
    json_decref(index);
}

static void names_and_choices(void **state) {
    (void)state;
    char argument[512];
    put_file("bare.jsonl", "{\"problem_id\":\"p\",\"text\":\"a\",\"correct\":true}\n{\"problem_id\":\"p\",\"text\":"
                           "\"b\",\"correct\":false}\n"
                           "{\"problem_id\":\"q\",\"text\":\"c\",\"correct\":true}\n");
    snprintf(argument, sizeof argument, "first@aime=%s/bare.jsonl,second@aime=%s/bare.jsonl,third=%s/bare.jsonl",
             folder, folder, folder);
    MAKE("input", argument, "output@", "named");
    json_t *data = page_data("named");
    assert_int_equal(json_array_size(json_object_get(data, "arms")), 3);
    assert_true(has_note(data, "next free", 3));
    assert_float_equal(json_number_value(cell(data, "scores", "accuracy", "model", "first")), 0.75, 1e-12);
    assert_int_equal(json_integer_value(cell(data, "scores", "problems", "model", "first")), 2);
    assert_int_equal(json_integer_value(cell(data, "differences", "problems", "a", "first")), 2);
    assert_float_equal(json_number_value(cell(data, "differences", "difference", "a", "first")), 0, 1e-12);
    assert_true(json_is_null(cell(data, "scores", "truncated", "model", "first"))); /* no line says how it ended */
    json_decref(data);
    MAKE("input", argument, "output@", "named", "models", "second,third", "benchmarks", "aime"); /* replaces its like */
    data = page_data("named");
    assert_int_equal(json_array_size(json_object_get(data, "arms")), 1);
    json_decref(data);
    retort_error err;
    assert_int_equal(make(&err, "input", argument, "output@", "none", "models", "fourth", (char *)NULL),
                     RETORT_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "--models"));
}

static const char JUDGED[] = "{\"model\":\"m\",\"problem_id\":\"p\",\"text\":\"Wait. Check it.\"}\n"
                             "{\"model\":\"m\",\"problem_id\":\"q\",\"text\":\"Done.\"}\n";

static void judgements_are_evidence(void **state) {
    (void)state;
    put_file("judged.jsonl", JUDGED);
    put_file("judgements.jsonl",
             "{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"vote\":0,\"status\":\"ok\",\"behaviors\":{"
             "\"check\":[{\"start\":6,\"end\":11,\"quote\":\"Check\"}]}}\n"
             "{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"vote\":1,\"status\":\"ok\",\"behaviors\":{"
             "\"check\":[{\"start\":6,\"end\":11,\"quote\":\"check\"}]}}\n"
             "{\"model\":\"m\",\"problem_id\":\"q\",\"judge\":\"j\",\"vote\":0,\"status\":\"unparsed\"}\n"
             "{\"model\":\"m\",\"problem_id\":\"nowhere\",\"judge\":\"j\",\"status\":\"refused\"}\n");
    MAKE("input@", "judged.jsonl", "judgements@", "judgements.jsonl", "output@", "judged");
    json_t *data = page_data("judged");
    assert_true(has_note(data, "do not fit", 1));   /* "check" is not what the text has there */
    assert_true(has_note(data, "not in these", 1)); /* "nowhere" */
    assert_int_equal(json_integer_value(cell(data, "behaviors", "judged", NULL, NULL)), 1); /* unparsed is no zero */
    assert_int_equal(json_integer_value(cell(data, "behaviors", "unparsed", NULL, NULL)), 1);
    assert_float_equal(json_number_value(cell(data, "behaviors", "mean", NULL, NULL)), 0.5, 1e-12);
    assert_float_equal(json_number_value(cell(data, "behaviors", "share", NULL, NULL)), 1, 1e-12);
    json_decref(data);
    json_t *index = read_json_block("judged", "index"), *kinds = json_object_get(index, "kinds");
    json_t *last = json_array_get(kinds, json_array_size(kinds) - 1);
    assert_string_equal(json_string_value(json_object_get(last, "name")), "check");
    char column[32];
    snprintf(column, sizeof column, "behavior %d", (int)json_integer_value(json_object_get(last, "kind")));
    assert_int_equal(column_value("judged", column, 0), 1); /* 0.5 rounded up */
    assert_int_equal(column_value("judged", column, 1), -1);
    json_decref(index);
}

static void bad_judgements(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"status\":\"ok\",\"behaviors\":{}}", "judge"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"fine\",\"behaviors\":{}}",
         "ok, unparsed or refused"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\"}", "'behaviors'"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{\"a\":3}}",
         "list of spans"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{\"a\":[7]}}",
         "a span must be"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{\"a\":[{\"start\":5,"
         "\"end\":4}]}}",
         "'end'"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{\"a\":[{\"start\":-1,"
         "\"end\":4}]}}",
         "'start'"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{\"a\":[{\"start\":0,"
         "\"end\":4,\"quote\":1}]}}",
         "'quote'"},
        {"{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{}}\n"
         "{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{}}",
         "line 2"},
        {"[]", "line 1"},
    };
    put_file("judged.jsonl", JUDGED);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        put_file("bad.jsonl", CASES[i][0]);
        refuses(CASES[i][1], "judged.jsonl", "bad.jsonl");
    }
}

static void bad_runs(void **state) {
    (void)state;
    refuses("does not exist", "nowhere.jsonl", NULL);
    put_file("empty.jsonl", "");
    refuses("no responses", "empty.jsonl", NULL);
    put_file("broken.jsonl", "{\"problem_id\":\"p\",\"text\":\"a\"}\n{\"problem_id\":\"p\"}\n");
    refuses("line 2", "broken.jsonl", NULL);
    put_file("broken.jsonl", "{\"problem_id\":\"p\",\"text\":\"a\",\"sample\":-1}\n");
    refuses("'sample'", "broken.jsonl", NULL);
    put_file("broken.jsonl", "{\"problem_id\":\"p\",\"text\":\"a\",\"verdict\":\"perhaps\"}\n");
    refuses("perhaps", "broken.jsonl", NULL);
    char *path = in_folder("hollow");
    assert_int_equal(mkdir(path, 0777), 0);
    rt_free(path);
    refuses("*.jsonl", "hollow", NULL);
    retort_error err;
    put_file("judged.jsonl", JUDGED);
    assert_int_equal(make(&err, "input@", "judged.jsonl", (char *)NULL), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "--output"));
}

/* A folder that holds anything else stays as it is. */
static void only_its_own_folder(void **state) {
    (void)state;
    char *path = in_folder("precious"), *file = in_folder("precious/thesis.txt");
    retort_error err;
    assert_int_equal(mkdir(path, 0777), 0);
    put_file("judged.jsonl", JUDGED);
    MAKE("input@", "judged.jsonl", "output@", "precious"); /* empty: may be filled */
    MAKE("input@", "judged.jsonl", "output@", "precious"); /* a report: may be made again */
    assert_int_equal(rt_remove_tree(path, &err), RETORT_OK);
    assert_int_equal(mkdir(path, 0777), 0);
    put_file("precious/thesis.txt", "years of work");
    assert_int_equal(make(&err, "input@", "judged.jsonl", "output@", "precious", (char *)NULL), RETORT_ERR_USAGE);
    assert_non_null(strstr(err.message, "something else"));
    assert_true(rt_path_exists(file));
    assert_int_equal(make(&err, "input@", "judged.jsonl", "output@", "precious/thesis.txt", (char *)NULL),
                     RETORT_ERR_USAGE);
    assert_true(rt_path_exists(file));
    rt_free(file);
    rt_free(path);
}

static void sheets(void **state) {
    (void)state;
    json_t *chart = json_pack("{s:s, s:s, s:s, s:[{s:s},{s:s},{s:s}], s:[[s,f,n],[s,i,s],[s,i,s]]}", "id", "x", "title",
                              "X", "note", "n", "columns", "key", "model", "key", "value", "key", "text", "rows",
                              "=1+1", 0.5, "a,\"b\"", 3, "two\nlines", "-", 4, "");
    assert_non_null(chart);
    rt_buffer out = {0};
    retort_error err;
    assert_int_equal(rt_sheet_csv(chart, &out, &err), RETORT_OK);
    assert_string_equal(out.data, "model,value,text\n'=1+1,0.5,\n\"a,\"\"b\"\"\",3,\"two\nlines\"\n-,4,\n");
    rt_buffer_clear(&out);
    assert_int_equal(rt_sheet_json(chart, &out, &err), RETORT_OK);
    json_t *back;
    assert_int_equal(rt_json_parse(out.data, out.length, "sheet", &back, &err), RETORT_OK);
    const json_t *rows = json_object_get(back, "rows");
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "model")), "=1+1");
    assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "text")));
    json_decref(back);
    json_decref(chart);
    rt_buffer_free(&out);
}

/* A study's folder gives its arms as models and its splits as benchmarks, with the statements of its problems. */
static void study_folder(void **state) {
    (void)state;
    retort_error err;
    char *responses = in_folder("study/responses"), *data_folder = in_folder("study/data");
    assert_int_equal(rt_make_dirs(responses, &err), RETORT_OK);
    assert_int_equal(rt_make_dirs(data_folder, &err), RETORT_OK);
    put_file("study/report.json", "{}");
    put_file("study/data/test.jsonl", "{\"id\":\"c1\",\"problem\":\"Use 3 and 8 to make 11.\",\"answer\":\"3 + "
                                      "8\",\"world\":{\"family\":\"countdown\",\"numbers\":[3,8],\"target\":11}}\n");
    put_file("study/responses/zero-rl.test.jsonl",
             "{\"problem_id\":\"c1\",\"sample\":0,\"model\":\"zero-rl\",\"text\":\"3 + 8 = 11. \\\\boxed{3 + "
             "8}\",\"verdict\":\"right\",\"finish_reason\":\"stop\",\"tokens\":12}\n");
    MAKE("input@", "study", "output@", "of-study");
    json_t *data = page_data("of-study"), *problems = read_json_block("of-study", "problems");
    assert_string_equal(json_string_value(cell(data, "scores", "model", NULL, NULL)), "zero-rl");
    assert_string_equal(json_string_value(cell(data, "scores", "benchmark", NULL, NULL)), "test");
    assert_string_equal(json_string_value(cell(data, "behaviors", "judge", NULL, NULL)), "world grammar");
    assert_float_equal(json_number_value(cell(data, "behaviors", "mean", "behavior", "true_steps")), 1, 1e-12);
    assert_string_equal(json_string_value(json_array_get(json_array_get(problems, 0), 0)), "Use 3 and 8 to make 11.");
    json_decref(problems);
    json_decref(data);
    rt_free(responses);
    rt_free(data_folder);
}

static void run_store(void **state) {
    (void)state;
    char *path = in_folder("run.db");
    retort_error err;
    rt_store *store;
    assert_int_equal(rt_store_open(path, &store, &err), RETORT_OK);
    rt_stored_response reply = {.key = "0000000000000000000000000000000000000000000000000000000000000001",
                                .problem_id = "p",
                                .model = "m",
                                .source = "s",
                                .request = "{}",
                                .text = "Check: 4",
                                .reasoning = "Hmm",
                                .finish_reason = "stop",
                                .prompt_tokens = -1,
                                .completion_tokens = 5,
                                .cost = -1,
                                .seconds = -1,
                                .first_token_seconds = -1};
    assert_int_equal(rt_store_put(store, &reply, NULL, &err), RETORT_OK);
    rt_stored_score score = {.response_key = reply.key, .grader = "tolerant", .verdict = "right"};
    assert_int_equal(rt_store_put_score(store, &score, &err), RETORT_OK);
    rt_stored_judgement judgement = {.response_key = reply.key,
                                     .judge = "j",
                                     .prompt_version = "2",
                                     .behavior = "check",
                                     .status = "ok",
                                     .count = 1,
                                     .spans = "[{\"start\":0,\"end\":7,\"quote\":\"<think>\"}]"};
    assert_int_equal(rt_store_put_judgement(store, &judgement, &err), RETORT_OK);
    rt_store_close(store);
    MAKE("input@", "run.db", "output@", "of-store");
    json_t *data = page_data("of-store"), *texts = read_json_block("of-store", "texts/0");
    assert_float_equal(json_number_value(cell(data, "scores", "accuracy", NULL, NULL)), 1, 1e-12);
    assert_string_equal(json_string_value(cell(data, "behaviors", "judge", NULL, NULL)), "j (2)");
    assert_float_equal(json_number_value(cell(data, "behaviors", "mean", NULL, NULL)), 1, 1e-12);
    const char *text = json_string_value(json_array_get(json_array_get(texts, 0), 0));
    assert_memory_equal(text, "<think>", 7);
    assert_non_null(strstr(text, "Check: 4"));
    json_decref(texts);
    json_decref(data);
    rt_free(path);
}

/* Memory that runs out anywhere is an error, and leaves no folder. */
static void out_of_memory(void **state) {
    (void)state;
    put_file("judged.jsonl", JUDGED);
    put_file("j.jsonl", "{\"model\":\"m\",\"problem_id\":\"p\",\"judge\":\"j\",\"status\":\"ok\",\"behaviors\":{"
                        "\"check\":[{\"start\":6,\"end\":11}]}}\n");
    rt_fail_alloc(-1, false);
    MAKE("input@", "judged.jsonl", "judgements@", "j.jsonl", "output@", "memory");
    long total = rt_alloc_count();
    char *path = in_folder("lost"), *left = in_folder("lost.tmp");
    for (long n = 0; n < total; n += 1 + total / 60) {
        retort_error err;
        char input[256], judgements[256], output[256];
        snprintf(input, sizeof input, "%s/judged.jsonl", folder);
        snprintf(judgements, sizeof judgements, "%s/j.jsonl", folder);
        snprintf(output, sizeof output, "%s/lost", folder);
        retort_report_options options;
        assert_int_equal(retort_options_defaults(retort_report_option_table, &options, &err), RETORT_OK);
        options.input = input;
        options.judgements = judgements;
        options.output = output;
        rt_fail_alloc(n, true);
        retort_status st = retort_report(&options, NULL, &err);
        rt_fail_alloc(-1, false);
        options.input = options.judgements = options.output = NULL;
        retort_options_release(retort_report_option_table, &options);
        if (st == RETORT_OK) fail_msg("allocation %ld failed unnoticed", n);
        assert_false(rt_path_exists(path));
        assert_false(rt_path_exists(left));
    }
    rt_free(left);
    rt_free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_vectors),        cmocka_unit_test(search_terms),
        cmocka_unit_test(blocks_hold_the_texts), cmocka_unit_test(many_blocks),
        cmocka_unit_test(names_and_choices),     cmocka_unit_test(judgements_are_evidence),
        cmocka_unit_test(bad_judgements),        cmocka_unit_test(bad_runs),
        cmocka_unit_test(only_its_own_folder),   cmocka_unit_test(sheets),
        cmocka_unit_test(study_folder),          cmocka_unit_test(run_store),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests_name("runs", tests, make_folder, remove_folder);
}
