"""A model folder of a published shape with random weights: speed and memory do not depend on what weights say.

    python bench/make_random_model.py DIR TOKENIZER_DIR [SHAPE [f32|bf16]]    # default: qwen2.5-0.5b bf16

Tokenizer files are taken from TOKENIZER_DIR; of a folder that has them all, nothing is written.
"""
import array
import json
import math
import pathlib
import random
import shutil
import struct
import sys

# vocabulary, width, feed-forward width, layers, heads, key-value heads, head size, biases of q, k and v
SHAPES = {
    "mini": (1024, 192, 512, 5, 6, 2, 32, True),  # assets/countdown-base
    "gpt2-124m": (50304, 768, 2048, 12, 12, 12, 64, False),  # a Llama of GPT-2's dimensions: 3 x 2048 for 2 x 3072
    "smollm2-135m": (49152, 576, 1536, 30, 9, 3, 64, False),
    "qwen2.5-0.5b": (151936, 896, 4864, 24, 14, 2, 64, True),
}


def tensors(shape):
    v, d, f, layers, h, g, e, biases = shape
    yield "model.embed_tokens.weight", (v, d)
    for i in range(layers):
        p = f"model.layers.{i}."
        yield p + "input_layernorm.weight", (d,)
        for name, rows in (("q", h * e), ("k", g * e), ("v", g * e)):
            yield p + f"self_attn.{name}_proj.weight", (rows, d)
            if biases:
                yield p + f"self_attn.{name}_proj.bias", (rows,)
        yield p + "self_attn.o_proj.weight", (d, h * e)
        yield p + "post_attention_layernorm.weight", (d,)
        yield p + "mlp.gate_proj.weight", (f, d)
        yield p + "mlp.up_proj.weight", (f, d)
        yield p + "mlp.down_proj.weight", (d, f)
    yield "model.norm.weight", (d,)


def parameters(name):
    return sum(math.prod(shape) for _, shape in tensors(SHAPES[name]))


def config_of(shape, dtype):
    v, d, f, layers, h, g, e, biases = shape
    kind = ("Qwen2ForCausalLM", "qwen2") if biases else ("LlamaForCausalLM", "llama")
    config = {"architectures": [kind[0]], "model_type": kind[1], "vocab_size": v, "hidden_size": d,
              "intermediate_size": f, "num_hidden_layers": layers, "num_attention_heads": h, "num_key_value_heads": g,
              "max_position_embeddings": 32768, "rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "hidden_act": "silu",
              "initializer_range": 0.02, "tie_word_embeddings": True,
              "torch_dtype": "bfloat16" if dtype == "bf16" else "float32", "eos_token_id": 0, "bos_token_id": None}
    if biases:
        config["use_sliding_window"] = False
    else:
        config.update(attention_bias=False, mlp_bias=False, head_dim=e)
    return config


def bf16(values):
    """Rounded to nearest, ties to even."""
    bits = array.array("I", values.tobytes())
    return array.array("H", [(x + 0x7FFF + (x >> 16 & 1)) >> 16 for x in bits])


class Noise:
    """Normal numbers of deviation 0.02 without end: a million of them over and over. Their count is a prime, so that no
    two rows of a matrix begin at the same one. Needs no numpy, and takes no longer than writing."""

    COUNT = 1000003

    def __init__(self, dtype):
        rng = random.Random(1)
        self.form = (lambda x: x) if dtype == "f32" else bf16
        block = self.form(array.array("f", [rng.gauss(0, 0.02) for _ in range(self.COUNT)]))
        self.size, self.block, self.at = block.itemsize, block.tobytes(), 0

    def write(self, file, count):
        while count > 0:
            taken = min(count, self.COUNT - self.at)
            file.write(self.block[self.at * self.size:(self.at + taken) * self.size])
            self.at = (self.at + taken) % self.COUNT
            count -= taken

    def write_ones(self, file, count):
        file.write(self.form(array.array("f", [1.0] * count)).tobytes())


def make(out, tokenizer, name="qwen2.5-0.5b", dtype="bf16"):
    out, shape, size = pathlib.Path(out), SHAPES[name], {"bf16": 2, "f32": 4}[dtype]
    if (out / "model.safetensors").exists():
        return out
    out.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(pathlib.Path(tokenizer) / file, out / file)
    (out / "config.json").write_text(json.dumps(config_of(shape, dtype), indent=2))
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for tensor, dims in tensors(shape):
        end = at + size * math.prod(dims)
        header[tensor] = {"dtype": dtype.upper(), "shape": list(dims), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = Noise(dtype)
    partial = out / "model.safetensors.partial"
    with open(partial, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor, dims in tensors(shape):
            ones = len(dims) == 1 and not tensor.endswith("bias")
            (noise.write_ones if ones else noise.write)(file, math.prod(dims))
    partial.rename(out / "model.safetensors")
    return out


if __name__ == "__main__":
    make(*sys.argv[1:])
