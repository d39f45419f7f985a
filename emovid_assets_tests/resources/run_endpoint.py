"""Labels by a server, through `compute`, as a process of its own: `python -m … HOME URL CLIP COUNT CONCURRENCY`."""

import json
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

from emovid_assets.core.vlm.exchange import ClipRequest, Meter
from emovid_assets.home.settings import LabellerSettings
from emovid_assets.resources.compute import BatchStep, Item, Outcome, compute
from emovid_assets.resources.endpoint import label_clips
from emovid_assets.resources.endpoint_manners import Manners
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.workers import Done, Task

STEP = "label"


def labelled(
    home: Path,
    settings: LabellerSettings,
    clip: Path,
    count: int,
    *,
    manners: Manners | None = None,
    retry_quarantined: bool = False,
) -> Outcome:
    """`count` items that all are the same clip file, told apart by their prompts."""
    store = ItemStore(home / "state.sqlite")

    def function(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        return label_clips(settings, tasks, meter=Meter(), manners=manners, known=known)

    try:
        return compute(
            store,
            BatchStep(STEP, "1", settings.digest(), function),
            "movie",
            [item(clip, number) for number in range(count)],
            home=home,
            workers=1,
            timeout_s=60,
            retry_quarantined=retry_quarantined,
        )
    finally:
        store.close()


def item(clip: Path, number: int) -> Item:
    request = ClipRequest(str(clip), (0.0, 0.2), 32, f"clip-{number:03d}: which?\n{{options}}")
    return Item(f"clip-{number:03d}", content="content", arguments=request.as_arguments(), path=clip.name)


if __name__ == "__main__":
    home, url, clip, count, concurrency = sys.argv[1:]
    settings = LabellerSettings(
        backend="endpoint", model="tiny", base_url=url, concurrency=int(concurrency), rotations=1
    )
    outcome = labelled(Path(home), settings, Path(clip), int(count))
    print(json.dumps({"computed": outcome.computed_count, "failed": len(outcome.failures)}))  # noqa: T201
