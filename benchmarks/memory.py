"""Whether a library ten times larger needs more memory: peak of the build and of its workers, side by side.

Run `python -m benchmarks.memory [--count 100] [--factor 10] [--source FILE …]` from the repository, on Linux. The
library is copies of the sources, each made distinct by bytes behind its end that no decoder reads; without sources,
small GIFs are drawn. Prints per size the peak resident memory (`VmHWM`) of the build and of its largest worker, and
what each further clip costs the build.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emovid_assets.layout import Home
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


def build(home: Path) -> tuple[float, float, float]:
    """Peak of the build and of its largest worker in MB, and seconds."""
    began = time.monotonic()
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
    return own, worker, time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--factor", type=int, default=10)
    parser.add_argument("--source", type=Path, nargs="*", default=[])
    chosen = parser.parse_args()
    print(f"{'files':>7} {'clips':>7} {'build MB':>9} {'again MB':>9} {'worker MB':>10} {'seconds':>8}")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        sources = chosen.source or [draw_gif(Path(folder, "drawn.gif"), frame_count=20)]
        for count in (chosen.count, chosen.count * chosen.factor):
            home = Path(folder, str(count))
            fill(home, sources, count)
            own, worker, seconds = build(home)
            again, _, _ = build(home)
            clips = Warehouse(Home(home).warehouse).row_count("clips", "sticker") or 0
            found.append((clips, own, again))
            print(f"{count:7} {clips:7} {own:9.0f} {again:9.0f} {worker:10.0f} {seconds:8.1f}", flush=True)
    (clips, own, again), (more_clips, more_own, more_again) = found
    each = 1024 / (more_clips - clips)
    print(
        f"a further clip costs {(more_own - own) * each:.1f} KB in a build, {(more_again - again) * each:.1f} KB again"
    )


if __name__ == "__main__":
    main()
