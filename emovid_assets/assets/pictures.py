"""Pictures for the UI: charts as SVG and contact sheets as JPEG, in Markdown with the image inside.

Belongs here: what metadata shows. Does not belong here: how a chart is drawn (`drawing`), any number that is not in a
table too.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.plain_text import for_markdown
from emovid_assets.core.separability import ALL
from emovid_assets.drawing.charts import bars as bar_chart
from emovid_assets.drawing.charts import histogram as histogram_chart
from emovid_assets.drawing.charts.heat import heat_map, symmetric
from emovid_assets.drawing.charts.hues import hue_circle
from emovid_assets.drawing.charts.intervals import Estimate, intervals
from emovid_assets.drawing.charts.scatter import Point, scatter, small_maps
from emovid_assets.drawing.markup import Markup
from emovid_assets.drawing.numerals import clips, count, number, sample
from emovid_assets.drawing.palette import domain_colour, emotion_colour
from emovid_assets.drawing.svg import grid, standalone

SHEET_CLIPS = 24
SHEET_COLUMNS = 6
TILE_PX, GAP_PX, LABEL_PX = 120, 6, 18
BINS = 24
MOST_DOTS = 400
"""Of the circle of hues: each is an element of its own, and the event log keeps them all."""
NOTHING = dg.MetadataValue.md("nothing to show yet")


def _image(title: str, address: str) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![{for_markdown(title)}]({address})")


def drawings(title: str, figures: Iterable[Markup]) -> dg.MetadataValue:
    """Charts, one below the other."""
    return dg.MetadataValue.md("\n\n".join(f"![{for_markdown(title)}]({standalone(figure)})" for figure in figures))


def histogram(values: Sequence[float], label: str, limits: tuple[float, float] | None = None) -> dg.MetadataValue:
    """Distribution of a number."""
    if not values:
        return NOTHING
    counts, edges = np.histogram(values, bins=BINS, range=limits)
    title = f"{label}, {sample(len(values))}"
    said = f"from {min(values):.4g} to {max(values):.4g}"
    return drawings(label, [histogram_chart.histogram("histogram", title, said, edges.tolist(), counts.tolist())])


def bars(counts: Mapping[str, int], title: str) -> dg.MetadataValue:
    """Count per emotion in EmoSet's order."""
    if not sum(counts.values()):
        return NOTHING
    entries = [
        bar_chart.Bar(name, counts.get(name, 0), count(counts.get(name, 0)), emotion_colour(name))
        for name in EMOTION_NAMES
    ]
    said = "; ".join(f"{bar.name} {bar.shown}" for bar in entries)
    return drawings(title, [bar_chart.bars("bars", title, said, entries)])


def confusion_matrix(
    matrix: Sequence[Sequence[int]], rows: str, columns: str, labels: Sequence[str] = EMOTION_NAMES
) -> dg.MetadataValue:
    """Counts, rows by columns, both in the order of `labels` (EmoSet's by default)."""
    if not np.any(matrix):
        return NOTHING
    highest = max(map(max, matrix))
    shown = [[str(cell) if cell else "" for cell in row] for row in matrix]
    return _matrix(rows, columns, labels, matrix, shown, highest)


