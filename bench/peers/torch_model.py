"""A training step, prefill, decoding and generation of a model folder with transformers and PyTorch.

    python torch_model.py DIR [eager|tuned|compile]

eager: as PyTorch is by default; tuned: with AdamW in one kernel, as the Trainer of transformers asks for; compile: that compiled.
"""
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM

from protocol import serve, timed


def main():
    folder, mode = sys.argv[1], (sys.argv + ["eager"])[2]
    transformers.logging.set_verbosity_error()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    held = {}

    def step(tokens, length, threads, recompute):
        tokens, length = int(tokens), int(length)
        torch.set_num_threads(int(threads))
        if "optimizer" not in held:
            model.train()
            model.config.use_cache = False
            if recompute != "0":
                model.gradient_checkpointing_enable()
            held["optimizer"] = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.01,
                                                  fused=mode != "eager")
            held["run"] = torch.compile(model) if mode == "compile" else model
            generator = torch.Generator().manual_seed(1)
            held["ids"] = torch.randint(model.config.vocab_size, (tokens // length, length), generator=generator)
        loss = [0.0]

        def run():
            out = held["run"](input_ids=held["ids"], labels=held["ids"])
            out.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            held["optimizer"].step()
            held["optimizer"].zero_grad(set_to_none=True)
            loss[0] = out.loss.item()
        return {**timed(run), "loss": loss[0]}

    @torch.inference_mode()
    def prefill(tokens, threads):
        torch.set_num_threads(int(threads))
        model.eval()
        ids = torch.arange(int(tokens))[None] % model.config.vocab_size
        return timed(lambda: model(input_ids=ids, use_cache=True, logits_to_keep=1))

    @torch.inference_mode()
    def decode(count, prefix, threads):
        torch.set_num_threads(int(threads))
        model.eval()
        ids = torch.arange(int(prefix))[None] % model.config.vocab_size
        past = model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        one = torch.tensor([[7]])

        def run():
            nonlocal past
            for _ in range(int(count)):
                past = model(input_ids=one, past_key_values=past, use_cache=True).past_key_values
        return timed(run)

    def rollout(prompts, n, prefix, fresh, threads):
        torch.set_num_threads(int(threads))
        model.eval()
        ids = (torch.arange(int(prompts) * int(prefix)) * 31 % 1000).reshape(int(prompts), int(prefix))
        ids = ids.repeat_interleave(int(n), 0)
        settings = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "max_new_tokens": int(fresh),
                    "min_new_tokens": int(fresh), "pad_token_id": 0}
        return timed(lambda: model.generate(ids, attention_mask=torch.ones_like(ids), **settings))

    def attention(kind, t, h, g, e, threads):
        torch.set_num_threads(int(threads))
        t, h, g, e = int(t), int(h), int(g), int(e)
        if "qkv" not in held:
            shapes = ((1, h, t, e), (1, g, t, e), (1, g, t, e))
            held["qkv"] = [torch.randn(s, requires_grad=True) for s in shapes]
        q, k, v = held["qkv"]

        def run():
            out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
            if kind == "both":
                torch.autograd.grad(out, held["qkv"], torch.ones_like(out))
        return timed(run)

    serve({"step": step, "prefill": prefill, "decode": decode, "rollout": rollout, "attention": attention},
          torch=torch.__version__, transformers=transformers.__version__)


main()
