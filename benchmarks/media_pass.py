"""One media pass in a process of its own, by whichever tree of the product `PYTHONPATH` names first.

Run `python benchmarks/media_pass.py WARM FILE`: passes over `WARM`, so that lazy imports are paid, then prints what
the pass over `FILE` costs and finds as a line of JSON.

Belongs here: what differs between the trees that are compared (`media_against`), so nothing of the product is
imported but what all of them have.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import cpu_seconds, one_thread

import emovid_assets
from emovid_assets.core.video.probe import probe_file
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings

SETTINGS = ScanSettings(DetectorSettings("adaptive", 3.0), 20, 4.0, 30.0, is_whole=False)
SOURCE_ID = "movie-0123456789abcdef"


def tracks_of(facts: Any) -> Any:
    """What `scan_source` is told of the file's streams: the tracks that the probe has chosen, formerly the index of
    the video alone."""
    return facts.tracks if hasattr(facts, "tracks") else facts.stream_index


def timed_pass(path: Path) -> dict[str, Any]:
    """CPU-seconds of the pass (not of the probe before it) and the frames that begin a scene."""
    tracks = tracks_of(probe_file(path))
    with tempfile.TemporaryDirectory() as folder:
        start = cpu_seconds()
        scanned = scan_source(path, tracks, SOURCE_ID, SETTINGS, Path(folder))
        spent = cpu_seconds() - start
    return {"cpu_s": spent, "cuts": [segment["start_frame"] for segment in scanned["segments"][1:]]}


def main() -> None:
    warm, path = map(Path, sys.argv[1:])
    one_thread()
    timed_pass(warm)
    print(json.dumps({"tree": str(Path(emovid_assets.__file__).parents[1]), **timed_pass(path)}))


if __name__ == "__main__":
    main()
