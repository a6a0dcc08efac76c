#!/usr/bin/env python3
"""Writes the GGUF fixtures of this folder with llama.cpp's own Python package:

    pip install numpy gguf tokenizers transformers
    make_gguf.py FOLDER [SEEDS]

gguf_llama.gguf   a random Llama of one layer with matrices in every supported type, rows of q and k in llama.cpp's
                  order, Llama 3's rope table, a byte-level tokenizer "llama-bpe" and a chat template
gguf_qwen2.gguf   Qwen2 in F16, untied; a tokenizer "qwen2"
gguf_qwen3.gguf   Qwen3 in BF16, tied; a tokenizer "smollm"
gguf_spm.gguf     a SentencePiece vocabulary alone
gguf.json         what is in them: configurations, SHA-256 of each tensor as float32 in transformers' order of rows, ids of
                  texts as the tokenizers package gives them

ggml_blocks.bin   for each block format, random blocks (scales that are ordinary, subnormal, zero, negative and large
                  among them) and what gguf.quants.dequantize makes of them:
                      u32 type, u32 blocks, u32 bytes, bytes, u32 floats, floats
                  until the file's end; then, as type 8 with the high bit set, floats and the Q8_0 blocks that
                  gguf.quants.quantize makes of them:
                      u32 0x80000008, u32 blocks, u32 floats, floats, u32 bytes, bytes
"""
import hashlib
import json
import pathlib
import random as plain_random
import struct
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants
from gguf.constants import GGML_QUANT_SIZES

# where the F16 scales of a block stand
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2],
          T.Q6_K: [208], T.F16: [0], T.BF16: [], T.F32: []}
SPECIAL = np.array([0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00, 0x1234, 0x9234],
                   dtype=np.uint16)


def finite_halves(random, count):
    halves = random.integers(0, 1 << 16, count, dtype=np.uint16)
    return np.where((halves & 0x7C00) == 0x7C00, halves & 0x83FF, halves).astype(np.uint16)


def blocks_of(kind, random):
    block, size = GGML_QUANT_SIZES[kind]
    if block == 1:
        bits = random.integers(0, 1 << 32, 512, dtype=np.uint64).astype(np.uint32)
        if kind == T.F32:
            return np.where((bits & 0x7F800000) == 0x7F800000, bits & 0x807FFFFF, bits).astype(np.uint32).view(np.uint8)
        if kind == T.BF16:
            halves = (bits >> 16).astype(np.uint16)
            return np.where((halves & 0x7F80) == 0x7F80, halves & 0x807F, halves).astype(np.uint16).view(np.uint8)
        return np.concatenate([finite_halves(random, 512 - len(SPECIAL)), SPECIAL]).view(np.uint8)
    count = 48 if block == 32 else 16
    data = random.integers(0, 256, (count, size), dtype=np.uint8)
    for at in SCALES[kind]:
        halves = np.concatenate([SPECIAL, finite_halves(random, count)])[:count]
        random.shuffle(halves)
        data[:, at:at + 2] = halves.view(np.uint8).reshape(count, 2)
    return data.reshape(-1)


