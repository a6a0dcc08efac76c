"""Training steps beside PyTorch's, their memory, and attention by itself."""
import resource
from contextlib import ExitStack

from ..context import TUNED
from ..row import against_limit, paired, seconds_of
from ..worker import WorkerError

GB = 1e9
MICRO = 2048  # what `retort distill` puts into a forward and backward pass when it is not told


EAGER = ("eager", "tuned")


def children_cpu():
    """Processor seconds of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def step_sides(context, stack, shape, words, modes):
    ours = stack.enter_context(context.ours())
    ours.ask("load", context.model(shape), "f32")
    workers, sides = {"retort": ours}, {"retort": lambda: ours.ask("step", *words, MICRO)}
    for mode in modes:
        name = f"PyTorch {mode}"
        peer = context.start(stack, name, "torch", lambda mode=mode: context.torch_model(shape, mode))
        if can_step(context, name, peer, words):
            workers[name] = peer
            sides[name] = lambda peer=peer: peer.ask("step", *words)
    return sides, workers


def can_step(context, name, peer, words):
    """Its first step, which also warms it up: compiling can fail, and memory can be short."""
    try:
        return peer is not None and peer.ask("step", *words) is not None
    except WorkerError as error:
        context.say(f"  {name} is left out: {error}")
        return False


LLMC_WIDTH, LLMC_LAYERS, LLMC_VOCABULARY = 768, 12, 50304


def llmc_flops(tokens, length):
    """Products of llm.c's GPT-2, forward and twice that backward: every token goes through the head."""
    weights = LLMC_LAYERS * 12 * LLMC_WIDTH ** 2 + LLMC_VOCABULARY * LLMC_WIDTH
    return 6 * tokens * weights + 12 * LLMC_LAYERS * LLMC_WIDTH * tokens * (length + 1) / 2


def step(context, name, what, shape, tokens, length, wanted, modes=EAGER, of_peak=None, runs=None):
    words = (tokens, length, context.threads, 0)
    with ExitStack() as stack:
        sides, workers = step_sides(context, stack, shape, words, modes)
        if "llm.c" in wanted:
            peer = context.llmc(stack)
            if can_step(context, "llm.c", peer, words):
                workers["llm.c"] = peer
                sides["llm.c"] = lambda: peer.ask("step", *words)
        row = paired(context, name, what, sides, wanted, runs=runs)
        row["tokens_per_second"] = round(tokens / seconds_of(row), 1)
        row["shape"], row["tokens"], row["length"] = shape, tokens, length
        row["memory_bytes"] = {side: worker.peak_bytes() for side, worker in workers.items()}
        if "llm.c" in workers:
            more = llmc_flops(tokens, length) / row["flops"]
            row["notes"] = [f"llm.c's step is a GPT-2's, {more:.3f} times our Llama's FLOPs, without clipping"]
    if of_peak:
        against_limit(row, "of peak", of_peak, row["of_peak"])
    return row


def beside_torch(least):
    return {"PyTorch eager": least, "PyTorch tuned": least}


def steps(context):
    yield step(context, "step-mini-8192", "SFT step, mini shape, 32 x 256 tokens", "mini", 8192, 256,
               beside_torch(1.7))
    yield step(context, "step-gpt2-124m-256", "SFT step, 124M (GPT-2's dimensions), 4 x 64 tokens", "gpt2-124m", 256, 64,
               {**beside_torch(1.3), "llm.c": 4.0})
    yield step(context, "step-gpt2-124m-512", "SFT step, 124M (GPT-2's dimensions), 1 x 512 tokens", "gpt2-124m", 512,
               512, {**beside_torch(1.3), "llm.c": 4.0})
    # Two models of this size with their moments would not fit into memory at once: see turns().
    yield turns(context, 512, ("eager",) if context.small else EAGER)
    if not context.small:
        yield turns(context, 1024, ("eager",))
    yield step(context, "step-qwen2.5-0.5b-2048", "SFT step, 0.5B shape, 1 x 2,048 tokens", "qwen2.5-0.5b", 2048, 2048, {}, (),
               0.72, 1 if context.small else 3)


def compiled(context):
    """Beside torch.compile, which takes minutes to compile."""
    yield step(context, "step-mini-8192-compiled", "SFT step, mini shape, 32 x 256 tokens, beside torch.compile", "mini", 8192,
               256, {"PyTorch compile": 1.1}, ("compile",))
    yield turns(context, 512, ("compile",), "-compiled", ", beside torch.compile")


def turns(context, tokens, modes, suffix="", beside=""):
    """Sides in turns, each in a process of its own that ends before the next begins: it loads, takes one step that is not
    counted (compiling belongs to it) and one that is."""
    shape, words, memory = "qwen2.5-0.5b", (tokens, tokens, context.threads, 0), {}

    def alone(name, start, load):
        def run():
            before = children_cpu()
            with start() as worker:
                if load:
                    worker.ask("load", context.model(shape), "f32")
                worker.ask("step", *words)
                answer = worker.ask("step", *words)
                memory[name] = max(memory.get(name, 0), worker.peak_bytes())
            return {**answer, "own_cpu": children_cpu() - before}
        return run

    sides = {"retort": alone("retort", context.ours, True)}
    for mode in modes:
        name = f"PyTorch {mode}"
        if context.found(name, "torch"):
            sides[name] = alone(name, lambda mode=mode: context.torch_model(shape, mode), False)
    row = paired(context, f"step-qwen2.5-0.5b-{tokens}{suffix}", f"SFT step, 0.5B shape, 1 x {tokens:,} tokens{beside}", sides,
                 {f"PyTorch {mode}": {"eager": 1.25, "tuned": 1.25, "compile": 1.1}[mode] for mode in modes},
                 runs=1 if context.small else 3, warm=False)
    row["tokens_per_second"] = round(tokens / seconds_of(row), 1)
    row["shape"], row["tokens"], row["length"] = shape, tokens, tokens
    row["memory_bytes"] = memory
    if tokens == 1024 and "PyTorch eager" in memory:
        share = memory["retort"] / memory["PyTorch eager"]
        row["targets"]["of PyTorch's memory"] = {"target": 0.55, "met": share <= 0.55, "value": round(share, 3)}
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
        theirs = context.start(stack, "PyTorch SDPA", "torch", lambda: context.peer("torch_attention.py", **TUNED))
        for kind in ("forward", "both"):
            words = ("attention", kind, t, h, g, e, context.threads)
            sides = {"retort": lambda: ours.ask(*words)}
            if theirs is not None:
                sides["PyTorch SDPA"] = lambda: theirs.ask(*words)
            yield paired(context, f"attention-{kind}-8192", f"attention {kind}, {t} tokens, {h} heads of {e}", sides,
                         {"PyTorch SDPA": 1.5} if kind == "both" else {})
