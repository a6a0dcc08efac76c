"""Mixed text for comparing tokenizers, from what is on this machine: run `python make_corpus.py OUT MEGABYTES [FOLDER...]`.

Documents, each ended by NUL: English, source code and markup from the given folders (default: the system's documents,
headers and Python library), translations of programs' messages in every language installed (gettext), and generated
text: multilingual (Faker, when it is installed), any assigned characters, combining marks, emoji, LaTeX, digits, runs
of spaces, and random bytes read as UTF-8 with replacement. The same seed and the same files give the same corpus.
"""
import gettext
import glob
import os
import random
import sys
import unicodedata

DEFAULT = ["/usr/share/doc", "/usr/include", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/share/perl5", "/usr/share/perl"]
SUFFIXES = (".py", ".h", ".c", ".hpp", ".md", ".rst", ".txt", ".html", ".js", ".ts", ".pm", ".json", ".tex", "copyright",
            "README", ".css", ".xml", ".sh", ".yaml")
EMOJI = [chr(c) for c in list(range(0x1F300, 0x1FAFF)) + list(range(0x2600, 0x27BF))] + ["\u200d", "\ufe0f", "\U0001F3FD"]
LATEX = ["\\frac{a}{b}", "\\sum_{i=1}^{n}", "\\boxed{42}", "$x^2$", "\\left(", "\\right)", "\\sqrt{2}", "\\alpha",
         "\\mathbb{R}", "&=", "\\\\\n", "\\begin{align}", "\\end{align}", "\\text{if }", "\\leq", "\\cdot", "3.14", "^{-1}"]
LOCALES = ["zh_CN", "zh_TW", "ar_SA", "hi_IN", "ja_JP", "ko_KR", "ru_RU", "he_IL", "th_TH", "el_GR", "fa_IR", "uk_UA",
           "vi_VN", "de_DE", "fr_FR", "tr_TR", "bn_BD", "ta_IN", "ne_NP", "hy_AM", "ka_GE", "pl_PL", "cs_CZ"]


def files(folders, rng, limit):
    names = [os.path.join(base, name) for folder in folders for base, _, found in os.walk(folder) for name in found
             if name.endswith(SUFFIXES)]
    names.sort()
    rng.shuffle(names)
    total = 0
    for name in names:
        try:
            text = open(name, "rb").read(400_000).decode("utf-8", "replace")
        except OSError:
            continue
        for i in range(0, len(text), 20_000):
            yield text[i:i + 20_000]
        total += len(text)
        if total > limit:
            return


def messages(limit):
    total = 0
    for name in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES/*.mo")):
        try:
            catalog = gettext.GNUTranslations(open(name, "rb"))._catalog
        except Exception:
            continue
        text = "\n".join(v for v in catalog.values() if isinstance(v, str))
        for i in range(0, len(text), 8_000):
            yield text[i:i + 8_000]
        total += len(text.encode("utf-8", "replace"))
        if total > limit:
            return


def multilingual(rng, limit):
    try:
        from faker import Faker
    except ImportError:
        return
    fakers = [Faker(name) for name in LOCALES]
    for i, f in enumerate(fakers):
        f.seed_instance(i)
    total = 0
    while total < limit:
        f = rng.choice(fakers)
        text = "\n".join([f.paragraph(8), f.address(), f.name(), f.company() if hasattr(f, "company") else ""] +
                         [f.paragraph(12) for _ in range(6)])
        total += len(text.encode())
        yield text


def generated(rng, limit):
    assigned = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF and unicodedata.category(chr(c)) != "Cn"]
    marks = [c for c in assigned if unicodedata.combining(c)]
    blocks = [assigned[i:i + 200] for i in range(0, len(assigned), 200)]
    ascii_ = [chr(c) for c in range(32, 127)]
    words = "the of and don't I'LL we've it's O'Neil 'twas x's HTTP2 fooBar snake_case 日本 café naïve".split()

    def noise():
        return rng.randbytes(rng.randint(1, 3000)).decode("utf-8", "replace")

    def any_block():
        pool = rng.choice(blocks)
        return "".join(rng.choice(pool) if rng.random() < 0.8 else rng.choice(" \n'1a") for _ in range(rng.randint(1, 1500)))

    def any_character():
        return "".join(rng.choice(assigned) for _ in range(rng.randint(1, 800)))

    def unassigned():
        return "".join(chr(rng.choice([rng.randint(1, 0xD7FF), rng.randint(0xE000, 0x10FFFF)])) for _ in range(500))

    def with_marks():
        pool = rng.choice(blocks[:60])
        return "".join(rng.choice(pool) + "".join(rng.choice(marks) for _ in range(rng.choice([0, 0, 1, 1, 2, 4])))
                       for _ in range(rng.randint(1, 500)))

    def decomposed():
        return unicodedata.normalize("NFD", "".join(rng.choice(words + ["Ünïcödé", "한국어", "Việt", "ç"]) + " " for _ in range(200)))

    def emoji():
        return "".join(rng.choice(EMOJI) if rng.random() < 0.7 else rng.choice(["!", " ", "lol", "\n"]) for _ in range(600))

    def latex():
        return "".join(rng.choice(LATEX) + rng.choice(["", " ", "  "]) for _ in range(500))

    def numbers():
        return "".join(rng.choice("0123456789") if rng.random() < 0.8 else rng.choice(" .,+-*/=()\n٣五½") for _ in range(1500))

    def spaces():
        return "".join(rng.choice([" ", "  ", "\n", "\t", "\r\n", "\u3000", "\u00a0", "x", "1", "!", " " * rng.randint(1, 90)])
                       for _ in range(500))

    def ascii_noise():
        return "".join(rng.choice(ascii_) for _ in range(rng.randint(1, 2000)))

    def contractions():
        return " ".join(rng.choice(words) + rng.choice(["", "'s", "'S", "'ll", "'Ve", "'\u017f"]) for _ in range(400))

    kinds = [noise, any_block, any_character, unassigned, with_marks, decomposed, emoji, latex, numbers, spaces, ascii_noise,
             contractions]
    total = 0
    while total < limit:
        text = rng.choice(kinds)()
        if rng.random() < 0.2:
            text += rng.choice(["<|im_start|>", "<|endoftext|>", "<s>", "</s>", "<｜User｜>", "<|eot_id|>", "<think>", "<|im_end|> x"])
            text += rng.choice(kinds)()
        total += len(text.encode())
        yield text


def main():
    out, megabytes = sys.argv[1], int(sys.argv[2])
    limit = megabytes * 1_000_000
    rng = random.Random(1)
    count = total = 0
    with open(out, "wb") as f:
        parts = [generated(rng, limit * 0.2), messages(limit * 0.2), multilingual(rng, limit * 0.15),
                 files(sys.argv[3:] or DEFAULT, rng, limit)]
        for part in parts:
            for text in part:
                data = text.replace("\0", "\ufffd").encode("utf-8", "replace") + b"\0"
                f.write(data)
                count += 1
                total += len(data)
                if total >= limit and part is parts[-1]:
                    break
    print(f"{count} documents, {total / 1e6:.1f} MB")


main()
