/* An answer within a sentence, for the tolerant profile. */
#ifndef RT_VERIFY_PROSE_H
#define RT_VERIFY_PROSE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum rt_prose {
    RT_PROSE_IS,      /* what follows the last "is" or "to be" up to the end of its sentence */
    RT_PROSE_FORMULA, /* the last formula in maths mode */
    RT_PROSE_MEMBER,  /* what follows the last "=" of that formula, or of the text where it has none */
    RT_PROSE_NUMBER,  /* the only number */
    RT_PROSE_WAYS
} rt_prose;

/* One way of finding it; false where it finds nothing. begin and end are bytes of the text. */
bool rt_find_in_prose(const char *text, size_t length, rt_prose way, size_t *begin, size_t *end);

/* The last formula in maths mode within [from, to), its content without the marks. */
bool rt_last_formula(const char *text, size_t from, size_t to, size_t *begin, size_t *end);

#endif
