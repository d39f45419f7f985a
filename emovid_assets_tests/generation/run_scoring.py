"""A build of the scores as a process of its own: `python -m … HOME LOG SECONDS`; prints how many items it computed.

Each video that the models see adds a word to LOG and takes SECONDS longer than it must.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from emovid_assets.core.generation.video_encoder import VideoEncoder
from emovid_assets_tests.assets.homes import build, errors_of, report_of


def main(home: Path, log: Path, seconds: float) -> None:
    encode = VideoEncoder.encode

    def slow(self: VideoEncoder, prepared: Any) -> Any:
        made = encode(self, prepared)
        time.sleep(seconds)
        with log.open("a") as file:
            file.write("seen\n")
        return made

    VideoEncoder.encode = slow  # type: ignore[method-assign]
    reports = build(home, domains=["movie"], selection="key:generation_features or key:generation_scores")
    assert errors_of(reports) == []
    print(json.dumps({"computed": report_of(reports, "generation_features", "movie").computed}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
