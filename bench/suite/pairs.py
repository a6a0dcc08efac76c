"""Samples of several sides in turns, so that all of them see the same machine.

A round takes one sample of each side; figures are medians, ratios are medians of the rounds' ratios. A sample counts as
clean when the probes before and after it had the processors to themselves and, where it is long enough to tell, others
had at most FOREIGN of the machine. Rounds with a sample that is not clean are taken again, up to a limit; what then is
missing is filled with the rounds that others disturbed least, and the row says so.
"""
import statistics
import time

from .machine import Load

FOREIGN = 0.06


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def _sample(run, probe, threads):
    before = probe.clean(threads)
    load = Load()
    answer = run()
    foreign = load.foreign(answer.get("own_cpu", answer["cpu"]))
    clean = probe.clean(threads) and before and (foreign is None or foreign <= FOREIGN)
    return {**answer, "foreign": foreign, "clean": clean}


def take(sides, probe, threads, runs, patience, warm=True):
    """sides: name -> function that returns a sample. patience: seconds after which no round is taken again."""
    if warm:
        for run in sides.values():
            run()
    clean, disturbed, begun = [], [], time.monotonic()
    while len(clean) < runs and (len(clean) + len(disturbed) < runs or time.monotonic() - begun < patience):
        found = {name: _sample(run, probe, threads) for name, run in sides.items()}
        (clean if all(s["clean"] for s in found.values()) else disturbed).append(found)
    disturbed.sort(key=lambda r: max(s["foreign"] or 0 for s in r.values()) if r else 0)
    short = runs - len(clean)
    chosen = clean + disturbed[:short]
    return {"rounds": chosen, "clean": len(clean), "disturbed": max(0, short),
            "discarded": max(0, len(disturbed) - max(0, short))}


def compare(taken, ours="retort"):
    """Figures of each side and the peers' ratios: how many times their seconds are ours (wall clock and processor)."""
    rounds = taken["rounds"]
    foreign = [s["foreign"] for r in rounds for s in r.values() if s["foreign"] is not None]
    sides = {}
    for name in rounds[0]:
        sides[name] = {"seconds": spread([r[name]["seconds"] for r in rounds]),
                       "cpu": spread([r[name]["cpu"] for r in rounds])}
        if name != ours:
            sides[name]["ratio"] = spread([r[name]["seconds"] / r[ours]["seconds"] for r in rounds])
            sides[name]["cpu_ratio"] = spread([r[name]["cpu"] / max(r[ours]["cpu"], 1e-9) for r in rounds])
    return {"sides": sides, "clean": taken["clean"], "disturbed": taken["disturbed"], "discarded": taken["discarded"],
            "foreign": round(statistics.median(foreign), 3) if foreign else None}
