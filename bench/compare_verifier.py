#!/usr/bin/env python3
r"""Judges `retort verify` and Math-Verify 0.9 (PyPI: math-verify) by the same answers.

    compare_verifier.py --retort PROGRAM --data FOLDER [--out FOLDER] [--seed 1] [--limit N]

Four bodies of answers, each printed with the errors of both:

  renderings   golds of MATH-500, HMMT, AIME, AMC and GSM8K, rendered again by tests/verify/perturb.py: right or wrong
               by construction
  adversarial  tests/verify/data/adversarial.jsonl: right, wrong or unparsed by the proofs of its generator
  gold         every gold of FOLDER against itself in a box
  responses    FOLDER/responses: what models wrote. All that both verifiers and the label of the data's origin agree
               on counts as true; where any two differ a person has read the response and written down the truth
               (bench/verifier_truth.jsonl: which response, its truth, and why; none of its text)

Math-Verify is called as its page documents: parse("$gold$"), parse(response), verify(gold, response), with its own
time-outs of 5 seconds (column "default"); and as TRL and open-r1 configure it for rewards: the box first, LaTeX without
an anchor refused, first match only ("reward"). Its time-outs and exceptions are counted from its log, also where the
verdict came out right. An error is a right answer not called right or a wrong one called right; where the truth allows
over-budget (adversarial), that is none.

Written to --out: disagreements.jsonl (all of them, for reading), classes.md. Verdicts of Math-Verify are cached there,
because they take minutes; delete math-verify.jsonl to run it again. Needs the Python packages math-verify and mpmath.
"""
import argparse
import collections
import hashlib
import json
import logging
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RARER = ("framed", "answer tag", "hashes", "bold")  # carriers that Math-Verify's page does not name
SETS = ["math500", "hmmt_feb_2025", "aime_1983_2023", "aime_2024", "aime_2025", "amc23", "gsm8k_test", "gsm8k_train"]


