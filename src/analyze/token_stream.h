/* Responses of files and run stores, counted by threads in bounded memory.
 *
 * A file is read in blocks of whole lines; each block is counted into a table of its own, and the tables are merged in
 * the order of the blocks. Where blocks end depends on the file alone, so the result is the same for every number of
 * threads.
 */
#ifndef RT_TOKEN_STREAM_H
#define RT_TOKEN_STREAM_H

#include "analyze/token_count.h"
#include "retort/progress.h"

/* Counts every response of a file (JSONL, or a run store) into the table. threads 0: as many as OpenMP gives. Errors
 * name file and line; the table then holds a part. */
retort_status rt_token_stream(const rt_token_rules *rules, const char *path, int64_t threads,
                              const retort_progress *progress, rt_count_table *table, retort_error *err);

#endif
