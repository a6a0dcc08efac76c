"""A small reader of plain values, for perturb.py: LaTeX to a tree of tuples, and the tree's exact or high-precision
value. It shares nothing with the verifier it helps to test, and reads only what the renderings of perturb.py need."""
import re
from fractions import Fraction


class Unread(Exception):
    pass


TOKEN = re.compile(r"\s*(\\[A-Za-z]+|\\[^A-Za-z]|\d+\.\d*|\.\d+|\d+|[A-Za-z]|[-+*/^!(){}\[\],=<>_|])")
FUNCTIONS = {r"\cot": "cot", r"\ln": "ln", r"\sin": "sin", r"\cos": "cos", r"\tan": "tan"}


def tokens(text):
    text = text.replace(r"\left", "").replace(r"\right", "").replace(r"\displaystyle", "").rstrip(" ")
    for space in (r"\,", r"\;", r"\!", r"\ "):
        text = text.replace(space, " ")
    out, at = [], 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise Unread(text[at:])
        out.append(m.group(1))
        at = m.end()
    return out


class Reader:
    """A tree of tuples: num, sym, neg, add, mul, div, pow, root, fact, fn."""

    def __init__(self, text):
        self.t, self.at = tokens(text), 0

    def peek(self):
        return self.t[self.at] if self.at < len(self.t) else None

    def take(self, want=None):
        token = self.peek()
        if token is None or (want is not None and token != want):
            raise Unread(f"{want} at {self.at}")
        self.at += 1
        return token

    def whole(self):
        tree = self.sum()
        if self.peek() is not None:
            raise Unread(self.peek())
        return tree

    def sum(self):
        terms = []
        sign = 1
        while self.peek() in ("+", "-"):
            sign = -sign if self.take() == "-" else sign
        terms.append(self.product() if sign > 0 else ("neg", self.product()))
        while self.peek() in ("+", "-"):
            minus = self.take() == "-"
            while self.peek() in ("+", "-"):
                minus ^= self.take() == "-"
            term = self.product()
            terms.append(("neg", term) if minus else term)
        return terms[0] if len(terms) == 1 else ("add", *terms)

    def product(self):
        value = self.power()
        last = self.t[self.at - 1]
        while True:
            token = self.peek()
            if token in (r"\cdot", r"\times", "*"):
                self.take()
                value = ("mul", value, self.power())
            elif token == "/":
                self.take()
                value = ("div", value, self.power())
            elif token is None or token in "+-)}],=<>!|" or token in (r"\le", r"\in", r"\pm", r"\cup", r"\text", r"\infty"):
                return value
            elif re.fullmatch(r"[\d.]+", token):
                raise Unread("a number after a factor")
            elif token in (r"\frac", r"\dfrac", r"\tfrac") and re.fullmatch(r"\d+", last) and value[0] == "num":
                fraction = self.power()
                if fraction[0] != "div" or fraction[1][0] != "num" or fraction[2][0] != "num":
                    raise Unread("neither mixed number nor product")
                value = ("add", value, fraction)
            else:
                value = ("mul", value, self.power())
            last = ""

    def power(self):
        base = self.atom()
        while self.peek() == "!":
            self.take()
            base = ("fact", base)
        if self.peek() == "^":
            self.take()
            base = ("pow", base, self.argument())
        return base

    def group(self):
        self.take("{")
        value = self.sum()
        self.take("}")
        return value

    def argument(self):
        token = self.peek()
        if token == "{":
            return self.group()
        if token is not None and re.fullmatch(r"\d+", token):  # TeX takes one digit
            self.t[self.at:self.at + 1] = [token[0], token[1:]] if len(token) > 1 else [token]
            return ("num", Fraction(self.take()))
        return self.atom()

    def atom(self):
        token = self.take()
        if re.fullmatch(r"[\d.]+", token):
            return ("num", Fraction("0" + token if token[0] == "." else token.rstrip(".")))
        if token in ("(", "["):
            value = self.sum()
            self.take({"(": ")", "[": "]"}[token])
            return value
        if token == "{":
            self.at -= 1
            return self.group()
        if token in (r"\frac", r"\dfrac", r"\tfrac"):
            return ("div", self.argument(), self.argument())
        if token == r"\sqrt":
            index = ("num", Fraction(2))
            if self.peek() == "[":
                self.take()
                index = self.sum()
                self.take("]")
            return ("root", self.argument(), index)
        if token == r"\pi":
            return ("sym", "pi")
        if token in FUNCTIONS:
            return ("fn", FUNCTIONS[token], self.power())
        if re.fullmatch(r"[A-Za-z]", token):
            return ("sym", token)
        raise Unread(token)


def read(text):
    try:
        return Reader(text).whole()
    except (Unread, ZeroDivisionError, KeyError, RecursionError):
        return None


def walk(tree):
    yield tree
    for child in tree[1:]:
        if isinstance(child, tuple):
            yield from walk(child)


def rational(tree):
    """The exact value of a tree without roots and symbols, else None."""
    kind = tree[0]
    if kind == "num":
        return tree[1]
    parts = [rational(c) for c in tree[1:] if isinstance(c, tuple)]
    if kind in ("sym", "root", "fact", "fn") or None in parts:
        return None
    if kind == "neg":
        return -parts[0]
    if kind == "add":
        return sum(parts)
    if kind == "mul":
        return parts[0] * parts[1]
    if kind == "div":
        return parts[0] / parts[1] if parts[1] else None
    if kind == "pow" and parts[1].denominator == 1 and abs(parts[1]) < 1000 and (parts[0] or parts[1] > 0):
        return parts[0] ** int(parts[1])
    return None


def real_double(tree):
    """A rough value, None if complex, with variables or too large: for preconditions far from equality only."""
    try:
        return evaluate(tree, float, {"pi": 3.141592653589793, "e": 2.718281828459045})
    except (Unread, KeyError, ValueError, OverflowError, ZeroDivisionError, TypeError):
        return None


def evaluate(tree, number, names, functions=None):
    def go(t):
        kind = t[0]
        if kind == "num":
            return number(t[1].numerator) / number(t[1].denominator)
        if kind == "sym":
            return names[t[1]]
        if kind == "neg":
            return -go(t[1])
        if kind == "add":
            return sum((go(c) for c in t[2:]), go(t[1]))
        if kind == "mul":
            return go(t[1]) * go(t[2])
        if kind == "div":
            return go(t[1]) / go(t[2])
        if kind == "pow":
            base, exponent = go(t[1]), rational(t[2])
            return base ** int(exponent) if exponent is not None and exponent.denominator == 1 else base ** go(t[2])
        if kind == "root":
            return go(t[1]) ** (number(1) / go(t[2]))
        if kind == "fact":
            value, product = rational(t[1]), number(1)
            if value is None or value.denominator != 1 or not 0 <= value < 20000:
                raise Unread("a factorial too large to write out")
            for k in range(1, int(value) + 1):
                product = product * number(k)
            return product
        return functions[t[1]](go(t[2])) if functions else names["no " + t[1]]

    return go(tree)