def write_blocks(folder):
    random = np.random.default_rng(7)
    with open(folder / "ggml_blocks.bin", "wb") as out:
        for kind in SCALES:
            block, size = GGML_QUANT_SIZES[kind]
            data = blocks_of(kind, random)
            floats = quants.dequantize(data.reshape(1, -1), kind).astype(np.float32).reshape(-1)
            assert np.isfinite(floats).all()
            out.write(struct.pack("<III", kind, data.size // size, data.size) + data.tobytes())
            out.write(struct.pack("<I", floats.size) + floats.tobytes())
        values = random.normal(size=(48, 32)).astype(np.float32)
        values *= (10.0 ** random.integers(-8, 6, (48, 1))).astype(np.float32)
        values[0] = 0
        values[1] = np.arange(32) - 15.5          # halves: rounded away from zero
        values[1, 0] = 127
        values[2] = np.float32(1e-41) * np.arange(32)  # subnormals whose scale has a finite inverse
        values[2, 0] = 1e-30
        packed = quants.quantize(values, T.Q8_0)
        out.write(struct.pack("<III", 0x80000000 | T.Q8_0, 48, values.size) + values.tobytes())
        out.write(struct.pack("<I", packed.size) + packed.tobytes())



# ---- tokenizers ----

TEXTS = ["Hello world, hello 12345!", " the  thing\n\nin then", "it's THE'S <|end|> <|tool|>x", "caf\u00e9 \u65e5\u672c \U0001f642", "", " ", "a",
         "<unk> </s> the end", "e\u0301"]
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CHAT = ("{% for m in messages %}{{ '<|start|>' + m['role'] + ': ' + m['content'] + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start|>assistant: ' }}{% endif %}")


def byte_alphabet():
    from tokenizers.pre_tokenizers import ByteLevel
    return sorted(ByteLevel.alphabet())


def byte_level(pre):
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    tokens = byte_alphabet()
    merges = [("t", "h"), ("th", "e"), ("\u0120", "the"), ("i", "n"), ("l", "l"), ("e", "ll"), ("h", "ell"), ("1", "2"), ("12", "3"),
              ("'", "s"), ("\u0120", "\u0120")]
    tokens += [a + b for a, b in merges] + ["<|start|>", "<|end|>", "<|tool|>"]
    vocab = {token: i for i, token in enumerate(tokens)}
    t = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=pre == "llama-bpe"))
    t.add_special_tokens([AddedToken("<|start|>", special=True), AddedToken("<|end|>", special=True)])
    t.add_tokens([AddedToken("<|tool|>", normalized=False)])
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pre == "smollm")
    first = (pre_tokenizers.Digits(individual_digits=True) if pre == "smollm" else
             pre_tokenizers.Split(Regex(WORDS + (r"\p{N}{1,3}" if pre == "llama-bpe" else r"\p{N}") + REST), "isolated"))
    t.pre_tokenizer = pre_tokenizers.Sequence([first, last])
    if pre == "qwen2":
        t.normalizer = normalizers.NFC()
    if pre == "llama-bpe":
        t.post_processor = processors.TemplateProcessing(single="<|start|> $A", special_tokens=[("<|start|>", vocab["<|start|>"])])
    types = [1] * (len(tokens) - 3) + [3, 3, 4]
    return t, tokens, types, [a + " " + b for a, b in merges]


def add_byte_level(writer, pre, rows):
    t, tokens, types, merges = byte_level(pre)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    padding = range(len(tokens), rows)
    writer.add_token_list(tokens + [f"[PAD{i}]" for i in padding])
    writer.add_token_types(types + [5] * len(padding))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|start|>"))
    writer.add_eos_token_id(tokens.index("<|end|>"))
    if pre == "llama-bpe":
        writer.add_eot_token_id(tokens.index("<|tool|>"))
    writer.add_chat_template(CHAT)
    return {"ids": [[text, t.encode(text).ids] for text in TEXTS], "tokens": len(tokens), "merges": len(merges)}


