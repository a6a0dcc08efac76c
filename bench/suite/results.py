"""bench/results/MACHINE-YYYY-MM-DD.json: what was measured on a machine on a day.

A file holds the machine, the day's ceilings and its rows; a row measured again on the same day takes the place of the
earlier one. In memory the days of a machine are {"machine": the newest day's, "runs": [a day each]}.
"""
import json
import pathlib
import re

DAY = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def machine_of(path):
    """folder/MACHINE of any file of that machine: a day's, the table's, the picture's."""
    path = pathlib.Path(path)
    name = path.stem if path.suffix in (".json", ".md", ".svg") else path.name
    return path.with_name(DAY.sub("", name))


def machines(folder):
    """folder/MACHINE of every machine that was measured."""
    return sorted({machine_of(file) for file in folder.glob("*.json") if DAY.search(file.stem)})


def read(machine):
    days = [json.loads(file.read_text()) for file in sorted(machine.parent.glob(f"{machine.name}-*.json"))
            if machine_of(file) == machine]
    return {"machine": days[-1]["machine"] if days else {}, "runs": days}


def run_of(data, about, date):
    for run in data["runs"]:
        if run["date"] == date:
            run["machine"] = about
            return run
    run = {"machine": about, "date": date, "rows": []}
    data["runs"].append(run)
    return run


def write(machine, run):
    machine.parent.mkdir(parents=True, exist_ok=True)
    path = machine.with_name(f"{machine.name}-{run['date']}.json")
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(_rounded(run), indent=1, ensure_ascii=False) + "\n")
    partial.rename(path)
    return path


def _rounded(value):
    """Six digits are more than a clock tells."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value


def put(run, row):
    run["rows"] = [r for r in run["rows"] if r["name"] != row["name"]] + [row]


def newest(data):
    """Every row that was measured, as it was measured last."""
    found = {}
    for run in sorted(data["runs"], key=lambda r: r["date"]):
        for row in run["rows"]:
            found[row["name"]] = {**row, "date": run["date"]}
    return list(found.values())


def newest_ceilings(data):
    return max((r for r in data["runs"] if "ceilings" in r), key=lambda r: r["date"])["ceilings"]
