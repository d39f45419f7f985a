"""Pictures for the UI: small plots and contact sheets as Markdown with the image inside.

Belongs here: drawing what metadata shows. Does not belong here: any number that is not in a table too.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES

SHEET_CLIPS = 24
SHEET_COLUMNS = 6
TILE_PX, GAP_PX, LABEL_PX = 120, 6, 18
INK, POSITIVE, NEGATIVE, NEUTRAL = "#374151", "#2a78b5", "#c2573f", "#6b7280"
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
