"""Runs the rows that were asked for and writes what came out; started by ./bench.sh."""
import argparse
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import traceback

from . import machine, results, roofline, table
from .context import ROOT, Context, Missing
from .rows import ON_REQUEST, ROWS
from .worker import Worker

RESULTS = ROOT / "bench/results"


def arguments():
    rows = "\n".join(f"  {name:10} {what}" for name, (_, what) in ROWS.items())
    parser = argparse.ArgumentParser(prog="./bench.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Measures retort beside its peers on this machine.", epilog=f"rows:\n{rows}")
    parser.add_argument("--rows", help="comma list of rows; everything but 'study' when missing")
    parser.add_argument("--quick", action="store_true", help="3 samples instead of 7, smaller sizes where a row has them")
    parser.add_argument("--patience", type=float, default=60, metavar="SECONDS",
                        help="how long a row waits for samples that nobody disturbed (60)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--table", action="store_true", help="only prints the table of the results there are")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--cache", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def git(*words):
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True).stdout.strip()


def chosen(options):
    names = options.rows.split(",") if options.rows else [n for n in ROWS if n not in ON_REQUEST]
    unknown = [n for n in names if n not in ROWS]
    if unknown:
        sys.exit(f"./bench.sh: no row '{unknown[0]}'; there are: {', '.join(ROWS)}")
    return names


def record(machine_path, about, update):
    """Changes today's run by update(run) and writes its file, the table and the picture. Files are read again each time:
    another run of ./bench.sh may be adding rows to them."""
    data = results.read(machine_path)
    run = results.run_of(data, about, datetime.date.today().isoformat())
    update(run)
    data["machine"] = about
    results.write(machine_path, run)
    picture(machine_path, data)
    machine_path.with_suffix(".md").write_text(table.document(data))


def picture(machine_path, data):
    about, ceilings = data["machine"], results.newest_ceilings(data)
    placed = [r for r in results.newest(data) if r.get("bytes") and str(r["threads"]) in ceilings["read_gbps"]]
    if not placed:
        return
    threads = statistics.mode(r["threads"] for r in placed)
    rows = [r for r in placed if r["threads"] == threads]
    title = f"retort on {about['cpu']}, family {about['family']} model {about['model']}, threads: {threads}"
    machine_path.with_suffix(".svg").write_text(roofline.svg(rows, ceilings, threads, title))


def print_tables():
    """Of every machine and day there is."""
    for at, path in enumerate(results.machines(RESULTS)):
        print(("\n" if at else "") + f"# {path.name}\n\n" + table.document(results.read(path)), end="")


def main():
    options = arguments()
    if options.table:
        print_tables()
        return 0
    names = chosen(options)
    compiler = subprocess.run([os.environ.get("CC", "cc"), "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    about = machine.describe(compiler)
    path = RESULTS / machine.slug(about)
    log = open(pathlib.Path(options.cache) / "peers.log", "w")
    context = Context(options.build, options.cache, 3 if options.quick else 7, options.patience, options.threads,
                      options.quick, log)
    Worker.passive = machine.idle_share() < 0.5
    failed = 0
    with context.ours() as prober:
        context.say("measuring the machine's ceilings")
        context.probe = machine.Probe(prober, options.threads)
        context.ceilings = machine.ceilings(context.probe)
        context.say(f"  {context.ceilings}, {prober.about['isa']}, load {os.getloadavg()[0]:.2f}"
                    + (", waiting threads sleep on all sides" if Worker.passive else ""))
        commit = git("rev-parse", "--short=12", "HEAD")

        def put_row(row):
            def update(run):
                run.update(isa=prober.about["isa"])
                keep_ceilings(run, machine_peaks(context))
                results.put(run, row)
            return update
        for name in names:
            context.say(name)
            try:
                for row in ROWS[name][0](context):
                    row.update(load=round(os.getloadavg()[0], 2), passive=Worker.passive, commit=commit)
                    record(path, about, put_row(row))
                    context.say("  " + table.line(row))
            except Missing as reason:
                context.say(f"  row {name} is left out: {reason}")
            except Exception:  # noqa: BLE001: one row that fails must not cost the others
                failed += 1
                context.say(f"  row {name} failed:\n{traceback.format_exc(limit=3)}")
    print(table.document(results.read(path)), end="")
    context.say(f"written: {path.relative_to(ROOT)}-{datetime.date.today().isoformat()}.json, {path.name}.md and .svg")
    return 1 if failed else 0


def machine_peaks(context):
    """Probes go on raising the peaks while rows are measured."""
    peaks = {str(n): round(p / 1e9, 1) for n, p in context.probe.peak.items()}
    return {"fma_gflops": peaks, "read_gbps": context.ceilings["read_gbps"]}


def keep_ceilings(run, new):
    """The highest of a day: neighbours only lower what is seen."""
    old = run.get("ceilings", {})
    run["ceilings"] = {kind: {n: max(v, old.get(kind, {}).get(n, 0)) for n, v in values.items()}
                       for kind, values in new.items()}


if __name__ == "__main__":
    sys.exit(main())
