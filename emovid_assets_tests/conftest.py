"""What all tests share: the public corpus, where it lies beside the repository, and calm property tests."""

import atexit
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

# A busy machine is no reason for a property test to fail.
settings.register_profile("emovid", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("emovid")


def pytest_unconfigure() -> None:
    """Keeps the closing line of pytest the last one: DuckDB's binding lists what it leaks when the process ends."""
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real and hostile files; tests that ask for it are skipped where it is absent."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not there")
    return CORPUS


@pytest.fixture(scope="session")
def tiny_chat_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a vision-language model of random weights, by its name in `TINY_CHAT_MODELS`; made once."""
    from emovid_assets_tests.resources.tiny_chat_models import TINY_CHAT_MODELS

    base = tmp_path_factory.mktemp("chat_models")

    def folder_of(name: str) -> Path:
        folder = base / name
        return folder if folder.is_dir() else TINY_CHAT_MODELS[name](folder)

    return folder_of
