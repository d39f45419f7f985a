"""The page: head, styles, contents, sections with their exhibits numbered, and what an empty library says first.

Belongs here: putting the HTML together. Does not belong here: any number, any file but the style sheets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.drawing import palette
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import DASH, count, hours, number, percent
from emovid_assets.drawing.svg import CHART_STYLE
from emovid_assets.report.answers import Answer, Answers
from emovid_assets.report.contents import all_sections, sections_without_clips
from emovid_assets.report.exhibits import FEW, FIGURE, TABLE, Exhibit, Section, code
from emovid_assets.report.facts import Facts
from emovid_assets.report.summary import summary, warnings_box
from emovid_assets.report.thumbnails import Thumbnails

TITLE = "EmoVid dataset report"
PAGE_STYLE = Path(__file__).with_name("page.css")
# Even if a text found a way into the markup, a browser would neither run nor fetch anything.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

CLIPS = "SELECT clip_count, duration_total_h FROM dataset_statistics WHERE domain = 'total'"
SOURCES = "SELECT count(*) AS source_count, count(DISTINCT domain) AS domain_count FROM source_videos"
LABELS = """\
SELECT sum(clip_count) AS clip_count, sum(human_label_count) AS human_count
FROM emotion_distribution WHERE domain = 'total'"""
KAPPAS = """\
SELECT max(value) FILTER (statistic = 'pooled_kappa_human_human') AS human,
       max(value) FILTER (statistic = 'pooled_kappa_human_vlm') AS model
FROM agreement_statistics WHERE scope = 'total' AND emotion = 'all'"""
BENCHMARK = "SELECT sum(clip_count) AS clip_count FROM benchmark_cells"
QUARANTINE = "SELECT count(*) AS item_count FROM processing_errors"


@dataclass(frozen=True)
class Page:
    """The document; `exhibit_count` are the tables and figures that it shows, `missing_count` those without data."""

    html: str
    exhibit_count: int
    missing_count: int
    is_empty: bool


def render(answers: Answers, thumbnails: Thumbnails, facts: Facts, *, library: str) -> Page:
    """The whole report. `library` is how the library's folder is called for the reader of an empty one."""
    size = answers.ask(CLIPS)
    is_empty = not size.first.get("clip_count")
    sections = sections_without_clips(answers, facts) if is_empty else all_sections(answers, thumbnails, facts)
    exhibits = [one for section in sections for one in section.exhibits]
    body = join(
        element("a", "Skip to the report", href="#main", class_="skip"),
        _contents(sections),
        element(
            "main",
            _header(answers, facts, size, is_empty),
            _first_steps(library, size) if is_empty else None,
            *_numbered(sections),
            element("footer", f"EmoVid Assets · built {facts.built_at:%Y-%m-%d %H:%M} UTC"),
            id="main",
        ),
    )
    missing = sum(one.is_missing for one in exhibits)
    return Page("<!doctype html>\n" + _document(body) + "\n", len(exhibits) - missing, missing, is_empty)


def _document(body: Markup) -> Markup:
    light, dark = palette.variables(palette.LIGHT), palette.variables(palette.DARK)
    style = "\n".join(
        (
            f":root{{{light}}}",
            f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}",
            CHART_STYLE.read_text("utf-8"),
            PAGE_STYLE.read_text("utf-8"),
        )
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content="EmoVid Assets"),
        element("link", rel="icon", href="data:,"),
        element("title", TITLE),
        element("style", Markup(style)),
    )
    return element("html", head, element("body", body), lang="en")


def _contents(sections: Sequence[Section]) -> Markup:
    links = [element("li", element("a", section.title, href=f"#{section.anchor}")) for section in sections]
    return element("nav", element("p", "Contents", class_="nav-head"), element("ol", *links), aria_label="Contents")


def _header(answers: Answers, facts: Facts, size: Answer, is_empty: bool) -> Markup:
    return element(
        "header",
        element("h1", TITLE),
        element(
            "p",
            "Every table and figure of the paper ",
            element("cite", "EmoVid: A Multimodal Emotion Video Dataset"),
            " for this dataset, each with the query that makes it.",
            class_="lead",
        ),
        warnings_box(answers),
        None if is_empty else summary(answers),
        None if is_empty else _tiles(answers, size),
    )


