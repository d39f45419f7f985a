"""The report in Chromium: on a phone and on a desk nothing sticks out, nothing is refused or asked for."""

from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.report.build import build_report
from emovid_assets_tests.browser import CHROMIUM
from emovid_assets_tests.report.browser import measure

pytestmark = [pytest.mark.integration, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]


@pytest.mark.parametrize("width_px", [390, 1280])
def test_nothing_sticks_out_and_the_console_is_silent(planted: Path, width_px: int) -> None:
    seen = measure(build_report(Home(planted)).path, width_px)
    assert seen["wide"] == []
    assert seen["scrollWidth"] == seen["width"]
    assert seen["clipped"] == []
    assert seen["broken"] == 0
    assert seen["console"] == []
    assert seen["asked"] == ["/", "/report.html"]
    assert seen["height"] > 2000


def test_a_page_that_is_at_fault_is_found_out(tmp_path: Path) -> None:
    bad = tmp_path / "report.html"
    bad.write_text(
        '<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
        f"<pre>{'x' * 300}</pre><img src='/picture.png'>",
        encoding="utf-8",
    )
    seen = measure(bad, 390)
    assert seen["scrollWidth"] > 390
    assert seen["broken"] == 1
    assert seen["console"]
