#!/usr/bin/env python3
"""Speed of the verifier beside Math-Verify: paired runs on one core, by processor time.

    compare_verifier_speed.py --bench build/gcc/bench/bench_verify --data FOLDER [--pairs 1000] [--rounds 5] [--core 0]

The mixed answers are spread evenly over the renderings of tests/verify/perturb.py (two thirds) and over the responses of
models in FOLDER/responses (one third). In each round both grade them, one after the other, pinned to the same core, each
in a fresh process: every pair once, time of loading not counted. The ratio of a round is that of the two sums of processor
time; printed are all rounds and the median ratio. Then the same for medians of single pairs, and bench_verify's own tail
on the mixed answers and on tests/verify/data/adversarial.jsonl.
"""
import argparse
import json
import logging
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SETS = ["math500", "hmmt_feb_2025", "aime_1983_2023", "aime_2024", "aime_2025", "amc23", "gsm8k_test", "gsm8k_train"]


def worker(path):
    """Math-Verify over a file, as its page documents; runs in a process of its own."""
    logging.disable(logging.CRITICAL)
    from math_verify import parse, verify
    verify(parse("$1$"), parse("\\boxed{1}"))  # its regular expressions are built on the first call
    times = []
    with open(path) as file:
        for line in file:
            pair = json.loads(line)
            start = time.process_time()
            try:
                verify(parse(f"${pair['gold']}$"), parse(pair["pred"]))
            except Exception:
                pass
            times.append(time.process_time() - start)
    print(json.dumps({"seconds": sum(times), "median_us": 1e6 * statistics.median(times)}))


def spread(rows, count):
    return [rows[int(k * len(rows) / count)] for k in range(min(count, len(rows)))]


def mixed(data, count):
    done = subprocess.run([sys.executable, ROOT / "tests/verify/perturb.py", "--data", data], capture_output=True, check=True)
    renderings = [json.loads(line) for line in done.stdout.decode().splitlines()]
    golds = {}
    for name in SETS:
        with open(data / f"{name}.jsonl") as file:
            golds |= {p["id"]: p["answer"] for p in map(json.loads, file)}
    responses = []
    for path in sorted((data / "responses").glob("*.jsonl")):
        with open(path) as file:
            for row in map(json.loads, file):
                gold = row.get("answer", golds.get(row["problem_id"]))
                if gold is not None:
                    responses.append({"id": row["problem_id"], "gold": gold, "pred": row["response"], "profile": "tolerant"})
    return spread(renderings, count - count // 3) + spread(responses, count // 3)


def pinned(core, command):
    done = subprocess.run(["taskset", "-c", str(core), *map(str, command)], capture_output=True, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker)
    if not options.bench or not options.data:
        parser.error("--bench and --data are needed")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for row in mixed(options.data, options.pairs):
            file.write(json.dumps({k: row[k] for k in ("id", "gold", "pred", "profile")}) + "\n")
        file.flush()
        sums, medians = [], []
        for number in range(options.rounds):
            ours = pinned(options.core, [options.bench, file.name, 1])
            peer = pinned(options.core, [sys.executable, __file__, "--worker", file.name])
            sums.append(peer["seconds"] / ours["seconds"])
            medians.append(peer["median_us"] / ours["median_us"])
            print(f"round {number + 1}: {ours['pairs']} pairs; retort {1e3 * ours['seconds']:.1f} ms, Math-Verify "
                  f"{1e3 * peer['seconds']:.0f} ms, ratio {sums[-1]:.0f}; median of a pair {ours['median_us']:.1f} us "
                  f"against {peer['median_us']:.0f} us, ratio {medians[-1]:.0f}", flush=True)
        print(f"median ratio of {options.rounds} rounds: {statistics.median(sums):.0f} (sums), "
              f"{statistics.median(medians):.0f} (medians of a pair)")
        tail = pinned(options.core, [options.bench, file.name, 9])
    worst = pinned(options.core, [options.bench, ROOT / "tests/verify/data/adversarial.jsonl", 5])
    print(f"mixed answers: median {tail['median_us']:.1f} us, p99 {tail['p99_us']:.1f} us, slowest "
          f"{tail['slowest_us'] / 1e3:.2f} ms ({tail['slowest']})")
    print(f"adversarial corpus: median {worst['median_us']:.1f} us, p99 {worst['p99_us'] / 1e3:.2f} ms, slowest "
          f"{worst['slowest_us'] / 1e3:.2f} ms ({worst['slowest']})")
    good = statistics.median(sums) >= 200 and tail["p99_us"] < 1000 and worst["slowest_us"] < 50000
    print("at least 200 times, p99 under 1 ms, worst under 50 ms: " + ("yes" if good else "NO"))
    return 0 if good else 1


sys.exit(main())
