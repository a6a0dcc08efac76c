"""Golden vectors for tests/model/test_lora.c, from PEFT, transformers and PyTorch (fp32).

    python make_lora.py        # writes lora/base, lora/adapter and lora/expected.safetensors beside this file
    python make_lora.py check BASE ADAPTER MERGED    # PEFT loads an adapter that retort trained; largest differences

The base's values are bfloat16 numbers, so that both ways of holding it are the same model. expected.safetensors: ids
and targets (as floats), logits with the adapter and of PEFT's merged model, the loss, the gradients of A and B under
their names, and their values after STEPS steps of AdamW ("after.<name>").
"""
import pathlib
import sys

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

HERE = pathlib.Path(__file__).parent / "lora"
V, D, F, L, H, G, E = 61, 24, 36, 2, 4, 2, 6
TOKENS, STEPS, LR, BETAS, EPS, DECAY = 23, 5, 3e-3, (0.9, 0.95), 1e-4, 0.1
R, ALPHA = 3, 5


def build():
    torch.manual_seed(11)
    config = Qwen2Config(vocab_size=V, hidden_size=D, intermediate_size=F, num_hidden_layers=L, num_attention_heads=H,
                         num_key_value_heads=G, head_dim=E, max_position_embeddings=64, tie_word_embeddings=True,
                         rope_parameters={"rope_type": "default", "rope_theta": 100.0}, use_sliding_window=False)
    config._attn_implementation = "eager"
    model = Qwen2ForCausalLM(config).float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_((1 + 0.2 * torch.randn_like(p)) if "norm" in name else 0.2 * torch.randn_like(p))
            p.copy_(p.bfloat16().float())
    return model


def load(where):
    return AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, attn_implementation="eager")


def forward(model, ids):
    return model(input_ids=torch.tensor(ids)[None]).logits[0]


def loss_of(model, ids, target):
    return torch.nn.functional.cross_entropy(forward(model, ids), torch.tensor(target), ignore_index=-1)


def named(model, what):
    return {name.replace(".default", ""): what(p).detach().clone().contiguous()
            for name, p in model.named_parameters() if "lora_" in name}


def main():
    base = build()
    base.bfloat16().save_pretrained(HERE / "base")
    base = load(HERE / "base")  # the rotary table of `base` went through bfloat16, too
    rng = np.random.default_rng(5)
    ids = rng.integers(0, V, TOKENS)
    target = np.where(rng.random(TOKENS) < 0.7, rng.integers(0, V, TOKENS), -1)
    model = get_peft_model(base, LoraConfig(r=R, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_(0.3 * torch.randn_like(p))
    model.peft_config["default"].base_model_name_or_path = "base"  # no path of this machine
    model.save_pretrained(HERE / "adapter")
    (HERE / "adapter" / "README.md").unlink()
    out = {"ids": torch.tensor(ids).float(), "target": torch.tensor(target).float(), "logits": forward(model, ids).detach()}
    loss = loss_of(model, ids, target)
    loss.backward()
    out["loss"] = loss.detach()[None]
    out |= named(model, lambda p: p.grad)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=LR, betas=BETAS, eps=EPS,
                                  weight_decay=DECAY)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss_of(model, ids, target).backward()
        optimizer.step()
    out |= {"after." + name: x for name, x in named(model, lambda p: p).items()}
    merged = PeftModel.from_pretrained(load(HERE / "base"), HERE / "adapter").merge_and_unload()
    out["merged"] = forward(merged, ids).detach()
    save_file({name: x.contiguous() for name, x in out.items()}, HERE / "expected.safetensors")


def check(base, adapter, merged):
    """ADAPTER: what `retort distill --use-peft` wrote for BASE; MERGED: what `retort model merge` made of them."""
    ids = np.random.default_rng(6).integers(0, load(base).config.vocab_size, TOKENS)
    with torch.no_grad():
        plain = forward(load(base), ids)
        peft = PeftModel.from_pretrained(load(base), adapter)
        adapted = forward(peft, ids)
        theirs = forward(peft.merge_and_unload(), ids)
        ours = forward(load(merged), ids)
    size = adapted.abs().max()
    print(f"adapter moves logits by {(adapted - plain).abs().max() / size:.3g} of their size; merged by us against the "
          f"adapter {(ours - adapted).abs().max() / size:.3g}, against PEFT's merge {(ours - theirs).abs().max() / size:.3g}")
    if (ours - adapted).abs().max() > 1e-4 * size:
        sys.exit("merged logits differ by more than 1e-4")


if __name__ == "__main__":
    check(*sys.argv[2:]) if sys.argv[1:2] == ["check"] else main()
