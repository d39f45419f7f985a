"""A comparison that kills itself: `python -m … HOME EMOSET COUNT`, once COUNT answers of the model are kept."""

import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from emovid_assets.building.emoset import Asked, compare
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import FinishedItem, ItemStore, QuarantinedItem


def main(home: Path, folder: Path, most: int) -> None:
    settle, kept = ItemStore.settle, 0

    def settle_and_die(
        store: ItemStore, step: str, domain: str, good: Iterable[FinishedItem], bad: Iterable[QuarantinedItem] = ()
    ) -> None:
        nonlocal kept
        good = list(good)
        settle(store, step, domain, good, bad)
        kept += len(good) if step.startswith("zero_shot") else 0
        if kept >= most:
            os.kill(os.getpid(), signal.SIGKILL)

    ItemStore.settle = settle_and_die  # type: ignore[method-assign]
    compare(Home(home), Asked(folder, train_limit=0), lambda sentence: None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
