"""A run of `compute` as a process of its own: `python -m … HOME COUNT SECONDS LOG [ADDRESS OF RAY]`.

Prints the payloads.
"""

import json
import signal
import sys
from pathlib import Path

from emovid_assets.home.settings import ComputeSettings
from emovid_assets.resources.compute import Item, Step, compute
from emovid_assets.resources.item_store import ItemStore
from emovid_assets_tests.resources.steps import work


def main(home: Path, count: int, seconds: float, log: str, address: str | None = None) -> None:
    store = ItemStore(home / "state.sqlite")
    items = [
        Item(
            f"item-{n:03d}",
            content=f"content-{n}",
            arguments={
                "number": n,
                "name": f"item-{n:03d}",
                "seconds": seconds,
                "log": log,
                "home": str(home),
                "file": f"out/{n}.txt",
            },
        )
        for n in range(count)
    ]
    engine = ComputeSettings(engine="ray", ray_address=address) if address else None
    step = Step("square", "1", "", work)
    outcome = compute(store, step, "movie", items, home=home, workers=2, timeout_s=60, engine=engine)
    print(json.dumps({"payloads": dict(outcome.payloads.items()), "computed": outcome.computed_count}, sort_keys=True))  # noqa: T201


if __name__ == "__main__":
    # What a script has started in the background ignores Ctrl-C, and so would this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
