"""A row of the table: what was measured, beside what, and whether the target is met."""
from . import pairs


# Where no sample had the machine to itself, processor time is what can be compared: neighbours take none of it.
RATIOS = {"seconds": "ratio", "cpu": "cpu_ratio"}


def targets(sides, wanted, clock):
    """wanted: peer -> least ratio. A peer that was not measured is not met, and not missed either."""
    return {peer: {"target": least, "met": sides[peer][RATIOS[clock]]["median"] >= least}
            for peer, least in wanted.items() if peer in sides}


def seconds_of(row, side="retort"):
    """Median seconds by the clock that the row is judged by."""
    value = row["sides"][side][row["judged_by"]]["median"]
    return value / row["threads"] if row["judged_by"] == "cpu" else value


def named(context, name, what, threads):
    """Name and text of a row; those of fewer threads than the machine has say so."""
    if threads != context.processors and name and not name.endswith(f"-{threads}t"):
        return f"{name}-{threads}t", f"{what}, {threads} thread(s)"
    return name, what


def credible(context, row, side, first, threads):
    """Processor time divided by threads is no time where one thread did the work of another that came too late: it would
    give a rate above the machine's peak."""
    seconds = row["sides"][side]["cpu"]["median"] / threads
    return first.get("flops", 0) <= seconds * context.probe.peak[threads]


def of(context, taken, name, what, wanted, threads, ours="retort", **more):
    """The row of samples that were taken."""
    name, what = named(context, name, what, threads)
    row = {"name": name, "what": what, "threads": threads, **pairs.compare(taken, ours), **more}
    first = taken["rounds"][0][ours]
    row["judged_by"] = "seconds" if row["clean"] > 0 or not credible(context, row, ours, first, threads) else "cpu"
    row["targets"] = targets(row["sides"], wanted, row["judged_by"])
    row["missing"] = [peer for peer in wanted if peer not in row["sides"]]
    if "flops" in first:
        rate = first["flops"] / seconds_of(row, ours)
        row["flops"] = first["flops"]
        row["gflops"] = round(rate / 1e9, 2)
        row["of_peak"] = round(rate / context.probe.peak[threads], 4)
    return row


def paired(context, name, what, sides, wanted, threads=None, runs=None, ours="retort", warm=True, **more):
    threads = threads or context.threads
    taken = pairs.take(sides, context.probe, threads, runs or context.runs, context.patience, warm)
    return of(context, taken, name, what, wanted, threads, ours, **more)


def against_limit(row, kind, least, value):
    """A target that is a share of a ceiling."""
    row["targets"][kind] = {"target": least, "met": value >= least, "value": round(value, 4)}
    return row
