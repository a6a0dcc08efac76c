"""fp32 matrix products on the shapes of a model's linear layers: forward, input gradient, weight gradient."""
from contextlib import ExitStack

from ..row import against_limit, paired
from ..worker import WorkerError

SHAPES = [(2048, 896, 896), (2048, 4864, 896), (2048, 896, 4864), (256, 151936, 896), (2048, 256, 256),
          (2048, 1024, 256), (2048, 1024, 1024)]
LARGE_FLOPS = 3e9
LIBRARIES = {"OpenBLAS 0.3.31 (numpy)": "numpy", "MKL (torch)": "torch", "oneDNN 3 (torch)": "onednn"}


def products(tokens, out, into):
    """m, n, k of c[m][n] of the three products of a layer."""
    return {"nt": (tokens, out, into), "nn": (tokens, into, out), "tn": (out, into, tokens)}


def rows(context):
    with ExitStack() as stack:
        ours = stack.enter_context(context.ours())
        peers = {}
        for name, word in {**LIBRARIES, **context.libraries()}.items():
            peer = context.start(stack, name, "torch" if word in ("torch", "onednn") else "numpy",
                                 lambda word=word: context.peer("blas.py", word, LD_LIBRARY_PATH=context.library_path()))
            if peer is not None:
                peers[name] = peer
        for threads in range(1, context.threads + 1):
            for shape in SHAPES:
                for form, (m, n, k) in products(*shape).items():
                    yield one(context, ours, peers, threads, shape, form, (m, n, k))


def one(context, ours, peers, threads, shape, form, mnk):
    words = ("matmul", form, *mnk, threads)
    sides = {"retort": lambda: ours.ask(*words)}
    for name, peer in list(peers.items()):
        try:
            peer.ask(*words)
        except WorkerError as error:
            context.say(f"  {name} cannot {form} {mnk}: {error}")
            continue
        sides[name] = lambda peer=peer: peer.ask(*words)
    name = f"matmul-{form}-{'x'.join(map(str, shape))}-{threads}t"
    row = paired(context, name, f"{form} {shape[0]} tokens, {shape[2]} -> {shape[1]}, {threads} thread(s)", sides,
                 {peer: 1.0 for peer in {**LIBRARIES, **context.libraries()}}, threads=threads)
    least = sum(mnk[i] * mnk[j] for i, j in ((0, 1), (0, 2), (1, 2))) * 4
    row["bytes"] = least
    if row["flops"] >= LARGE_FLOPS:
        against_limit(row, "of peak", 0.87, row["of_peak"])
    return row
