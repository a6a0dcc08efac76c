"""The roofline picture (Williams, Waterman, Patterson 2009): what is reached, beside what the machine allows.

Across: FLOPs a byte that must come from memory. Up: FLOPs a second. Both logarithmic. Plain SVG, no library.
"""
import math

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 440, 70, 50, 24, 20
COLOURS = {"matmul": "#1f6fb4", "decode": "#c44e28", "step": "#2b8a4b", "prefill": "#8352a8", "rollout": "#a5761b",
           "attention": "#666666"}


def points(rows):
    """(family, label, intensity, FLOP/s) of the rows that say both FLOPs and bytes."""
    for row in rows:
        if "flops" not in row or not row.get("bytes"):
            continue
        yield row["name"].split("-")[0], row["name"], row["flops"] / row["bytes"], row["gflops"] * 1e9


def _axis(low, high, size, offset, flip):
    def place(value):
        share = (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return offset + (size - share * size if flip else share * size)
    return place


def svg(rows, ceilings, threads, title):
    peak = ceilings["fma_gflops"][str(threads)] * 1e9
    bandwidth = ceilings["read_gbps"][str(threads)] * 1e9
    x = _axis(0.25, 2048, WIDTH - LEFT - RIGHT, LEFT, False)
    y = _axis(2e9, 4e11, HEIGHT - BOTTOM - TOP, TOP, True)
    ridge = peak / bandwidth
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="16" font-size="13">{title}</text>']
    for e in range(-2, 12):
        value = 2.0 ** e
        if 0.25 <= value <= 2048:
            out.append(f'<line x1="{x(value):.1f}" y1="{TOP}" x2="{x(value):.1f}" y2="{HEIGHT - BOTTOM}" stroke="#eeeeee"/>')
            out.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    for value in (2e9, 5e9, 1e10, 2e10, 5e10, 1e11, 2e11, 4e11):
        out.append(f'<line x1="{LEFT}" y1="{y(value):.1f}" x2="{WIDTH - RIGHT}" y2="{y(value):.1f}" stroke="#eeeeee"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value / 1e9:g}</text>')
    out.append(f'<polyline fill="none" stroke="#222222" stroke-width="1.6" points="{x(0.25):.1f},{y(max(2e9, 0.25 * bandwidth)):.1f} '
               f'{x(ridge):.1f},{y(peak):.1f} {x(2048):.1f},{y(peak):.1f}"/>')
    out.append(f'<text x="{WIDTH - RIGHT - 4}" y="{y(peak) - 6:.1f}" text-anchor="end">{peak / 1e9:.0f} GFLOP/s, multiply-adds '
               'in registers</text>')
    out.append(f'<text x="{x(1.3):.1f}" y="{y(1.9 * bandwidth) - 8:.1f}" text-anchor="end">{bandwidth / 1e9:.1f} GB/s, reading memory</text>')
    seen = []
    for family, label, intensity, rate in points(rows):
        colour = COLOURS.get(family, "#444444")
        at_x, at_y = x(min(2048, max(0.25, intensity))), y(min(4e11, max(2e9, rate)))
        out.append(f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="4" fill="{colour}" fill-opacity="0.75">'
                   f'<title>{label}: {rate / 1e9:.1f} GFLOP/s at {intensity:.3g} FLOPs a byte</title></circle>')
        if family not in seen:
            seen.append(family)
    for i, family in enumerate(seen):
        top = HEIGHT - BOTTOM - 14 - 16 * (len(seen) - 1 - i)
        out.append(f'<circle cx="{WIDTH - RIGHT - 90}" cy="{top - 4}" r="4" fill="{COLOURS.get(family, "#444444")}"/>')
        out.append(f'<text x="{WIDTH - RIGHT - 80}" y="{top}">{family}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">FLOPs a byte of operands, '
               'each read or written once</text>')
    out.append(f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">GFLOP/s</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
