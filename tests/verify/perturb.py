#!/usr/bin/env python3
r"""Writes right and wrong renderings of golds, for testing answer verifiers.

    perturb.py --data FOLDER [--seed 1] [--integers 2] [--others 16] [--check] > pairs.jsonl
                                       golds of MATH-500, HMMT, AIME, AMC and GSM8K out of FOLDER
    perturb.py --synthetic [...]       golds of this file, in the style of MATH; data/renderings.jsonl is made by
                                       --synthetic --integers 10 --others 6
    perturb.py --rules                 the rules and why each is right or wrong, as a Markdown table

One object a line: id, gold, pred, profile, expect (right or wrong), rule, carrier, source. The same seed gives the same
bytes on every machine: choices are taken from SHA-256 of seed, problem and rule. For each gold that is a whole number
--integers right and as many wrong renderings are drawn from the rules that apply; for every other gold up to --others.

A rule is right or wrong by the proof beside it (`--rules` prints them); its preconditions are checked on the exact value
of the gold. --check (needs mpmath) proves it a second time where gold and rendering are plain values or containers of as
many of them: both texts are read by plain_values.py and evaluated to 200 digits (variables at three points); right ones
must agree to 150 digits everywhere, wrong ones differ by more than 1e-120 somewhere. All else needs no package.
"""
import argparse
import json
import pathlib
import re
import sys

from plain_values import Unread, evaluate, read
from rendering_rules import RULES, Draw, Gold

SETS = ["math500", "hmmt_feb_2025", "aime_1983_2023", "aime_2024", "aime_2025", "amc23", "gsm8k_test"]

SYNTHETIC = [
    "7", "0", "1", "-3", "12", "64", "144", "243", "360", "809", "1000", "4096", "27720", "-1200", "1048576", "100000007",
    r"\frac{5}{12}", r"\frac{17}{5}", r"\frac{22}{35}", r"-\frac{7}{9}", r"\frac{3}{8}", r"\dfrac{41}{50}", r"\frac58", r"\frac 27", "0.625",
    "-2.75", ".0004", r"2\frac{3}{7}", r"\sqrt{13}", r"5\sqrt{2}", r"-\sqrt{7}", r"4 \sqrt{15}", r"\frac{\sqrt{5}}{3}",
    r"\frac{7\sqrt{2}}{6}", r"2+\sqrt{3}", r"3\sqrt{5}-4", r"\sqrt{19}-2\sqrt{2}", r"\sqrt{\frac{13}{6}}", r"\pi", r"18\pi",
    r"\frac{3\pi}{8}", r"5-\frac{3}{\pi}", r"9+4\pi", "3-4i", "7i+2", r"2^{20} \cdot 11!", "x^2-5x+6", "3k+1", "(b+2)(c-7)",
    "4n^3+n", r"\frac{5-2t}{3}", "a-b", r"\tan x", "9r^4", "(3,-8)", r"\left( 2, \frac{\pi}{3} \right)", "(1,4,-9)",
    r"(\sqrt{2}, -\sqrt{2})", "(4,7]", r"(-\infty, 6]", r"[-3,8)", r"\left[ \frac{2}{3}, \frac{11}{4} \right]",
    r"(8,\infty)", r"x \in [1,9]", "2,-5", "3, 8, 11", r"\frac{3+\sqrt{11}}{2}, \frac{3-\sqrt{11}}{2}",
    r"\begin{pmatrix} 3 \\ -8 \\ 1/2 \end{pmatrix}", r"\begin{pmatrix} 2 & 1 \\ 0 & -4 \end{pmatrix}", "x=8", "y = 3x - 4",
    "2x + 9y - z - 6 = 0", "31_5", "1204_{7}", r"70^\circ", r"25^\circ", r"\frac{360}{7}\text{ degrees}", r"\$7.25", r"\$48",
    r"\$15,\!800", r"14,\!400", "72,500", r"\text{(D)}", r"\text{(A)}", r"\text{west}", r"\text{Robert}", r"\text{odd}",
    r"\text{hyperbola}", r"48 \mbox{ inches}^2", r"6.5 \text{ cents}", r"21\text{ cm}^2", r"12 \text{ hours}",
    r"2 \pm \sqrt{11}", r"5 \pm 3 \sqrt{2}", r"(1,5) \cup (5,20)", r"(-\infty, 3) \cup (7, \infty)", r"\{2,5,9\}",
    r"\{-\sqrt{3},4\}",
]

# How a response carries the rendering; {a} is another number, which must not count.
CARRIERS = {
    "strict": {"box": "\\boxed{{{0}}}", "box in maths": "So the answer is $\\boxed{{{0}}}$.",
               "box displayed": "Adding up,\n\\[\n\\boxed{{{0}}}\n\\]",
               "box after thought": "<think>\nPerhaps {a}? No.\n</think>\n\nThe result is \\(\\boxed{{{0}}}\\)."},
    "tolerant": {"final answer boxed": "The final answer is $\\boxed{{{0}}}$.",
                 "heading": "**Final Answer**\n\n\\[\\boxed{{{0}}}\\]", "box and stop": "\\boxed{{{0}}}.",
                 "final answer": "The final answer is ${0}$. I hope it is correct.",
                 "framed": "We obtain $\\fbox{{{0}}}$.", "answer tag": "Adding {a} and the rest.</think> <answer>${0}$</answer>",
                 "hashes": "Adding {a} and the rest.\n#### {0}", "bold": "So it is not {a}.\n\n**Answer:** ${0}$"},
}


