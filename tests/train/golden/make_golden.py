#!/usr/bin/env python3
"""Writes adamw.txt: ten steps of torch.optim.AdamW with clipping and a warm-up + cosine schedule of transformers, in
float32, over a matrix (weight decay) and a vector (none). One number a line as C hexadecimal floats; the layout is read
by test_optimizer.c: count of each tensor, start values, then per step: gradients, rate, norm, parameters.

    python3 make_golden.py > adamw.txt      # torch 2.13, transformers 5
"""
import torch
from transformers import get_scheduler

torch.manual_seed(7)
STEPS = 10
matrix = torch.nn.Parameter(torch.randn(4, 5))
vector = torch.nn.Parameter(torch.randn(6))
optimizer = torch.optim.AdamW(
    [{"params": [matrix], "weight_decay": 0.1}, {"params": [vector], "weight_decay": 0.0}],
    lr=0.05, betas=(0.9, 0.95), eps=1e-8)
schedule = get_scheduler("cosine_with_min_lr", optimizer, num_warmup_steps=2, num_training_steps=STEPS,
                         scheduler_specific_kwargs={"min_lr_rate": 0.1})


def put(values):
    for value in torch.as_tensor(values, dtype=torch.float64).flatten().tolist():
        print(float(value).hex())


print(matrix.numel())
print(vector.numel())
put(matrix.detach()), put(vector.detach())
for step in range(STEPS):
    scale = 3.0 if step % 3 == 0 else 0.05  # clipped and not clipped
    matrix.grad = torch.randn(4, 5) * scale
    vector.grad = torch.randn(6) * scale
    put(matrix.grad), put(vector.grad)
    put(optimizer.param_groups[0]["lr"])
    put(torch.nn.utils.clip_grad_norm_([matrix, vector], 1.0))
    optimizer.step()
    schedule.step()
    put(matrix.detach()), put(vector.detach())
