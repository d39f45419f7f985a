"""What a distance between generated videos and real clips costs, beside SciPy's matrix root.

Run `python -m benchmarks.generation_distances`; it writes its table into docs/generation_metrics.md.

Belongs here: time, and how far both are from each other. Does not belong here: the formula (`core.generation`).
"""

import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import linalg

from benchmarks.measuring import fill, table
from emovid_assets.core.generation.distances import frechet_distance, kernel_distance, set_distance

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "generation_metrics.md"
SIZES = ((2000, 64), (240, 400), (240, 768), (240, 1408))
ROUNDS = 3


def by_matrix_root(x: np.ndarray, y: np.ndarray) -> complex:
    """The distance as it is computed elsewhere (pytorch-fid, cd-fvd)."""
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    shift = x.mean(axis=0) - y.mean(axis=0)
    return complex(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(linalg.sqrtm(first @ second)))


def timed(function: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float, object]:
    """Wall seconds and processor seconds, both of the fastest round, and the result."""
    walls, cores, found = [], [], None
    for _ in range(rounds):
        wall, core = time.perf_counter(), time.process_time()
        found = function()
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    return min(walls), min(cores), found


def sets(count: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of normal numbers that differ a little."""
    random = np.random.default_rng(0)
    return random.normal(size=(count, dimensions)), random.normal(size=(count, dimensions)) * 1.1 + 0.05


def main() -> None:
    rows = []
    for count, dimensions in SIZES:
        x, y = sets(count, dimensions)
        names = [str(number) for number in range(count)]
        wall, core, ours = timed(lambda x=x, y=y: frechet_distance(x, y))
        kernel_wall, _, _ = timed(lambda x=x, y=y: kernel_distance(x, y))
        whole_wall, _, _ = timed(lambda x=x, y=y, n=names: set_distance(x, y, n, n, frechet_distance, seed="a"), 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            their_wall, their_core, theirs = timed(lambda x=x, y=y: by_matrix_root(x, y), 1)
        assert isinstance(theirs, complex)
        shown = f"{theirs.real:.3f}{f' {theirs.imag:+.0e}i' if theirs.imag else ''}"
        rows.append(
            (
                *(
                    f"{count:,}",
                    f"{dimensions:,}",
                    f"{wall:.3f}",
                    f"{core:.3f}",
                    f"{their_wall:.2f}",
                    f"{their_core:.2f}",
                ),
                *(f"{ours:.3f}", shown, f"{whole_wall:.2f}", f"{kernel_wall:.3f}"),
            )
        )
    head = (
        *("videos", "dimensions", "ours, s", "ours, CPU-s", "SciPy's root, s", "SciPy's, CPU-s"),
        *("ours", "SciPy's", "with its floor, s", "kernel distance, s"),
    )
    fill(DOCUMENT, "distances", table(head, rows))


if __name__ == "__main__":
    main()
