/* Scratch folders, hand-made safetensors files and exact error checks for the tests of models on disk. */
#ifndef RT_TEST_DISK_FIXTURE_H
#define RT_TEST_DISK_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/file.h"
#include "model/model.h"

/* A fresh folder, the same for the whole run; removed by scratch_remove. */
const char *scratch(void);
void scratch_remove(void);
/* "scratch/name", in one of a few rotating static buffers. */
const char *in_scratch(const char *name);
void put_file(const char *path, const void *bytes, size_t length);
/* length prefix + header + data */
void put_safetensors(const char *path, uint64_t header_length, const char *header, const void *data, size_t length);
/* Number of entries of a folder. */
int files_in(const char *dir);

/* Every field, not the padding. */
void assert_same_config(const rt_config *a, const rt_config *b);

/* Status and the whole message, formatted as by printf. */
void expect_error(retort_status status, const retort_error *err, retort_status code, const char *fmt, ...)
    RETORT_PRINTF(4, 5);

#endif
