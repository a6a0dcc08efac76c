"""Makes the figures and tables of docs/examples/tokens.md anew:

    python3 scripts/token_examples.py RETORT FOLDER_OF_RESPONSES

Only figures are written, no response. Python's own library is enough. Everything comes out of `retort tokens --json`."""
import json, os, subprocess, sys
from html import escape

retort, folder = sys.argv[1], sys.argv[2]
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "examples")
SHORT = {
    "DeepSeek-R1-Distill-Qwen-1.5B (Q4_K_M)": "R1-Distill 1.5B (distilled)",
    "Qwen2.5-1.5B-Instruct reasoning-SFT": "Instruct 1.5B + reasoning-SFT",
    "Qwen2.5-1.5B RLVR-PPO after SFT": "the same + RLVR-PPO",
    "Qwen2.5-Math-1.5B (base)": "Math 1.5B base",
    "Qwen2.5-Math-1.5B-Instruct (Q4_K_M)": "Math 1.5B Instruct",
    "Qwen Math-Instruct (model not named upstream)": "Math Instruct (cot100)",
    "Qwen2.5-Math-1.5B + GRPO (zero-RL)": "Math 1.5B + GRPO (zero-RL)",
    "Qwen2.5-Math-1.5B + GRPO (zero-RL, second author)": "Math 1.5B + GRPO (2nd author)",
}
ORDER = list(SHORT)
FILES = ["r1_distill_qwen_1.5b_math500", "sft_vs_rlvr_qwen2.5_1.5b_gsm8k", "qwen2.5_math_1.5b_base_math500",
         "qwen2.5_math_1.5b_instruct_math500", "qwen_math_instruct_cot100", "zero_rl_grpo_qwen2.5_math_1.5b_train",
         "zero_rl_grpo_qwen2.5_math_1.5b_b"]
WORDS = ["wait", "maybe", "alternatively", "hmm", "perhaps", "however", "but", "so", "let me", "I think"]


def tokens(files, *options):
    paths = [os.path.join(folder, f + ".jsonl") for f in files]
    done = subprocess.run([retort, "tokens", "--quiet", "--json", *options, *paths], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def models(result):
    by = {m["model"]: m for m in result["models"]}
    return [by[m] for m in ORDER if m in by]


def row(m, category):
    return next(c for c in m["categories"] if c["category"] == category)


def number(x, digits=1):
    return "-" if x is None else f"{x:.{digits}f}"


def with_interval(x, interval, digits=1):
    if x is None or interval[0] is None:
        return "-"
    return f"{x:.{digits}f} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows])


def pair_of(result, a, b):
    for c in result["comparisons"]:
        if (c["a"], c["b"]) == (a, b):
            return c, 1
        if (c["a"], c["b"]) == (b, a):
            return c, -1
    sys.exit(f"no pair {a}, {b}")


# Figures.

INK, MUTED, GRID = "#1b1b1f", "#5c5c66", "#d9d9e0"
COLORS = ["#0b5cad", "#b5480d", "#1d7a46", "#7a3fa0", "#8a6d00", "#a61b4b", "#3d5a80", "#555555"]


def svg(width, height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" font-family="sans-serif" font-size="13"><title>{escape(title)}</title>'
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(body)}</svg>\n')


def text(x, y, s, anchor="start", color=INK, size=13, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}" '
            f'font-weight="{weight}">{escape(s)}</text>')


