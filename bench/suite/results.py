"""bench/results/MACHINE.json, and the table made of it.

The file holds one run a day: ceilings, commit and rows; a row measured again on the same day takes the place of the
earlier one. The table shows the newest figure of every row.
"""
import json


def read(path):
    if not path.exists():
        return {"machine": {}, "runs": []}
    return json.loads(path.read_text())


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(_rounded(data), indent=1, ensure_ascii=False) + "\n")
    partial.rename(path)


def _rounded(value):
    """Six digits are more than a clock tells."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value


def run_of(data, date):
    for run in data["runs"]:
        if run["date"] == date:
            return run
    run = {"date": date, "rows": []}
    data["runs"].append(run)
    return run


def put(run, row):
    run["rows"] = [r for r in run["rows"] if r["name"] != row["name"]] + [row]


def newest(data):
    found = {}
    for run in sorted(data["runs"], key=lambda r: r["date"]):
        for row in run["rows"]:
            found[row["name"]] = {**row, "date": run["date"]}
    return list(found.values())


# ---- the table ----

def _seconds(value):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def _ours(row):
    if "retort" not in row["sides"]:
        return ", ".join(f"{b / 1e9:.2f} GB" for b in row.get("memory_bytes", {}).values())
    s = row["sides"]["retort"][row.get("judged_by", "seconds")]
    text = "processor time " if row.get("judged_by") == "cpu" else ""
    text += f"{_seconds(s['median'])} [{_seconds(s['min'])}, {_seconds(s['max'])}]"
    for key, unit in (("gflops", "GFLOP/s"), ("tokens_per_second", "tokens/s"), ("gbps", "GB/s"),
                      ("megabytes_per_second", "MB/s")):
        if key in row:
            text += f", {row[key]:.4g} {unit}"
    return text


def _ratios(row):
    parts = []
    for name, side in row["sides"].items():
        if "ratio" in side:
            r, c = side["ratio"], side["cpu_ratio"]
            first, second = (c, r) if row.get("judged_by") == "cpu" else (r, c)
            other = "wall" if row.get("judged_by") == "cpu" else "cpu"
            parts.append(f"{name} **{first['median']:.2f}** [{first['min']:.2f}, {first['max']:.2f}] "
                         f"({other} {second['median']:.2f})")
    return "<br>".join(parts)


def _targets(row):
    parts = []
    for name, t in row["targets"].items():
        value = t.get("value")
        text = "" if value is None else f" ({value:.3g})" if value < 1e6 else f" ({value / 1e9:.2f} GB)"
        least = t["target"] if t["target"] < 1e6 else f"{t['target'] / 1e9:.0f} GB"
        sign = "<=" if name in ("bytes", "seconds") else ">="
        parts.append(f"{name} {sign} {least}: {'met' if t['met'] else 'missed'}{text}")
    return "<br>".join(parts)


def _state(row):
    if "clean" not in row:
        return ""
    text = f"{row['clean']} clean"
    if row["disturbed"]:
        text += f", {row['disturbed']} disturbed"
    if row.get("foreign") is not None:
        text += f"; others {100 * row['foreign']:.0f} %"
    if row["threads"] == 1:
        text += "; 1 thread"
    if "load" in row:
        text += f"; load {row['load']:.0f}"
    return text


def table(data):
    lines = ["| what | retort: median [min, max] | peer's time / ours: median [min, max] | targets | samples | measured |",
             "|---|---|---|---|---|---|"]
    for row in newest(data):
        lines.append(f"| {row['what']} | {_ours(row)} | {_ratios(row)} | {_targets(row)} | {_state(row)} | {row['date']} |")
    return "\n".join(lines) + "\n"
