"""What two Ray nodes of one core each gain over one process, on the movies of the corpus.

Run `python -m benchmarks.ray_engine [--times 8] [--rounds 2]` from the repository, with the extra `ray`. Both scan the
same films and write their clips through `resources.compute`; the cluster is there before the clock starts, its actors
and processes are not. Each node is a session of its own, as Linux shares cores among sessions where the machine has
other work. Prints a table with the load of the machine before each run, and ends with 1 where the files differ or the
ratio of the best walls is above the limit.
"""

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import CORPUS, cpu_seconds, table
from benchmarks.media_ours import build_library
from benchmarks.ray_nodes import Nodes
from emovid_assets.home.settings import ComputeSettings
from emovid_assets.resources.workers import kept_alive

LIMIT = 0.58


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--times", type=int, default=8, help="each film")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    films = sorted((chosen.corpus / "movie").iterdir()) * chosen.times
    nodes = Nodes(0)
    try:
        for _ in range(2):
            nodes.add_in_session()
        return compare(films, chosen.rounds, nodes)
    finally:
        import ray

        ray.shutdown()
        nodes.close()


def compare(films: Sequence[Path], rounds: int, nodes: Nodes) -> int:
    cluster = ComputeSettings(engine="ray", ray_address=nodes.address)
    rows, walls, contents = [], {"one process": [], "two Ray nodes": []}, set()
    for number in range(1, rounds + 1):
        for name, engine in (("one process", None), ("two Ray nodes", cluster)):
            load = os.getloadavg()[0]
            with tempfile.TemporaryDirectory() as folder:
                began, before_s = time.monotonic(), cpu_seconds() + nodes.cpu_seconds()
                with kept_alive():
                    _, clips = build_library(films, Path(folder), workers=0 if engine else 1, engine=engine)
                    wall_s = time.monotonic() - began
                    elsewhere_s = nodes.cpu_seconds()
                cpu_s = cpu_seconds() + elsewhere_s - before_s
                contents.add(digest(Path(folder)))
            walls[name].append(wall_s)
            rows.append((number, name, round(wall_s, 1), round(cpu_s, 1), clips, round(load, 1)))
    best = min(walls["two Ray nodes"]) / min(walls["one process"])
    middle = statistics.median(walls["two Ray nodes"]) / statistics.median(walls["one process"])
    print(table(("round", "engine", "wall, s", "CPU, s", "clips", "load before"), rows))
    print(f"\n{len(films)} films. Ratio of the best {best:.2f}, of the medians {middle:.2f}; at most {LIMIT}.")
    print("Files are equal." if len(contents) == 1 else "Files DIFFER.")
    return 0 if best <= LIMIT and len(contents) == 1 else 1


def digest(home: Path) -> str:
    """Of every clip and thumbnail, by name."""
    found = hashlib.sha256()
    for path in sorted(path for folder in ("clips", "thumbnails") for path in (home / folder).rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(home)).encode() + path.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
