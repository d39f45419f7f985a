"""Pictures for the UI: small plots and contact sheets as Markdown with the image inside.

Belongs here: drawing what metadata shows. Does not belong here: any number that is not in a table too.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets.core.separability import ALL
from emovid_assets.drawing import palette
from emovid_assets.drawing.markup import Markup
from emovid_assets.drawing.svg import standalone

SHEET_CLIPS = 24
SHEET_COLUMNS = 6
TILE_PX, GAP_PX, LABEL_PX = 120, 6, 18
INK, POSITIVE, NEGATIVE, NEUTRAL = "#374151", "#2a78b5", "#c2573f", "#6b7280"
PALE = "#d7dbe0"
DOMAIN_COLOURS = {domain: colours[palette.LIGHT] for domain, colours in palette.DOMAIN_COLOURS.items()}
NOTHING = dg.MetadataValue.md("nothing to show yet")


def _markdown_image(data: bytes, kind: str, title: str) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![{title}](data:image/{kind};base64,{base64.b64encode(data).decode()})")


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """A figure outside pyplot, which keeps global state that threads of a server would share."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    return figure, axes


def _rendered(figure: Any, title: str) -> dg.MetadataValue:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return _markdown_image(buffer.getvalue(), "png", title)


def drawings(title: str, figures: Iterable[Markup]) -> dg.MetadataValue:
    """Figures of the report, one below the other, as SVG."""
    return dg.MetadataValue.md("\n\n".join(f"![{title}]({standalone(figure)})" for figure in figures))


def histogram(values: Sequence[float], label: str, limits: tuple[float, float] | None = None) -> dg.MetadataValue:
    """Distribution of a number."""
    if not values:
        return NOTHING
    figure, axes = _figure(4.2, 2.0)
    axes.hist(values, bins=24, range=limits, color=POSITIVE)
    axes.set_xlabel(label, fontsize=8, color=INK)
    axes.set_ylabel("count", fontsize=8, color=INK)
    return _rendered(figure, label)


def bars(counts: Mapping[str, int], title: str) -> dg.MetadataValue:
    """Count per emotion in EmoSet's order, coloured by polarity."""
    if not sum(counts.values()):
        return NOTHING
    figure, axes = _figure(4.2, 2.2)
    colours = [POSITIVE if EMOTION_BY_NAME[name].polarity == "positive" else NEGATIVE for name in EMOTION_NAMES]
    drawn = axes.barh(EMOTION_NAMES, [counts.get(name, 0) for name in EMOTION_NAMES], color=colours)
    axes.bar_label(drawn, fontsize=8, color=INK, padding=2)
    axes.invert_yaxis()
    axes.set_title(title, fontsize=9, color=INK)
    return _rendered(figure, title)


def confusion_matrix(
    matrix: Sequence[Sequence[int]], rows: str, columns: str, labels: Sequence[str] = EMOTION_NAMES
) -> dg.MetadataValue:
    """Counts, rows by columns, both in the order of `labels` (EmoSet's by default)."""
    if not np.any(matrix):
        return NOTHING
    return _matrix(np.asarray(matrix, float), list(labels), list(labels), rows, columns, "{:.0f}", None)


