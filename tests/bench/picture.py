"""The benchmark as a picture: a bar a case, as long as its ratio to the floor, with a mark where it is to be."""

from html import escape

BAR, GAP, LEFT, WIDTH, TOP = 14, 8, 170, 640, 80
LONGEST = 1.5  # ratios beyond it are cut off; the number says how much they are


def draw(rows, machine):
    """The picture of these rows as SVG, the machine below the title."""
    scale = (WIDTH - LEFT - 60) / LONGEST
    parts = []
    for number, row in enumerate(rows):
        parts += bar(row, TOP + number * (BAR + GAP), scale)
    bottom = TOP + len(rows) * (BAR + GAP)
    one = LEFT + scale
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 28}" width="{WIDTH}" role="img"'
        f' font-family="sans-serif" font-size="12">',
        "<title>pg_credits beside the floor</title>",
        f'<rect width="{WIDTH}" height="{bottom + 28}" fill="#ffffff"/>',
        '<text x="12" y="22" font-size="15" fill="#1f2933">pg_credits, as a ratio to the floor</text>',
        f'<text x="12" y="42" fill="#616e7c">{escape(machine)}</text>',
        f'<line x1="{one:.1f}" y1="{TOP - 8}" x2="{one:.1f}" y2="{bottom}" stroke="#9aa5b1" stroke-dasharray="2 3"/>',
        f'<text x="{one:.1f}" y="{TOP - 12}" text-anchor="middle" fill="#616e7c">floor</text>',
        *parts,
        f'<text x="12" y="{bottom + 16}" fill="#616e7c">mark: where it is to be; amber: below it; cut off at {LONGEST}</text>',
        "</svg>",
        "",
    ])


def bar(row, top, scale):
    """The bar of one case: blue, or amber where it misses a goal that is a ratio to the floor."""
    ratio = row.ratio("ours", "floor")
    goals = [goal for goal, of in row.case.goals if of == "floor"]
    fill = "#d97706" if any(ratio < goal for goal in goals) else "#2f6db5"
    length = min(ratio, LONGEST) * scale
    middle = top + BAR - 3
    yield f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end" fill="#1f2933">{escape(row.case.name)}</text>'
    yield f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2" fill="{fill}"/>'
    yield f'<text x="{WIDTH - 12}" y="{middle}" text-anchor="end" fill="#1f2933">{ratio:.2f}</text>'
    for goal in goals:
        x = LEFT + min(goal, LONGEST) * scale
        yield f'<line x1="{x:.1f}" y1="{top - 2}" x2="{x:.1f}" y2="{top + BAR + 2}" stroke="#1f2933" stroke-width="2"/>'
