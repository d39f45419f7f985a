"""The whole report, recounted.

Belongs here: which exhibits there are and who recounts them. An exhibit that nobody recounts is a fault of the page,
and so is a number that was held against nothing.
"""

from pathlib import Path

from emovid_assets_tests.recount.agreement import agreement
from emovid_assets_tests.recount.benchmark import benchmark
from emovid_assets_tests.recount.captions import captions
from emovid_assets_tests.recount.colour import colour
from emovid_assets_tests.recount.home import Library
from emovid_assets_tests.recount.labeller import labeller
from emovid_assets_tests.recount.opening import hold_opening
from emovid_assets_tests.recount.page import Page
from emovid_assets_tests.recount.paper import paper
from emovid_assets_tests.recount.people import annotation
from emovid_assets_tests.recount.provenance import provenance, quarantine
from emovid_assets_tests.recount.size import emotions, size
from emovid_assets_tests.recount.space import space
from emovid_assets_tests.recount.transitions import transitions

SECTIONS = (
    *(size, emotions, space, colour, transitions, captions, annotation, agreement, labeller, benchmark),
    *(quarantine, provenance),
)
ALL_NUMBERS = "Every number of the paper, and ours"


class Recount:
    """What the report of a home should show."""

    def __init__(self, home: Path) -> None:
        self.library = Library(home)
        self.html = (home / "reports" / "report.html").read_text(encoding="utf-8")
        self.exhibits = {title: one for section in SECTIONS for title, one in section(self.library).items()}
        self.exhibits |= paper(self.library, Page.of(self.html).figures()[ALL_NUMBERS])

    def held_against(self, html: str) -> Page:
        """A page with its faults."""
        page = Page.of(html)
        there = page.figures()
        page.faults += [f"nobody recounts {title}" for title in there if title not in self.exhibits]
        page.faults += [f"there is no {title}" for title in self.exhibits if title not in there]
        for title, exhibit in self.exhibits.items():
            if title in there:
                page.hold_exhibit(title, exhibit)
        hold_opening(page, self.library)
        page.faults += [f"held against nothing: {text}" for text in page.left_over()]
        return page
