"""The media pass of this tree beside that of another commit: the same films, in turn, each pass in a fresh process.

Belongs here: the other tree and the turns. Does not belong here: how a tree is called (`media_pass`), which films.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import geometric_mean, table

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "benchmarks" / "media_pass.py"
PARENT = "90406d2"
"""The last commit whose pass knew one rule for streams, stamps and colours of every file."""


@dataclass(frozen=True)
class Compared:
    """One film: CPU-seconds by repeat, and whether both passes cut it alike."""

    path: Path
    before_s: list[float]
    now_s: list[float]
    is_cut_alike: bool

    @property
    def ratio(self) -> float:
        """Now over before. Repeats are pairs: a machine that slows down slows both."""
        return statistics.median(now / before for now, before in zip(self.now_s, self.before_s, strict=True))


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """The files of a commit in a work tree of Git, which is removed afterwards. Raises SystemExit where Git refuses."""
    with tempfile.TemporaryDirectory(prefix="emovid-benchmark-") as folder:
        tree = Path(folder, "tree")
        _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())


def compare(paths: Sequence[Path], warm: Path, commit: str, repeats: int) -> Iterator[Compared]:
    """Each film as soon as both passes have been over it `repeats` times."""
    with tree_of(commit) as before:
        for path in paths:
            spent: dict[Path, list[float]] = {before: [], ROOT: []}
            cuts: dict[Path, list[int]] = {}
            for repeat in range(repeats):
                # Each goes first in every other repeat.
                for tree in (before, ROOT) if repeat % 2 == 0 else (ROOT, before):
                    found = _pass(tree, warm, path)
                    spent[tree].append(found["cpu_s"])
                    cuts[tree] = found["cuts"]
            yield Compared(path, spent[before], spent[ROOT], cuts[before] == cuts[ROOT])


def _pass(tree: Path, warm: Path, path: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, str(PROGRAM), str(warm.resolve()), str(path.resolve())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{path.name} by {tree}: {done.stderr.strip()[-800:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if Path(found["tree"]).resolve() != tree.resolve():
        raise RuntimeError(f"The pass of {found['tree']} ran in place of that of {tree}")
    return found


def against_table(compared: Sequence[Compared], commit: str, *, left_out: str = "") -> str:
    """One row a film, and the geometric mean of the ratios without the film of the name `left_out`."""
    rows: list[list[object]] = [
        [
            film.path.name,
            statistics.median(film.before_s),
            statistics.median(film.now_s),
            film.ratio,
            "yes" if film.is_cut_alike else "no",
        ]
        for film in compared
    ]
    mean = geometric_mean(film.ratio for film in compared if film.path.name != left_out)
    rows.append(["geometric mean, corpus", None, None, mean, ""])
    return table(["film", f"{commit}, CPU s", "now, CPU s", "now / before", "same cuts"], rows)