def agreement_matrix(pairs: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Cohen's kappa of every pair of raters."""
    if not pairs:
        return NOTHING
    raters = sorted({name for row in pairs for name in (row["rater_a"], row["rater_b"])})
    matrix = np.full((len(raters), len(raters)), np.nan)
    for row in pairs:
        if row["kappa"] is not None:
            a, b = raters.index(row["rater_a"]), raters.index(row["rater_b"])
            matrix[a, b] = matrix[b, a] = row["kappa"]
    return _matrix(matrix, raters, raters, "rater", "rater", "{:.2f}", (0.0, 1.0))


def _matrix(
    matrix: np.ndarray,
    row_names: list[str],
    column_names: list[str],
    rows: str,
    columns: str,
    form: str,
    limits: tuple[float, float] | None,
) -> dg.MetadataValue:
    figure, axes = _figure(1.8 + 0.5 * len(column_names), 1.4 + 0.4 * len(row_names))
    low, high = limits or (0.0, max(1.0, float(np.nanmax(matrix))))
    axes.imshow(matrix, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    axes.set_xticks(range(len(column_names)), column_names, rotation=40, ha="right")
    axes.set_yticks(range(len(row_names)), row_names)
    axes.set_xlabel(columns, fontsize=8, color=INK)
    axes.set_ylabel(rows, fontsize=8, color=INK)
    for (y, x), value in np.ndenumerate(matrix):
        if np.isfinite(value) and (limits or value):
            shade = "white" if value > low + 0.6 * (high - low) else INK
            axes.text(x, y, form.format(value), ha="center", va="center", fontsize=8, color=shade)
    return _rendered(figure, f"{rows} by {columns}")


def domain_map(points: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """The map, each clip in the colour of its domain, with the domains' counts."""
    if not points:
        return NOTHING
    figure, axes = _figure(6.6, 0.5 + 5.0 * _height_per_width(points))
    # In a fixed shuffled order, so that no domain is painted over the others.
    order = np.random.default_rng(0).permutation(len(points))
    places = _places(points)[order]
    colours = [DOMAIN_COLOURS[points[number]["domain"]] for number in order]
    axes.scatter(*places.T, c=colours, s=_dot_size(len(points)), alpha=0.85, linewidths=0)
    counts = {domain: sum(row["domain"] == domain for row in points) for domain in DOMAINS}
    for domain, count in counts.items():
        axes.scatter([], [], color=DOMAIN_COLOURS[domain], s=32, linewidths=0, label=f"{domain} ({count:,})")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9, frameon=False, labelcolor=INK)
    _bare(axes)
    axes.set_title("Clips by domain: t-SNE of the embeddings", fontsize=10, color=INK, loc="left")
    return _rendered(figure, "map by domain")


def emotion_map(points: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """A small map per emotion on the pale map of all clips: eight colours on one map nobody can tell apart."""
    if not points:
        return NOTHING
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.8, 1.1 + 2 * 2.1 * _height_per_width(points)), dpi=100, layout=_spaced())
    FigureCanvasAgg(figure)
    places, size = _places(points), _dot_size(len(points)) * 0.6
    margin = 0.04 * np.ptp(places, axis=0) + 0.5
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    for axes, name in zip(figure.subplots(2, 4).flat, EMOTION_NAMES, strict=True):
        is_it = np.array([row["emotion"] == name for row in points])
        colour = POSITIVE if EMOTION_BY_NAME[name].polarity == "positive" else NEGATIVE
        axes.scatter(*places[~is_it].T, color=PALE, s=size * 0.6, linewidths=0)
        axes.scatter(*places[is_it].T, color=colour, s=size, linewidths=0)
        _bare(axes)
        # The same window everywhere, so that the pale clips stand still from one map to the next.
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set_title(f"{name} ({is_it.sum():,})", fontsize=9, color=INK, loc="left")
    figure.suptitle(
        "Clips by emotion: positive emotions above, negative below", fontsize=10, color=INK, x=0.01, ha="left"
    )
    return _rendered(figure, "map by emotion")


def separability_plot(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Share of neighbours in the own group with its interval, beside what chance gives (a line across)."""
    shown = [row for row in rows if row["purity"] is not None]
    if not shown:
        return NOTHING
    figure, axes = _figure(6.6, 1.0 + 0.24 * len(shown))
    names: list[str] = []
    places: list[float] = []
    for row in shown:
        # A gap before each grouping.
        y = len(names) + 0.7 * sum(other["group_name"] == ALL for other in shown[: len(names) + 1])
        places.append(y)
        low, high = (row[name] if row[name] is not None else row["purity"] for name in ("purity_low", "purity_high"))
        axes.plot([low, high], [y, y], color=POSITIVE, linewidth=2, alpha=0.5, solid_capstyle="round")
        axes.plot(row["purity"], y, "o", color=POSITIVE, markersize=5, clip_on=False, zorder=3)
        axes.plot(row["chance_purity"], y, "|", color=INK, markersize=11, markeredgewidth=1.6)
        names.append(f"all {row['grouping']}s" if row["group_name"] == ALL else row["group_name"])
    axes.plot([], [], "o", color=POSITIVE, markersize=5, label="measured")
    axes.plot([], [], "|", color=INK, markersize=11, markeredgewidth=1.6, label="by chance")
    axes.set_yticks(places, names)
    axes.set_ylim(places[-1] + 0.6, places[0] - 0.6)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(
        f"share of the {shown[0]['neighbour_count']} nearest clips of other sources in the same group, 95 % interval",
        fontsize=8,
        color=INK,
    )
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False, labelcolor=INK)
    return _rendered(figure, "neighbours")


def _places(points: Sequence[Mapping[str, Any]]) -> np.ndarray:
    return np.array([(row["x"], row["y"]) for row in points], float)


def _height_per_width(points: Sequence[Mapping[str, Any]]) -> float:
    """Of the map: t-SNE knows no upright format. Between 0.4 and 1, so that no picture is a ribbon or a tower."""
    width, height = np.ptp(_places(points), axis=0)
    return float(np.clip(height / width, 0.4, 1.0)) if width > 0 else 1.0


def _spaced() -> Any:
    """Room between small maps, so that one does not seem to go on in the next."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return ConstrainedLayoutEngine(wspace=0.08)


def _dot_size(count: int) -> float:
    """In points²: large for few clips, small where thousands lie over each other."""
    return float(np.clip(6000 / max(count, 1), 4, 40))


def _bare(axes: Any) -> None:
    """A map has no scale and no directions: equal units, and nothing at its edges."""
    axes.set_aspect("equal", adjustable="box")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def colour_swatches(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Each clip as a dot: hue as angle, saturation as radius, in its own mean colour."""
    import colorsys

    shown = [row for row in rows if row["hue_chromatic_deg"] is not None]
    if not shown:
        return NOTHING
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2, 3.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection="polar")
    colours = [
        colorsys.hsv_to_rgb(r["hue_chromatic_deg"] / 360, r["colorfulness_mean"], r["brightness_mean"]) for r in shown
    ]
    angles = np.deg2rad([row["hue_chromatic_deg"] for row in shown])
    axes.scatter(
        angles, [row["colorfulness_mean"] for row in shown], c=colours, s=26, edgecolors=NEUTRAL, linewidths=0.4
    )
    axes.set_ylim(0, 1)
    axes.tick_params(colors=INK, labelsize=7)
    axes.set_title("mean hue and colourfulness per clip", fontsize=9, color=INK)
    return _rendered(figure, "hues")


def contact_sheet(folder: Path, paths: Sequence[str], captions: Sequence[str] | None = None) -> dg.MetadataValue:
    """Up to 24 thumbnails below a folder, spread evenly over the list."""
    import cv2

    if not paths:
        return NOTHING
    step = max(1, len(paths) / SHEET_CLIPS)
    picked = [int(number * step) for number in range(min(SHEET_CLIPS, len(paths)))]
    tiles = {index: tile for index in picked if (tile := _tile(folder / paths[index])) is not None}
    columns = min(SHEET_COLUMNS, len(picked))
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
    return _markdown_image(data.tobytes(), "jpeg", "thumbnails")


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
