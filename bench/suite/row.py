"""A row of the table: what was measured, beside what, and whether the target is met."""
from . import pairs


def targets(sides, wanted):
    """wanted: peer -> least ratio. A peer that was not measured is not met, and not missed either."""
    return {peer: {"target": least, "met": sides[peer]["ratio"]["median"] >= least}
            for peer, least in wanted.items() if peer in sides}


def paired(context, name, what, sides, wanted, threads=None, runs=None, ours="retort", warm=True, **more):
    threads = threads or context.threads
    taken = pairs.take(sides, context.probe, threads, runs or context.runs, context.patience, warm)
    row = {"name": name, "what": what, "threads": threads, **pairs.compare(taken, ours), **more}
    row["targets"] = targets(row["sides"], wanted)
    first = taken["rounds"][0][ours]
    if "flops" in first:
        rate = first["flops"] / row["sides"][ours]["seconds"]["median"]
        row["flops"] = first["flops"]
        row["gflops"] = round(rate / 1e9, 2)
        row["of_peak"] = round(rate / context.probe.peak[threads], 4)
        # Processor time knows no neighbours: what the rate would be were the machine quiet and all threads busy.
        row["of_peak_by_cpu"] = round(
            first["flops"] / (row["sides"][ours]["cpu"]["median"] / threads) / context.probe.peak[threads], 4)
    return row


def against_limit(row, kind, least, value):
    """A target that is a share of a ceiling."""
    row["targets"][kind] = {"target": least, "met": value >= least, "value": round(value, 4)}
    return row
