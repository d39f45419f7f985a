"""A run of the labeller as a process of its own: `python -m … HOME MODEL VIDEO COUNT SECONDS LOG`; prints what it did.

Each batch writes the number of its clips to LOG and takes SECONDS longer than it must.
"""

import json
import resource
import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import torch

from emovid_assets.core.model_place import find_model
from emovid_assets.core.vlm.chat_model import Prepared, load_chat_model
from emovid_assets.core.vlm.exchange import ClipRequest, Meter
from emovid_assets.resources.compute import BatchStep, Item, compute
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.local_model import label_clips
from emovid_assets.resources.workers import Done, Task


def main(home: Path, model_folder: str, video: str, count: int, seconds: float, log: Path) -> None:
    torch.set_num_threads(1)
    model, meter = load_chat_model(find_model(model_folder, home), device="cpu", precision="float32"), Meter()
    score = model.score
    peaks: list[int] = []

    def slow_score(batch: list[Prepared]) -> list[list[float]]:
        scores = score(batch)
        time.sleep(seconds)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        with log.open("a") as file:
            file.write(f"{len(batch)}\n")
        return scores

    model.score = slow_score  # type: ignore[method-assign, assignment]

    def label(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        yield from label_clips(model, tasks, batch_clips=4, threads=2, meter=meter)

    request = ClipRequest(video, [0.0, 0.2, 0.4], 64, "Which emotion?").as_arguments()
    items = [Item(f"clip-{number:04d}", content=str(number), arguments=request) for number in range(count)]
    store = ItemStore(home / "state.sqlite")
    outcome = compute(store, BatchStep("label", "1", "", label), "movie", items, home=home, workers=1, timeout_s=60)
    print(  # noqa: T201
        json.dumps({"labelled": len(outcome.payloads), "computed": outcome.computed_count, "peaks_mb": peaks})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), Path(sys.argv[6]))
