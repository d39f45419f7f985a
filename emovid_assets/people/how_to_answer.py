"""The page that goes with exported files: what to fill in, and how it comes back.

Belongs here: its words. Does not belong here: the files themselves (`files`), and what Label Studio shows
(`core.label_studio`).
"""

from collections.abc import Iterable, Mapping

from emovid_assets.core.emotions import EMOTIONS, NO_SPECIFIC_EMOTION
from emovid_assets.core.label_studio import EXAMPLES
from emovid_assets.drawing.markup import Markup, element

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code{background:#eee;padding:0 .25em}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}"
)
_COLUMNS = {
    "clip_id, purpose": "stay as they are: they say what is asked",
    "media_path": "the clip to watch, below the folder of the project; with sound, as often as you like",
    "annotator_id": "who you are: the same name or address in every row and file; where it is filled in, it stays",
    "label": "your answer; leave it empty for a clip that you do not want to judge",
    "annotated_at": "when, if you like: 2026-11-20T10:00:00Z",
    "lead_time_s": "how many seconds it took, if you like",
    "tool": "stays",
    "intended_emotion": "in files of verify: the emotion that the sticker was collected for",
    "answered_by": "in files of adjudicate: who has answered already. The answer has to come from somebody else",
}


def page(files: Mapping[str, int]) -> str:
    """HTML without anything from elsewhere. `files`: names of the CSV files with the number of clips in each."""
    labels = [(emotion.name, emotion.definition, EXAMPLES[emotion.name]) for emotion in EMOTIONS]
    labels.append((NO_SPECIFIC_EMOTION, "neutral, or too mixed to name one", EXAMPLES[NO_SPECIFIC_EMOTION]))
    body = element(
        "body",
        element("h1", "How to answer"),
        element("p", "Each CSV file is for one person. Open yours in a program for tables and fill in one row a clip."),
        _table(("file", "clips"), files.items()),
        element("h2", "The columns"),
        _table(("column", "what stands there"), _COLUMNS.items()),
        element("h2", "The answers"),
        element(
            "p",
            "In files of label, validate, adjudicate and review: the one emotion that the clip conveys most, what a "
            "viewer is meant to feel. Upper and lower case are the same, blanks and underscores too.",
        ),
        _table(("label", "when", "for example"), labels),
        element("p", "In files of verify: yes (accept) where the sticker conveys its emotion to you, no (reject)."),
        element("p", "Answer by yourself: do not look at or talk about other people's answers."),
        element("h2", "How it comes back"),
        element(
            "p",
            "Save the file as CSV (commas, semicolons or tabs, UTF-8 or UTF-16) and send it to whoever gave it to you. "
            "There, ",
            element("code", "emovid annotate import FILE"),
            " takes it in and says which rows cannot be read and why; a mended file may have the same name.",
        ),
    )
    title, style = element("title", "How to answer"), element("style", Markup(_STYLE))
    head = element("head", element("meta", charset="utf-8"), title, style)
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _table(header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> Markup:
    lines = [element("tr", *(element("th", name) for name in header))]
    lines += [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    return element("table", *lines)
