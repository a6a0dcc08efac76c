"""Golden vectors for src/text, from the tokenizers package (0.23): run `python generate.py` in this folder.

corpus.txt      what both trainers are trained on, one document a line
gpt2.json       BpeTrainer's tokenizer over ByteLevel with GPT-2's pattern
qwen.json       the same over Qwen2's Split pattern, with special and plain added tokens
cases.json      texts and their ids under each tokenizer, special tokens parsed and not
"""
import json
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")


def corpus():
    rng = random.Random(1)
    lines = []
    words = "the number is maybe wait try again check works fails target left we can't don't it's we'll I'd".split()
    for i in range(400):
        a, b = rng.randint(1, 20), rng.randint(1, 20)
        op, c = rng.choice([("+", a + b), ("-", a - b), ("*", a * b)])
        lines.append(f"{a} {op} {b} = {c}. " + " ".join(rng.choice(words) for _ in range(rng.randint(2, 9))) +
                     rng.choice([".", "!", "?", ", ", " \\boxed{%d}" % c]))
    lines += ["aaaa aaaaaaa aaa aaaa", "Ünïcödé ünïcödé naïve café café", "数学 数学 数学问题", "👍👍👍 👍🏽 🙂🙂",
              "ababab abab ab ababababab", "xyzxyzxyz yzx zxy xyz", "tab\ttab\t\ttab", "  two  spaces   three"]
    return lines


def trainer(size, special):
    return trainers.BpeTrainer(vocab_size=size, min_frequency=2, special_tokens=special, show_progress=False,
                               initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


def build(lines):
    gpt2 = Tokenizer(models.BPE())
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    gpt2.decoder = decoders.ByteLevel()
    gpt2.train_from_iterator(lines, trainer(600, ["<|endoftext|>"]))
    qwen = Tokenizer(models.BPE())
    qwen.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    qwen.decoder = decoders.ByteLevel()
    qwen.post_processor = processors.ByteLevel(trim_offsets=False)
    qwen.train_from_iterator(lines, trainer(500, []))
    qwen.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    qwen.add_tokens([AddedToken("<tool>", normalized=False, special=False), AddedToken("<tool>er", normalized=True),
                     AddedToken("né", normalized=True)])
    return {"gpt2": gpt2, "qwen": qwen}


def texts(lines):
    rng = random.Random(2)
    fixed = [
        "", " ", "  ", "\n", " \n", "a", "12 + 3 = 15", "1 22 333 4444 55555", "x\n\ny", "x \n \n  y  ", "\t\tx",
        "I'm we're IT'S DON'T 'S 's 'LL 'll '\u017f", "can't 'tis o'clock", "½ ² ٣ Ⅷ 五 3rd", "\u00a0x\u00a0\u00a0y",
        "\u180ex\u180e\u180e y", "\u0085x\u2028y\u2029 z\u3000w\u200b v\ufeff", "x\r\ny\r\n\r\nz\r", "\x0b\x0c \x1c\x1d\x1e\x1f.",
        "naïve café Ünïcödé", "日本語のテキスト 数学问题", "👍🏽👨‍👩‍👧‍👦 🙂", "e\u0301\u0301 \u0915\u094d\u0937", "<|endoftext|>",
        "a<|endoftext|> b<|endoftext|><|endoftext|>", "<|im_start|>user\nhi<|im_end|>\n", "<tool>x <tool>er <to ol>",
        "<|endoftext", "né né.né", "ababababab xyzxyz", "a" * 100, "ab" * 77, " " * 50 + "x", "1" * 60, "!" * 45 + "\n\n",
        "\\boxed{(3 + 4) * 5}", "\u0000\u0001\x7f\x80\x9f\xa0\xad", "\U0010ffff\U000e0001 \ue000",
    ]
    pools = ["abcxyz 0123456789 '\n", "'sSdDtTlLvVeErRmM ", " \t\n\r\u00a0\u2003\u3000x", "äöüßſKé漢字かな한글",
             "👍🏽\u200d🙂\ufe0f ", "+-*/=(){}\\.,!?<>|", "".join(chr(c) for c in range(0x20, 0x250))]
    out = list(fixed)
    for _ in range(200):
        pool = "".join(rng.sample(pools, 2))
        out.append("".join(rng.choice(pool) for _ in range(rng.randint(1, 40))))
    for _ in range(100):
        out.append("".join(chr(c) for c in (rng.choice([rng.randint(1, 0x2ff), rng.randint(0x300, 0xd7ff),
                                                         rng.randint(0xe000, 0x1ffff)])
                                            for _ in range(rng.randint(1, 12)))))
    return out + rng.sample(lines, 40)


def main():
    lines = corpus()
    with open("corpus.txt", "w", encoding="utf-8", newline="\n") as f:
        f.write("".join(line + "\n" for line in lines))
    cases = []
    tokenizers = build(lines)
    for name, tokenizer in tokenizers.items():
        tokenizer.save(name + ".json", pretty=False)
    for text in texts(lines):
        case = {"text": text}
        for name, tokenizer in tokenizers.items():
            tokenizer.encode_special_tokens = False
            case[name] = tokenizer.encode(text).ids
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(text).ids
            if plain != case[name]:
                case[name + "_plain"] = plain
        cases.append(case)
    with open("cases.json", "w", encoding="utf-8") as f:
        json.dump(cases, f, ensure_ascii=True, separators=(",", ":"))
        f.write("\n")


main()
