"""The tables of src/text/unicode.c and nfc.c: what the tokenizers package (0.23) knows of Unicode beyond, or short of, the
C libraries. Run `python generate_unicode.py CLASSES MARKS`; it prints ranges.

CLASSES: a text file with a line for each of L, N, M, P, S: the code points (decimal) that PCRE2 has in \\p{..}.
MARKS: a line "code point, combining class" for each that utf8proc gives a class other than 0.
"""
import sys

from tokenizers import Regex, normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(codes):
    out = []
    for c in sorted(codes):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def members(split):
    """Code points that a Split with Removed and invert keeps."""
    found = set()
    for i in range(0, len(CODES), 4096):
        for word, _ in split.pre_tokenize_str("".join(map(chr, CODES[i:i + 4096]))):
            found.update(map(ord, word))
    return found


def digits():
    found = set()
    split = pre_tokenizers.Digits(True)
    for i in range(0, len(CODES), 4096):
        for word, _ in split.pre_tokenize_str("".join("aa" + chr(c) for c in CODES[i:i + 4096])):
            if len(word) == 1 and word != "a":
                found.add(ord(word))
    return found


def unknown_marks(path):
    nfc = normalizers.NFC().normalize_str
    for line in open(path):
        mark = chr(int(line.split()[0]))
        if not any(nfc(t) != t for other in "\u0334\u0323\u0301\u0345\u05b0\u0e38" for t in ("x" + mark + other, "x" + other + mark)):
            yield ord(mark)


def main():
    theirs = {k: members(pre_tokenizers.Split(Regex(r"\p{%s}" % k), "removed", invert=True)) for k in "LNMPS"}
    for k, line in zip("LNMPS", open(sys.argv[1])):
        ours = set(map(int, line.split()))
        assert ours <= theirs[k]
        print(k, ", ".join("%X-%X" % tuple(r) for r in ranges(theirs[k] - ours)))
    print("Digits beyond N:", ranges(digits() - theirs["N"]))
    # U+11930 has no class but composes with U+11935 since Unicode 13
    print("marks not known to the normalizer:", ", ".join("%X-%X" % tuple(r) for r in ranges(set(unknown_marks(sys.argv[2])) | {0x11930})))


if __name__ == "__main__":
    main()
