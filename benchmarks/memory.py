"""Whether a library ten times larger needs more memory: peak of the build and of its workers, side by side.

Run `python -m benchmarks.memory [--counts 60 600 6000] [--source FILE …]` from the repository, on Linux. The library
is copies of the sources, each made distinct by bytes behind its end that no decoder reads; without sources, GIFs of
two frames are drawn. Prints a Markdown table: per size the peak resident memory (`VmHWM`) of the first build, of its
largest worker and of a build that finds nothing new, and what each clip more than in the line above costs a build.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets_tests.assets.homes import draw_gif

ROOT = Path(__file__).resolve().parents[1]
SELECTION = "+key:colour_attributes or +key:clip_features or +key:clip_media or +key:processing_errors"
ISO_MEDIA = {".mp4", ".mov", ".m4v"}


def distinct(data: bytes, suffix: str, number: int) -> bytes:
    """The same video in other bytes: a `free` box at the end of ISO media, or bytes behind the trailer."""
    mark = number.to_bytes(8, "big")
    return data + ((16).to_bytes(4, "big") + b"free" + mark if suffix in ISO_MEDIA else mark)


def fill(home: Path, sources: list[Path], count: int) -> None:
    folder = home / "library" / "sticker"
    folder.mkdir(parents=True)
    contents = [(source.read_bytes(), source.suffix.lower()) for source in sources]
    for number in range(count):
        data, suffix = contents[number % len(contents)]
        (folder / f"{number:06d}{suffix}").write_bytes(distinct(data, suffix, number))


def peak_mb(pid: int) -> float:
    """Peak resident memory of a process; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def workers_of(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    except OSError:
        return []


def build(home: Path) -> tuple[float, float]:
    """Peak of the build and of its largest worker in MB."""
    with (home / "build.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "emovid_assets.cli", "build", "-d", "sticker", "--select", SELECTION],
            env={**os.environ, "EMOVID_HOME": str(home), "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        own = worker = 0.0
        while process.poll() is None:
            own = max(own, peak_mb(process.pid))
            worker = max([worker, *map(peak_mb, workers_of(process.pid))])
            time.sleep(0.05)
    if process.returncode:
        raise SystemExit((home / "build.log").read_text())
    return own, worker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[60, 600, 6000])
    parser.add_argument("--source", type=Path, nargs="*", default=[])
    chosen = parser.parse_args()
    columns = (
        "clips",
        "build, MB",
        "a further clip, KB",
        "nothing new, MB",
        "a further clip, KB",
        "largest worker, MB",
    )
    print("| " + " | ".join(columns) + " |\n" + "|--:" * len(columns) + "|", flush=True)
    before: tuple[int, float, float] | None = None
    with tempfile.TemporaryDirectory() as folder:
        sources = chosen.source or [draw_gif(Path(folder, "drawn.gif"), frame_count=2, delay_ms=200)]
        for count in chosen.counts:
            home = Path(folder, str(count))
            fill(home, sources, count)
            first, worker = build(home)
            again, _ = build(home)
            clips = Warehouse(Home(home).warehouse).row_count("clips", "sticker") or 0
            each = ["", ""]
            if before is not None:
                more = clips - before[0]
                each = [f"{(first - before[1]) * 1024 / more:.1f}", f"{(again - before[2]) * 1024 / more:.1f}"]
            print(
                f"| {clips} | {first:.0f} | {each[0]} | {again:.0f} | {each[1]} | {worker:.0f} |",
                flush=True,
            )
            before = clips, first, again


if __name__ == "__main__":
    main()
