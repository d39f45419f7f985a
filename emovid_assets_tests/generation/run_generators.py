"""A run of generators as a process of its own: `python -m … HOME COUNT LOG SECONDS`.

Each video that is done writes a line to LOG; behind each step of the model SECONDS pass, so that a kill finds it there.
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch

from emovid_assets.core.generation import generator
from emovid_assets.resources.generation import running
from emovid_assets_tests.generation.homes import benchmark, made


def main(home: Path, count: int, log: Path, seconds: float) -> None:
    torch.set_num_threads(1)
    telling = generator._telling
    write = running.write_video

    def slow(told: Any, steps: int) -> Any:
        at_step = telling(told, steps)

        def later(*arguments: Any) -> dict[str, Any]:
            time.sleep(seconds)
            return at_step(*arguments)

        return later

    def noted(*arguments: Any, **options: Any) -> dict[str, Any]:
        facts = write(*arguments, **options)
        with log.open("a") as file:
            file.write(f"{facts['video_path']}\n")
        return facts

    generator._telling = slow
    running.write_video = noted  # type: ignore[assignment]
    print(made(home, benchmark(home, count=count)).computed)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
