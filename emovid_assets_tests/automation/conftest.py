"""The demo home, for the tests of this folder."""

import pytest

from emovid_assets_tests.assets.homes import Demo, built_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return built_demo(tmp_path_factory)
