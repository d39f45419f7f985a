"""Every number of the demo's report is recounted from tables and files, and none is left out.

`python -m emovid_assets_tests.recount HOME` does the same with any home, and prints what each number was explained by.
"""

import re
from typing import TYPE_CHECKING

import pytest

from emovid_assets_tests.recount.numerals import Between, Shown, differs, tokens
from emovid_assets_tests.recount.page import Page
from emovid_assets_tests.recount.report import Recount

if TYPE_CHECKING:
    from emovid_assets_tests.assets.homes import Demo


@pytest.fixture(scope="module")
def recount(demo: "Demo") -> Recount:
    return Recount(demo.home)


@pytest.fixture(scope="module")
def page(recount: Recount) -> Page:
    return recount.held_against(recount.html)


@pytest.mark.integration
def test_every_number_of_the_report_is_the_one_that_was_recounted(page: Page) -> None:
    assert page.faults == []


@pytest.mark.integration
def test_every_number_was_held_against_something(page: Page) -> None:
    assert page.explained.total() == page.number_count() > 2500


@pytest.mark.integration
def test_a_wrong_number_in_any_sentence_and_any_chart_is_found(recount: Recount, page: Page) -> None:
    def other(match: re.Match[str]) -> str:
        return f"{match[1]}{(int(match[2]) + 3) % 10}"

    # The last digit of the first number of each sentence and of each chart's description.
    changed = re.sub(r'(<p class="reading[^>]*>[^<]*?\d*)(\d)(?=[^\d.,-]|[.,]\D)', other, recount.html)
    changed = re.sub(r"(<desc [^>]*>[^<]*?\d*)(\d)(?=[^\d.,-]|[.,]\D)", other, changed)
    faults = recount.held_against(changed).faults
    for title, figure in page.figures().items():
        for sentence in figure.of_class("reading"):
            if tokens(sentence.text):
                assert any(fault.startswith(f"{title}, sentence") for fault in faults), title
        for chart in figure.named("svg"):
            name = chart.named("title")[0].text
            assert any(fault.startswith(f"{title}, {name}, description") for fault in faults), (title, name)


@pytest.mark.integration
def test_a_wrong_number_in_any_cell_is_found(recount: Recount) -> None:
    # The last place of what a cell begins with. What shuffles may give is a range, in 13 cells.
    cell = re.compile(r'(<td class="n">(?:(?:&lt;|<) )?[−\d,]*(?:\d\.\d*)?)(\d)')
    changed, count = cell.subn(lambda match: f"{match[1]}{(int(match[2]) + 3) % 10}", recount.html)
    faults = [fault for fault in recount.held_against(changed).faults if ", row " in fault]
    assert count - 13 <= len(faults) <= count
    assert count > 600


@pytest.mark.integration
def test_an_exhibit_a_row_or_a_number_that_nobody_recounts_is_a_fault(recount: Recount) -> None:
    head = '<h3><span class="exhibit-name">Table 25. </span>New</h3>'
    exhibit = f'<figure class="exhibit">{head}<p class="reading">There are 5.</p></figure>'
    faults = recount.held_against(recount.html.replace("<footer>", f"{exhibit}<footer>")).faults
    assert any("nobody recounts New" in fault for fault in faults)
    assert "held against nothing: There are 5." in faults
    row = "<tr><th>heavy metal</th><td>7</td></tr></tbody>"
    assert any(
        "rows are there" in fault for fault in recount.held_against(recount.html.replace("</tbody>", row)).faults
    )


def test_a_number_shows_a_value_as_far_as_its_last_place_says() -> None:
    assert tokens("kappa 0.59, 95 % [−0.04, 1,208] of simulated-1") == [
        Shown(0.59, pytest.approx(0.005), False),
        Shown(95.0, 0.5, False),
        Shown(-0.04, pytest.approx(0.005), False),
        Shown(1208.0, 0.5, False),
        "simulated-1",
    ]
    assert differs("0.59", [0.5949]) is None
    assert differs("0.59", [0.5951]) is not None
    assert differs("< 0.001", [0.0004]) is None
    assert differs("< 0.001", [0.002]) is not None
    assert differs("0.59", [Between(0.4, 0.58)]) is not None
    assert differs("38▲", [38.1, "▲"]) is None
    assert differs("38", [38.1, "▲"]) is not None
    assert differs("–", None) is None
