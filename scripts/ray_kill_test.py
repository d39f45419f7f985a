"""Kills workers and nodes of a Ray cluster at random while a home is built.

Run `python -m scripts.ray_kill_test --library FOLDER` from the repository, with the extra `ray`. The folder holds
`movie/`, `animation/`, `sticker/` as a library does; it is only read. A build by processes says what is right; builds
by two Ray nodes of one core each follow until all kills are spent, each undisturbed but for them: a moment drawn at
random while items are at work, then SIGKILL to an actor, to its worker process, or to a whole node, which comes back
a moment later. No build may fail, each must have the tables of the first one, value for value, and the same media,
byte for byte.

Prints a JSON object and ends with 1 where anything differs or a finished item was computed again.
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.ray_nodes import Nodes
from scripts.kill_test import finish, fresh_home, start_build, stored_counts, values

WAYS = ("worker", "process", "node")
BACK_AFTER_S = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between two kills, on average")
    parser.add_argument("arguments", nargs="*", help="further arguments of `emovid build`, after `--`")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="ray-kill-test-"))
    found = ray_kill_test(work, chosen.library, chosen.kills, chosen.seed, chosen.every, chosen.arguments)
    print(json.dumps(found, indent=1))
    if found["is_right"]:
        shutil.rmtree(work)
    return 0 if found["is_right"] else 1


def ray_kill_test(
    work: Path, library: Path, kills: int, seed: int, every_s: float, arguments: list[str]
) -> dict[str, Any]:
    """Everything that was counted; `is_right` where all of it is as it should be."""
    chance = random.Random(seed)
    reference = fresh_home(work / "processes", library, None)
    finish(start_build(reference, arguments))
    expected, media, computed = values(reference), media_of(reference), stored_counts(reference)
    nodes = Nodes(2)
    settings = work / "emovid.toml"
    settings.write_text(f'[compute]\nengine = "ray"\nray_address = "{nodes.address}"\n', encoding="utf-8")
    done: list[str] = []
    differences: list[str] = []
    builds = repeated = leftovers = 0
    try:
        while len(done) < kills:
            builds += 1
            home = fresh_home(work / f"home-{builds}", library, settings)
            build = start_build(home, arguments)
            hurt(nodes, build, chance, kills, every_s, done)
            finish(build)
            differences += [f"home-{builds}: {name}" for name, rows in values(home).items() if rows != expected[name]]
            got = media_of(home)
            differences += [f"home-{builds}: {name}" for name in got.keys() | media if got.get(name) != media.get(name)]
            leftovers += sum(is_leftover(path) for path in (home / "media").rglob("*"))
            counts = stored_counts(home)
            repeated += sum(count - 1 for count in counts.values())
            differences += [f"home-{builds}: items"] * (set(counts) != set(computed))
            if not differences:
                shutil.rmtree(home)
    finally:
        nodes.close()
    return {
        "is_right": not differences and not repeated,
        "items": len(computed),
        "media_files": len(media),
        "kills": {way: done.count(way) for way in WAYS},
        "finished_builds": builds,
        "finished_items_computed_again": repeated,
        "half_files_left": leftovers,
        "differing": differences,
    }


def hurt(
    nodes: Nodes, build: "subprocess.Popen[bytes]", chance: random.Random, kills: int, every_s: float, done: list[str]
) -> None:
    """Kills until the build has ended or all kills are spent."""
    while build.poll() is None and len(done) < kills:
        try:
            build.wait(chance.uniform(0.2, 2 * every_s))
            return
        except subprocess.TimeoutExpired:
            pass
        busy = nodes.busy_workers()
        if not busy:
            continue
        way = chance.choice(WAYS)
        if way == "node":
            nodes.lose(chance.randrange(2))
            time.sleep(BACK_AFTER_S)
            nodes.add()
        else:
            pid = chance.choice(busy)
            for each in [pid] if way == "worker" else nodes.processes_of(pid):
                nodes.kill(each)
        done.append(way)
        print(f"kill {len(done)} of {kills}: {way}", file=sys.stderr)


def media_of(home: Path) -> dict[str, str]:
    """The hash of each clip, thumbnail and first frame."""
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (home / "media").rglob("*")
        if path.is_file() and not is_leftover(path)
    }


def is_leftover(path: Path) -> bool:
    """Whether it is what somebody who was killed had not finished; `emovid verify --repair` removes it."""
    return path.name.startswith(".") and path.suffix == ".tmp"


if __name__ == "__main__":
    sys.exit(main())
