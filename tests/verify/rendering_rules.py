"""The rules of perturb.py: how a gold is rendered again, rightly or wrongly, and the proof of each."""
import hashlib
import re
from fractions import Fraction

from plain_values import rational, read, real_double, walk


class Draw:
    def __init__(self, *key):
        self.key, self.count = ":".join(map(str, key)), 0

    def below(self, n):
        self.count += 1
        digest = hashlib.sha256(f"{self.key}:{self.count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % n

    def one(self, items):
        return items[self.below(len(items))]

    def order(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


# --- rules ---------------------------------------------------------------------------------------------------------
RULES = {}


def rule(name, expect, applies, proof):
    def keep(function):
        RULES[name] = (expect, applies, proof, function)
        return function
    return keep


def signed(a, b):
    return f"{a}+{b}" if b >= 0 else f"{a}-{-b}"


class Gold:
    def __init__(self, text):
        self.text = text
        self.kind, self.parts, self.tree = "other", None, None
        self.classify()

    def classify(self):
        s = self.text.strip()
        inner = s.replace(r"\left", "").replace(r"\right", "").strip()
        if re.fullmatch(r"-?\d+", s):
            self.kind, self.n = "integer", int(s)
        elif re.fullmatch(r"\d[\d,\\! ]*\d", s) and re.search(r",", s) and re.fullmatch(r"\d{1,3}(,\d{3})+", re.sub(r"\\!|\s", "", s)):
            self.kind, self.n = "grouped", int(re.sub(r"\D", "", s))
        elif m := re.fullmatch(r"\\text\{\(([A-E])\)\}", s):
            self.kind, self.letter = "choice", m.group(1)
        elif m := re.fullmatch(r"\\text\{([A-Za-z]+)\}", s):
            self.kind, self.word = "word", m.group(1)
        elif m := re.fullmatch(r"(\d+)_\{?(\d+)\}?", s):
            self.kind, self.digits, self.base = "base", m.group(1), int(m.group(2))
        elif m := re.fullmatch(r"(.+?)(\^\\circ|\\text\{ degrees\})", s):
            self.kind, self.number = "degrees", m.group(1)
        elif m := re.fullmatch(r"\\\$(\d+(?:\.\d+)?)", s):
            self.kind, self.number = "dollars", m.group(1)
        elif m := re.fullmatch(r"\\begin\{pmatrix\}(.*)\\end\{pmatrix\}", s):
            self.kind, self.parts = "matrix", [[c.strip() for c in row.split("&")] for row in m.group(1).split(r"\\")]
        elif m := re.fullmatch(r"([(\[])([^,()\[\]]+),([^,()\[\]]+)([)\]])", inner.replace(r"x \in ", "")):
            ends = [m.group(2).strip(), m.group(3).strip()]
            interval = "infty" in s or r"\in" in s or m.group(1) == "[" or m.group(4) == "]"
            self.kind = "interval" if interval else "tuple"
            self.parts, self.open, self.close = ends, m.group(1), m.group(4)
        elif m := re.fullmatch(r"\(([^()\[\]]+)\)", inner):
            if "," in m.group(1):
                self.kind, self.parts = "tuple", [c.strip() for c in m.group(1).split(",")]
        elif m := re.fullmatch(r"([xy])\s*=\s*([^=]+)", s):
            self.kind, self.name, self.parts = "assigned", m.group(1), [m.group(2).strip()]
        elif m := re.fullmatch(r"([^=]+)=\s*0", s):
            self.kind, self.parts = "equation", [m.group(1).strip()]
        elif m := re.fullmatch(r"\\\$(\d{1,3}(?:(?:,|,\\!)\d{3})+)", s):
            self.kind, self.n = "dollars-grouped", int(re.sub(r"\D", "", s))
        elif m := re.fullmatch(r"([\d.]+)\s*\\(?:text|mbox)\{\s*([A-Za-z]+)\}(\^2)?", s):
            self.kind, self.number, self.unit, self.power = "quantity", m.group(1), m.group(2), m.group(3) or ""
        elif m := re.fullmatch(r"([^\\,]+)\\pm\s*([^,]+)", s):
            self.kind, self.parts = "plus-minus", [m.group(1).strip(), m.group(2).strip()]
        elif m := re.fullmatch(r"([(\[][^,()\[\]]+,[^,()\[\]]+[)\]])\s*\\cup\s*([(\[][^,()\[\]]+,[^,()\[\]]+[)\]])", inner):
            self.kind, self.parts = "union", [m.group(1), m.group(2)]
        elif m := re.fullmatch(r"\\\{([^{}()\[\]]*(?:\{[^{}]*\}[^{}()\[\]]*)*)\\\}", s):
            self.kind, self.parts = "set", [c.strip() for c in m.group(1).split(",")]
        elif re.fullmatch(r"[^,]+(,[^,]+)+", s) and not re.search(r"[(\[{]\s*[^)\]}]*,", s):
            self.kind, self.parts = "list", [c.strip() for c in s.split(",")]
        if self.kind == "other":
            self.tree = read(s)
            if self.tree is not None:
                self.kind = "value"
        if self.kind in ("tuple", "list", "interval", "matrix"):
            flat = [c for row in self.parts for c in (row if isinstance(row, list) else [row])]
            if any(read(c) is None and "infty" not in c for c in flat):
                self.kind = "other"

    def build(self, parts):
        if self.kind == "matrix":
            return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(row) for row in parts) + r" \end{pmatrix}"
        if self.kind == "interval":
            return f"{self.open}{parts[0]}, {parts[1]}{self.close}"
        return ("(%s)" if self.kind == "tuple" else "%s") % ", ".join(parts)


# whole numbers
NONNEGATIVE = "whole number >= 0"


def whole(name, proof, when=lambda n: True):
    return rule(name, "right", lambda g: g.kind == "integer" and when(g.n), proof)


def not_whole(name, proof, when=lambda n: True):
    return rule(name, "wrong", lambda g: g.kind == "integer" and when(g.n), proof)


def groups(n, mark):
    return f"{n:,}".replace(",", mark)


whole("int-point-zero", "n.0 = n")(lambda g, d: f"{g.n}." + "0" * (1 + d.below(3)))
whole("int-fraction", "kn/k = n, k > 0")(lambda g, d: (lambda k: r"\%sfrac{%d}{%d}" % (d.one(["", "d", "t"]), k * g.n, k))(2 + d.below(9)))
whole("int-over-one", "n/1 = n")(lambda g, d: f"{g.n}/1")
whole("int-sum", "a + (n - a) = n")(lambda g, d: (lambda a: signed(a, g.n - a))(1 + d.below(97)))
whole("int-difference", "(n + a) - a = n")(lambda g, d: (lambda a: f"{g.n + a}-{a}")(1 + d.below(97)))
whole("int-product-sum", "qk + (n - qk) = n")(lambda g, d: (lambda k, q: signed(rf"{q} \cdot {k}", g.n - q * k))(2 + d.below(7), 2 + d.below(9)))
whole("int-square-root", "the root of n squared is n for n >= 0", lambda n: n >= 0)(lambda g, d: rf"\sqrt{{{g.n * g.n}}}")
whole("int-cube-root", "the cube root of n cubed is n for n >= 0", lambda n: n >= 0)(lambda g, d: rf"\sqrt[3]{{{g.n ** 3}}}")
whole("int-comma", "a comma after every third digit groups digits", lambda n: abs(n) >= 1000)(lambda g, d: groups(g.n, d.one([",", "{,}", r",\!"])))
whole("int-thin-space", "a thin space after every third digit groups digits", lambda n: abs(n) >= 1000)(lambda g, d: groups(g.n, r"\,"))
whole("int-scientific", "m * 10^k = n", lambda n: n and n % 10 == 0)(
    lambda g, d: (lambda s: rf"{s.rstrip('0')} {d.one([chr(92) + 'times', chr(92) + 'cdot'])} 10^{{{len(s) - len(s.rstrip('0'))}}}")(str(g.n)))
whole("int-mantissa", "m * 10^k = n", lambda n: abs(n) >= 10)(
    lambda g, d: (lambda s, sign: rf"{sign}{s[0]}.{s[1:]} \times 10^{{{len(s) - 1}}}")(str(abs(g.n)), "-" if g.n < 0 else ""))
whole("int-assigned", "a named quantity is its value")(lambda g, d: f"{d.one('xnkmNS')} = {g.n}")
whole("int-style", "type face is no part of a value")(lambda g, d: d.one([r"\text{%d}", r"\mathbf{%d}", r"\mathrm{%d}", r"\displaystyle %d", r"\textbf{%d}"]) % g.n)
whole("int-dollars-of-mathematics", "maths mode is no part of a value")(lambda g, d: d.one(["$%d$", r"\(%d\)", "$ %d $"]) % g.n)
whole("int-parentheses", "parentheses around a value")(lambda g, d: d.one([r"\left(%d\right)", "(%d)", "{%d}", r"\left( %d \right)"]) % g.n)
whole("int-leading-zero", "leading zeros", lambda n: 0 <= n < 100)(lambda g, d: f"{g.n:03d}")
whole("int-two-minuses", "-(-n) = n")(lambda g, d: f"-({-g.n})")
whole("int-logarithm", "log_b b^n = n")(lambda g, d: (lambda b: rf"\log_{{{b}}} {b}^{{{g.n}}}")(2 + d.below(8)))
whole("int-binomial", "n choose 1 is n", lambda n: n > 0)(lambda g, d: rf"\binom{{{g.n}}}{{{d.one([1, max(1, g.n - 1)]) if g.n > 1 else 1}}}")
whole("int-factorials", "n!/(n-1)! = n", lambda n: 0 < n < 200)(lambda g, d: rf"\frac{{{g.n}!}}{{{g.n - 1}!}}")
whole("int-radical-product", "sqrt(k) sqrt(k) n / k = n")(lambda g, d: (lambda k: rf"\frac{{{g.n}\sqrt{{{k}}} \cdot \sqrt{{{k}}}}}{{{k}}}")(d.one([2, 3, 5, 7])))
whole("int-conjugates", "(sqrt(k+1) - sqrt k)(sqrt(k+1) + sqrt k) = 1", lambda n: n >= 0)(
    lambda g, d: (lambda k: rf"{g.n}(\sqrt{{{k + 1}}}-\sqrt{{{k}}})(\sqrt{{{k + 1}}}+\sqrt{{{k}}})")(2 + d.below(6)))
whole("int-full-stop", "a sentence's full stop")(lambda g, d: f"{g.n}.")
whole("int-power", "a^k = n", lambda n: any(round(n ** (1 / k)) ** k == n for k in (2, 3, 5) if n > 3))(
    lambda g, d: next(rf"{round(g.n ** (1 / k))}^{{{k}}}" for k in (5, 3, 2) if round(g.n ** (1 / k)) ** k == g.n))
whole("int-percent", "100n percent are n")(lambda g, d: rf"{100 * g.n}\%")
whole("int-imaginary", "n - i^2 - 1 = n")(lambda g, d: f"{g.n}-i^2-1")

whole("response-earlier-box", "the last box is the answer: a response may correct itself")(
    lambda g, d: f"First I found \\boxed{{{g.n + 1 + d.below(90)}}}, but a check failed. The answer is \\boxed{{{g.n}}}.")
whole("response-thought-box", "what is within the thought is no answer")(
    lambda g, d: f"<think>Is it \\boxed{{{g.n + 1 + d.below(90)}}}? No.</think> The answer is \\boxed{{{g.n}}}.")
not_whole("response-later-box", "the last box is the answer: a response may spoil itself")(
    lambda g, d: f"First I found \\boxed{{{g.n}}}, but a check failed. The answer is \\boxed{{{g.n + 1 + d.below(90)}}}.")
not_whole("response-prose", "the box is the answer, not the prose")(
    lambda g, d: f"It could be {g.n}, but I say \\boxed{{{g.n - 1 - d.below(90)}}}. I was told {g.n}.")
not_whole("int-one-more", "n + 1 is not n")(lambda g, d: f"{g.n + 1}")
not_whole("int-one-less", "n - 1 is not n")(lambda g, d: f"{g.n - 1}")
not_whole("int-sign", "-n is not n, n not 0", lambda n: n)(lambda g, d: f"{-g.n}")
not_whole("int-ten-times", "10 n is not n, n not 0", lambda n: n)(lambda g, d: f"{g.n}0")
not_whole("int-digit-lost", "the last digit lost", lambda n: abs(n) >= 10)(lambda g, d: str(g.n)[:-1])
not_whole("int-digit-added", "a digit more", lambda n: n)(lambda g, d: f"{g.n}{d.below(10)}")
not_whole("int-digit-before", "a digit before the others", lambda n: n > 0)(lambda g, d: f"{1 + d.below(9)}{g.n}")
not_whole("int-digits-swapped", "two unlike digits exchanged", lambda n: len(set(str(abs(n))[-2:])) == 2)(
    lambda g, d: str(g.n)[:-2] + str(g.n)[-1] + str(g.n)[-2])
not_whole("int-half-more", "n + 1/2 is not n")(lambda g, d: d.one([rf"{g.n}+\frac{{1}}{{2}}", rf"\frac{{{2 * g.n + 1}}}{{2}}"]))
not_whole("int-half", "n/2 is not n, n not 0", lambda n: n)(lambda g, d: rf"\frac{{{g.n}}}{{2}}")
not_whole("int-root", "the root of n is not n, n not 0 or 1", lambda n: n > 1)(lambda g, d: rf"\sqrt{{{g.n}}}")
not_whole("int-square", "n squared is not n, n not 0 or 1", lambda n: n not in (0, 1))(lambda g, d: f"({g.n})^2")
not_whole("int-factorial", "n! > n, n > 2", lambda n: n > 2)(lambda g, d: f"{g.n}!")
not_whole("int-inverse", "1/n is not n, n not -1, 0, 1", lambda n: abs(n) > 1)(lambda g, d: rf"\frac{{1}}{{{g.n}}}")
not_whole("int-hair", "n + 10^-k is not n")(lambda g, d: rf"{g.n}+10^{{-{9 + d.below(40)}}}")
not_whole("int-hair-decimal", "n.000..1 is not n", lambda n: n >= 0)(lambda g, d: f"{g.n}." + "0" * (5 + d.below(20)) + "1")
not_whole("int-wrapped", "n + 2^k is not n")(lambda g, d: f"{g.n + 2 ** d.one([32, 53, 61, 64])}")
not_whole("int-two-values", "two values are not one")(lambda g, d: d.one(["%d, %d", r"%d \text{ or } %d", r"%d \text{ and } %d"]) % (g.n, g.n + 1 + d.below(5)))
not_whole("int-plus-minus", "n plus or minus k is two values")(lambda g, d: rf"{g.n} \pm {1 + d.below(5)}")
not_whole("int-guesses", "many values are not one")(lambda g, d: ", ".join(str(g.n + k) for k in range(-2, 3)))
not_whole("int-pair", "a pair is no number")(lambda g, d: f"({g.n}, {g.n + 1})")
not_whole("int-greater", "an inequality is no number")(lambda g, d: f"x > {g.n}")
not_whole("int-interval", "an interval is no number")(lambda g, d: f"[{g.n}, {g.n + 1}]")
not_whole("int-variable", "nx is not n", lambda n: n)(lambda g, d: f"{g.n}x")
not_whole("int-times-i", "ni is not n, n not 0", lambda n: n)(lambda g, d: f"{g.n}i")
not_whole("int-unlike-exponent", "n * 10^-3 is not n, n not 0", lambda n: n)(lambda g, d: rf"{g.n} \times 10^{{-3}}")
not_whole("int-root-product", "n sqrt 2 is not n, n not 0", lambda n: n)(lambda g, d: rf"{g.n}\sqrt{{2}}")
not_whole("int-pi-product", "n pi is not n, n not 0", lambda n: n)(lambda g, d: rf"{g.n}\pi")
not_whole("int-infinity", "infinity is no whole number")(lambda g, d: r"\infty")
not_whole("int-base", "the digits of n in base 7 and base 9 are not n, n > 9", lambda n: n > 9 and not set(str(n)) & set("6789"))(lambda g, d: f"{g.n}_{{{d.one([7, 9])}}}")
not_whole("int-word", "a word is no number")(lambda g, d: rf"\text{{{d.one(['none', 'no solution', 'unknown', 'impossible'])}}}")


# values: fractions, roots, pi, complex numbers, polynomials
def value(g):
    return g.kind == "value"


def right_value(name, proof, when=lambda g: True):
    return rule(name, "right", lambda g: value(g) and when(g), proof)


def wrong_value(name, proof, when=lambda g: True):
    return rule(name, "wrong", lambda g: value(g) and when(g), proof)


def simple_fraction(g):
    return re.fullmatch(r"(-?)\\[dt]?frac\s*(?:\{(\d+)\}|(\d))\s*(?:\{(\d+)\}|(\d))", g.text.strip())


def top_bottom(g):
    m = simple_fraction(g)
    top, bottom = int(m.group(2) or m.group(3)), int(m.group(4) or m.group(5))
    return (-top if m.group(1) else top), bottom


def terminating(g):
    if not simple_fraction(g):
        return False
    f = Fraction(*top_bottom(g)).denominator
    for p in (2, 5):
        while f % p == 0:
            f //= p
    return f == 1


def decimal(f):
    sign, f = ("-" if f < 0 else ""), abs(f)
    k = 0
    while (f * 10 ** k).denominator != 1:
        k += 1
    digits = str(int(f * 10 ** k)).rjust(k + 1, "0")
    return sign + (digits[:-k] + "." + digits[-k:] if k else digits)


def positive(g):
    v = real_double(g.tree)
    return isinstance(v, float) and v > 1e-3


def not_zero(g):
    """Nonzero: a rational is decided exactly; other plain values are far from 0; an expression in variables is nonzero
    as a polynomial if it is not zero at two points."""
    q = rational(g.tree)
    if q is not None:
        return q != 0
    if any(t[0] == "sym" and t[1] != "pi" for t in walk(g.tree)):
        return True
    v = real_double(g.tree)
    return isinstance(v, float) and abs(v) > 1e-3


def real(g):
    return isinstance(real_double(g.tree), float)


def irrational_form(g):
    return real(g) and any(t == ("sym", "pi") for t in walk(g.tree)) and g.tree[0] in ("mul", "sym") or root_form(g)


def root_form(g):
    return re.fullmatch(r"-?\d*\s*\\sqrt\s*(?:\{(\d+)\}|(\d))", g.text.strip())


def root_parts(g):
    m = re.fullmatch(r"(-?)(\d*)\s*\\sqrt\s*(?:\{(\d+)\}|(\d))", g.text.strip())
    return m.group(1), int(m.group(2) or 1), int(m.group(3) or m.group(4))


def has_sum(g):
    return g.tree[0] == "add" and len(split_terms(g.text)) == len(g.tree) - 1 and len(g.tree) > 2 and "frac" not in g.text


def split_terms(text):
    terms, depth, now = [], 0, ""
    for c in text.replace(" ", ""):
        depth += (c in "({[") - (c in ")}]")
        if c in "+-" and depth == 0 and now:
            terms.append(now)
            now = ""
        now += c
    return terms + [now]


def joined(terms):
    text = "".join(t if t[0] in "+-" else "+" + t for t in terms)
    return text[1:] if text[0] == "+" else text


right_value("value-display", "the size of a fraction is no part of it", lambda g: r"\frac" in g.text)(lambda g, d: g.text.replace(r"\frac", d.one([r"\dfrac", r"\tfrac"])))
right_value("value-add", "v + k - k = v")(lambda g, d: (lambda k: f"{g.text}+{k}-{k}")(1 + d.below(30)))
right_value("value-scale", "kv/k = v")(lambda g, d: (lambda k: rf"\frac{{{k}({g.text})}}{{{k}}}")(2 + d.below(8)))
right_value("value-two-minuses", "-(-v) = v")(lambda g, d: f"-(-({g.text}))")
right_value("value-inverse-twice", "1/(1/v) = v, v not 0", not_zero)(lambda g, d: rf"\frac{{1}}{{\frac{{1}}{{{g.text}}}}}")
right_value("value-parentheses", "parentheses around a value")(lambda g, d: rf"\left( {g.text} \right)")
right_value("value-root-of-square", "the root of v squared is v, v > 0", positive)(lambda g, d: rf"\sqrt{{({g.text})^2}}")
right_value("value-cancel-root", "v sqrt k / sqrt k = v")(lambda g, d: (lambda k: rf"\frac{{({g.text})\sqrt{{{k}}}}}{{\sqrt{{{k}}}}}")(d.one([2, 3, 5])))
right_value("value-logarithm", "ln e^v = v for real v", real)(lambda g, d: rf"\ln(e^{{{g.text}}})")
right_value("value-halves", "v/2 + v/2 = v")(lambda g, d: rf"\frac{{{g.text}}}{{2}}+\frac{{{g.text}}}{{2}}")
right_value("value-spaces", "space is no part of a value", lambda g: "text" not in g.text)(lambda g, d: g.text.replace("+", r" \,+\, ").replace("-", r"\; - "))
right_value("fraction-scaled", "ka/kb = a/b", simple_fraction)(lambda g, d: (lambda k, ab: r"\frac{%d}{%d}" % (k * ab[0], k * ab[1]))(2 + d.below(9), top_bottom(g)))
right_value("fraction-slash", "a/b on one line", simple_fraction)(lambda g, d: "%d/%d" % top_bottom(g))
right_value("fraction-decimal", "a terminating decimal, exact", terminating)(lambda g, d: decimal(Fraction(*top_bottom(g))))
right_value("fraction-product", "a * (1/b) = a/b", simple_fraction)(lambda g, d: r"%d \cdot \frac{1}{%d}" % top_bottom(g))
right_value("fraction-inverse-power", "a b^-1 = a/b", simple_fraction)(lambda g, d: r"%d \cdot %d^{-1}" % top_bottom(g))
right_value("fraction-mixed", "a/b as a mixed number", lambda g: simple_fraction(g) and top_bottom(g)[0] > top_bottom(g)[1] and top_bottom(g)[0] % top_bottom(g)[1])(
    lambda g, d: r"%d\frac{%d}{%d}" % (*divmod(*top_bottom(g)), top_bottom(g)[1]))
right_value("fraction-signs", "(-a)/(-b) = a/b", simple_fraction)(lambda g, d: r"\frac{%d}{%d}" % tuple(-k for k in top_bottom(g)))
right_value("fraction-percent", "100a/b percent are a/b", terminating)(lambda g, d: decimal(100 * Fraction(*top_bottom(g))) + r"\%")
right_value("root-inside", "k sqrt n = sqrt(k^2 n)", root_form)(lambda g, d: (lambda s, k, n: rf"{s}\sqrt{{{k * k * n}}}")(*root_parts(g)))
right_value("root-rationalised", "k sqrt n = kn / sqrt n", root_form)(lambda g, d: (lambda s, k, n: rf"{s}\frac{{{k * n}}}{{\sqrt{{{n}}}}}")(*root_parts(g)))
right_value("root-power", "sqrt n = n^(1/2)", root_form)(lambda g, d: (lambda s, k, n: rf"{s}{k} \cdot {n}^{{1/2}}")(*root_parts(g)))
right_value("root-index", "sqrt n is the fourth root of n^2", root_form)(lambda g, d: (lambda s, k, n: rf"{s}{k}\sqrt[4]{{{n * n}}}")(*root_parts(g)))
right_value("sum-reordered", "addition commutes", has_sum)(lambda g, d: joined(split_terms(g.text)[::-1]))

wrong_value("value-one-more", "v + 1 is not v")(lambda g, d: f"{g.text}+1")
wrong_value("value-sign", "-v is not v, v not 0", not_zero)(lambda g, d: f"-({g.text})")
wrong_value("value-double", "2v is not v, v not 0", not_zero)(lambda g, d: f"2({g.text})")
wrong_value("value-hair", "v + 10^-k is not v")(lambda g, d: rf"{g.text}+10^{{-{8 + d.below(40)}}}")
wrong_value("value-times-pi", "v pi is not v, v not 0", not_zero)(lambda g, d: rf"({g.text})\pi")
wrong_value("value-two", "two values are not one")(lambda g, d: f"{g.text}, {g.text}+1")
wrong_value("value-or", "two values are not one")(lambda g, d: rf"{g.text} \text{{ or }} 7919")
wrong_value("value-pair", "a pair is no number")(lambda g, d: f"({g.text}, 1)")
wrong_value("value-percent", "v percent are not v, v not 0", not_zero)(lambda g, d: rf"\frac{{{g.text}}}{{100}}")
wrong_value("value-variable", "v + x is not v")(lambda g, d: f"{g.text}+w")
wrong_value("value-rounded", "a decimal is not irrational; a k sqrt n with n no square, and rational multiples of pi, are",
            lambda g: irrational_form(g) and (not root_form(g) or int(root_parts(g)[2] ** .5 + .5) ** 2 != root_parts(g)[2]))(
    lambda g, d: f"{real_double(g.tree):.{d.one([2, 4, 6, 9])}f}")
wrong_value("fraction-flipped", "b/a is not a/b, a not 0 or +-b", lambda g: simple_fraction(g) and top_bottom(g)[0] not in (0, top_bottom(g)[1], -top_bottom(g)[1]))(
    lambda g, d: r"\frac{%d}{%d}" % top_bottom(g)[::-1])
wrong_value("fraction-numerator", "(a+1)/b is not a/b", simple_fraction)(lambda g, d: r"\frac{%d}{%d}" % (top_bottom(g)[0] + 1, top_bottom(g)[1]))
wrong_value("fraction-denominator", "a/(b+1) is not a/b, a not 0", lambda g: simple_fraction(g) and top_bottom(g)[0])(lambda g, d: r"\frac{%d}{%d}" % (top_bottom(g)[0], top_bottom(g)[1] + 1))
wrong_value("fraction-top-only", "a is not a/b, b not 1", lambda g: simple_fraction(g) and top_bottom(g)[1] != 1 and top_bottom(g)[0])(lambda g, d: "%d" % top_bottom(g)[0])
wrong_value("fraction-bottom-only", "b is not a/b where a is not b^2", lambda g: simple_fraction(g) and top_bottom(g)[0] != top_bottom(g)[1] ** 2)(lambda g, d: "%d" % top_bottom(g)[1])
wrong_value("fraction-digits", "the digits of a fraction in one row: ab is not a/b, a > 0", lambda g: simple_fraction(g) and top_bottom(g)[0] > 0)(lambda g, d: "%d%d" % top_bottom(g))
wrong_value("fraction-rounded", "a fraction without terminating decimal equals no decimal", lambda g: simple_fraction(g) and not terminating(g))(
    lambda g, d: f"{Fraction(*top_bottom(g)).numerator / Fraction(*top_bottom(g)).denominator:.{d.one([2, 4, 8, 12])}f}")
wrong_value("root-lost", "k is not k sqrt n, n > 1", lambda g: root_form(g) and root_parts(g)[2] > 1)(lambda g, d: "%s%d" % root_parts(g)[:2])
wrong_value("root-radicand", "k sqrt(n+1) is not k sqrt n", root_form)(lambda g, d: (lambda s, k, n: rf"{s}{k}\sqrt{{{n + 1}}}")(*root_parts(g)))
wrong_value("root-off", "kn is not k sqrt n, n > 1", lambda g: root_form(g) and root_parts(g)[2] > 1)(lambda g, d: (lambda s, k, n: rf"{s}{k} \cdot {n}")(*root_parts(g)))
wrong_value("sum-term-sign", "a nonzero term's sign turned changes a sum", has_sum)(
    lambda g, d: (lambda t: joined(t[:-1] + ["+" + t[-1][1:] if t[-1][0] == "-" else "-" + t[-1].lstrip("+")]))(split_terms(g.text)))
wrong_value("sum-term-lost", "a nonzero term lost changes a sum", has_sum)(lambda g, d: joined(split_terms(g.text)[:-1]))


# containers: one component takes a rule for values, or the structure changes
def container(*kinds):
    return lambda g: g.kind in kinds


def flat(g):
    return [c for row in g.parts for c in (row if isinstance(row, list) else [row])]


def with_component(g, k, text):
    cells = flat(g)
    cells[k] = text
    if g.kind == "matrix":
        width = len(g.parts[0])
        return g.build([cells[i:i + width] for i in range(0, len(cells), width)])
    return g.build(cells)


def finite(g):
    return [k for k, c in enumerate(flat(g)) if "infty" not in c]


def equal_values(a, b):
    qa, qb = (rational(read(c)) if "infty" not in c and read(c) else None for c in (a, b))
    return qa == qb if qa is not None and qb is not None else a == b


ALL = container("tuple", "list", "interval", "matrix")
rule("part-added", "right", ALL, "v + k - k = v in one component")(lambda g, d: (lambda k, n: with_component(g, k, f"{flat(g)[k]}+{n}-{n}"))(d.one(finite(g)), 1 + d.below(20)))
rule("part-scaled", "right", ALL, "kv/k = v in one component")(lambda g, d: (lambda k, n: with_component(g, k, rf"\frac{{{n}({flat(g)[k]})}}{{{n}}}"))(d.one(finite(g)), 2 + d.below(8)))
rule("part-minuses", "right", ALL, "-(-v) = v in one component")(lambda g, d: (lambda k: with_component(g, k, f"-(-({flat(g)[k]}))"))(d.one(finite(g))))
rule("part-spaces", "right", ALL, "space and the size of brackets are no part of a value")(
    lambda g, d: re.sub(r"^([(\[])(.*)([)\]])$", r"\\left\1\2\\right\3", g.build(g.parts).replace(", ", r",\, ")))
rule("list-reordered", "right", container("list"), "a list without brackets has no order (the roots of an equation)")(lambda g, d: g.build(g.parts[::-1]))
rule("matrix-brackets", "right", container("matrix"), "the shape of a matrix' brackets is no part of it")(lambda g, d: g.build(g.parts).replace("pmatrix", "bmatrix"))
rule("interval-inequality", "right", lambda g: g.kind == "interval" and len(finite(g)) == 2, "an interval is the set of its inequality")(
    lambda g, d: rf"{g.parts[0]} {'<' if g.open == '(' else chr(92) + 'le'} x {'<' if g.close == ')' else chr(92) + 'le'} {g.parts[1]}")
rule("interval-membership", "right", container("interval"), "x in S states S")(lambda g, d: rf"x \in {g.build(g.parts)}")
rule("part-one-more", "wrong", ALL, "one component changed")(lambda g, d: (lambda k: with_component(g, k, f"{flat(g)[k]}+1"))(finite(g)[-1]))
rule("part-hair", "wrong", ALL, "one component changed by 10^-12")(lambda g, d: (lambda k: with_component(g, k, rf"{flat(g)[k]}+10^{{-12}}"))(finite(g)[0]))
rule("part-sign", "wrong", lambda g: g.kind == "tuple" and any((rational(read(c)) or 0) != 0 for c in g.parts), "the sign of one nonzero component")(
    lambda g, d: (lambda k: with_component(g, k, f"-({flat(g)[k]})"))(d.one([k for k, c in enumerate(g.parts) if (rational(read(c)) or 0) != 0])))
rule("part-lost", "wrong", container("tuple", "list"), "a component lost")(lambda g, d: g.build(g.parts[:-1]) if len(g.parts) > 2 else g.parts[0])
rule("part-more", "wrong", container("tuple", "list"), "a component more (one that is not there)")(lambda g, d: g.build(g.parts + ["7919"]))
rule("parts-swapped", "wrong", lambda g: g.kind == "tuple" and not equal_values(g.parts[0], g.parts[-1]), "two unlike components exchanged in a tuple")(
    lambda g, d: g.build([g.parts[-1], *g.parts[1:-1], g.parts[0]]))
rule("matrix-rows-swapped", "wrong", lambda g: g.kind == "matrix" and g.parts[0] != g.parts[-1] and all(rational(read(c)) is not None for c in flat(g)), "two unlike rows exchanged")(
    lambda g, d: g.build([g.parts[-1], *g.parts[1:-1], g.parts[0]]))
rule("interval-end", "wrong", lambda g: g.kind == "interval" and len(finite(g)) == 2, "one end opened or closed")(
    lambda g, d: f"{g.open}{g.parts[0]}, {g.parts[1]}{')' if g.close == ']' else ']'}")
rule("interval-ends-only", "wrong", lambda g: g.kind == "interval" and len(finite(g)) == 2, "the two ends are not the interval")(lambda g, d: r"\{%s, %s\}" % tuple(g.parts))

# the rest
rule("grouped-plain", "right", container("grouped"), "grouping marks are no part of a number")(lambda g, d: str(g.n))
rule("grouped-point", "right", container("grouped"), "n.0 = n")(lambda g, d: f"{g.n:,}.0")
rule("grouped-cut", "wrong", container("grouped"), "the number cut at its first mark")(lambda g, d: f"{g.n:,}".split(",")[0])
rule("grouped-one-more", "wrong", container("grouped"), "n + 1 is not n")(lambda g, d: f"{g.n + 1:,}")
for form in ("{0}", "({0})", r"\text{{{0}}}", r"\textbf{{({0})}}", r"\mathrm{{({0})}}", r"\mathbf{{{0}}}"):
    rule(f"choice-{form}", "right", container("choice"), "type face and parentheses are no part of a letter")(lambda g, d, form=form: form.format(g.letter))
rule("choice-other", "wrong", container("choice"), "another letter")(lambda g, d: d.one([rf"\text{{({c})}}" for c in "ABCDE" if c != g.letter]))
rule("choice-two", "wrong", container("choice"), "two letters are not one")(lambda g, d: rf"\text{{({g.letter}) or ({d.one([c for c in 'ABCDE' if c != g.letter])})}}")
rule("choice-all", "wrong", container("choice"), "all letters are not one")(lambda g, d: "A, B, C, D, E")
for form in ("{0}", r"\mathrm{{{0}}}", r"\text{{ {0} }}", r"\textbf{{{0}}}", r"\text{{{0}.}}"):
    rule(f"word-{form}", "right", container("word"), "type face, space and full stop are no part of a word")(lambda g, d, form=form: form.format(g.word))
rule("word-not", "wrong", container("word"), "its negation")(lambda g, d: rf"\text{{not {g.word}}}")
rule("word-other", "wrong", container("word"), "another word")(lambda g, d: rf"\text{{{d.one([w for w in ('Alice', 'odd', 'west', 'circle', 'parabola', 'north') if w.lower() != g.word.lower()])}}}")
rule("word-prefix", "wrong", container("word"), "its first letters")(lambda g, d: rf"\text{{{g.word[:-1]}}}")
rule("word-within", "wrong", container("word"), "within other words")(lambda g, d: rf"\text{{either {g.word} or something else}}")
rule("base-braces", "right", container("base"), "braces around an index")(lambda g, d: rf"{g.digits}_{{{g.base}}}")
rule("base-zero", "right", container("base"), "a leading zero")(lambda g, d: rf"0{g.digits}_{g.base}" if g.base < 10 else g.text)
rule("base-other", "wrong", container("base"), "the same digits, more than one of them, in another base")(lambda g, d: rf"{g.digits}_{{{g.base + 1}}}")
rule("base-digit", "wrong", container("base"), "another last digit")(lambda g, d: rf"{g.digits[:-1]}{(int(g.digits[-1]) + 1) % g.base}_{{{g.base}}}")
rule("degrees-plain", "right", container("degrees"), "a number of degrees where degrees are asked for")(lambda g, d: g.number)
rule("degrees-words", "right", container("degrees"), "the unit in words")(lambda g, d: rf"{g.number} \text{{ degrees}}")
rule("degrees-braces", "right", container("degrees"), "braces around the sign")(lambda g, d: rf"{g.number}^{{\circ}}")
rule("degrees-added", "right", container("degrees"), "v + k - k = v")(lambda g, d: (lambda k: rf"({g.number}+{k}-{k})^\circ")(1 + d.below(20)))
rule("degrees-one-more", "wrong", container("degrees"), "v + 1 is not v")(lambda g, d: rf"({g.number}+1)^\circ")
rule("degrees-power", "wrong", lambda g: g.kind == "degrees" and g.number.isdigit(), "v squared is not v degrees")(lambda g, d: rf"{g.number}^2")
rule("dollars-plain", "right", container("dollars"), "a number of dollars where dollars are asked for")(lambda g, d: g.number)
rule("dollars-words", "right", container("dollars"), "the unit in words")(lambda g, d: rf"{g.number} \text{{ dollars}}")
rule("dollars-zeros", "right", container("dollars"), "trailing zeros")(lambda g, d: "\\$" + (g.number + "0" if "." in g.number else g.number + ".00"))
rule("dollars-more", "wrong", container("dollars"), "a cent more")(lambda g, d: "\\$" + decimal(Fraction(g.number) + Fraction(1, 100)))
rule("dollars-point", "wrong", container("dollars"), "a hundred times as much")(lambda g, d: "\\$" + decimal(100 * Fraction(g.number)))
rule("assigned-value", "right", container("assigned"), "a named quantity is its value")(lambda g, d: g.parts[0])
rule("assigned-swapped", "right", container("assigned"), "equality is symmetric")(lambda g, d: f"{g.parts[0]} = {g.name}")
rule("assigned-added", "right", container("assigned"), "v + k - k = v")(lambda g, d: f"{g.name} = {g.parts[0]}+3-3")
rule("assigned-one-more", "wrong", container("assigned"), "v + 1 is not v")(lambda g, d: f"{g.name} = {g.parts[0]}+1")
rule("assigned-sign", "wrong", container("assigned"), "-v is not v, v not 0")(lambda g, d: f"{g.name} = -({g.parts[0]})")
rule("equation-scaled", "right", container("equation"), "an equation times a nonzero constant")(lambda g, d: f"{2 + d.below(5)}({g.parts[0]}) = 0")
rule("equation-negated", "right", container("equation"), "an equation times -1")(lambda g, d: f"-({g.parts[0]}) = 0")
rule("equation-moved", "right", container("equation"), "the same added to both sides")(lambda g, d: (lambda k: f"{g.parts[0]} + {k} = {k}")(1 + d.below(9)))
rule("equation-constant", "wrong", container("equation"), "another constant: a parallel plane")(lambda g, d: f"{g.parts[0]} + 1 = 0")
rule("equation-tautology", "wrong", container("equation"), "0 = 0 holds everywhere")(lambda g, d: "0 = 0")

# quantities with a unit, two values written as one, unions, sets
OTHER_UNITS = {"inches": "feet", "cm": "m", "cents": "dollars", "feet": "inches", "meters": "miles", "hours": "seconds", "kg": "g"}
rule("dollars-grouped-plain", "right", container("dollars-grouped"), "grouping marks and the currency asked for are no part of a number")(lambda g, d: str(g.n))
rule("dollars-grouped-comma", "right", container("dollars-grouped"), "a comma after every third digit groups digits")(lambda g, d: rf"\${g.n:,}")
rule("dollars-grouped-zeros", "right", container("dollars-grouped"), "no cents")(lambda g, d: rf"\${g.n:,}.00")
rule("dollars-grouped-cut", "wrong", container("dollars-grouped"), "the number cut at its first mark")(lambda g, d: rf"\${g.n:,}".split(",")[0])
rule("dollars-grouped-point", "wrong", container("dollars-grouped"), "a point for the first comma: another number")(lambda g, d: rf"\${g.n:,}".replace(",", ".", 1).replace(",", ""))
rule("dollars-grouped-more", "wrong", container("dollars-grouped"), "n + 1 is not n")(lambda g, d: rf"\${g.n + 1:,}")
rule("quantity-plain", "right", container("quantity"), "a number in the unit asked for")(lambda g, d: g.number)
rule("quantity-text", "right", container("quantity"), "the unit in words")(lambda g, d: rf"{g.number} \text{{ {g.unit}}}{g.power}")
rule("quantity-roman", "right", container("quantity"), "type face is no part of a unit")(lambda g, d: rf"{g.number}\,\mathrm{{{g.unit}}}{g.power}")
rule("quantity-added", "right", container("quantity"), "v + k - k = v")(lambda g, d: (lambda k: rf"({g.number}+{k}-{k}) \text{{ {g.unit}}}{g.power}")(1 + d.below(20)))
rule("quantity-one-more", "wrong", container("quantity"), "v + 1 is not v")(lambda g, d: rf"{decimal(Fraction(g.number) + 1)} \text{{ {g.unit}}}{g.power}")
rule("quantity-other-unit", "wrong", lambda g: g.kind == "quantity" and g.unit in OTHER_UNITS, "as many of another unit")(lambda g, d: rf"{g.number} \text{{ {OTHER_UNITS[g.unit]}}}{g.power}")
rule("quantity-ten", "wrong", container("quantity"), "10 v is not v, v not 0")(lambda g, d: rf"{decimal(10 * Fraction(g.number))} \text{{ {g.unit}}}{g.power}")
rule("pm-two", "right", container("plus-minus"), "a plus or minus b are a + b and a - b")(lambda g, d: "{0}+{1}, {0}-{1}".format(*g.parts))
rule("pm-two-back", "right", container("plus-minus"), "the roots of an equation have no order")(lambda g, d: "{0}-{1}, {0}+{1}".format(*g.parts))
rule("pm-tight", "right", container("plus-minus"), "space is no part of a value")(lambda g, d: r"{0}\pm{1}".format(*g.parts))
rule("pm-set", "right", container("plus-minus"), "both values as a set")(lambda g, d: r"\{{{0}+{1}, {0}-{1}\}}".format(*g.parts))
rule("pm-one", "wrong", container("plus-minus"), "one value of two")(lambda g, d: ("{0}+{1}" if d.below(2) else "{0}-{1}").format(*g.parts))
rule("pm-other", "wrong", container("plus-minus"), "a + 1 is not a")(lambda g, d: r"{0}+1 \pm {1}".format(*g.parts))
rule("pm-turned", "wrong", container("plus-minus"), "b plus or minus a are other values where b is not +-a")(lambda g, d: r"{1} \pm {0}".format(*g.parts))
rule("pm-radicand", "wrong", lambda g: g.kind == "plus-minus" and "sqrt" in g.parts[1], "b/2 is not b, b not 0")(lambda g, d: r"{0} \pm \frac{{{1}}}{{2}}".format(*g.parts))
rule("union-turned", "right", container("union"), "union commutes")(lambda g, d: r"{1} \cup {0}".format(*g.parts))
rule("union-sized", "right", container("union"), "space and the size of brackets are no part of a value")(
    lambda g, d: r" \cup ".join(re.sub(r"^([(\[])(.*)([)\]])$", r"\\left\1\2\\right\3", p) for p in g.parts))
rule("union-in", "right", container("union"), "x in S states S")(lambda g, d: r"x \in {0} \cup {1}".format(*g.parts))
rule("union-half", "wrong", container("union"), "one interval of two that do not meet")(lambda g, d: d.one(g.parts))
rule("union-cap", "wrong", container("union"), "the intersection of two that do not meet is empty")(lambda g, d: r"{0} \cap {1}".format(*g.parts))
rule("union-closed", "wrong", lambda g: g.kind == "union" and g.parts[0].endswith(")"), "an end closed")(lambda g, d: r"{0}] \cup {1}".format(g.parts[0][:-1], g.parts[1]))
rule("union-third", "wrong", lambda g: g.kind == "union" and g.parts[0].endswith(")") and g.parts[1].startswith("("), "a point more, the open end of one, which the other lacks")(
    lambda g, d: r"{0} \cup {1} \cup \{{{2}\}}".format(*g.parts, g.parts[0][:-1].split(",")[1].strip()))
rule("set-turned", "right", container("set"), "a set has no order")(lambda g, d: r"\{" + ", ".join(g.parts[::-1]) + r"\}")
rule("set-twice", "right", container("set"), "an element named twice is one element")(lambda g, d: r"\{" + ", ".join(g.parts + [g.parts[0]]) + r"\}")
rule("set-sized", "right", container("set"), "the size of brackets is no part of a value")(lambda g, d: r"\left\{" + ", ".join(g.parts) + r"\right\}")
rule("set-lost", "wrong", lambda g: g.kind == "set" and len(g.parts) > 1, "an element lost")(lambda g, d: r"\{" + ", ".join(g.parts[1:]) + r"\}")
rule("set-more", "wrong", container("set"), "an element more")(lambda g, d: r"\{" + ", ".join(g.parts + ["7919"]) + r"\}")
