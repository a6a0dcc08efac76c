/* Decoders: from ids back to text.
 *
 * Every decoder of these families is, up to its first token, a mapping of single tokens to bytes (rt_tokenizer_piece),
 * so that text can be streamed; what the first token loses (the space that encoding put in) stands here.
 */
#ifndef RT_TEXT_DECODER_H
#define RT_TEXT_DECODER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"

enum { RT_MAX_REPLACEMENTS = 4 };
typedef struct rt_decoder {
    struct {
        char *from, *to; /* owned */
    } replace[RT_MAX_REPLACEMENTS];
    int num_replace;
    bool byte_fallback, fused;
    char drop_first[8];  /* Metaspace: a character that the first token loses wherever it has it; "": none */
    char strip[8];       /* Strip: a character cut from the start of the whole text; "": none */
    int32_t strip_start; /* at most so often */
} rt_decoder;

#endif