def agreement_matrix(pairs: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Cohen's kappa of every pair of raters."""
    if not pairs:
        return NOTHING
    raters = sorted({name for row in pairs for name in (row["rater_a"], row["rater_b"])})
    values, shown = symmetric(raters, {frozenset((row["rater_a"], row["rater_b"])): row["kappa"] for row in pairs})
    return _matrix("rater", "rater", raters, values, shown, 1.0)


def _matrix(
    rows: str,
    columns: str,
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    shown: Sequence[Sequence[str]],
    highest: float,
) -> dg.MetadataValue:
    title = f"{rows} by {columns}"
    said = f"{len(names)} rows and as many columns, the highest value {highest:g}"
    chart = heat_map(
        "matrix", title, said, names, names, values, shown, highest=highest, row_title=rows, column_title=columns
    )
    return drawings(title, [chart])


def domain_map(points: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """The map, each clip in the colour of its domain, with the domains' counts."""
    if not points:
        return NOTHING
    title = "Clips by domain: t-SNE of the embeddings"
    groups = _places(points, "domain", DOMAINS)
    colours = {name: domain_colour(name) for name in groups}
    return drawings("map by domain", [scatter("domains", title, clips(len(points)), groups, colours)])


def emotion_map(points: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """A small map per emotion on the pale map of all clips."""
    if not points:
        return NOTHING
    title = "Clips by emotion: positive emotions above, negative below"
    groups = _places(points, "emotion", EMOTION_NAMES)
    everything = [(row["x"], row["y"]) for row in points]
    maps = small_maps("emotion", groups, everything, {name: emotion_colour(name) for name in groups})
    return drawings("map by emotion", [grid("emotions", title, clips(len(points)), maps, columns=4)])


def _places(points: Sequence[Mapping[str, Any]], key: str, names: Sequence[str]) -> dict[str, list[Point]]:
    return {name: [(row["x"], row["y"]) for row in points if row[key] == name] for name in names}


def separability_plot(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Share of neighbours in the own group with its interval, beside what chance gives: a chart per grouping."""
    shown = [row for row in rows if row["purity"] is not None]
    if not shown:
        return NOTHING
    axis = (
        f"share of the {shown[0]['neighbour_count']} nearest clips of other\nsources in the same group, 95 % interval"
    )
    charts = []
    for grouping in dict.fromkeys(row["grouping"] for row in shown):
        estimates = [_purity(row) for row in shown if row["grouping"] == grouping]
        said = "; ".join(f"{one.name} {number(one.value)}, by chance {number(one.reference)}" for one in estimates)
        title, legend = f"neighbours by {grouping}", ("measured", "by chance")
        charts.append(intervals(f"by-{grouping}", title, said, estimates, axis=axis, legend=legend))
    return drawings("neighbours", charts)


def _purity(row: Mapping[str, Any]) -> Estimate:
    name = f"all {row['grouping']}s" if row["group_name"] == ALL else row["group_name"]
    colour = (domain_colour if row["grouping"] == "domain" else emotion_colour)(row["group_name"])
    return Estimate(name, row["purity"], row["purity_low"], row["purity_high"], colour, row["chance_purity"])


def colour_swatches(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Each clip as a dot: hue as angle, saturation as radius, in its own mean colour. Of very many some."""
    chromatic = [row for row in rows if row["hue_chromatic_deg"] is not None]
    if not chromatic:
        return NOTHING
    shown = [chromatic[index] for index in _spread(len(chromatic), MOST_DOTS)]
    colours = [(row["hue_chromatic_deg"], row["colorfulness_mean"], row["brightness_mean"]) for row in shown]
    some = "" if len(shown) == len(chromatic) else f"{count(len(shown))} of "
    title, said = "mean hue and colourfulness per clip", f"{some}{clips(len(chromatic))}"
    return drawings("hues", [hue_circle("hues", title, said, colours)])


def _spread(length: int, most: int) -> list[int]:
    """At most so many places of a list, spread evenly over it."""
    step = max(1, length / most)
    return [int(place * step) for place in range(min(most, length))]


def contact_sheet(
    folder: Path,
    paths: Sequence[str],
    captions: Sequence[str] | None = None,
    *,
    columns: int = SHEET_COLUMNS,
    most: int = SHEET_CLIPS,
) -> dg.MetadataValue:
    """Up to `most` thumbnails below a folder, spread evenly over the list."""
    import cv2

    if not paths:
        return NOTHING
    picked = _spread(len(paths), most)
    tiles = {index: tile for index in picked if (tile := _tile(folder / paths[index])) is not None}
    columns = min(columns, len(picked))
    label_px = LABEL_PX if captions else 0
    line_px = max((tile.shape[0] for tile in tiles.values()), default=0) + GAP_PX + label_px
    sheet = np.full((-(-len(picked) // columns) * line_px, columns * TILE_PX, 3), 245, np.uint8)
    for position, index in enumerate(picked):
        if index not in tiles:
            continue
        left, top = position % columns * TILE_PX, position // columns * line_px
        height, width = tiles[index].shape[:2]
        y, x = top + (line_px - label_px - height) // 2, left + (TILE_PX - width) // 2
        sheet[y : y + height, x : x + width] = tiles[index]
        if captions:
            place = (left + GAP_PX, top + line_px - GAP_PX)
            cv2.putText(sheet, captions[index], place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (81, 65, 55), 1, cv2.LINE_AA)
    _, data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return _image("thumbnails", f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}")


def _tile(path: Path) -> np.ndarray | None:
    import cv2

    picture = cv2.imread(str(path))
    if picture is None:
        return None
    scale = (TILE_PX - GAP_PX) / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def benchmark_grid(home: Path, rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """First frames of benchmark clips with their emotion."""
    shown = sorted(
        (row for row in rows if row["first_frame_path"]), key=lambda row: EMOTION_NAMES.index(row["emotion"])
    )
    return contact_sheet(home, [row["first_frame_path"] for row in shown], [row["emotion"] for row in shown])
