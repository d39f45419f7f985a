"""What a home costs in which nothing has changed, by this tree and by another commit, in one run.

`python -m benchmarks.rest --against COMMIT [--size full] [--repeats 3] [--write]` from the repository. Each tree makes
the demo's home by itself and builds until nothing is left to do. Then both are asked in turn: `emovid build`, `status`
and `plan`, each in a fresh process. Medians of wall and processor seconds; bytes by which the folder of Dagster grows;
steps of a build of everything. `--write` puts the table into `docs/platform_benchmarks.md`.

Belongs here: that comparison. Does not belong here: single files (`stickers`, `media`), large libraries (`unchanged`).
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring import fill, table
from benchmarks.media_against import ROOT, tree_of

PAGE = ROOT / "docs" / "platform_benchmarks.md"
MARKER = "benchmarks.rest"
SETTLING_BUILDS = 4
"""What looks back at what comes after it takes a build or two to come to rest."""
COMMANDS = ("build", "status", "plan")
TARGETS = {"build": "≤ 2.0", "status": "≤ 1.0", "plan": "≤ 1.0"}


@dataclass(frozen=True)
class Spent:
    """Seconds: wall, and processor of the process and its children."""

    wall_s: float
    cpu_s: float


@dataclass
class Side:
    """One tree and its home."""

    tree: Path
    home: Path
    spent: dict[str, list[Spent]] = field(default_factory=lambda: {name: [] for name in COMMANDS})
    growth: list[int] = field(default_factory=list)
    steps: int = 0

    def call(self, *arguments: str) -> Spent:
        """Raises SystemExit where the command fails."""
        environment = {**os.environ, "EMOVID_HOME": str(self.home), "PYTHONPATH": str(self.tree)}
        with (self.home / "output.log").open("ab") as log:
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "emovid_assets.cli", *arguments],
                env=environment,
                cwd=self.home,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            _, status, used = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told = (self.home / "output.log").read_text(encoding="utf-8")[-2000:]
            raise SystemExit(f"emovid {' '.join(arguments)} of {self.tree} ended with {process.returncode}:\n{told}")
        return Spent(wall_s, used.ru_utime + used.ru_stime)

    def begin(self, size: str, everything: Sequence[str]) -> None:
        """The demo, a build of everything, and as many more as it takes until nothing is left to do."""
        self.home.mkdir()
        self.call("demo", "--size", size)
        self.steps = self.steps_of("build", *everything)
        for _ in range(SETTLING_BUILDS if everything else 1):
            if not self.steps_of("build"):
                break

    def steps_of(self, *arguments: str) -> int:
        before = step_count(self.home)
        self.call(*arguments)
        return step_count(self.home) - before

    def measure(self) -> None:
        for name in COMMANDS:
            before = size_of(self.home / "dagster")
            self.spent[name].append(self.call(name))
            if name == "build":
                self.growth.append(size_of(self.home / "dagster") - before)

    def median(self, command: str) -> Spent:
        found = self.spent[command]
        return Spent(statistics.median(one.wall_s for one in found), statistics.median(one.cpu_s for one in found))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def step_count(home: Path) -> int:
    """Steps that runs of this home have ended well."""
    found = 0
    for path in (home / "dagster" / "history" / "runs").glob("*.db"):
        if path.name != "index.db":
            with closing(sqlite3.connect(path)) as log:
                query = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'STEP_SUCCESS'"
                found += log.execute(query).fetchone()[0]
    return found


def rows_of(before: Side | None, now: Side) -> Iterator[list[str]]:
    """A row per figure: what it is, before, now, what is aimed at."""

    def row(name: str, figure: str, was: str, target: str) -> list[str]:
        return [name, was, figure, target]

    for command in COMMANDS:
        spent, then = now.median(command), before.median(command) if before else None
        what = "`emovid build`, nothing changed" if command == "build" else f"`emovid {command}`"
        yield row(f"{what}, wall", _s(spent.wall_s), _s(then.wall_s) if then else "", f"{TARGETS[command]} s")
        target = f"{TARGETS[command]} s" if command == "build" else ""
        yield row(f"{what}, CPU", _s(spent.cpu_s), _s(then.cpu_s) if then else "", target)
    grown, was_grown = statistics.median(now.growth), statistics.median(before.growth) if before else None
    yield row("growth of `dagster/` per unchanged build", _mb(grown), _mb(was_grown) if before else "", "0")
    yield row("steps of a build of everything", f"{now.steps:,}", f"{before.steps:,}" if before else "", "")


def _s(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _mb(count: float | None) -> str:
    return "0" if not count else f"{count / 1e6:.1f} MB"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", help="a commit, such as HEAD~1")
    parser.add_argument("--size", choices=("full", "small"), default="full")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emovid-rest-")))
        now, before = Side(ROOT, work / "now"), None
        if chosen.against:
            before = Side(stack.enter_context(tree_of(chosen.against)), work / "before")
        sides = [side for side in (before, now) if side is not None]
        for side in sides:
            # Before there was `--all`, every build was one of everything.
            side.begin(chosen.size, ["--all"] if side is now else [])
        for repeat in range(chosen.repeats):
            # Each goes first in every other repeat.
            for side in sides if repeat % 2 == 0 else sides[::-1]:
                side.measure()
        told = table(["", chosen.against or "", "now", "target"], list(rows_of(before, now)))
    print(told)
    if chosen.write:
        fill(PAGE, MARKER, told)
    spent = now.median("build")
    return 0 if max(spent.wall_s, spent.cpu_s) <= 2.0 and not any(now.growth) else 1


if __name__ == "__main__":
    sys.exit(main())
