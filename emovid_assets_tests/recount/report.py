"""The whole report, recounted.

Belongs here: which exhibits there are and who recounts them. An exhibit that nobody recounts is a fault of the page.
"""

from pathlib import Path

from emovid_assets_tests.recount.agreement import agreement
from emovid_assets_tests.recount.captions import captions
from emovid_assets_tests.recount.colour import colour
from emovid_assets_tests.recount.home import Library
from emovid_assets_tests.recount.labeller import labeller
from emovid_assets_tests.recount.page import Page
from emovid_assets_tests.recount.people import annotation
from emovid_assets_tests.recount.size import emotions, size
from emovid_assets_tests.recount.space import space
from emovid_assets_tests.recount.transitions import transitions

SECTIONS = (size, emotions, space, colour, transitions, captions, annotation, agreement, labeller)


def recount(home: Path) -> Page:
    page, library = Page.of((home / "reports" / "report.html").read_text(encoding="utf-8")), Library(home)
    wanted = {title: exhibit for section in SECTIONS for title, exhibit in section(library).items()}
    there = page.figures()
    page.faults += [f"nobody recounts {title}" for title in there if title not in wanted]
    page.faults += [f"there is no {title}" for title in wanted if title not in there]
    for title, exhibit in wanted.items():
        if title in there:
            page.hold_exhibit(title, exhibit)
    return page
