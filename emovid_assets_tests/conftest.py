"""What all tests share: the public corpus, where it lies beside the repository, the demo, and calm property tests."""

import atexit
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from emovid_assets_tests.once import made_once

if TYPE_CHECKING:
    from emovid_assets_tests.assets.homes import Demo

# As many processes as cores: a thread more in each would wait for its turn, and spin while it does.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

# A busy machine is no reason for a property test to fail, and neither is chance. `--hypothesis-profile=other-examples`
# looks where nobody has looked yet.
CALM = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("emovid", derandomize=True, **CALM)
settings.register_profile("other-examples", **CALM)
settings.load_profile("emovid")


def pytest_unconfigure() -> None:
    """Keeps the closing line of pytest the last one: DuckDB's binding lists what it leaks when the process ends."""
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what starts processes: those tests wait more than they compute, and would be the last to end."""
    items.sort(key=lambda item: item.path.parent.name != "integration")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real and hostile files; tests that ask for it are skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not there")
    return CORPUS


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> "Demo":
    """The small demo, built once for all processes; a test that changes it takes a copy."""
    # Dagster is loaded where it is needed, not by tests of formulas.
    from emovid_assets_tests.assets.homes import built_demo

    return built_demo(tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_chat_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a vision-language model of random weights, by its name in `TINY_CHAT_MODELS`; made once."""
    from emovid_assets_tests.resources.tiny_chat_models import TINY_CHAT_MODELS

    def folder_of(name: str) -> Path:
        return made_once(tmp_path_factory, name, TINY_CHAT_MODELS[name])

    return folder_of


@pytest.fixture(scope="session")
def tiny_generator(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a video generator of random weights, or of `clip`, by its name in `BUILDERS`; made once."""

    def folder_of(name: str) -> Path:
        # diffusers takes seconds to load.
        from emovid_assets_tests.generation.tiny_generators import build

        return made_once(tmp_path_factory, f"generator-{name}", lambda folder: build(name, folder))

    return folder_of
