"""What the media benchmarks share: CPU-seconds, the corpus, Markdown.

Belongs here: nothing that knows what is measured.
"""

import csv
import math
import os
import resource
from collections.abc import Iterable, Sequence
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
"""Where the public corpus lies beside the repository."""


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def one_thread() -> None:
    """OpenCV with one thread, here and in child processes: idle helper threads cost CPU-seconds."""
    import cv2

    cv2.setNumThreads(1)
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"


def manifest(corpus: Path) -> dict[str, dict[str, str]]:
    """Rows of the corpus' MANIFEST.csv by path relative to the corpus."""
    with (corpus / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def geometric_mean(values: Iterable[float]) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table: text to the left, numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    is_number = [
        all(row[column].strip("~*%<> —").replace(".", "", 1).isdigit() or row[column] == "—" for row in cells)
        for column in range(len(head))
    ]
    rule = ["--:" if number else "---" for number in is_number]
    return "\n".join("| " + " | ".join(row) + " |" for row in (list(head), rule, *cells))


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "—"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def fill(document: Path, marker: str, text: str) -> None:
    """Puts `text` between `<!-- marker -->` and `<!-- /marker -->`. Raises ValueError where they are missing."""
    old = document.read_text(encoding="utf-8")
    opening, closing = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    if opening not in old or closing not in old:
        raise ValueError(f"{document} has no place for {marker!r}: add the lines {opening} and {closing}")
    before, rest = old.split(opening, 1)
    after = rest.split(closing, 1)[1]
    document.write_text(f"{before}{opening}\n{text}\n{closing}{after}", encoding="utf-8")
