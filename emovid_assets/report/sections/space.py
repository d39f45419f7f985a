"""Where the clips lie: the paper's Figure 4, and how separate the groups are in it."""

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.charts.scatter import scatter, small_maps
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import count, interval, number, p_value, percent
from emovid_assets.drawing.palette import domain_colour, emotion_colour
from emovid_assets.report.answers import Answer, Answers, Row
from emovid_assets.report.exhibits import (
    FIGURE,
    TABLE,
    Column,
    Exhibit,
    Section,
    code,
    missing,
    name_column,
    table,
)

MOST_POINTS = 4000
# The order is that of a hash of the id: a fair choice, and the same one in every report.
MAP = f"""\
SELECT domain, emotion, x, y, count(*) OVER () AS map_count,
  count(*) FILTER (is_added) OVER () AS added_count, max(laid_out_count) OVER () AS laid_out_count
FROM embedding_map
WHERE x IS NOT NULL AND y IS NOT NULL
ORDER BY md5(clip_id), clip_id LIMIT {MOST_POINTS}"""
SEPARABILITY = """\
SELECT * FROM embedding_separability
ORDER BY grouping, group_name <> 'all', group_name"""
ADVICE = join("It needs embeddings: ", code('emovid build --select "+key:embedding_separability"'), ".")


def space(answers: Answers) -> Section:
    return Section("map", "Map", (_map(answers), _separability(answers)))


def _map(answers: Answers) -> Exhibit:
    title, paper = "Map of the clips: t-SNE of their embeddings", "Figure 4"
    answer = answers.ask(MAP)
    if not answer.rows:
        return missing(FIGURE, title, answer, ADVICE, paper)
    shown, total = len(answer.rows), answer.first["map_count"]
    domains = {row["domain"] for row in answer.rows}
    reading = (
        f"{count(shown)} {'clips' if shown == total else f'of the {count(total)} clips of the map'} of "
        f"{len(domains)} {'domain' if len(domains) == 1 else 'domains'}: what lies close is alike to the model; the "
        "axes, and the distances between far groups, mean nothing."
    )
    return Exhibit(FIGURE, title, reading, map_figures(answer), (answer,), paper, _state(answer.first))


def _state(row: Row) -> str | None:
    """Of which state of the library the map is, where it is not of the present one alone."""
    if not row["added_count"]:
        return None
    return (
        f"The map was made anew of {count(row['laid_out_count'])} clips; {count(row['added_count'])} that came later "
        "were put among them, which moves nothing that is there."
    )


def map_figures(answer: Answer) -> Markup:
    by_domain = {
        name: [(row["x"], row["y"]) for row in answer.rows if row["domain"] == name]
        for name in DOMAINS
        if any(row["domain"] == name for row in answer.rows)
    }
    by_emotion = {
        name: [(row["x"], row["y"]) for row in answer.rows if row["emotion"] == name] for name in EMOTION_NAMES
    }
    large = scatter(
        "map-domain",
        "by domain",
        "; ".join(f"{name}: {count(len(members))} clips" for name, members in by_domain.items()),
        by_domain,
        {name: domain_colour(name) for name in by_domain},
    )
    everything = [(row["x"], row["y"]) for row in answer.rows]
    small = small_maps("map-emotion", by_emotion, everything, {name: emotion_colour(name) for name in by_emotion})
    return join(element("div", large, class_="map"), element("div", *small, class_="small-maps"))


def _separability(answers: Answers) -> Exhibit:
    title, paper = "How separate domains and emotions are", "Figure 4"
    answer = answers.ask(SEPARABILITY)
    if not answer.rows:
        return missing(TABLE, title, answer, ADVICE, paper)
    overall = [row for row in answer.rows if row["group_name"] == "all" and row["purity"] is not None]
    reading = " ".join(
        f"Of the nearest clips of other sources {percent(row['purity'])} are of the same {row['grouping']}, where "
        f"chance would give {percent(row['chance_purity'])}."
        for row in overall
    )
    columns = (
        Column("grouping", lambda row: row["grouping"], is_number=False),
        name_column("group", "group_name"),
        Column("clips", lambda row: count(row["clip_count"])),
        Column("sources", lambda row: count(row["source_count"])),
        Column("silhouette", lambda row: _with_interval(row, "silhouette", number(row["silhouette"]))),
        Column("neighbours alike", lambda row: _with_interval(row, "purity", percent(row["purity"], 0), 100)),
        Column("by chance", lambda row: percent(row["chance_purity"], 0)),
        Column("p", lambda row: p_value(row["purity_p"])),
    )
    notes = (
        "Measured in the space of the embeddings, not on the map, which draws groups apart that are not. Silhouette: 1 "
        "is far from all other groups, 0 between them. In brackets: 95 % bootstrap intervals over source videos."
    )
    return Exhibit(
        TABLE,
        title,
        reading or None,
        table(title, answer.rows, columns, rests_on="clip_count"),
        (answer,),
        paper,
        notes,
        rests_on=min((row["clip_count"] for row in overall), default=None),
    )


def _with_interval(row: Row, name: str, shown: str, scale: int = 1) -> Markup:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None:
        return join(shown)
    return join(shown, element("span", interval(scale * low, scale * high, 2 if scale == 1 else 0), class_="interval"))
