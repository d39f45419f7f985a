"""Writes `reports/report.html` of a home.

Belongs here: opening the catalogue and putting the file into place. The page itself is `page`'s.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emovid_assets.core.placing import put_bytes
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.report.answers import Answers
from emovid_assets.report.facts import Facts, read_facts
from emovid_assets.report.page import Page, render
from emovid_assets.report.thumbnails import Thumbnails
from emovid_assets.resources.catalogue import open_catalogue


@dataclass(frozen=True)
class ReportSummary:
    """`content_sha256` is of the page without the time at which it was built: equal data, equal hash."""

    path: Path
    size_bytes: int
    exhibit_count: int
    missing_count: int
    is_empty: bool
    left_out_pictures: int
    content_sha256: str


def build_report(home: Home, *, to: Path | None = None, built_at: datetime | None = None) -> ReportSummary:
    """Writes the report beside and renames it into place: a reader never sees half of one. `to`: another place.

    Raises CatalogueError where the views cannot be built or opened, SettingsError for a faulty settings file.
    """
    now = (built_at or datetime.now(UTC)).astimezone(UTC)
    facts = read_facts(home, now)
    with open_catalogue(home.root, shipped_file("sql")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        answers, thumbnails = Answers(connection), Thumbnails(home.root)
        page = render(answers, thumbnails, facts, library=home.relative(home.library))
    data = page.html.encode("utf-8")
    path = to or home.report
    put_bytes(path, data)
    return ReportSummary(
        path,
        len(data),
        page.exhibit_count,
        page.missing_count,
        page.is_empty,
        thumbnails.left_out,
        _digest(page, facts),
    )


def _digest(page: Page, facts: Facts) -> str:
    dates = {f"{facts.built_at:%Y-%m-%d at %H:%M}", f"{facts.built_at:%Y-%m-%d %H:%M}"}
    undated = page.html
    for date in dates:
        undated = undated.replace(date, "")
    return hashlib.sha256(undated.encode("utf-8")).hexdigest()