def _tiles(answers: Answers, size: Answer) -> Markup:
    labels, kappas = answers.ask(LABELS).first, answers.ask(KAPPAS).first
    sources = answers.ask(SOURCES).first
    labelled, human = labels.get("clip_count") or 0, labels.get("human_count") or 0
    kappa = number(kappas.get("human")) if kappas.get("human") is not None else DASH
    shown = (
        (count(size.first["clip_count"]), "clips", hours(size.first["duration_total_h"])),
        (count(sources.get("source_count")), "source videos", f"{count(sources.get('domain_count'))} of 3 domains"),
        (count(labelled), "labelled clips", f"{percent(human / labelled, 0)} by people" if labelled else "none yet"),
        (kappa, "kappa of people", f"with the model {number(kappas.get('model'))}"),
        (count(answers.ask(BENCHMARK).first.get("clip_count")), "benchmark clips", "for evaluation"),
        (count(answers.ask(QUARANTINE).first.get("item_count")), "in quarantine", "files or clips"),
    )
    tiles = [
        element("div", element("dt", name), element("dd", value), element("dd", more, class_="more"), class_="tile")
        for value, name, more in shown
    ]
    return element("dl", *tiles, class_="tiles")


def _first_steps(library: str, size: Answer) -> Markup:
    why = "The catalogue cannot be read yet" if size.problem else "There are no clips yet"
    steps = (
        join(
            "Put videos into ",
            code(f"{library}/movie"),
            ", ",
            code(f"{library}/animation"),
            " and ",
            code(f"{library}/sticker"),
            ".",
        ),
        join("Run ", code("emovid build"), ": clips, measurements, captions and annotation tasks."),
        join(
            "Run ",
            code("emovid annotate export to-annotate"),
            ", have people answer, and bring the answers back with ",
            code("emovid annotate import"),
            ".",
        ),
        join("Run ", code("emovid build"), " again: labels, validation, benchmark, and this report."),
    )
    return element(
        "section",
        element("h2", "What to do first"),
        element(
            "p",
            f"{why}, so there is nothing to count or draw. To see a full report at once, run ",
            code("emovid demo"),
            " in an empty home folder.",
        ),
        element("ol", *(element("li", step) for step in steps), class_="steps"),
        id="first-steps",
    )


def _numbered(sections: Sequence[Section]) -> list[Markup]:
    """The sections; tables and figures are numbered through the report, as in a paper."""
    numbers = {TABLE: 0, FIGURE: 0}
    written = []
    for position, section in enumerate(sections, start=1):
        exhibits = []
        for one in section.exhibits:
            numbers[one.kind] += 1
            exhibits.append(_exhibit(one, numbers[one.kind]))
        heading = element(
            "h2",
            element("a", element("span", f"{position}", class_="number"), section.title, href=f"#{section.anchor}"),
        )
        written.append(element("section", heading, section.text, *exhibits, id=section.anchor))
    return written


def _exhibit(one: Exhibit, number_of: int) -> Markup:
    name = f"{one.kind} {number_of}"
    caption = element(
        "figcaption",
        element("h3", element("span", f"{name}. ", class_="exhibit-name"), one.title),
        element("span", f"Paper: {one.paper}", class_="paper") if one.paper else None,
    )
    return element(
        "figure",
        caption,
        element("p", one.reading, class_="reading thin" if one.is_thin else "reading") if one.reading else None,
        element("p", f"It rests on {count(one.rests_on)}, fewer than {FEW}: this may be chance.", class_="thin-note")
        if one.is_thin
        else None,
        one.body,
        element("p", one.notes, class_="notes") if one.notes else None,
        _queries(one.answers),
        id=name.lower().replace(" ", "-"),
        class_="exhibit",
    )


def _queries(answers: Sequence[Answer]) -> Any:
    if not answers:
        return None
    summary = element("summary", "Query" if len(answers) == 1 else f"{len(answers)} queries")
    return element("details", summary, *(element("pre", code(answer.sql)) for answer in answers), class_="query")