def carried(text, draw, n, name):
    """Maths mode within maths mode is no LaTeX; a rounded value could be let through where tolerance is asked for."""
    if name.startswith("response-"):
        return "strict", "response", text
    profile = "strict" if draw.below(4) or name.endswith("rounded") else "tolerant"
    carriers = CARRIERS[profile]
    carrier = draw.one(list(carriers))
    maths = "$" in text or r"\(" in text
    if maths and "$" in carriers[carrier] or r"\text" in text and carrier in ("hashes", "final answer", "bold", "answer tag"):
        carrier = "box" if profile == "strict" else "box and stop"
    if carrier == "hashes" and not re.fullmatch(r"[-\d,./ ]+", text):
        text = f"${text}$"
    return profile, carrier, carriers[carrier].format(text, a=n)


def components(gold, text):
    """The plain values of gold and rendering, paired; None where the rendering is of another form."""
    if gold.kind in ("integer", "value"):
        pair = re.sub(r"^[xnkmNS] = ", "", text)
        return [(gold.text, pair)]
    if gold.kind not in ("tuple", "list", "interval", "matrix"):
        return None
    again = Gold(text)
    if again.kind != gold.kind:
        return None
    flat = [[c for row in g.parts for c in (row if isinstance(row, list) else [row])] for g in (gold, again)]
    return list(zip(*flat)) if len(flat[0]) == len(flat[1]) else None


def check(rows):
    import mpmath
    mpmath.mp.dps = 200
    functions = {"cot": mpmath.cot, "ln": mpmath.log, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan}
    points = [{chr(c): mpmath.mpf(7 * c + 13 * k + 1) / (11 + c + k) for c in list(range(65, 91)) + list(range(97, 123))}
              for k in range(3)]
    for p in points:
        p.update(pi=mpmath.pi, e=mpmath.e, i=mpmath.mpc(0, 1))

    def gap(first, second):
        if first == second:
            return 0
        a, b = read(first), read(second)
        if a is None or b is None:
            return None
        try:
            pairs = [(evaluate(a, mpmath.mpf, p, functions), evaluate(b, mpmath.mpf, p, functions)) for p in points]
        except Unread:
            return None
        return max(abs(x - y) / (1 + abs(x)) for x, y in pairs)

    proven = {"right": 0, "wrong": 0}
    for row, text, gold in rows:
        paired = None if row["rule"].startswith("response-") else components(gold, text)
        if paired is None or row["rule"] in ("list-reordered", "interval-end", "interval-ends-only"):
            continue
        gaps = [gap(*p) for p in paired]
        if None in gaps:
            continue
        most = max(gaps)
        assert most < mpmath.mpf(10) ** -150 if row["expect"] == "right" else most > mpmath.mpf(10) ** -120, (row, most)
        proven[row["expect"]] += 1
    print(f"proven again: {proven['right']} right, {proven['wrong']} wrong, of {len(rows)}", file=sys.stderr)


def golds(options):
    if options.synthetic:
        for k, answer in enumerate(SYNTHETIC):
            yield "synthetic", f"synthetic/{k}", answer
        return
    for name in SETS:
        with open(options.data / f"{name}.jsonl") as lines:
            for line in lines:
                problem = json.loads(line)
                yield name, problem["id"], problem["answer"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--integers", type=int, default=2)
    parser.add_argument("--others", type=int, default=16)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rules", action="store_true")
    options = parser.parse_args()
    if options.rules:
        print("| rule | verdict | why |\n|---|---|---|")
        for name, (expect, _, proof, _) in RULES.items():
            print(f"| `{name}` | {expect} | {proof} |".replace("{0}", "X"))
        return
    if options.data is None and not options.synthetic:
        parser.error("--data FOLDER or --synthetic is needed")
    rows = []
    for source, name, answer in golds(options):
        gold = Gold(answer)
        for expect in ("right", "wrong"):
            draw = Draw(options.seed, name, expect)
            names = [n for n, (e, applies, _, _) in RULES.items() if e == expect and applies(gold)]
            most = options.integers if gold.kind == "integer" else options.others
            for rule_name in draw.order(names)[:most]:
                text = RULES[rule_name][3](gold, draw)
                other = 10007 + draw.below(80000)
                profile, carrier, pred = carried(text, draw, other, rule_name)
                rows.append(({"id": f"{name}/{rule_name}", "gold": gold.text, "pred": pred, "profile": profile,
                              "expect": expect, "rule": rule_name, "carrier": carrier, "source": source}, text, gold))
    if options.check:
        check(rows)
    for row, _, _ in rows:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
