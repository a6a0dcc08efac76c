"""The Markdown of a machine's results: a summary first, then a section for each group of rows with spreads and samples,
then the rows that were measured on several days, each beside itself."""
from . import results
from .row import seconds_of

GROUPS = {"matmul": "Matrix products, fp32", "attention": "Attention", "step": "Training steps",
          "memory": "Peak memory of a step", "decode": "Decoding one sequence", "prefill": "Prefill", "rollout": "Rollouts",
          "scaling": "Cost by context, batch and threads", "tokenizer": "Tokenizer",
          "start": "Starting", "sft": "Fine-tuning beside TRL", "grpo": "GRPO beside TRL", "study": "The default study"}
PLAIN = {"bytes", "seconds"}  # the unit says what is meant
AT_MOST = PLAIN | {"of PyTorch's memory"}
LIMITS = AT_MOST | {"of peak", "of bandwidth"}  # targets that are no peer's ratio
RATES = (("tokens_per_second", "tokens/s"), ("gflops", "GFLOP/s"), ("gbps", "GB/s"), ("megabytes_per_second", "MB/s"))


def group_of(row):
    return row["name"].split("-")[0]


def by_cpu(row):
    return row.get("judged_by") == "cpu" or group_of(row) == "tokenizer"


# ---- cells ----

def seconds(value):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def gigabytes(value):
    return f"{value / 1e9:.2f} GB"


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def figure(row):
    """The one figure of a row: a rate where it has one."""
    if group_of(row) in ("memory",):
        return gigabytes(row["memory_bytes"]["retort"])
    for key, unit in RATES:
        if key in row:
            return f"{number(row[key])} {unit}"
    return seconds(seconds_of({"judged_by": "seconds", **row}))


def ratio(row, side):
    return row["sides"][side]["cpu_ratio" if row.get("judged_by") == "cpu" else "ratio"]


def peers(row):
    return [name for name, side in row["sides"].items() if "ratio" in side]


def ratios(row):
    parts = [f"{name} {ratio(row, name)['median']:.2f}" for name in peers(row)]
    return ", ".join(parts + [f"{name} not measured" for name in row.get("missing", [])])


def limit(name, target):
    value = target["target"]
    text = gigabytes(value) if name == "bytes" else f"{value:g} s" if name == "seconds" else f"{100 * value:.0f} %"
    return f"{'<=' if name in AT_MOST else '>='} {text} {'' if name in PLAIN else name}".rstrip()


def reached(name, target):
    value = target.get("value")
    if value is None:
        return ""
    return gigabytes(value) if name == "bytes" else f"{value:.3g} s" if name == "seconds" else f"{100 * value:.0f} %"


def wanted(row):
    """The targets, peers of the same target together: "1.5 x PyTorch, TRL; 87 % of peak"."""
    least = {}
    for name, target in row["targets"].items():
        if name not in LIMITS:
            least.setdefault(target["target"], []).append(name)
    parts = [f"{value:g} x {', '.join(names) if len(names) < 3 else 'each'}" for value, names in least.items()]
    return "; ".join(parts + [limit(n, t) for n, t in row["targets"].items() if n in LIMITS])


def verdict(row):
    missed = []
    for name, target in row["targets"].items():
        if not target["met"]:
            value = reached(name, target) if name in LIMITS else f"{ratio(row, name)['median']:.3f}"
            missed.append(value if name in PLAIN else f"{value} {name}" if name in LIMITS else f"{name} {value}")
    if missed:
        return "**missed**: " + ", ".join(missed)
    if not row["targets"]:
        return "-"
    return "met where measured" if row.get("missing") else "met"


def samples(row):
    if "clean" not in row:
        return "-"
    text = f"{row['clean']} clean"
    if row["disturbed"]:
        text += f", {row['disturbed']} not"
    if row.get("foreign") is not None:
        text += f"; others {100 * row['foreign']:.0f} %"
    return text


def clock(row):
    return "processor" if by_cpu(row) else "wall"


# ---- tables ----

def markdown(head, lines):
    """Columns as wide as their widest cell, so that the text can be read as it is."""
    cells = [[str(c).replace("|", "\\|") for c in line] for line in [head, *lines]]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    cells.insert(1, ["-" * w for w in widths])
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |" for line in cells) + "\n"


def products(rows):
    """Many shapes of one product and thread count in one line of the summary: the least of each peer's ratios."""
    names = list(dict.fromkeys(name for row in rows for name in peers(row)))
    beside = [f"{name} {min(ratio(r, name)['median'] for r in rows if name in peers(r)):.2f}" for name in names]
    beside += [f"{name} not measured" for name in dict.fromkeys(n for r in rows for n in r.get("missing", []))]
    targets = [t["met"] for row in rows for t in row["targets"].values()]
    of_peak = [round(100 * r["of_peak"]) for r in rows]
    state = "met" if all(targets) else f"**missed**: {targets.count(False)} of {len(targets)}"
    return [f"{kind(rows[0])[0]}, {len(rows)} shapes", rows[0]["threads"], f"{min(of_peak)}-{max(of_peak)} % of peak",
            ", ".join(beside), "1 x each; >= 87 % of peak if large", state]


def kind(row):
    """What one line of the summary holds: a row, or all shapes of a product."""
    name = "-".join(row["name"].split("-")[:2]) if group_of(row) == "matmul" else row["name"].removesuffix("-1t")
    return name, row["threads"]


