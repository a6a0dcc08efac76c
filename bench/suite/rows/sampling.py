"""Decoding, prefill and rollouts beside llama.cpp and transformers."""
from contextlib import ExitStack

from ..row import against_limit, paired, seconds_of

SHAPE = "qwen2.5-0.5b"


def weight_bytes(context, dtype):
    """What decoding a token must read: every weight once (a tied embedding is the head; one row of it is looked up)."""
    from make_random_model import parameters
    return parameters(SHAPE) * {"bf16": 2, "f32": 4, "int8": 1.125}[dtype]


def llama_cpp(context, stack, shape, dtype, cells, sequences):
    return context.start(stack, "llama.cpp", "llama_cpp", lambda: context.peer(
        "llama.py", context.gguf(shape, dtype), cells, sequences, context.threads))


def asking(workers, *words):
    """The sides of a row: the same question to every worker that there is."""
    return {name: lambda worker=worker: worker.ask(*words) for name, worker in workers.items() if worker is not None}


def decode(context):
    count, prefix = (8, 16) if context.small else (64, 64)
    for dtype, file, theirs in (("bf16", "bf16", "bf16"), ("f32", "f32", "f32"), ("int8", "bf16", "q8_0")):
        with ExitStack() as stack:
            ours = stack.enter_context(context.ours())
            ours.ask("load", context.model(SHAPE, file), dtype)
            llama = llama_cpp(context, stack, SHAPE, theirs, 256, 1)
            sides = asking({"retort": ours, "llama.cpp": llama}, "decode", count, prefix, context.threads)
            row = paired(context, f"decode-{dtype}", f"decoding one sequence, 0.5B shape, {dtype}"
                         + (" (llama.cpp: Q8_0)" if dtype == "int8" else ""), sides,
                         {"llama.cpp": 1.0})
            seconds = seconds_of(row) / count
            row["bytes"] = weight_bytes(context, dtype) * count
            row["tokens_per_second"] = round(1 / seconds, 2)
            row["gbps"] = round(row["bytes"] / count / seconds / 1e9, 2)
            share = row["gbps"] / context.ceilings["read_gbps"][str(context.threads)]
            if llama:
                row["peer_system"] = llama.about["system"]
            yield against_limit(row, "of bandwidth", 0.9, share)


def prefill(context):
    tokens = 512 if context.small else 2048
    with ExitStack() as stack:
        ours = stack.enter_context(context.ours())
        ours.ask("load", context.model(SHAPE), "f32")
        llama = llama_cpp(context, stack, SHAPE, "f32", 2304, 1)
        torch = context.start(stack, "PyTorch", "torch", lambda: context.torch_model(SHAPE, "tuned"))
        sides = asking({"retort": ours, "llama.cpp": llama, "PyTorch": torch}, "prefill", tokens, context.threads)
        row = paired(context, f"prefill-{tokens}", f"prefill of {tokens} tokens, 0.5B shape, f32", sides,
                     {"llama.cpp": 1.3, "PyTorch": 1.3})
        row["tokens_per_second"] = round(tokens / seconds_of(row), 1)
        yield row


def rollout(context):
    for shape in ("mini", SHAPE):
        fresh = (32 if context.small else 512) if shape == "mini" else (16 if context.small else 32)
        prompts, n, prefix = 8, 8, 64
        with ExitStack() as stack:
            ours = stack.enter_context(context.ours())
            ours.ask("load", context.model(shape), "f32")
            cells = prompts * n * (prefix + fresh)
            llama = llama_cpp(context, stack, shape, "f32", cells, prompts * n)
            torch = context.start(stack, "transformers", "torch", lambda: context.torch_model(shape, "tuned"))
            words = ("rollout", prompts, n, prefix, fresh, context.threads)
            sides = asking({"retort": ours, "llama.cpp": llama, "transformers": torch}, *words)
            sides["retort"] = lambda ours=ours, words=words: ours.ask(*words, context.tokenizer)
            runs = context.runs if shape == "mini" else min(context.runs, 3)
            row = paired(context, f"rollout-{shape}-{fresh}", f"rollouts, {shape} shape, 64 responses of {fresh} tokens to 8 "
                         "prompts, f32", sides, {"llama.cpp": 1.5, "transformers": 3.0}, runs=runs,
                         warm=shape == "mini")
            row["tokens_per_second"] = round(prompts * n * fresh / seconds_of(row), 1)
            yield row