def line(x1, y1, x2, y2, color, width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"/>'


def dots(path, title, panels, labels):
    """Panels side by side, one value with its interval in each row."""
    left, gap, wide, step, top = 225, 24, 250, 27, 58
    height, width = top + step * len(labels) + 34, left + len(panels) * (wide + gap)
    body = [text(8, 22, title, weight="bold", size=14)]
    for i, label in enumerate(labels):
        body.append(text(left - 10, top + step * i + 17, label, "end"))
    for p, (name, values, digits) in enumerate(panels):
        x0 = left + p * (wide + gap)
        most = max(v[2] for v in values if v is not None) * 1.05
        tick = next(t for t in (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if most / t <= 6)
        body.append(text(x0, 44, name, color=MUTED))
        for k in range(int(most / tick) + 1):
            x = x0 + wide * k * tick / most
            body.append(line(x, top, x, height - 30, GRID))
            body.append(text(x, height - 14, f"{k * tick:g}", "middle", MUTED, 11))
        for i, value in enumerate(values):
            if value is None:
                continue
            y, (v, low, high) = top + step * i + 13, value
            body.append(line(x0 + wide * low / most, y, x0 + wide * high / most, y, COLORS[p], 3))
            body.append(f'<circle cx="{x0 + wide * v / most:.1f}" cy="{y}" r="4.5" fill="{COLORS[p]}"/>')
    open(os.path.join(here, path), "w").write(svg(width, height, title, body))


def lines(path, title, series, y_name):
    """One line a model over the ten parts of a response, with its interval as a band."""
    left, top, wide, high, legend = 56, 44, 520, 300, 230
    most = max(h for _, values in series for _, _, h in values) * 1.05
    tick = next(t for t in (1, 2, 5, 10, 20, 50) if most / t <= 7)
    at = lambda d: left + wide * (d + 0.5) / 10
    up = lambda v: top + high * (1 - v / most)
    body = [text(8, 22, title, weight="bold", size=14), text(left, 38, y_name, color=MUTED, size=11)]
    for k in range(int(most / tick) + 1):
        body += [line(left, up(k * tick), left + wide, up(k * tick), GRID),
                 text(left - 8, up(k * tick) + 4, f"{k * tick:g}", "end", MUTED, 11)]
    for d in range(10):
        body.append(text(at(d), top + high + 18, str(d + 1), "middle", MUTED, 11))
    body.append(text(left + wide / 2, top + high + 36, "tenth of the response", "middle", MUTED, 11))
    for i, (name, values) in enumerate(series):
        band = [(at(d), up(v[2])) for d, v in enumerate(values)] + [(at(d), up(v[1])) for d, v in reversed(list(enumerate(values)))]
        body.append(f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in band)}" fill="{COLORS[i]}" fill-opacity="0.12"/>')
        path_points = " ".join(f"{at(d):.1f},{up(v[0]):.1f}" for d, v in enumerate(values))
        body.append(f'<polyline points="{path_points}" fill="none" stroke="{COLORS[i]}" stroke-width="2"/>')
        for d, v in enumerate(values):
            body.append(f'<circle cx="{at(d):.1f}" cy="{up(v[0]):.1f}" r="3" fill="{COLORS[i]}"/>')
        y = top + 14 + 22 * i
        body += [line(left + wide + 16, y - 4, left + wide + 38, y - 4, COLORS[i], 3), text(left + wide + 44, y, name)]
    open(os.path.join(here, path), "w").write(svg(left + wide + legend + 30, top + high + 50, title, body))


def value_of(m, category, name, interval):
    c = row(m, category)
    return None if c[name] is None or c[interval][0] is None else (c[name], *c[interval])


# The page.

default, kept = tokens(FILES), tokens(FILES, "--keep", "truncated")
degenerate = tokens(["zero_rl_grpo_degenerate"], "--keep", "repetitive")["models"][0]
apart = tokens(["zero_rl_grpo_degenerate"])["models"][0]
thought = tokens(FILES[:2], "--part", "thought")
listed = models(default)
labels = [SHORT[m["model"]] for m in listed]
parts = {}

dots("tokens-rates.svg", "Per 1,000 words, with 95 % intervals over problems",
     [(c, [value_of(m, c, "per_1000", "interval") for m in listed], 1) for c in ("anthropomorphic", "logical", "mathematical")],
     labels)
dots("tokens-first-words.svg", "In the first 100 words of a response (equal length), with 95 % intervals",
     [(c, [value_of(m, c, "in_first_words", "in_first_words_interval") for m in listed], 1)
      for c in ("anthropomorphic", "logical", "mathematical")], labels)


def profile(m, category):
    return [(r["per_1000"], r["interval"][0] or 0, r["interval"][1] or 0) for r in m["profile"] if r["category"] == category]


lines("tokens-profile.svg", "Anthropomorphic tokens along the response",
      [(SHORT[m["model"]], profile(m, "anthropomorphic")) for m in listed if m["model"] in
       (ORDER[0], ORDER[1], ORDER[2], ORDER[3], ORDER[6])], "per 1,000 words of that tenth")

parts["read"] = table(
    ["responses of", "read", "problems", "empty", "repetitive", "truncated", "counted", "words each"],
    [[SHORT[m["model"]], str(m["responses"]), str(m["problems"])] + [str(r["responses"]) for r in m["left_out"][:3]] +
     [str(m["counted"]), f'{m["words_per_response"]:.0f}'] for m in listed])
parts["rates"] = table(
    ["per 1,000 words", "anthropomorphic", "logical", "mathematical"],
    [[SHORT[m["model"]]] + [with_interval(row(m, c)["per_1000"], row(m, c)["interval"])
                            for c in ("anthropomorphic", "logical", "mathematical")] for m in listed])
parts["responses"] = table(
    ["", "anthropomorphic a response", "responses with any", "in the first 100 words", "the last, truncated kept"],
    [[SHORT[m["model"]], with_interval(row(m, "anthropomorphic")["per_response"], row(m, "anthropomorphic")["per_response_interval"]),
      with_interval(100 * row(m, "anthropomorphic")["share"], [100 * x for x in row(m, "anthropomorphic")["share_interval"]], 0) + " %",
      with_interval(row(m, "anthropomorphic")["in_first_words"], row(m, "anthropomorphic")["in_first_words_interval"], 2),
      with_interval(row(k, "anthropomorphic")["in_first_words"], row(k, "anthropomorphic")["in_first_words_interval"], 2)]
     for m, k in zip(listed, models(kept))])
parts["words"] = table(
    ["per 1,000 words"] + [f'{w}' for w in WORDS],
    [[SHORT[m["model"]]] + [number(next(e for e in m["entries"] if e["entry"] == w)["per_1000"], 2) for w in WORDS]
     for m in listed])

PAIRS = [(0, 4), (0, 3), (1, 2), (0, 6), (1, 6), (6, 3), (7, 3), (4, 3)]
rows = []
for a, b in PAIRS:
    c, sign = pair_of(default, ORDER[a], ORDER[b])
    for k in c["categories"][:2]:
        flip = lambda i: i if sign > 0 else [None if x is None else -x for x in reversed(i)]
        rows.append([f"{SHORT[ORDER[a]]} - {SHORT[ORDER[b]]}", k["category"],
                     f'paired, {c["problems_common"]}' if c["paired"] else
                     f'{c["problems_a" if sign > 0 else "problems_b"]} against {c["problems_b" if sign > 0 else "problems_a"]}, unpaired',
                     with_interval(sign * k["per_1000"], flip(k["interval"])), f'{k["p_holm"]:.2g}',
                     "-" if k["length_matched"] is None else
                     with_interval(sign * k["length_matched"], flip(k["length_matched_interval"])) + f' ({c["length_matched_responses"]})'])
parts["pairs"] = table(["pair", "category", "problems", "difference per 1,000 words", "p (Holm)",
                        "at matched length (responses)"], rows)

rows = []
for m in listed:
    for r in m["correctness"][:2]:
        rows.append([SHORT[m["model"]], r["category"], f'{r["problems"]}', f'{r["responses"]}',
                     with_interval(r["right_minus_wrong"], r["interval"]), f'{r["p"]:.2g}'])
parts["correctness"] = table(["responses of", "category", "problems with both", "responses", "right minus wrong, per 1,000 words", "p"],
                             rows)
parts["thought"] = table(
    ["inside the thought", "responses", "without a closed thought", "anthropomorphic per 1,000", "logical per 1,000"],
    [[SHORT[m["model"]], str(m["counted"]), str(m["responses"] - m["counted"]),
      with_interval(row(m, "anthropomorphic")["per_1000"], row(m, "anthropomorphic")["interval"]),
      with_interval(row(m, "logical")["per_1000"], row(m, "logical")["interval"])] for m in models(thought)])
steps = tokens(["zero_rl_grpo_qwen2.5_math_1.5b_train"], "--by", "step", "--resamples", "100", "--reference", "1")["models"]
rows = []
for first in range(1, 151, 25):
    part = [m for m in steps if first <= int(m["model"]) < first + 25]
    total = lambda key: sum(m[key] for m in part)
    rate = lambda kind, name, value: 1000 * sum(r["count"] for m in part for r in m[kind] if r[name] == value) / total("words")
    rows.append([f"{first}-{first + 24}", str(total("counted")), f'{total("words") / total("counted"):.0f}',
                 number(rate("categories", "category", "anthropomorphic")), number(rate("categories", "category", "logical")),
                 number(rate("entries", "entry", "but")), number(rate("entries", "entry", "so"))])
parts["steps"] = table(["steps", "counted", "words each", "anthropomorphic", "logical", "but", "so"], rows)
but = next(e for e in degenerate["entries"] if e["entry"] == "but")
clean = next(e for m in listed if m["model"] == ORDER[6] for e in m["entries"] if e["entry"] == "but")
parts["degenerate"] = (f'Of the {apart["responses"]} degenerate rollouts, {apart["left_out"][1]["responses"]} are left out as '
                       f'repetitive. Kept in (`--keep repetitive`), "but" would stand at {but["per_1000"]:.0f} per 1,000 words; in '
                       f'the same run\'s other rollouts it is {clean["per_1000"]:.1f}.')
distinct, sign = pair_of(default, ORDER[0], ORDER[4])
top = [d["term"] for d in (distinct["distinctive"] if sign > 0 else distinct["distinctive"][::-1])]
half = len(top) // 2
parts["distinctive"] = ("Most distinctive of R1-Distill: " + ", ".join(f"`{t}`" for t in top[:half]) +
                        ". Of Math 1.5B Instruct: " + ", ".join(f"`{t}`" for t in reversed(top[half:])) + ".")

path = os.path.join(here, "tokens.md")
page = open(path).read()
for name, content in parts.items():
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if begin not in page:
        sys.exit(f"tokens.md has no place for '{name}'")
    head, rest = page.split(begin)
    page = head + begin + "\n" + content + "\n\n" + end + rest.split(end)[1]
open(path, "w").write(page)