# --- Math-Verify ---------------------------------------------------------------------------------------------------
class Count(logging.Handler):
    """Math-Verify reports its time-outs and exceptions through its log only."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.timeouts = self.errors = 0

    def emit(self, record):
        self.timeouts += record.msg.startswith("Timeout") if isinstance(record.msg, str) else 0
        self.errors += record.msg.startswith("Error") if isinstance(record.msg, str) else 0


class MathVerify:
    def __init__(self, cache):
        from latex2sympy2_extended import NormalizationConfig
        from math_verify import LatexExtractionConfig, parse, verify
        self.parse, self.verify, self.cache_path, self.cache = parse, verify, cache, {}
        self.reward = [LatexExtractionConfig(normalization_config=NormalizationConfig(units=True), boxed_match_priority=0,
                                             try_extract_without_anchor=False)]
        self.count = Count()
        for name in ("math_verify", "math_verify.parser", "math_verify.grader"):
            logger = logging.getLogger(name)
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
        logging.getLogger("math_verify").addHandler(self.count)
        for name in ("math_verify.parser", "math_verify.grader"):
            logging.getLogger(name).addHandler(self.count)
        if cache.exists():
            for line in open(cache):
                row = json.loads(line)
                self.cache[row["key"]] = row
        self.file = open(cache, "a")

    def ask(self, mode, gold, pred):
        key = hashlib.sha256(json.dumps([mode, gold, pred]).encode()).hexdigest()[:24]
        if key in self.cache:
            return self.cache[key]
        self.count.timeouts = self.count.errors = 0
        start = time.process_time()
        try:
            golds = self.parse(f"${gold}$")
            preds = (self.parse(pred) if mode == "default" else
                     self.parse(pred, extraction_config=self.reward, extraction_mode="first_match"))
            verdict = "unparsed" if not golds or not preds else "right" if self.verify(golds, preds) else "wrong"
        except Exception as problem:  # what it lets through to its caller
            verdict = "exception"
            self.count.errors += 1
            preds = [repr(problem)]
        try:
            form = str(preds[0])[:200] if preds else None
        except Exception:
            form = "?"
        row = {"key": key, "verdict": verdict, "timeouts": self.count.timeouts, "errors": self.count.errors,
               "seconds": time.process_time() - start, "form": form}
        self.cache[key] = row
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
        return row


# --- retort --------------------------------------------------------------------------------------------------------
def ask_retort(program, rows, profile=None):
    """Verdicts in order; every line must come back."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for k, row in enumerate(rows):
            line = {"id": str(k), "gold": row["gold"], "pred": row["pred"], "profile": profile or row["profile"]}
            file.write(json.dumps(line) + "\n")
        file.flush()
        done = subprocess.run([program, "verify", "--jsonl", file.name, "--json", "--quiet"], capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{program} verify ended with {done.returncode}: {done.stderr.decode()[:500]}")
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [a["id"] for a in answers] == [str(k) for k in range(len(rows))], "answers out of order or missing"
    return answers


# --- bodies of answers ---------------------------------------------------------------------------------------------
def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def renderings(options):
    done = subprocess.run([sys.executable, ROOT / "tests/verify/perturb.py", "--data", options.data, "--seed",
                           str(options.seed)], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def adversarial():
    rows = lines(ROOT / "tests/verify/data/adversarial.jsonl")
    return [row | {"source": "adversarial", "rule": row["id"].rsplit("-", 1)[0], "carrier": ""} for row in rows]


def same_golds(data):
    rows = []
    for name in SETS:
        for problem in lines(data / f"{name}.jsonl"):
            rows.append({"id": problem["id"], "gold": problem["answer"], "pred": f"\\boxed{{{problem['answer']}}}",
                         "profile": "strict", "expect": "right", "rule": "gold", "carrier": "", "source": name})
    return rows


def responses(data):
    golds = {p["id"]: p["answer"] for name in SETS for p in lines(data / f"{name}.jsonl")}
    truth = {}
    known = ROOT / "bench/verifier_truth.jsonl"
    if known.exists():
        truth = {(t["file"], t["line"]): t for t in lines(known)}
    rows = []
    for path in sorted((data / "responses").glob("*.jsonl")):
        for number, row in enumerate(lines(path), 1):
            gold = row.get("answer", golds.get(row["problem_id"]))
            if gold is None:
                continue
            label = {True: "right", False: "wrong"}.get(row.get("correct"))
            rows.append({"id": row["problem_id"], "gold": gold, "pred": row["response"], "profile": "tolerant",
                         "source": path.stem, "file": path.name, "line": number, "label": label, "rule": "response",
                         "carrier": "", "truth": truth.get((path.name, number))})
    return rows


# --- judgement -----------------------------------------------------------------------------------------------------
def error(expect, verdict):
    """An error, or None. The truth may allow several verdicts: "wrong|over-budget"."""
    allowed = expect.split("|")
    if "right" in allowed:
        return None if verdict in allowed else "right one refused"
    return "wrong one accepted" if verdict == "right" else None


def table(title, rows, columns):
    print(f"\n## {title}\n")
    head = ["set", "answers", "right", "wrong"]
    for name in columns:
        head += [f"{name}: right refused", "wrong accepted", "errors"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    sets = list(dict.fromkeys(row["source"] for row in rows))
    smaller = True
    for name in sets + (["all"] if len(sets) > 1 else []):
        some = [row for row in rows if name in (row["source"], "all")]
        cells = [name, len(some), sum("right" in r["expect"] for r in some), sum("right" not in r["expect"] for r in some)]
        counts = []
        for column in columns:
            refused = sum(error(r["expect"], r[column]["verdict"]) == "right one refused" for r in some)
            accepted = sum(error(r["expect"], r[column]["verdict"]) == "wrong one accepted" for r in some)
            cells += [refused, accepted, refused + accepted]
            counts.append(refused + accepted)
        print("| " + " | ".join(map(str, cells)) + " |")
        smaller &= counts[0] <= min(counts[1:])
    agree = sum(len({r[c]["verdict"] == "right" for c in columns}) == 1 for r in rows)
    print(f"\nAgreement on right or not: {agree} of {len(rows)} ({100 * agree / max(1, len(rows)):.2f} %).", end=" ")
    for column in columns:
        c = collections.Counter(r[column]["verdict"] for r in rows)
        print(f"{column}: " + ", ".join(f"{n} {v}" for v, n in sorted(c.items())) + ".", end=" ")
        if "timeouts" in rows[0][column]:
            print(f"Answers with time-outs {sum(r[column]['timeouts'] > 0 for r in rows)}, with exceptions "
                  f"{sum(r[column]['errors'] > 0 for r in rows)}.", end=" ")
    print(f"\nretort has {'the smaller count (or both none) on each set' if smaller else 'NOT the smaller count everywhere'}.")
    return smaller


def classes(rows, columns, out):
    groups = collections.defaultdict(list)
    for row in rows:
        verdicts = tuple(row[c]["verdict"] for c in columns)
        if any(error(row["expect"], v) for v in verdicts):
            groups[(row["body"], row["rule"] + (f" in {row['carrier']}" if row["body"] == "renderings" and row["carrier"] in RARER else ""), row["expect"], verdicts)].append(row)
    with open(out / "classes.md", "w") as file:
        file.write("| body | rule | truth | " + " | ".join(columns) + " | number | example: gold | response |\n|" + "---|" * (6 + len(columns)) + "\n")
        for key, members in sorted(groups.items(), key=lambda kv: (kv[0][0], -len(kv[1]))):
            body, rule, expect, verdicts = key
            example = members[0]
            shown = [str(t).replace("|", "\\|").replace("\n", " ")[-120:] for t in (example["gold"], example["pred"])]
            file.write(f"| {body} | {rule} | {expect} | " + " | ".join(verdicts) + f" | {len(members)} | `{shown[0]}` | `{shown[1]}` |\n")
    return len(groups)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retort", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/compare-verifier"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0, help="every answer of a body up to this many, spread evenly")
    parser.add_argument("--no-retort", action="store_true", help="only fill Math-Verify's cache")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    peer = MathVerify(options.out / "math-verify.jsonl")
    bodies = {"renderings": renderings(options), "adversarial": adversarial(), "gold": same_golds(options.data),
              "responses": responses(options.data)}
    for name, rows in bodies.items():
        if options.limit and len(rows) > options.limit:
            step = len(rows) / options.limit
            rows = bodies[name] = [rows[int(k * step)] for k in range(options.limit)]
        start = time.time()
        for row in rows:
            row["body"] = name
            row["Math-Verify"] = peer.ask("default", row["gold"], row["pred"])
            row["Math-Verify reward"] = peer.ask("reward", row["gold"], row["pred"])
        print(f"{name}: {len(rows)} answers, {time.time() - start:.0f} s", file=sys.stderr)
        if options.no_retort:
            continue
        for row, answer in zip(rows, ask_retort(options.retort, rows)):
            row["retort"] = answer
    if options.no_retort:
        return
    real = bodies["responses"]
    for row, answer in zip(real, ask_retort(options.retort, real, "strict")):
        row["retort strict"] = answer
    open_cases = 0
    for row in real:
        said = {row["retort"]["verdict"] == "right", row["Math-Verify"]["verdict"] == "right"}
        said |= {row["label"] == "right"} if row["label"] else set()
        if row["truth"]:
            row["expect"] = row["truth"]["truth"]
        elif len(said) == 1 and not (row["retort strict"]["verdict"] == "right" and row["retort"]["verdict"] != "right"):
            row["expect"] = "right" if True in said else "wrong"
        else:
            row["expect"], open_cases = "open", open_cases + 1

    three = ["retort", "Math-Verify", "Math-Verify reward"]
    judged = [row for row in real if row["expect"] != "open"]
    good = table("Renderings, right and wrong by construction", bodies["renderings"], three)
    usual = [row for row in bodies["renderings"] if row["carrier"] not in RARER]
    good &= table("The same without \\fbox, answer tags, #### and bold headings", usual, three)
    good &= table("Adversarial corpus", bodies["adversarial"], three)
    good &= table("Every gold against itself", bodies["gold"], three)
    good &= table("Responses of models", judged, three)
    strict_wrong = [r for r in judged if r["retort strict"]["verdict"] == "right" and r["expect"] != "right"]
    above = [r for r in real if r["retort strict"]["verdict"] == "right" and r["retort"]["verdict"] != "right"]
    print(f"Strict on the responses: {sum(r['retort strict']['verdict'] == 'right' for r in judged)} called right, of them "
          f"{len(strict_wrong)} falsely; right by strict and not by tolerant: {len(above)}.")
    print(f"Responses that no person has judged yet although verdicts differ: {open_cases}.")
    everything = [row for rows in bodies.values() for row in rows]
    with open(options.out / "disagreements.jsonl", "w") as file:
        for row in everything:
            verdicts = {row[c]["verdict"] == "right" for c in three}
            if len(verdicts) > 1 or row["expect"] == "open" or error(row["expect"], row["retort"]["verdict"]):
                file.write(json.dumps(row) + "\n")
    number = classes([r for r in everything if r["expect"] != "open"], three, options.out)
    print(f"Classes of errors: {number}, in {options.out / 'classes.md'}; all disagreements in "
          f"{options.out / 'disagreements.jsonl'}.")
    sys.exit(0 if good and open_cases == 0 else 1)


main()
