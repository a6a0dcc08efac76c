"""Golden vectors for tests/model/test_model_golden.c, from an outside implementation (PyTorch and transformers, fp32).

    python make_golden.py            # writes tied.bin and untied.bin beside this file

Layout, little-endian, no padding: magic "RTGOLD1\\n"; int32: V D F L H G E tied max_position docs tokens steps;
float64: rope_theta rms_norm_eps lr beta1 beta2 eps weight_decay; int32 doc_start[docs + 1], ids[T], target[T];
float32: weights[N] in the order of rt_params, logits[T][V], loss[steps] before each AdamW step, gradients[N] of the
first loss, weights[N] after the last step. The loss is the mean cross-entropy over tokens whose target is not -1.
"""
import pathlib
import struct

import numpy as np
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

V, D, F, L, H, G, E = 61, 32, 40, 2, 6, 2, 8
# A small theta: in the slow pairs of a large one a key bias moves all scores alike, its gradient is rounding noise, and
# AdamW, which divides by its size, makes whole steps of the noise.
MAX_POSITION, THETA, EPS = 64, 100.0, 1e-6
LENGTHS = [9, 1, 17, 24, 2]
# eps well above the rounding noise of a gradient (1e-8), for the same reason.
STEPS, LR, BETAS, ADAM_EPS, DECAY = 10, 3e-3, (0.9, 0.95), 1e-4, 0.1


def tensor_names(tied):
    names = ["model.embed_tokens.weight"]
    for i in range(L):
        p = f"model.layers.{i}."
        names.append(p + "input_layernorm.weight")
        for x in "qkv":
            names += [p + f"self_attn.{x}_proj.weight", p + f"self_attn.{x}_proj.bias"]
        names += [p + "self_attn.o_proj.weight", p + "post_attention_layernorm.weight"]
        names += [p + f"mlp.{x}_proj.weight" for x in ("gate", "up", "down")]
    names.append("model.norm.weight")
    return names if tied else names + ["lm_head.weight"]


def build(tied):
    torch.manual_seed(7 + tied)
    config = Qwen2Config(vocab_size=V, hidden_size=D, intermediate_size=F, num_hidden_layers=L, num_attention_heads=H,
                         num_key_value_heads=G, head_dim=E, max_position_embeddings=MAX_POSITION,
                         rope_parameters={"rope_type": "default", "rope_theta": THETA}, rms_norm_eps=EPS,
                         tie_word_embeddings=tied, use_sliding_window=False, attention_dropout=0.0)
    config._attn_implementation = "eager"
    model = Qwen2ForCausalLM(config).float()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.copy_(1 + 0.2 * torch.randn_like(p))
            else:
                p.copy_((0.1 if name.endswith("bias") else 0.2) * torch.randn_like(p))
    return model


def make_batch():
    rng = np.random.default_rng(3)
    ids, target = [], []
    for n in LENGTHS:
        doc = rng.integers(0, V, n + 1)
        scored = rng.random(n) < 0.7
        scored[: n // 3] = False
        ids.append(doc[:-1])
        target.append(np.where(scored, doc[1:], -1))
    target[1][:] = 5
    return ids, target


def run(model, ids, target):
    logits = [model(input_ids=torch.tensor(d)[None]).logits[0] for d in ids]
    count = sum(int((t >= 0).sum()) for t in target)
    loss = sum(torch.nn.functional.cross_entropy(x, torch.tensor(t), ignore_index=-1, reduction="sum")
               for x, t in zip(logits, target) if (t >= 0).any()) / count
    return torch.cat(logits), loss


def flat(tensors):
    return np.concatenate([t.detach().numpy().astype("<f4").ravel() for t in tensors])


def main():
    for tied in (True, False):
        model = build(tied)
        names = tensor_names(tied)
        params = dict(model.named_parameters())
        assert set(names) == set(params), set(names) ^ set(params)
        ids, target = make_batch()
        groups = [{"params": [params[n] for n in names if params[n].dim() == 2], "weight_decay": DECAY},
                  {"params": [params[n] for n in names if params[n].dim() == 1], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=LR, betas=BETAS, eps=ADAM_EPS)
        weights = flat(params[n] for n in names)
        losses = []
        for step in range(STEPS):
            optimizer.zero_grad()
            logits, loss = run(model, ids, target)
            loss.backward()
            losses.append(loss.item())
            if step == 0:
                first_logits, grads = flat([logits]), flat(params[n].grad for n in names)
            optimizer.step()
        start = np.cumsum([0] + LENGTHS).astype("<i4")
        with open(pathlib.Path(__file__).parent / ("tied.bin" if tied else "untied.bin"), "wb") as f:
            f.write(b"RTGOLD1\n")
            f.write(struct.pack("<12i", V, D, F, L, H, G, E, tied, MAX_POSITION, len(LENGTHS), int(start[-1]), STEPS))
            f.write(struct.pack("<7d", THETA, EPS, LR, *BETAS, ADAM_EPS, DECAY))
            for a in (start, np.concatenate(ids), np.concatenate(target)):
                f.write(a.astype("<i4").tobytes())
            for a in (weights, first_logits, np.array(losses), grads, flat(params[n] for n in names)):
                f.write(a.astype("<f4").tobytes())
        print("tied" if tied else "untied", len(weights), losses)


if __name__ == "__main__":
    main()
