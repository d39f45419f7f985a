"""Readers and builds at once, at a size for every run; `scripts/read_test.py` is the same over any library."""

import importlib.util
from pathlib import Path

import pytest

from emovid_assets_tests.assets.homes import ROOT, draw_gif

pytestmark = pytest.mark.integration


def test_readers_see_no_error_and_no_torn_table_while_a_build_replaces_tables(tmp_path: Path) -> None:
    specification = importlib.util.spec_from_file_location("read_test", ROOT / "scripts" / "read_test.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)

    library = tmp_path / "library"
    for number in range(6):
        # 0.5 s to 1.5 s long: some are too short for every other settings file.
        draw_gif(library / "sticker" / f"{number}.gif", (40 * number, 90, 200), frame_count=5 + 2 * number)
    selection = ["-d", "sticker", "--select", "+key:colour_attributes or key:clip_facts"]
    found = module.read_test(tmp_path, library, 24, 1, selection, 1)
    assert found["is_right"], found
    assert found["opens"] == 24
    # Clips, segments, what is measured of them, and what is known of them together.
    assert found["files_that_changed"] >= 4
