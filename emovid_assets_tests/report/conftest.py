"""One planted library for the tests of this folder; whoever changes something takes a copy."""

from pathlib import Path

import pytest

from emovid_assets_tests.report.planting import plant_library
from emovid_assets_tests.sql.planting import derive_all


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("report") / "home"
    plant_library(home)
    derive_all(home)
    return home
