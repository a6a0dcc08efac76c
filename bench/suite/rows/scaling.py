"""Cost by length, context, batch and threads, beside what `retort plan` predicts from this machine's ceilings."""
from .. import predict
from ..row import paired, seconds_of

SHAPES = ("mini", "qwen2.5-0.5b")
LENGTHS = (256, 1024, 4096)  # of a training step's one sequence
POINTS = ((1, 512), (1, 8192), (1, 32000), (8, 512), (8, 4096), (64, 512))  # sequences decoded together, context of each
COUNT = {"mini": 16, "qwen2.5-0.5b": 2}  # tokens of each sequence
STEPS = {"mini": LENGTHS, "qwen2.5-0.5b": (256,)}  # longer ones stand in the row `step`


def rows(context):
    for threads in range(1, context.threads + 1):
        for shape in SHAPES:
            yield from steps(context, shape, threads)
            yield from decoding(context, shape, threads)


def one(context, name, what, run, threads, told, units):
    row = paired(context, f"scaling-{name}-{threads}t", f"{what}, {threads} thread(s)", {"retort": run}, {},
                 threads=threads, runs=1 if context.small else 3)
    row["microseconds_per_token"] = round(seconds_of(row) / units * 1e6, 3)
    row["predicted_seconds"], row["predicted_of_measured"] = told, round(told / seconds_of(row), 3)
    return row


def steps(context, shape, threads):
    for length in STEPS[shape]:
        with context.ours() as ours:  # steps of another size need another process
            ours.ask("load", context.model(shape), "f32")
            told = predict.plan(context.retort, context.ceilings, threads, context.model(shape), length)["train_seconds"]
            yield one(context, f"step-{shape}-{length}", f"step of one sequence of {length} tokens, {shape} shape",
                      lambda: ours.ask("step", length, length, threads, 0), threads, told, length)


def decoding(context, shape, threads):
    with context.ours() as ours:
        ours.ask("load", context.model(shape), "f32")
        for batch, before in POINTS:
            count = COUNT[shape]
            told = predict.plan(context.retort, context.ceilings, threads, context.model(shape), before, batch)
            yield one(context, f"decode-{shape}-{batch}x{before}",
                      f"a token of each of {batch} sequence(s) behind {before}, {shape} shape, f32",
                      lambda: ours.ask("batch", batch, count, before, threads), threads, told["decode_seconds"] * count,
                      batch * count)
