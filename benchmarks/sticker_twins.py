"""What it costs to ask whether a new sticker shows the same as one of many, by bands and pair by pair.

Run `python -m benchmarks.sticker_twins [--counts 1000 10000 100000 1000000]` from the repository. The stickers are
drawn numbers: three random hashes and nine colours each; every tenth is a copy, two bits of each hash apart. Prints a
Markdown table: CPU-milliseconds a question, and what taking up all of them in turn comes to.
"""

import argparse
import random
import time
from typing import Any

from emovid_assets.core.collection.duplicates import MAX_COLOUR_STEPS, MIN_CONTRAST_FRAMES, KnownLooks
from emovid_assets.core.near_duplicates import Limits, Looks, are_near

BITS, ASKED = 6, 200
ALL_PAIRS_AT_MOST = 100_000


def drawn(count: int) -> list[dict[str, Any]]:
    chance = random.Random(0)
    prints: list[dict[str, Any]] = []
    for place in range(count):
        of = prints[chance.randrange(place)] if place % 10 == 9 else None
        hashes = [int(text, 16) ^ 0b11 << chance.randrange(63) for text in of["hashes"]] if of else None
        prints.append(
            {
                "hashes": [f"{one:016x}" for one in hashes or (chance.getrandbits(64) for _ in range(3))],
                "colours": of["colours"] if of else [chance.randrange(256) for _ in range(9)],
                "proportion": 1.0,
            }
        )
    return prints


def all_pairs(made: dict[str, Any], known: list[dict[str, Any]]) -> int | None:
    """As it was before: all fingerprints become arrays for each question."""
    one, others = (Looks.of((f["hashes"] for f in of), (f["colours"] for f in of)) for of in ([made], known))
    alike = are_near(one, others, Limits(BITS, MAX_COLOUR_STEPS, MIN_CONTRAST_FRAMES)).tolist()
    return next((place for place, is_same in enumerate(alike) if is_same), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    print("| known stickers | taking one up, ms | asking, ms | pair by pair, ms | all in turn | pair by pair |")
    print("|--:|--:|--:|--:|--:|--:|")
    for count in parser.parse_args().counts:
        prints = drawn(count + ASKED)
        known: KnownLooks[int] = KnownLooks(BITS)
        began = time.process_time()
        for place, made in enumerate(prints[:count]):
            known.add(place, made)
        taking_s = (time.process_time() - began) / count
        began = time.process_time()
        found = [known.first_like(made) for made in prints[count:]]
        asking_s = (time.process_time() - began) / ASKED
        cells = ["—", "—"]
        if count <= ALL_PAIRS_AT_MOST:
            some = 3
            began = time.process_time()
            assert [all_pairs(made, prints[:count]) for made in prints[count : count + some]] == found[:some]
            pair_s = (time.process_time() - began) / some
            cells = [f"{pair_s * 1000:.1f}", f"{pair_s * count / 2 / 3600:.2f} h"]
        # A question grows with what is known: half of the last one on average.
        total_h = count * (taking_s + asking_s / 2) / 3600
        print(
            f"| {count} | {taking_s * 1000:.3f} | {asking_s * 1000:.2f} | {cells[0]} | {total_h:.3f} h | {cells[1]} |"
        )


if __name__ == "__main__":
    main()
