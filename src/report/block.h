/* Blocks: what the explorer loads. A page opened from disk may not fetch files, but it may load scripts; so a block is
 * a script of one call, retortBlock("name", "base64 of zlib"). Its text is base64 whatever is in it: no response can
 * get out of it. */
#ifndef RT_BLOCK_H
#define RT_BLOCK_H

#include "core/file.h"

/* Appends the bytes in base64 (RFC 4648, with padding). */
retort_status rt_base64(const unsigned char *bytes, size_t length, rt_buffer *out, retort_error *err);

/* Writes FOLDER/NAME.js. The name is the caller's own: letters, digits, '-' and '/'. */
retort_status rt_block_write(const char *folder, const char *name, const void *bytes, size_t length, retort_error *err);

#endif
