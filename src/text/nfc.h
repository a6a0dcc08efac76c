/* Text that Unicode's normalization form C leaves as it is, known without the composition tables. */
#ifndef RT_TEXT_NFC_H
#define RT_TEXT_NFC_H

#include <stdbool.h>
#include <stdint.h>

/* True for code points of combining class 0 that are their own form C and that compose with nothing before them: a
 * text of only such code points is its own form C. False for combining marks and the like, and for rarer scripts. */
bool rt_nfc_inert(uint32_t code);

#endif
