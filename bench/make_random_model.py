"""A model folder of Qwen2.5-0.5B's shape with random weights, for measuring memory (bench/memory.sh).

    python bench/make_random_model.py DIR TOKENIZER_DIR    # tokenizer files are taken from TOKENIZER_DIR
"""
import json
import pathlib
import shutil
import struct
import sys

import numpy as np

V, D, F, L, H, G, E = 151936, 896, 4864, 24, 14, 2, 64


def tensors():
    yield "model.embed_tokens.weight", (V, D)
    for i in range(L):
        p = f"model.layers.{i}."
        yield p + "input_layernorm.weight", (D,)
        for name, rows in (("q", H * E), ("k", G * E), ("v", G * E)):
            yield p + f"self_attn.{name}_proj.weight", (rows, D)
            yield p + f"self_attn.{name}_proj.bias", (rows,)
        yield p + "self_attn.o_proj.weight", (D, H * E)
        yield p + "post_attention_layernorm.weight", (D,)
        yield p + "mlp.gate_proj.weight", (F, D)
        yield p + "mlp.up_proj.weight", (F, D)
        yield p + "mlp.down_proj.weight", (D, F)
    yield "model.norm.weight", (D,)


def bf16(x):
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")


def main(out, tokenizer):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(pathlib.Path(tokenizer) / name, out / name)
    config = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": V, "hidden_size": D,
              "intermediate_size": F, "num_hidden_layers": L, "num_attention_heads": H, "num_key_value_heads": G,
              "max_position_embeddings": 32768, "rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "hidden_act": "silu",
              "initializer_range": 0.02, "tie_word_embeddings": True, "use_sliding_window": False,
              "torch_dtype": "bfloat16", "eos_token_id": 0, "bos_token_id": None}
    (out / "config.json").write_text(json.dumps(config, indent=2))
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    rng = np.random.default_rng(1)
    with open(out / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors():
            ones = len(shape) == 1 and not name.endswith("bias")
            x = np.ones(shape, np.float32) if ones else 0.02 * rng.standard_normal(shape, np.float32)
            file.write(bf16(x).tobytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