def write_spm(folder):
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
    from transformers.tokenization_utils_base import generate_merges
    random = plain_random.Random(3)
    mark = "\u2581"
    words = ["the", "thing", "hello", "world", "then", "in", "ll", "he", "el", "lo", "or", "ld", "wo", "th", "hi", "end", "12", "123"]
    pieces = {mark, mark + mark}
    for word in words:
        for i in range(len(word)):
            for j in range(i + 1, len(word) + 1):
                if random.random() < 0.7 or j - i == 1:
                    pieces.add(word[i:j])
        for j in range(1, len(word) + 1):
            pieces.add(mark + word[:j])
    pieces = sorted(pieces)
    random.shuffle(pieces)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + pieces
    scores = [0.0] * 259 + [-float(i) for i in range(len(pieces))]
    types = [2, 3, 3] + [6] * 256 + [1] * len(pieces)
    vocab = {token: i for i, token in enumerate(tokens)}
    normal = {token: scores[i] for token, i in vocab.items() if types[i] == 1}
    merges = generate_merges({token: vocab[token] for token in normal}, normal)
    t = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in tokens[:3]])
    t.normalizer = normalizers.Sequence([normalizers.Prepend(mark), normalizers.Replace(" ", mark)])
    t.decoder = decoders.Sequence([decoders.Replace(mark, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    writer = gguf.GGUFWriter(folder / "gguf_spm.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    close(writer)
    return {"ids": [[text, t.encode(text).ids] for text in TEXTS], "tokens": len(tokens), "merges": len(merges)}


# ---- models ----

def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permute(rows, heads):
    """convert_hf_to_gguf.py, LlamaModel.permute"""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def unpermute(rows, heads):
    return rows.reshape(heads, rows.shape[0] // heads // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def random_blocks(random, rows, cols, kind):
    """Blocks of random bits with ordinary scales; K-quants cannot be made from floats by the package."""
    block, size = GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (rows, cols // block, size), dtype=np.uint8)
    for at in SCALES[kind]:
        scale = (random.normal(size=(rows, cols // block)) * 1e-3).astype(np.float16)
        data[:, :, at:at + 2] = scale.view(np.uint8).reshape(rows, cols // block, 2)
    return data.reshape(rows, -1)


class Model:
    def __init__(self, path, arch, random):
        self.writer = gguf.GGUFWriter(path, arch)
        self.random, self.sums = random, {}

    def add(self, name, ours, shape, kind, heads=None):
        """heads: the rows are in llama.cpp's order, of so many heads"""
        if kind in (T.F32, T.F16, T.BF16):
            values = (self.random.normal(size=shape) * 0.1).astype(np.float32)
            data = quants.quantize(values, kind) if kind != T.F32 else values
        else:
            data = random_blocks(self.random, *shape, kind)
        self.writer.add_tensor(name, data, raw_dtype=kind)
        floats = np.ascontiguousarray(quants.dequantize(data, kind).astype(np.float32).reshape(shape))
        if heads:
            floats = np.ascontiguousarray(unpermute(floats, heads))
            assert (permute(floats, heads) == quants.dequantize(data, kind).reshape(shape)).all()
        self.sums[ours] = hashlib.sha256(floats.tobytes()).hexdigest()

    def shape(self, hidden, ff, heads, groups, head_dim, theta, context):
        w = self.writer
        w.add_block_count(1)
        w.add_context_length(context)
        w.add_embedding_length(hidden)
        w.add_feed_forward_length(ff)
        w.add_head_count(heads)
        w.add_head_count_kv(groups)
        w.add_layer_norm_rms_eps(1e-5)
        w.add_rope_freq_base(theta)
        w.add_key_length(head_dim)
        w.add_value_length(head_dim)

    def layer(self, hidden, ff, heads, groups, head_dim, kinds, permuted, biases=False, norms=False):
        q, kv = heads * head_dim, groups * head_dim
        parts = [("attn_q", "self_attn.q_proj", (q, hidden), heads), ("attn_k", "self_attn.k_proj", (kv, hidden), groups),
                 ("attn_v", "self_attn.v_proj", (kv, hidden), 0), ("attn_output", "self_attn.o_proj", (hidden, q), 0),
                 ("ffn_gate", "mlp.gate_proj", (ff, hidden), 0), ("ffn_up", "mlp.up_proj", (ff, hidden), 0),
                 ("ffn_down", "mlp.down_proj", (hidden, ff), 0)]
        for (theirs, ours, shape, order), kind in zip(parts, kinds, strict=True):
            self.add(f"blk.0.{theirs}.weight", f"model.layers.0.{ours}.weight", shape, kind, order if permuted else None)
            if biases and theirs in ("attn_q", "attn_k", "attn_v"):
                self.add(f"blk.0.{theirs}.bias", f"model.layers.0.{ours}.bias", (shape[0],), T.F32)
        for theirs, ours in (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")):
            self.add(f"blk.0.{theirs}.weight", f"model.layers.0.{ours}.weight", (hidden,), T.F32)
        if norms:
            self.add("blk.0.attn_q_norm.weight", "model.layers.0.self_attn.q_norm.weight", (head_dim,), T.F32)
            self.add("blk.0.attn_k_norm.weight", "model.layers.0.self_attn.k_norm.weight", (head_dim,), T.F32)
        self.add("output_norm.weight", "model.norm.weight", (hidden,), T.F32)


def llama3_factors(theta, dim, factor, original):
    """convert_hf_to_gguf.py, generate_extra_tensors"""
    frequencies = (1.0 / (theta ** (np.arange(0, dim, 2, dtype=np.float32) / np.float32(dim)))).astype(np.float32)
    factors = []
    for frequency in frequencies:
        wavelength = np.float32(2 * np.pi) / frequency
        if wavelength < original / 4.0:
            factors.append(1)
        elif wavelength > original / 1.0:
            factors.append(factor)
        else:
            smooth = (original / wavelength - 1.0) / 3.0
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(factors, dtype=np.float32)


def write_llama(folder, random):
    m = Model(folder / "gguf_llama.gguf", "llama", random)
    m.shape(256, 32, 4, 2, 16, 500000.0, 4096)
    m.writer.add_rope_dimension_count(16)
    m.writer.add_vocab_size(272)
    m.add("token_embd.weight", "model.embed_tokens.weight", (272, 256), T.Q4_K)
    m.writer.add_tensor("rope_freqs.weight", llama3_factors(500000.0, 16, 8.0, 128))
    m.layer(256, 32, 4, 2, 16, [T.Q5_K, T.Q6_K, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1], True)
    m.add("output.weight", "lm_head.weight", (272, 256), T.Q6_K)
    found = add_byte_level(m.writer, "llama-bpe", 272)
    close(m.writer)
    return {**found, "sha256": m.sums, "config": {
        "vocab_size": 272, "hidden_size": 256, "intermediate_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 16, "rope_theta": 500000.0, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False, "eos_token_id": [268, 269], "bos_token_id": 267,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 128}}}


def write_qwen(folder, random, arch):
    three = arch == "qwen3"
    kind = T.BF16 if three else T.F16
    m = Model(folder / f"gguf_{arch}.gguf", arch, random)
    m.shape(32, 48, 4, 2, 16 if three else 8, 1000000.0, 64)
    m.add("token_embd.weight", "model.embed_tokens.weight", (270, 32), kind)
    m.layer(32, 48, 4, 2, 16 if three else 8, [kind] * 7, False, biases=not three, norms=three)
    if not three:
        m.add("output.weight", "lm_head.weight", (270, 32), T.F32)
    found = add_byte_level(m.writer, "smollm" if three else "qwen2", 270)
    close(m.writer)
    return {**found, "sha256": m.sums, "config": {
        "vocab_size": 270, "hidden_size": 32, "head_dim": 16 if three else 8, "rope_theta": 1000000.0,
        "tie_word_embeddings": three, "eos_token_id": [268], "bos_token_id": 267}}


def write_seeds(folder, random):
    """Small files for fuzz/fuzz_gguf.c: a whole model with each kind of tokenizer, and every type of metadata."""
    for kind in ("gpt2", "llama"):
        m = Model(folder / f"{kind}.gguf", "llama", random)
        m.shape(32, 32, 2, 1, 16, 10000.0, 64)
        m.add("token_embd.weight", "", (8, 32), T.Q8_0)
        m.writer.add_tensor("rope_freqs.weight", llama3_factors(10000.0, 16, 8.0, 128))
        m.layer(32, 32, 2, 1, 16, [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.F16, T.BF16], True)
        m.writer.add_tokenizer_model(kind)
        m.writer.add_tokenizer_pre("llama-bpe" if kind == "gpt2" else "default")
        m.writer.add_token_list(["<s>", "</s>", "a", "b", "ab", "<0x41>", "\u0120", "aab"])
        m.writer.add_token_types([3, 3, 1, 1, 1, 6, 1, 1])
        m.writer.add_token_merges(["a b", "a ab"])
        m.writer.add_token_scores([0, 0, -1, -2, -3, 0, -4, -5])
        m.writer.add_bos_token_id(0)
        m.writer.add_eos_token_id(1)
        m.writer.add_chat_template("{{ bos_token }}")
        close(m.writer)
    w = gguf.GGUFWriter(folder / "types.gguf", "qwen2")
    for name, value in (("u8", 1), ("i8", -1), ("u16", 2), ("i16", -2), ("u32", 3), ("i32", -3), ("u64", 4), ("i64", -4)):
        getattr(w, "add_" + {"u": "uint", "i": "int"}[name[0]] + name[1:])("k." + name, value)
    w.add_float32("k.f32", 0.5)
    w.add_float64("k.f64", 0.25)
    w.add_bool("k.bool", True)
    w.add_array("k.list", [1, 2, 3])
    w.add_array("k.words", ["a", "", "b"])
    w.add_custom_alignment(64)
    w.add_tensor("t", np.zeros((2, 4), dtype=np.float32))
    close(w)


def main():
    folder = pathlib.Path(sys.argv[1])
    write_blocks(folder)
    random = np.random.default_rng(11)
    found = {"gguf_llama.gguf": write_llama(folder, random), "gguf_qwen2.gguf": write_qwen(folder, random, "qwen2"),
             "gguf_qwen3.gguf": write_qwen(folder, random, "qwen3"), "gguf_spm.gguf": write_spm(folder)}
    (folder / "gguf.json").write_text(json.dumps(found, indent=1) + "\n")
    if len(sys.argv) > 2:
        write_seeds(pathlib.Path(sys.argv[2]), random)


if __name__ == "__main__":
    main()
