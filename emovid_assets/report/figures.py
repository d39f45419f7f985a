"""The report's figures one by one, for whoever shows them outside the page.

Belongs here: their names, queries and drawings. Does not belong here: the sentences beside them.
"""

from collections.abc import Callable, Iterable

from emovid_assets.drawing.markup import Markup
from emovid_assets.report.answers import Answer, Answers
from emovid_assets.report.sections import agreement, colour, emotions, labeller, transitions

Draw = Callable[[Answer], Iterable[Markup]]

FIGURES: dict[str, tuple[str, str, Draw]] = {
    "emotion wheel": (emotions.WHEEL, "clip_count", lambda answer: [emotions.wheel_figure(answer)]),
    "emotions per domain": (emotions.DISTRIBUTION, "clip_count", emotions.distribution_figures),
    "polarity by colour": (colour.POLARITY, "clip_count", colour.polarity_figures),
    "transitions": (transitions.TRANSITIONS, "transition_count", transitions.transition_figures),
    "agreement": (agreement.PAIRS, "clip_count", agreement.agreement_figures),
    "people and model": (labeller.CONFUSION, "clip_count", labeller.confusion_figures),
}
"""Name → query, the column that is above zero somewhere when there is something to draw, and the drawing."""


def drawn(answers: Answers) -> dict[str, list[Markup]]:
    """Figures by name; what has no data yet is left out."""
    found = {}
    for name, (sql, counted, draw) in FIGURES.items():
        answer = answers.ask(sql)
        if any(row[counted] for row in answer.rows):
            found[name] = list(draw(answer))
    return found
