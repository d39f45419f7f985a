"""From one scene to the next: the paper's Markov matrix of emotions in movies."""

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.charts.heat import heat_map
from emovid_assets.drawing.markup import Markup
from emovid_assets.drawing.numerals import count, number, p_value, percent
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import (
    FIGURE,
    TABLE,
    Column,
    Exhibit,
    Section,
    missing,
    name_column,
    side_by_side,
    table,
)

TRANSITIONS = "SELECT * FROM emotion_transitions"
TESTS = "SELECT * FROM transition_tests"
STRONG = 2.0
KINDS = {"strict": "strict: no dropped segment between", "bridged": "bridged: dropped segments between allowed"}
NO_FILMS = "Films need two neighbouring clips with labels: emovid annotate import, then emovid build."


def transitions(answers: Answers) -> Section:
    title, paper = "Emotion of a clip and of the next one in the same film", "text on transitions"
    answer = answers.ask(TRANSITIONS)
    pairs = sum(row["transition_count"] for row in answer.rows if row["kind"] == "bridged")
    if not pairs:
        return Section("transitions", "Transitions", (missing(FIGURE, title, answer, NO_FILMS, paper),))
    rows = [row for row in answer.rows if row["kind"] == "bridged"]
    stayed = sum(row["transition_count"] for row in rows if row["from_emotion"] == row["to_emotion"])
    # What would stay if the next emotion did not depend on this one: the two margins.
    arrivals: dict[str, int] = {}
    for row in rows:
        arrivals[row["to_emotion"]] = arrivals.get(row["to_emotion"], 0) + row["transition_count"]
    departures = {row["from_emotion"]: row["from_count"] for row in rows}
    expected = sum(departures[name] * arrivals[name] for name in departures) / pairs**2
    top = max(rows, key=lambda row: (row["probability"] or 0, row["transition_count"]))
    reading = (
        f"Of {count(pairs)} pairs of successive clips {percent(stayed / pairs)} keep their emotion, where "
        f"{percent(expected)} would by chance; the most probable step is from {top['from_emotion']} to "
        f"{top['to_emotion']} ({count(top['transition_count'])} of {count(top['from_count'])}, "
        f"{percent(top['probability'])})."
    )
    notes = "Numbers are percent of a row; n is the number of pairs that start there. A row with a small n says little."
    if answer.has("residual"):
        notes += " ▲ and ▽: more and less often than chance gives (standardised residual beyond ± 2)."
    body = side_by_side(*transition_figures(answer))
    matrix = Exhibit(FIGURE, title, reading, body, (answer,), paper, notes, rests_on=pairs)
    return Section("transitions", "Transitions", (matrix, _tests(answers)))


def _tests(answers: Answers) -> Exhibit:
    title, paper = "Do emotions follow each other by chance?", "text on transitions"
    answer = answers.ask(TESTS)
    rows = [row for row in answer.rows if row["pair_count"]]
    if not rows:
        return missing(TABLE, title, answer, NO_FILMS, paper)
    reading = " ".join(_dependence(row) for row in rows if row["kind"] == "bridged")
    columns = (
        name_column("kind", "kind"),
        Column("pairs", lambda row: count(row["pair_count"])),
        Column("χ²", lambda row: number(row["chi_square"], 1)),
        Column("df", lambda row: count(row["df"])),
        Column("p", lambda row: p_value(row["p_value"])),
        Column("Cramér’s V", lambda row: number(row["cramers_v"])),
        Column("stay", lambda row: percent(row["self_share"])),
        Column("by chance", lambda row: percent(row["expected_self_share"])),
        Column("same polarity", lambda row: percent(row["same_polarity_share"])),
        Column("by chance", lambda row: percent(row["expected_same_polarity_share"])),
        Column("thin cells", lambda row: percent(row["low_expected_share"], 0)),
    )
    notes = (
        "Thin cells: the share of cells that expect fewer than five pairs; with many of them χ² is a rough guide only."
    )
    body, fewest = table(title, rows, columns, rests_on="pair_count"), min(row["pair_count"] for row in rows)
    return Exhibit(TABLE, title, reading or None, body, (answer,), paper, notes, rests_on=fewest)


def _dependence(row: Row) -> str:
    if row["p_value"] is None:
        return "Too few emotions follow each other for a test."
    # The approximation is Cochran's: at most a fifth of the cells may expect fewer than five.
    is_rough = row["low_expected_share"] is not None and row["low_expected_share"] > 0.2
    depends = "seems to depend" if is_rough else "depends"
    said = depends if row["p_value"] < 0.05 else "is not shown to depend"
    p = p_value(row["p_value"])
    shown = f"p {p}" if p.startswith("<") else f"p = {p}"
    thin = (
        f", but {percent(row['low_expected_share'], 0)} of the cells expect fewer than five pairs"
        if row["low_expected_share"]
        else ""
    )
    return f"The next emotion {said} on this one (χ² = {number(row['chi_square'], 1)}, {shown}){thin}."


def transition_figures(answer: Answer) -> list[Markup]:
    panels = []
    for kind, meaning in KINDS.items():
        rows = [row for row in answer.rows if row["kind"] == kind]
        at = {(row["from_emotion"], row["to_emotion"]): row for row in rows}
        starts = {row["from_emotion"]: row["from_count"] for row in rows}
        total = sum(row["transition_count"] for row in rows)
        values = [
            [at[start, end]["probability"] if starts[start] else None for end in EMOTION_NAMES]
            for start in EMOTION_NAMES
        ]
        panels.append(
            heat_map(
                f"transitions-{kind}",
                f"{meaning}, n = {count(total)}",
                "; ".join(
                    f"{start} to {end} {percent(at[start, end]['probability'], 0)}"
                    for start in EMOTION_NAMES
                    for end in EMOTION_NAMES
                    if at[start, end]["transition_count"]
                ),
                EMOTION_NAMES,
                EMOTION_NAMES,
                values,
                [[_shown(at[start, end]) for end in EMOTION_NAMES] for start in EMOTION_NAMES],
                highest=max((value for line in values for value in line if value), default=1.0),
                row_title="from",
                column_title="to",
                row_notes=[f"n={starts[name]:,}" for name in EMOTION_NAMES],
            )
        )
    return panels


def _shown(row: Row) -> str:
    """Percent, with a mark where chance does not explain it; nothing where nobody was seen to go."""
    residual = row.get("residual")
    mark = "" if residual is None or abs(residual) < STRONG else "▲" if residual > 0 else "▽"
    return f"{100 * row['probability']:.0f}{mark}" if row["probability"] else mark
