#!/usr/bin/env python3
"""Writes adamw_golden.h: a few steps of torch.optim.AdamW in float32 (needs torch)."""
import torch

N, STEPS, LR, BETAS, EPS, DECAY = 24, 4, 3e-3, (0.9, 0.95), 1e-8, 0.1

torch.manual_seed(7)
p = torch.nn.Parameter(torch.randn(N))
start = p.detach().clone()
optimiser = torch.optim.AdamW([p], lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY, foreach=False)
grads, params = [], []
for step in range(STEPS):
    grads.append(torch.randn(N) * 10.0 ** (torch.arange(N) % 7 - 4))
    p.grad = grads[-1].clone()
    optimiser.step()
    params.append(p.detach().clone())
state = optimiser.state[p]


def row(x):
    return "{" + ", ".join(float(v).hex() + "f" for v in x) + "}"


with open("adamw_golden.h", "w") as out:
    out.write("/* Made by make_adamw_golden.py. */\n/* clang-format off */\n")
    out.write("#define GOLDEN_LR %r\n#define GOLDEN_BETA1 %r\n#define GOLDEN_BETA2 %r\n" % (LR, *BETAS))
    out.write("#define GOLDEN_EPS %r\n#define GOLDEN_DECAY %r\n" % (EPS, DECAY))
    out.write("enum { GOLDEN_N = %d, GOLDEN_STEPS = %d };\n" % (N, STEPS))
    out.write("static const float golden_start[GOLDEN_N] = %s;\n" % row(start))
    for name, rows in (("grad", grads), ("params", params)):
        body = ",\n".join(row(x) for x in rows)
        out.write("static const float golden_%s[GOLDEN_STEPS][GOLDEN_N] = {\n%s};\n" % (name, body))
    out.write("static const float golden_m[GOLDEN_N] = %s;\n" % row(state["exp_avg"]))
    out.write("static const float golden_v[GOLDEN_N] = %s;\n" % row(state["exp_avg_sq"]))
