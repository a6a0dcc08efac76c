"""nfc_inert.txt: the ranges of code points that a text may consist of to be its own NFC (see src/text/nfc.h), from
Python's unicodedata. Run in this folder."""
import unicodedata


def seconds():
    """Code points that can compose with the one before them."""
    found = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    for c in range(0x110000):
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and not parts[0].startswith("<") and unicodedata.normalize("NFC", chr(c)) == chr(c):
            found.add(int(parts[1], 16))
    return found


composing = seconds()
inert = [not 0xD800 <= c <= 0xDFFF and unicodedata.combining(chr(c)) == 0 and c not in composing
         and unicodedata.normalize("NFC", chr(c)) == chr(c) for c in range(0x110000)] + [False]


def main():
    with open("nfc_inert.txt", "w", newline="\n") as f:
        start = None
        for c, good in enumerate(inert):
            if good and start is None:
                start = c
            if not good and start is not None:
                f.write(f"{start:X} {c - 1:X}\n")
                start = None


if __name__ == "__main__":
    main()
