"""What the reading of disguised brands costs a message: `python benchmarks/brand_reading.py`.

Made-up messages of about 2,000 characters, a third of them with letters beyond ASCII; processor time, best of
five. A machine that is busy with other things gives higher numbers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from spamtide.attribution import Ruleset, compile_signatures, match
from spamtide.attribution.brand import NO_READING
from spamtide.knowledge import SHIPPED_SIGNATURES

WORDS = Path(__file__).read_text(encoding="utf-8").replace('"', " ").split()
LETTERS = "bcdfghklmnprstvz", "aeiou"


def syllables(draw: random.Random, most: int = 4) -> str:
    """A made-up word."""
    return "".join(draw.choice(LETTERS[n % 2]) for n in range(draw.randint(4, 2 * most)))


def messages(draw: random.Random, count: int) -> list[str]:
    """Renderings of made-up messages."""
    made = []
    for number in range(count):
        words = [draw.choice((draw.choice(WORDS), syllables(draw))) for _ in range(240)]
        if number % 3 == 0:
            words[::20] = ["précis — «naïve»"] * len(words[::20])
        links = "\n".join(
            f"link: http://www.{syllables(draw)}.com/{syllables(draw)}?id={n}" for n in range(4)
        )
        made.append(
            f"client: 192.0.2.1\nhelo: a.example\nheader-order: From,To\nheader From: {words[0]} <a@b.c>\n"
            f"subject: {' '.join(words[:6])}\n{links}\ntext:\n{' '.join(words)}"
        )
    return made


def microseconds(renderings: Sequence[str], ruleset: Ruleset) -> float:
    """Processor time a message."""
    match(renderings[:10], ruleset)
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        match(renderings, ruleset)
        best = min(best, time.process_time() - started)
    return best / len(renderings) * 1e6


def main() -> None:
    """Print the table."""
    draw = random.Random(1)  # noqa: S311 - made-up mail
    mail = messages(draw, 1500)
    shipped = [(path, path.read_text(encoding="utf-8")) for path in sorted(SHIPPED_SIGNATURES.glob("*.yar"))]
    brands = "\n".join(
        f'rule b{n} {{ meta: kind = "programme" name = "B{n}" '
        f'strings: $a = "{syllables(draw).title()} {syllables(draw).title()}" nocase condition: $a }}'
        for n in range(1000)
    )
    print("| rules | wording | rules alone | with the reading |")
    print("|---|---|---|---|")
    for name, sources in (
        ("shipped", shipped),
        ("shipped and 1,000 brands", [*shipped, (Path("b.yar"), brands)]),
    ):
        ruleset = compile_signatures(sources)
        alone = microseconds(mail, replace(ruleset, reading=NO_READING))
        whole = microseconds(mail, ruleset)
        print(f"| {name} | {len(ruleset.reading.wordings):,} | {alone:.0f} us | {whole:.0f} us |")


if __name__ == "__main__":
    main()
