"""What the tests of this folder share: homes with a labeller that has learnt, made once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from emovid_assets.resources.training import FineTuned
from emovid_assets_tests.once import made_once
from emovid_assets_tests.vlm.learnable import make_home
from emovid_assets_tests.vlm.run_training import train

Trained = Callable[[str], tuple[Path, FineTuned]]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_chat_model: Callable[[str], Path]) -> Trained:
    """A home and the labeller that was fine-tuned in it without a disturbance, by the class of its model."""
    made: dict[str, tuple[Path, FineTuned]] = {}

    def learn(folder: Path, name: str) -> None:
        with one_thread():
            train(make_home(folder / "home", tiny_chat_model(name)))

    def of(name: str) -> tuple[Path, FineTuned]:
        if name not in made:
            home = made_once(tmp_path_factory, f"trained-{name}", lambda folder: learn(folder, name)) / "home"
            # What was trained is found again.
            made[name] = home, train(home)
        return made[name]

    return of


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums add up in one order, so that trainings can be compared to the bit."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)
