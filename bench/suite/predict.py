"""Step time from a machine's ceilings and a model's shape: the formula of docs/performance.md, checked against the rows that
were measured.

    PYTHONPATH=bench python -m suite.predict bench/results/MACHINE [CORES...]

    seconds = products / (PRODUCT n P) + attention / (ATTENTION n P) + moved / B(n)

P: multiply-add peak of a core; n cores; B(n): what n cores read. The shares PRODUCT and ATTENTION are the only constants
that are not the machine's; they are what the kernels reach where nothing disturbs them.
"""
import sys

from . import results
from .row import seconds_of

PRODUCT, ATTENTION = 0.88, 0.76

# vocabulary, width, feed-forward width, layers, heads, key-value heads, head size: published configurations
SHAPES = {
    "qwen2.5-0.5b": (151936, 896, 4864, 24, 14, 2, 64),
    "qwen2.5-1.5b": (151936, 1536, 8960, 28, 12, 2, 128),
    "qwen2.5-7b": (152064, 3584, 18944, 28, 28, 4, 128),
    "qwen2.5-14b": (152064, 5120, 13824, 48, 40, 8, 128),
    "qwen2.5-32b": (152064, 5120, 27648, 64, 40, 8, 128),
}


def work(shape, tokens, length):
    """FLOPs of products and of attention, and bytes moved, of a step: forward, backward, AdamW, all in float32."""
    v, d, f, layers, h, g, e = shape
    layer = d * (2 * h * e + 2 * g * e) + 3 * d * f
    keys = tokens * (length + 1) / 2
    products = 6 * tokens * (layers * layer + d * v)
    attention = layers * keys * h * e * 14  # 2 products forward, 5 backward, 2 FLOPs each
    weights = layers * layer + d * v
    # Rows between products: norms, rotation, SwiGLU and sums read and write each of these a few times, forward and back.
    rows = layers * tokens * (14 * d + 6 * (h + 2 * g) * e + 9 * f) * 4
    logits = 6 * tokens * v * 4
    update = weights * 4 * 9  # norm reads g; AdamW reads p, g, m, v and writes p, m, v; g is zeroed
    packed = 3 * weights * 4 * max(1, tokens / 8192)
    return products, attention, rows + logits + update + packed


def seconds(shape, tokens, length, peak, bandwidth, cores):
    products, attention, moved = work(shape, tokens, length)
    return products / (PRODUCT * cores * peak) + attention / (ATTENTION * cores * peak) + moved / bandwidth


def shape_of(name):
    from make_random_model import SHAPES as ours
    return ours[name][:7]


def check(data):
    """Measured steps beside the formula, in processor seconds a thread, which neighbours disturb least."""
    lines = ["| step | threads | measured | predicted | predicted / measured |", "|---|---|---|---|---|"]
    ceilings = results.newest_ceilings(data)
    for row in results.newest(data):
        if not row["name"].startswith("step-") or "shape" not in row:
            continue
        n = row["threads"]
        peak = ceilings["fma_gflops"][str(n)] * 1e9 / n
        told = seconds(shape_of(row["shape"]), row["tokens"], row["length"], peak, ceilings["read_gbps"][str(n)] * 1e9, n)
        mine, by = seconds_of(row), "" if row["judged_by"] == "seconds" else " (processor time)"
        lines.append(f"| {row['name']} | {n} | {mine:.3g} s{by} | {told:.3g} s | "
                     f"{told / mine:.2f} |")
    return "\n".join(lines)


def scale(data, cores, tokens=2048):
    """Bandwidth of a server with that many cores is not known here: 1 core's up to what 8 channels of DDR5 give, 300 GB/s."""
    ceilings = results.newest_ceilings(data)
    peak, one = ceilings["fma_gflops"]["1"] * 1e9, ceilings["read_gbps"]["1"] * 1e9
    lines = ["| shape | parameters | " + " | ".join(f"{n} cores" for n in cores) + " |", "|---" * (2 + len(cores)) + "|"]
    for name, shape in SHAPES.items():
        v, d, f, layers, h, g, e = shape
        heads = 1 if d < 2048 else 2  # the small ones tie the output head to the embedding
        count = layers * (d * (2 * h * e + 2 * g * e) + 3 * d * f) + heads * d * v
        row = [f"{tokens / seconds(shape, tokens, tokens, peak, min(n * one, 3e11), n):.3g}" for n in cores]
        lines.append(f"| {name} | {count / 1e9:.2f}e9 | " + " | ".join(row) + " |")
    return "\n".join(lines)


def main():
    data = results.read(results.machine_of(sys.argv[1]))
    cores = [int(n) for n in sys.argv[2:]] or [2, 8, 16, 32, 64]
    print(check(data))
    print()
    print("tokens/s of training, one sequence of 2,048 tokens a step\n")
    print(scale(data, cores))


if __name__ == "__main__":
    main()
