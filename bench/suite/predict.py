"""What `retort plan` predicts from a machine's ceilings, beside what was measured on it; the tables of docs/performance.md.

    PYTHONPATH=bench python -m suite.predict RETORT bench/results/MACHINE [CORES...]

The model itself is the library's (src/model/cost.h): this only asks and formats.
"""
import json
import subprocess
import sys

from . import results
from .row import seconds_of
from .table import markdown, seconds

MOST_BANDWIDTH = 300  # GB/s: what eight channels of DDR5 give


def ask(retort, cores, peak, bandwidth, *words):
    """Rows of `retort plan` for a machine of those cores, GFLOP/s of a core, GB/s of all."""
    command = [retort, "plan", "--cores", str(cores), "--peak-gflops", f"{peak:.6g}", "--bandwidth", f"{bandwidth:.6g}",
               "--threads", "1", "--json", *(str(w) for w in words)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["rows"]


def plan(retort, ceilings, threads, model, context, batch=1, tokens=0):
    """The one row of a model folder on so many threads of the machine whose ceilings these are."""
    peak, read = ceilings["fma_gflops"][str(threads)] / threads, ceilings["read_gbps"][str(threads)]
    return ask(retort, threads, peak, read, "--model", model, "--dtype", "f32", "--context", context, "--batch", batch,
               "--tokens", tokens)[0]


def shape_folder(name, into):
    """A folder with nothing but config.json."""
    import pathlib
    from make_random_model import SHAPES, config_of
    folder = pathlib.Path(into) / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(SHAPES[name], "f32")))
    return str(folder)


def line(row, told):
    mine, by = seconds_of(row), "" if row["judged_by"] == "seconds" else " (processor time)"
    return [row["what"], row["threads"], seconds(mine) + by, seconds(told), f"{told / mine:.2f}"]


def check(retort, data, folder):
    ceilings, lines = results.newest_ceilings(data), []
    for row in results.newest(data):
        if str(row["threads"]) not in ceilings["read_gbps"]:
            continue
        if row["name"].startswith("step-") and "shape" in row:
            told = plan(retort, ceilings, row["threads"], shape_folder(row["shape"], folder), row["length"],
                        tokens=row["tokens"])
            lines.append(line(row, told["train_seconds"]))
        elif row["name"].startswith("scaling-"):
            lines.append(line(row, row["predicted_seconds"]))
    return markdown(["what", "threads", "measured", "predicted", "predicted / measured"], lines)


def scale(retort, data, cores):
    """The bandwidth of a larger machine is not known: that of one core times the cores, up to MOST_BANDWIDTH."""
    ceilings = results.newest_ceilings(data)
    peak, one = ceilings["fma_gflops"]["1"], ceilings["read_gbps"]["1"]
    asked = {n: ask(retort, n, peak, min(n * one, MOST_BANDWIDTH), "--shape", "all", "--batch", "64") for n in cores}
    tables = []
    for what, key in (("training, one sequence of 2,048 tokens a step", "train_tokens_per_second"),
                      ("decoding, 64 sequences behind 2,048 tokens, bf16 weights", "decode_tokens_per_second")):
        lines = [[row["shape"], f"{row['parameters'] / 1e9:.2f}e9", *(f"{asked[n][i][key]:.3g}" for n in cores)]
                 for i, row in enumerate(asked[cores[0]])]
        tables.append(f"tokens/s, {what}\n\n" + markdown(["shape", "parameters", *(f"{n} cores" for n in cores)], lines))
    return "\n".join(tables)


def main():
    import tempfile
    retort, data = sys.argv[1], results.read(results.machine_of(sys.argv[2]))
    cores = [int(n) for n in sys.argv[3:]] or [2, 8, 16, 32, 64]
    with tempfile.TemporaryDirectory() as folder:
        print(check(retort, data, folder))
    print(scale(retort, data, cores))


if __name__ == "__main__":
    main()
