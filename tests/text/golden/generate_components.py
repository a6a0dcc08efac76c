"""components.json: small tokenizers of every kind that src/text reads, and what the tokenizers package (0.23) makes of
texts and ids with them. Run `python generate_components.py` in this folder (after generate.py: it trains on corpus.txt).

For each tokenizer: its tokenizer.json, cases {text, ids, plain (special text not parsed, no post-processor; left out
where equal to ids), back (ids decoded without special tokens)}, and decodes {ids, text, all} of random ids.
"""
import json
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")
LLAMA3 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^""" "\r\n" r"""\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+["""
            "\r\n" r"""]*|\s*[""" "\r\n" r"""]+|\s+(?!\S)|\s+"""]
lines = open("corpus.txt", encoding="utf-8").read().splitlines()


def train(t, size=310, byte_level=True, special=()):
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte_level else []
    t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=size, min_frequency=2, special_tokens=list(special),
                                                     show_progress=False, initial_alphabet=alphabet))
    return t


def byte_level(steps, normalizer=None, size=310):
    t = Tokenizer(models.BPE())
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizers.Sequence(steps) if len(steps) > 1 else steps[0]
    t.decoder = decoders.ByteLevel()
    return train(t, size)


def level(regex=False, prefix=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert=invert)


def bos(t, token):
    return processors.TemplateProcessing(single=f"{token} $A", special_tokens=[(token, t.token_to_id(token))])


def qwen():
    t = byte_level([split(QWEN), level()], normalizers.NFC())
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return t


def flags():
    t = byte_level([split(QWEN), level()], normalizers.NFC())
    t.add_special_tokens([AddedToken("<left>", lstrip=True, special=True), AddedToken("<right>", rstrip=True, special=True),
                          AddedToken("<both>", lstrip=True, rstrip=True, normalized=True, special=True)])
    t.add_tokens([AddedToken("wait", single_word=True, normalized=False), AddedToken("\u00e9☃", single_word=True),
                  AddedToken("waiting", normalized=False), AddedToken("<le", normalized=False), AddedToken("ft>x", normalized=False),
                  AddedToken("数学", lstrip=True, single_word=True)])  # added tokens with Latin-1 letters only decode wrongly in the package
    return t


def llama3():
    t = byte_level([split(LLAMA3), level()])
    t.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), bos(t, "<|begin_of_text|>")])
    d = json.loads(t.to_str())
    d["model"]["ignore_merges"] = True
    d["model"]["vocab"]["whole"] = len(d["model"]["vocab"]) + 0
    for a in d["added_tokens"]:
        a["id"] += 1
    for p in d["post_processor"]["processors"]:
        for s in p.get("special_tokens", {}).values():
            s["ids"] = [i + 1 for i in s["ids"]]
    return Tokenizer.from_str(json.dumps(d))


def smollm():
    t = byte_level([pre_tokenizers.Digits(individual_digits=True), level(regex=True)])
    t.add_special_tokens(["<|im_start|>"])
    d = json.loads(t.to_str())
    victim = next(k for k, v in d["model"]["vocab"].items() if k == "ē")  # the byte 0x13: real vocabularies lack it too
    d["model"]["vocab"]["<hole>"] = d["model"]["vocab"].pop(victim)
    return Tokenizer.from_str(json.dumps(d))


def deepseek():
    t = byte_level([split(p) for p in DEEPSEEK] + [level()], normalizers.Sequence([]))
    t.add_special_tokens([AddedToken("<｜end▁of▁sentence｜>", normalized=False, special=True)])
    t.add_tokens([AddedToken("<｜User｜>", normalized=True)])
    return t


def prefixed():
    t = byte_level([level(regex=True, prefix=True)])
    t.add_special_tokens(["<s>"])
    return t


def behaviors():
    return byte_level([split(QWEN, "removed", invert=True), split("[aeiou]", "merged_with_previous"),
                       split("[xyz]", "merged_with_next"), split(r"\p{P}", "contiguous"), pre_tokenizers.Digits(False), level()])


def sentencepiece(normalizer, pre, decoder):
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    t.decoder = decoder
    short = Tokenizer(models.BPE())
    short.pre_tokenizer = pre_tokenizers.Metaspace()
    train(short, 180, byte_level=False)
    d, model = json.loads(t.to_str()), json.loads(short.to_str())["model"]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + list(model["vocab"])
    d["model"].update(vocab={n: i for i, n in enumerate(names)}, merges=model["merges"])
    t = Tokenizer.from_str(json.dumps(d))
    t.add_special_tokens(["<unk>", "<s>", "</s>"])
    t.post_processor = bos(t, "<s>")
    return t


def llama_decoder():
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])


def llama2():
    t = sentencepiece(normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, llama_decoder())
    t.add_tokens([AddedToken("check", normalized=True)])
    return t


def metaspace_first():
    return sentencepiece(None, pre_tokenizers.Metaspace("▁", "first", False), llama_decoder())


def metaspace_split():
    return sentencepiece(normalizers.NFC(), pre_tokenizers.Metaspace("▁", "always", True), decoders.Metaspace("▁", "always", True))


def no_fallback():
    t = sentencepiece(None, pre_tokenizers.Metaspace("▁", "never", True), decoders.Metaspace("▁", "never", True))
    d = json.loads(t.to_str())
    d["model"]["byte_fallback"] = False
    return Tokenizer.from_str(json.dumps(d))


KINDS = [qwen, flags, llama3, smollm, deepseek, prefixed, behaviors, llama2, metaspace_first, metaspace_split, no_fallback]


def texts():
    rng = random.Random(3)
    fixed = ["", " ", "  x", "a b", " a", "12 + 3 = 15", "1 22 333 4444 55555", "x \n \n  y  \n", "\t\tx\r\n\r\n", "I'm DON'T 'll \u017f",
             "½ ² ٣ Ⅷ 五 3rd", "naïve cafe\u0301 cafe\u0301☃ é☃", "e\u0323\u0301 e\u0301\u0323 \u1100\u1161\u11a8 \u0915\u093c \u0958",
             "\u212b \u2126 \u03b1\u0345 \u05e9\u05bc\u05c1", "a\u0301\u0898 a\u0898\u0301 \U00011935\U00011930", "\U0001fae8 \U0001face \ua7cb\u1c89 \U00010d40\U00011de0\U00016ff4",
             "日本語のテキスト 数学问题 数学 x数学", "👍🏽👨‍👩‍👧‍👦 🙂", "<s>a</s> b<s> <unk>", "a <left> b <right> c <both> d", "<left><left>  <right>  <left>",
             "wait waiting awaiting wait. (wait) wait_ waitx ⓦwait wait\u200d", "<leftx <left>x", "<|begin_of_text|>hi<|eot_id|> <|im_start|>", "whole the whole",
             "<｜User｜>数<｜end▁of▁sentence｜>", "▁ a▁b ▁▁c", "check checks  check", "<0x41>\x00\x13\x7f", "a\x13b", "\x13", "aeiou xyzzy, xx..yy--!? 12ab34",
             "a" * 70, " " * 40 + "the", "the number is maybe\u00a0\u3000\u2028 wait", "\\boxed{(3 + 4) * 5}", "\ufffd\ufffd \ue000 \U0010ffff"]
    pools = ["abcxyz 0123456789 '\n", "'sSdDtT ", " \t\n\r\u00a0\u3000x▁", "äöüßé漢字かな한글", "👍🏽\u200d🙂", "+-*/=(){}.,!?<>|", "e\u0301\u0323\u0327o"]
    out = list(fixed)
    for _ in range(25):
        pool = "".join(rng.sample(pools, 2))
        out.append("".join(rng.choice(pool) for _ in range(rng.randint(1, 30))))
    for _ in range(15):
        out.append("".join(chr(rng.choice([rng.randint(1, 0x2ff), rng.randint(0x300, 0xd7ff), rng.randint(0xe000, 0x1ffff)])) for _ in range(8)))
    return out + rng.sample(lines, 6)


def main():
    rng = random.Random(4)
    out = {}
    for kind in KINDS:
        t = kind()
        cases, decodes = [], []
        for text in texts():
            t.encode_special_tokens = False
            ids = t.encode(text).ids
            t.encode_special_tokens = True
            plain = t.encode(text, add_special_tokens=False).ids
            case = {"text": text, "ids": ids, "back": t.decode(ids)}
            if plain != ids:
                case["plain"] = plain
            cases.append(case)
        for _ in range(25):
            size = t.get_vocab_size()
            ids = [rng.randrange(size) if rng.random() < 0.4 else rng.randrange(min(size, 270)) for _ in range(rng.randint(0, 12))]
            decodes.append({"ids": ids, "text": t.decode(ids), "all": t.decode(ids, skip_special_tokens=False)})
        t.encode_special_tokens = False
        out[kind.__name__] = {"tokenizer": json.loads(t.to_str()), "cases": cases, "decodes": decodes}
    with open("components.json", "w", encoding="utf-8") as f:
        f.write("{\n" + ",\n".join(json.dumps(k) + ":" + json.dumps(v, ensure_ascii=True, separators=(",", ":")) for k, v in out.items()) + "\n}\n")


main()
