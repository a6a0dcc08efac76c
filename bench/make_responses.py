"""Writes synthetic responses for timing `retort tokens`: python3 make_responses.py FILE MEGABYTES

Long thoughts over made-up sums, eight models, 500 problems, 64 samples: words, numbers, LaTeX and code in about the mix of
real responses, with a vocabulary that grows as real ones do. The same arguments give the same bytes."""
import json, random, sys

path, megabytes = sys.argv[1], int(sys.argv[2])
rng = random.Random(7)
common = ("the of to is so we that and then it equals because which total value number sum product if x let me wait maybe but "
          "have this case solve first therefore check hmm I think need answer square triangle side length since by each").split()
rare = ["".join(rng.choice("bcdfglmnprst") + rng.choice("aeiou") for _ in range(rng.randint(2, 5))) for _ in range(20000)]


def sentence():
    out = []
    for _ in range(rng.randint(6, 22)):
        pick = rng.random()
        if pick < 0.72:
            out.append(rng.choice(common))
        elif pick < 0.82:
            out.append(rng.choice(rare))
        elif pick < 0.93:
            out.append(str(rng.randint(0, 9999)))
        else:
            out.append(rng.choice(["\\(\\frac{%d}{%d}\\)", "$x^{%d} + %d$", "%d \\cdot %d", "\\boxed{%d,%d}"])
                       % (rng.randint(1, 99), rng.randint(1, 99)))
    text = " ".join(out)
    return text[0].upper() + text[1:] + rng.choice([". ", ". ", ", wait. ", "?\n\n", " = %d.\n" % rng.randint(0, 999)])


pool = [sentence() for _ in range(60000)]
written = index = 0
with open(path, "w", encoding="utf-8") as out:
    while written < megabytes << 20:
        model, problem = index % 8, index // 512 % 500
        thought = "".join(rng.choices(pool, k=rng.randint(40, 400)))
        answer = "".join(rng.choices(pool, k=rng.randint(2, 20)))
        line = json.dumps({"model": "model-%d" % model, "problem_id": "p%d" % problem, "sample": index // 8 % 64,
                           "text": "<think>\n" + thought + "</think>\n\n" + answer, "correct": rng.random() < 0.6,
                           "finish_reason": "length" if rng.random() < 0.03 else "stop"}) + "\n"
        out.write(line)
        written += len(line)
        index += 1
