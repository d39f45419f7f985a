"""What the captions say: the paper's most frequent phrases of each emotion."""

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.report.answers import Answers, Row
from emovid_assets.report.exhibits import TABLE, Exhibit, Section, missing
from emovid_assets.report.markup import Markup, element, join
from emovid_assets.report.numerals import count
from emovid_assets.report.palette import emotion_colour

PHRASES = "SELECT emotion, rank, phrase, caption_count FROM caption_phrases ORDER BY emotion, rank"
EXAMPLES = """\
SELECT e.emotion, arg_min(c.caption, md5(c.clip_id)) AS caption
FROM captions c JOIN emotion_labels e USING (clip_id)
GROUP BY e.emotion"""


def captions(answers: Answers) -> Section:
    title, paper = "Most frequent phrases in the captions of each emotion", "text on captions"
    answer, examples = answers.ask(PHRASES), answers.ask(EXAMPLES)
    if not answer.rows:
        advice = "Clips need captions and labels: emovid annotate import, then emovid build."
        return Section("captions", "Captions", (missing(TABLE, title, answer, advice, paper),))
    top = max(answer.rows, key=lambda row: row["caption_count"])
    reading = (
        f"The most frequent of these phrases is “{top['phrase']}”, in {count(top['caption_count'])} captions of "
        f"{top['emotion']}."
    )
    example = {row["emotion"]: row["caption"] for row in examples.rows}
    blocks = [
        _card(name, [row for row in answer.rows if row["emotion"] == name], example.get(name)) for name in EMOTION_NAMES
    ]
    body = element("div", *(block for block in blocks if block), class_="cards")
    notes = "Numbers are captions that contain the phrase. Below each list: the caption of one clip, chosen by a hash."
    return Section("captions", "Captions", (Exhibit(TABLE, title, reading, body, (answer, examples), paper, notes),))


def _card(emotion: str, rows: list[Row], example: str | None) -> Markup | None:
    if not rows:
        return None
    items = [
        element("li", element("span", row["phrase"]), element("span", count(row["caption_count"]), class_="n"))
        for row in rows
    ]
    return element(
        "div",
        element("h4", emotion),
        element("ol", *items, class_="phrases"),
        element("p", join("“", example, "”"), class_="example") if example else None,
        class_="card",
        style=f"--mark:{emotion_colour(emotion)}",
    )
