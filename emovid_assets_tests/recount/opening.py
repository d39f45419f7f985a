"""What stands outside the exhibits: warnings, summary, tiles, known limits, headings and the foot of the page.

Belongs here: their numbers, each from what its section was recounted with.
"""

from collections import Counter
from typing import Any

from statsmodels.stats.proportion import proportion_confint

from emovid_assets_tests.recount import benchmark
from emovid_assets_tests.recount.agreement import ratings_of
from emovid_assets_tests.recount.home import DOMAINS, EMOTIONS, PEOPLE_PREFIX, Library, length
from emovid_assets_tests.recount.labeller import Quality, quality_of
from emovid_assets_tests.recount.page import FEW, Page
from emovid_assets_tests.recount.provenance import written_at
from emovid_assets_tests.recount.size import members, seconds_of

LIMITS_WITHOUT_NUMBERS = 3
PAPER_PLACES = {
    "Dataset statistics": "Table 2",
    "Beside other datasets of emotional video": "Table 1",
    "Emotion wheel: the eight labels by valence and arousal": "Figure 2",
    "Emotions per domain": "Figure 3",
    "Map of the clips: t-SNE of their embeddings": "Figure 4",
    "How separate domains and emotions are": "Figure 4",
    "Share of positive emotions by colour": "Figure 5",
    "Does the positive share rise with colour? Slopes and their tests": "Figure 5",
    "Generated video: models as the paper measured them": "Table 3",
}


def hold_opening(page: Page, library: Library) -> None:
    document = page.document
    (summary,), (tiles,) = document.of_class("summary"), document.of_class("tiles")
    warned = page.element("warnings").named("li")
    page.hold_all("warnings", warned, _warnings(library), "clips, answers and cells one by one")
    page.hold_all("summary", summary.named("dd"), _summary(library), "as the sections")
    page.hold_all("tiles", tiles.named("dd"), _tiles(library), "as the sections")
    page.hold_all("limits", document.of_class("limits")[0].named("li"), _limits(library), "as the sections")
    page.hold_all("foot", document.named("footer"), [written_at(library)], "packages and files")
    _hold_headings(page)


def _hold_headings(page: Page) -> None:
    numbers = page.document.of_class("number")
    page.hold_all("sections", numbers, [[place] for place in range(1, len(numbers) + 1)], "order of the page")
    counts = Counter[str]()
    for title, figure in page.figures().items():
        (name,) = figure.of_class("exhibit-name")
        kind = name.text.split()[0]
        counts[kind] += 1
        page.hold(title, name, [counts[kind]], "order of the page")
        for place in figure.of_class("paper"):
            if title in PAPER_PLACES:
                page.hold(title, place, f"Paper: {PAPER_PLACES[title]}", "the facts of the paper")


def unlabelled(library: Library) -> int:
    return len(library.clips) - len(library.labels)


def by_model(library: Library) -> int:
    return sum(source == "vlm" for _, source in library.labels.values())


def _ends(quality: Quality) -> tuple[float, float]:
    """Wilson's interval of the labeller's accuracy."""
    low, high = proportion_confint(round(quality.accuracy * quality.count), quality.count, method="wilson")
    return float(low), float(high)


def _warnings(library: Library) -> list[list[Any]]:
    found: list[list[Any]] = []
    if simulated := sum(row["annotator_id"].startswith(PEOPLE_PREFIX) for row in library.answers):
        found.append([simulated, len(library.answers)])
    if count := by_model(library):
        quality = quality_of(library)
        if _ends(quality)[0] <= quality.baseline:
            shares = [100 * quality.accuracy, quality.count, 100 * quality.baseline]
            found.append([count, len(library.labels), *shares])
    for domain in DOMAINS:
        if benchmark.members(library, domain, "benchmark") and not benchmark.members(library, domain, "train"):
            found.append([])
    if unknown := sum(not row["license"] for row in library.sources):
        found.append([unknown, len(library.sources)])
    counts, wanted = benchmark.cells(library), benchmark.wanted(library)
    begun = {domain for (domain, _), count in counts.items() if count}
    there = [count for (domain, _), count in counts.items() if domain in begun]
    if lacking := sum(count < wanted for count in there):
        found.append([lacking, len(there), wanted])
    return found


def _summary(library: Library) -> list[list[Any]]:
    total, human = len(library.labels), len(library.labels) - by_model(library)
    domains = [len(members(library, domain)) for domain in DOMAINS]
    size = [len(library.clips), *length(sum(seconds_of(library, "total"))), len(library.sources), *domains]
    labels = [human, total, 100 * human / total]
    labels += [total - human] if human < total else []
    labels += [unlabelled(library)] if unlabelled(library) else []
    ratings = ratings_of(library, "total")
    agreement: list[Any] = []
    for name in ("pooled people", "pooled model"):
        value, *ends = ratings.shown(*ratings.statistics[name]) or []
        agreement += [value, *([95, *ends] if ends else [])]
    labeller: list[Any] = []
    if by_model(library):
        quality = quality_of(library)
        ends = [100 * end for end in _ends(quality)]
        labeller = [100 * quality.accuracy, quality.count, 95, *ends, 100 * quality.baseline]
    unknown = sum(not row["license"] for row in library.sources)
    release = [unknown, len(library.sources)] if unknown else []
    return [size, labels, [*agreement, len(ratings.clips)], labeller, release]


def _tiles(library: Library) -> list[list[Any]]:
    ratings = ratings_of(library, "total")
    (people, _), (model, _) = (ratings.statistics[name] for name in ("pooled people", "pooled model"))
    total = len(library.labels)
    domains = {row["domain"] for row in library.sources}
    return [
        *([len(library.clips)], length(sum(seconds_of(library, "total")))),
        *([len(library.sources)], [len(domains), len(DOMAINS)]),
        *([total], [100 * (total - by_model(library)) / total]),
        *([people], [model]),
        *([sum(benchmark.cells(library).values())], []),
        *([len(library.table("processing_errors"))], []),
    ]


def _limits(library: Library) -> list[list[Any]]:
    found: list[list[Any]] = []
    rare = sum(library.count_of("total", name) < FEW for name in EMOTIONS)
    if rare:
        found.append([len(EMOTIONS), FEW] if rare == len(EMOTIONS) else [rare, len(EMOTIONS), FEW])
    found += [[by_model(library)]] if by_model(library) else []
    found.append([sum(row["model_id"].startswith("embedded/") for row in library.table("captions"))])
    ratings = ratings_of(library, "total")
    if ratings.needed is not None and ratings.needed.high > len(ratings.clips):
        found.append([len(ratings.clips), 0.04, ratings.needed])
    found += [[unlabelled(library)]] if unlabelled(library) else []
    errors = len(library.table("processing_errors"))
    found += [[errors]] if errors else []
    return found + [[]] * LIMITS_WITHOUT_NUMBERS
