"""What the captions say: the paper's most frequent phrases of each emotion, and the most distinctive ones."""

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import count, counted, number
from emovid_assets.drawing.palette import emotion_colour
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import TABLE, Exhibit, Section, missing, nothing

PHRASES = "SELECT emotion, rank, phrase, caption_count FROM caption_phrases ORDER BY emotion, rank"
EXAMPLES = """\
SELECT e.emotion, arg_min(c.caption, md5(c.clip_id)) AS caption
FROM captions c JOIN emotion_labels e USING (clip_id)
GROUP BY e.emotion"""


DISTINCTIVE = """\
SELECT emotion, rank, phrase, caption_count, other_caption_count, z_score
FROM distinctive_phrases WHERE rank <= 5 ORDER BY emotion, rank"""
NO_CAPTIONS = "Clips need captions and labels: emovid annotate import, then emovid build."


def captions(answers: Answers) -> Section:
    return Section("captions", "Captions", (_frequent(answers), _distinctive(answers)))


def _frequent(answers: Answers) -> Exhibit:
    title, paper = "Most frequent phrases in the captions of each emotion", "text on captions"
    answer, examples = answers.ask(PHRASES), answers.ask(EXAMPLES)
    if not answer.rows:
        return missing(TABLE, title, answer, NO_CAPTIONS, paper)
    top = max(answer.rows, key=lambda row: (row["caption_count"], -EMOTION_NAMES.index(row["emotion"])))
    reading = (
        f"The most frequent of these phrases is “{top['phrase']}”, in {counted(top['caption_count'], 'caption')} of "
        f"{top['emotion']}."
    )
    example = {row["emotion"]: row["caption"] for row in examples.rows}
    cards = [
        _card(name, [(row["phrase"], count(row["caption_count"])) for row in _of(answer, name)], example.get(name))
        for name in EMOTION_NAMES
    ]
    notes = "Numbers are captions that contain the phrase. Below each list: the caption of one clip, chosen by a hash."
    return Exhibit(
        TABLE, title, reading, _side_by_side(cards), (answer, examples), paper, notes, rests_on=top["caption_count"]
    )


def _distinctive(answers: Answers) -> Exhibit:
    title = "Most distinctive phrases in the captions of each emotion"
    answer = answers.ask(DISTINCTIVE)
    if answer.problem is not None or not answers.ask(PHRASES).rows:
        return missing(TABLE, title, answer, NO_CAPTIONS)
    if not answer.rows:
        return nothing(TABLE, title, answer, "None: no phrase tells the captions of an emotion from the others.")
    top = max(answer.rows, key=lambda row: (row["z_score"], -EMOTION_NAMES.index(row["emotion"])))
    reading = (
        f"“{top['phrase']}” tells {top['emotion']} from the others most: it is in {count(top['caption_count'])} of its "
        f"captions and in {count(top['other_caption_count'])} of all others (z = {number(top['z_score'], 1)})."
    )
    cards = [
        _card(name, [(row["phrase"], f"z {number(row['z_score'], 1)}") for row in _of(answer, name)], None)
        for name in EMOTION_NAMES
    ]
    notes = "z: log-odds of the phrase against all other captions, with a prior, in standard errors; above 1.96 only."
    return Exhibit(TABLE, title, reading, _side_by_side(cards), (answer,), None, notes, rests_on=top["caption_count"])


def _of(answer: Answer, emotion: str) -> list[Row]:
    return [row for row in answer.rows if row["emotion"] == emotion]


def _side_by_side(cards: list[Markup | None]) -> Markup:
    return element("div", *(card for card in cards if card is not None), class_="cards")


def _card(emotion: str, phrases: list[tuple[str, str]], example: str | None) -> Markup | None:
    if not phrases:
        return None
    items = [element("li", element("span", phrase), element("span", shown, class_="n")) for phrase, shown in phrases]
    return element(
        "div",
        element("h4", emotion),
        element("ol", *items, class_="phrases"),
        element("p", join("“", example, "”"), class_="example") if example else None,
        class_="card",
        style=f"--mark:{emotion_colour(emotion)}",
    )