def summary(rows):
    together = {}
    for row in rows:
        together.setdefault(kind(row), []).append(row)
    lines = []
    for (name, threads), mine in together.items():
        row = mine[0]
        lines.append(products(mine) if group_of(row) == "matmul" else
                     [name, threads, figure(row), ratios(row) or "-", wanted(row) or "-", verdict(row)])
    return markdown(["row", "threads", "retort", "peer's time / ours", "target", "state"], lines)


def beside(row, name):
    """Peer's time by ours, bold where it is under the target."""
    if name in row.get("missing", []):
        return "not measured"
    if name not in peers(row):
        return "-"
    r, target = ratio(row, name), row["targets"].get(name)
    value = f"{r['median']:.2f}" if target is None or target["met"] else f"**{r['median']:.2f}**"
    return f"{value} [{r['min']:.2f}, {r['max']:.2f}]"


def times(row):
    if "retort" not in row["sides"]:
        return "-"
    s = row["sides"]["retort"][row.get("judged_by", "seconds")]
    return f"{seconds(s['median'])} [{seconds(s['min'])}, {seconds(s['max'])}]"


def memory(row):
    return ", ".join(f"{name} {gigabytes(value)}" for name, value in row.get("memory_bytes", {}).items())


def what(row):
    text = row["what"].removesuffix(f", {row['threads']} thread(s)")
    return text + "".join(f"; {note}" for note in row.get("notes", []))


def share(kind):
    """What is reached of a ceiling, bold where that is under the target."""
    def cell(row):
        target = row["targets"].get(kind)
        value = target["value"] if target else row.get("of_peak") if kind == "of peak" else None
        if value is None:
            return ""
        text = f"{100 * value:.0f} %"
        return text if target is None or target["met"] else f"**{text}**"
    return cell


def section(rows):
    """What of a group's rows has something to say; a column for each peer."""
    names = list(dict.fromkeys(n for row in rows for n in [*peers(row), *row.get("missing", [])]))
    limits = "of bandwidth" if group_of(rows[0]) == "decode" else "of peak"
    columns = {"what": what, "threads": lambda r: r["threads"], "retort: median [min, max]": times,
               "rate": lambda r: figure(r) if any(k in r for k, _ in RATES) else "", limits: share(limits),
               **{name: lambda r, name=name: beside(r, name) for name in names},
               "us a token": lambda r: f"{r['microseconds_per_token']:.4g}" if "microseconds_per_token" in r else "",
               "predicted / measured": lambda r: f"{r['predicted_of_measured']:.2f}" if "predicted_of_measured" in r else "",
               "peak memory": memory, "target": wanted, "state": verdict, "clock": clock, "samples": samples,
               "day": lambda r: r["date"]}
    if group_of(rows[0]) == "matmul":  # the targets are the summary's, and bold says what is missed
        for name in ("rate", "target", "state"):
            del columns[name]
    cells = {name: [str(cell(row)) for row in rows] for name, cell in columns.items()}
    kept = {name: column for name, column in cells.items() if any(c not in ("", "-") for c in column)}
    return markdown(list(kept), list(zip(*kept.values())))


def on_a_day(row):
    """Our figure, and the peer that comes closest."""
    if row is None:
        return "-"
    near = min(peers(row), key=lambda name: ratio(row, name)["median"], default=None)
    text = figure(row) + ("" if near is None else f"; {near} {ratio(row, near)['median']:.2f}")
    return text + ("" if "clean" not in row or row["clean"] else " (processor time)")


def days(data):
    """Rows that were measured on several days, or nothing."""
    found = {run["date"]: {row["name"]: row for row in run["rows"]} for run in data["runs"]}
    names = list(dict.fromkeys(name for rows in found.values() for name in rows))
    several = [n for n in names if sum(n in rows for rows in found.values()) > 1]
    if not several:
        return ""
    lines = [[name, *(on_a_day(rows.get(name)) for rows in found.values())] for name in several]
    return ("\n## The same rows on different days\n\nOur figure, and the peer that came closest with its time divided by ours.\n\n"
            + markdown(["row", *found], lines))


def line(row):
    """A row in one line, while it is measured."""
    parts = [row["name"], figure(row), ratios(row), verdict(row), samples(row)]
    return "; ".join(p for p in parts if p not in ("", "-"))


def head(data):
    about = data["machine"]
    lines = []
    for run in data["runs"]:
        if "ceilings" in run:
            peak, read = (", ".join(f"{v:g}" for v in run["ceilings"][kind].values()) for kind in ("fma_gflops", "read_gbps"))
            lines.append([run["date"], run.get("isa", ""), peak, read, len(run["rows"])])
    return (f"Measured by `./bench.sh` on {about['cpu']} (family {about['family']}, model {about['model']}), "
            f"{about['processors']} processors, {about['compiler']}.\n\n"
            + markdown(["day", "vectors", "peak, GFLOP/s on 1, 2, .. threads", "read, GB/s on 1, 2, .. threads", "rows"], lines))


NOTE = """Times are medians; a peer's ratio above 1 means that retort is faster; of several shapes in a line, the least. Where no
sample was clean, processor time is compared ([how a figure is made](../../docs/performance.md)). Bold is under its target."""


def document(data):
    order = list(GROUPS)
    rows = sorted(results.newest(data), key=lambda r: order.index(group_of(r)) if group_of(r) in GROUPS else len(order))
    out = f"{head(data)}\n## Summary\n\n{NOTE}\n\n{summary(rows)}"
    for name, title in GROUPS.items():
        mine = [row for row in rows if group_of(row) == name]
        if mine:
            out += f"\n## {title}\n\n{section(mine)}"
    return out + days(data)
