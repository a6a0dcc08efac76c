"""Golden vectors of src/model for each architecture and rope type, from transformers (float32, eager attention).

    python3 make_architectures.py     # needs torch, transformers, safetensors; writes beside itself

ARCH.safetensors         weights of a tiny random model, as save_pretrained writes them
ARCH-CASE.json           config.json of the same weights with another rope type or window, as save_pretrained writes it
ARCH-CASE.safetensors    doc_start, ids, target (int32); logits [tokens][vocabulary]; grad.NAME of the mean cross-entropy
                         over scored tokens, for every weight
sharded/                 the llama weights saved in several files
"""

import json
import os
import tempfile

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
LENGTHS = (48, 13)  # above and below every original length and window
VOCABULARY = 24

SIZES = dict(
    vocab_size=VOCABULARY,
    hidden_size=16,
    intermediate_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=64,
    rms_norm_eps=1e-5,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=None,  # its row of the embedding would get no gradient
)

DEFAULT = {"rope_type": "default", "rope_theta": 10000.0}
LINEAR = {"rope_type": "linear", "rope_theta": 5000.0, "factor": 2.5}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 24,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16}
YARN_GIVEN = dict(YARN, attention_factor=0.9, beta_fast=8.0, beta_slow=0.5)
YARN_MSCALE = dict(YARN, mscale=0.7, mscale_all_dim=1.2, truncate=False, rope_theta=100.0)

ARCHITECTURES = {
    "qwen2": (
        dict(tie_word_embeddings=True),
        {
            "default": dict(rope_parameters=DEFAULT),
            "linear": dict(rope_parameters=LINEAR),
            "dynamic": dict(rope_parameters=DYNAMIC),
            "yarn": dict(rope_parameters=YARN),
            "window": dict(rope_parameters=DEFAULT, use_sliding_window=True, sliding_window=7, max_window_layers=1),
        },
    ),
    "qwen3": (
        dict(tie_word_embeddings=False, head_dim=16),
        {
            "default": dict(rope_parameters=DEFAULT),
            "llama3": dict(rope_parameters=LLAMA3),
            "yarn": dict(rope_parameters=YARN_MSCALE),
            "window": dict(
                rope_parameters=LINEAR,
                use_sliding_window=True,
                sliding_window=10,
                layer_types=["sliding_attention", "full_attention"],
            ),
        },
    ),
    "llama": (
        dict(tie_word_embeddings=True, head_dim=16, attention_bias=True),
        {
            "default": dict(rope_parameters=DEFAULT),
            "linear": dict(rope_parameters=LINEAR),
            "dynamic": dict(rope_parameters=DYNAMIC),
            "llama3": dict(rope_parameters=LLAMA3),
            "yarn": dict(rope_parameters=YARN_GIVEN),
        },
    ),
    "mistral": (
        dict(tie_word_embeddings=False, head_dim=8),
        {
            "window": dict(rope_parameters=DEFAULT, sliding_window=6),
            "full": dict(rope_parameters=DEFAULT, sliding_window=None),
            "yarn": dict(rope_parameters=YARN, sliding_window=17),
            "llama3": dict(rope_parameters=LLAMA3, sliding_window=2),
        },
    ),
}


def randomize(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + 0.2 * noise if "norm" in name else 0.3 * noise)


def documents():
    generator = torch.Generator().manual_seed(99)
    ids = [torch.randint(VOCABULARY, (length + 1,), generator=generator) for length in LENGTHS]
    start = torch.tensor([0] + [sum(LENGTHS[: i + 1]) for i in range(len(LENGTHS))], dtype=torch.int32)
    targets = [doc[1:].clone() for doc in ids]
    targets[0][::5] = -1  # not scored
    return start, [doc[:-1] for doc in ids], targets


def vectors(model, path):
    start, ids, targets = documents()
    scored = sum(int((t >= 0).sum()) for t in targets)
    logits, loss = [], 0
    for doc, target in zip(ids, targets):
        out = model(doc[None]).logits[0]
        loss = loss + torch.nn.functional.cross_entropy(out, target, ignore_index=-1, reduction="sum") / scored
        logits.append(out.detach())
    model.zero_grad()
    loss.backward()
    tensors = {"grad." + name: p.grad.contiguous() for name, p in model.named_parameters()}
    tensors["doc_start"] = start
    tensors["ids"] = torch.cat(ids).to(torch.int32)
    tensors["target"] = torch.cat(targets).to(torch.int32)
    tensors["logits"] = torch.cat(logits)
    save_file(tensors, path)
    os.chmod(path, 0o644)


def save(model, folder, names, **how):
    """Keeps the files of save_pretrained that `names` maps to other names (None: all but generation_config.json)."""
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch, **how)
        for file in sorted(os.listdir(scratch)):
            name = names.get(file) if names is not None else file
            if name is None or name == "generation_config.json":
                continue
            with open(os.path.join(scratch, file), "rb") as source, open(os.path.join(folder, name), "wb") as sink:
                sink.write(source.read())


def main():
    torch.set_num_threads(1)
    for number, (architecture, (common, cases)) in enumerate(ARCHITECTURES.items()):
        state = None
        for case, settings in cases.items():
            settings = json.loads(json.dumps(settings))  # transformers fills in the dicts it is given
            config = AutoConfig.for_model(architecture, **SIZES, **common, **settings)
            model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
            if state is None:
                randomize(model, number)
                state = model.state_dict()
                save(model, HERE, {"model.safetensors": architecture + ".safetensors"})
            model.load_state_dict(state)
            name = f"{architecture}-{case}"
            vectors(model, os.path.join(HERE, name + ".safetensors"))
            save(model, HERE, {"config.json": name + ".json"})
            if name == "llama-default":
                save(model, os.path.join(HERE, "sharded"), None, max_shard_size="5KB")


if __name__ == "__main__":
    main()
