"""Training steps beside PyTorch's, their memory, and attention by itself."""
from contextlib import ExitStack

from ..context import free_bytes
from ..row import RATIOS, against_limit, paired, seconds_of
from ..worker import WorkerError

GB = 1e9


def step_sides(context, stack, shape, words, modes):
    ours = stack.enter_context(context.ours())
    ours.ask("load", context.model(shape), "f32")
    workers, sides = {"retort": ours}, {"retort": lambda: ours.ask("step", *words)}
    for mode in modes:
        name = f"PyTorch {mode}"
        try:
            peer = stack.enter_context(context.peer("torch_model.py", context.model(shape), mode))
            peer.ask("step", *words)
        except WorkerError as error:
            context.say(f"  {name} is left out: {error}")
            continue
        workers[name] = peer
        sides[name] = lambda peer=peer: peer.ask("step", *words)
    return sides, workers


def step(context, name, what, shape, tokens, length, wanted, modes=None, of_peak=None, runs=None):
    if modes is None:  # compiling takes longer than a quick run should
        modes = ("eager",) if context.small else ("eager", "compile")
    words = (tokens, length, context.threads, 0)
    with ExitStack() as stack:
        sides, workers = step_sides(context, stack, shape, words, modes)
        row = paired(context, name, what, sides, wanted, runs=runs)
        row["tokens_per_second"] = round(tokens / seconds_of(row), 1)
        row["shape"], row["tokens"], row["length"] = shape, tokens, length
        row["memory_bytes"] = {side: worker.peak_bytes() for side, worker in workers.items()}
    if of_peak:
        against_limit(row, "of peak", of_peak, row["of_peak"])
    return row


def steps(context):
    yield step(context, "step-mini-8192", "SFT step, mini shape, 32 x 256 tokens", "mini", 8192, 256,
               {"PyTorch eager": 1.7})
    yield step(context, "step-gpt2-124m-256", "SFT step, 124M (GPT-2's dimensions), 4 x 64 tokens", "gpt2-124m", 256, 64,
               {"PyTorch eager": 1.3})
    yield step(context, "step-gpt2-124m-512", "SFT step, 124M (GPT-2's dimensions), 1 x 512 tokens", "gpt2-124m", 512,
               512, {"PyTorch eager": 1.3})
    for tokens in (512, 2048):
        # Both sides lie in memory at once; at 2,048 tokens PyTorch alone would take more than this machine has.
        fits = free_bytes() > 22 * GB and tokens == 512
        modes = ("eager",) if fits else ()
        runs = 1 if context.small else 3
        yield step(context, f"step-qwen2.5-0.5b-{tokens}", f"SFT step, 0.5B shape, 1 x {tokens} tokens", "qwen2.5-0.5b",
                   tokens, tokens, {"PyTorch eager": 1.25}, modes, 0.72 if tokens == 2048 else None, runs)
        if not fits and tokens == 512:
            yield apart(context, tokens, runs)


def apart(context, tokens, runs):
    """The sides one after the other, each alone in memory; not in turns, so the load of each is its own."""
    shape, words = "qwen2.5-0.5b", (tokens, tokens, context.threads, 0)
    found = {}
    for mode in ("eager",) if context.small else ("eager", "compile"):
        try:
            with context.peer("torch_model.py", context.model(shape), mode) as peer:
                row = paired(context, "", "", {"retort": lambda peer=peer: peer.ask("step", *words)}, {}, runs=runs)
                found[f"PyTorch {mode}"] = (row, peer.peak_bytes())
        except WorkerError as error:
            context.say(f"  PyTorch {mode} is left out: {error}")
    with context.ours() as ours:
        ours.ask("load", context.model(shape), "f32")
        row = paired(context, f"step-qwen2.5-0.5b-{tokens}-apart", f"SFT step, 0.5B shape, 1 x {tokens} tokens, one side "
                     "after the other", {"retort": lambda: ours.ask("step", *words)}, {}, runs=runs)
        row["memory_bytes"] = {"retort": ours.peak_bytes()}
    mine = row["sides"]["retort"]
    for name, (other, bytes_) in found.items():
        side = other["sides"]["retort"]
        for clock, ratio in (("seconds", "ratio"), ("cpu", "cpu_ratio")):
            value = side[clock]["median"] / mine[clock]["median"]
            side[ratio] = {"median": value, "min": side[clock]["min"] / mine[clock]["max"],
                           "max": side[clock]["max"] / mine[clock]["min"], "n": side[clock]["n"]}
        row["sides"][name] = side
        row["memory_bytes"][name] = bytes_
        least = {"PyTorch eager": 1.25, "PyTorch compile": 1.1}[name]
        row["targets"][name] = {"target": least, "met": side[RATIOS[row["judged_by"]]]["median"] >= least}
    return row


def memory(context):
    """Our own peaks at 1,024, 2,048 and 8,192 tokens: after one step, from the operating system."""
    for tokens, recompute, most in ((1024, 0, None), (2048, 0, None), (2048, 1, 10 * GB), (8192, 1, 14 * GB)):
        with context.ours() as ours:
            ours.ask("load", context.model("qwen2.5-0.5b"), "f32")
            # The first step touches all there is; a short document in a workspace of this size would, too.
            answer = ours.ask("step", tokens, min(tokens, 2048), context.threads, recompute)
            peak = ours.peak_bytes()
        words = " with recomputed layers" if recompute else ""
        row = {"name": f"memory-qwen2.5-0.5b-{tokens}{'-recompute' if recompute else ''}", "threads": context.threads,
               "what": f"peak memory of the step, 0.5B shape, {tokens} tokens{words}", "sides": {}, "targets": {},
               "memory_bytes": {"retort": peak}, "seconds_of_the_step": round(answer["seconds"], 2)}
        if most:
            row["targets"]["bytes"] = {"target": most, "met": peak <= most, "value": peak}
        yield row


def attention(context):
    t, h, g, e = 8192, 14, 14, 64
    with ExitStack() as stack:
        ours = stack.enter_context(context.ours())
        theirs = stack.enter_context(context.peer("torch_attention.py"))
        for kind in ("forward", "both"):
            words = ("attention", kind, t, h, g, e, context.threads)
            sides = {"retort": lambda: ours.ask(*words), "PyTorch SDPA": lambda: theirs.ask(*words)}
            yield paired(context, f"attention-{kind}-8192", f"attention {kind}, {t} tokens, {h} heads of {e}", sides,
                         {"PyTorch SDPA": 1.5} if kind == "both" else {})
