"""The emotions in the plane of valence and arousal, each as large as its number of clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from emovid_assets.drawing.markup import Markup, element
from emovid_assets.drawing.numerals import clips, count
from emovid_assets.drawing.palette import emotion_colour
from emovid_assets.drawing.svg import LETTER_PX, figure, label, line, note

WIDTH, HEIGHT = 440, 400
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 22, 40
LOW, HIGH = 1.0, 9.0
LARGEST_PX, SMALLEST_PX = 22.0, 4.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Place:
    emotion: str
    valence: float
    arousal: float
    n: int


def wheel(slug: str, title: str, description: str, places: Sequence[Place], middle_arousal: float) -> Markup:
    """Valence to the right and arousal upwards, both on Warriner's scale of 1 to 9.

    Areas are proportional to the clips. The dashed lines are the scale's neutral valence (5) and `middle_arousal`.
    """
    low_arousal, high_arousal = 2.0, 7.0

    def x_of(valence: float) -> float:
        return LEFT + (valence - LOW) / (HIGH - LOW) * (WIDTH - LEFT - RIGHT)

    def y_of(arousal: float) -> float:
        return HEIGHT - BOTTOM - (arousal - low_arousal) / (high_arousal - low_arousal) * (HEIGHT - BOTTOM - TOP)

    marks = []
    for valence in range(1, 10):
        marks += [
            line(x_of(valence), TOP, x_of(valence), HEIGHT - BOTTOM),
            label(x_of(valence), HEIGHT - BOTTOM + 15, str(valence), anchor="middle", kind="small"),
        ]
    for arousal in range(2, 8):
        marks += [
            line(LEFT, y_of(arousal), WIDTH - RIGHT, y_of(arousal)),
            label(LEFT - 8, y_of(arousal) + 4, str(arousal), anchor="end", kind="small"),
        ]
    marks += [
        line(x_of(5), TOP, x_of(5), HEIGHT - BOTTOM, "middle"),
        line(LEFT, y_of(middle_arousal), WIDTH - RIGHT, y_of(middle_arousal), "middle"),
        label(LEFT + 4, TOP - 8, "negative, high arousal", kind="small"),
        label(WIDTH - RIGHT - 4, TOP - 8, "positive, high arousal", anchor="end", kind="small"),
        label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, "valence (1 unpleasant – 9 pleasant)", anchor="middle"),
        label(
            12, (HEIGHT - BOTTOM) / 2, "arousal", anchor="middle", transform=f"rotate(-90 12 {(HEIGHT - BOTTOM) / 2})"
        ),
    ]
    most = max((place.n for place in places), default=0) or 1
    circles = {
        place.emotion: (
            x_of(place.valence),
            y_of(place.arousal),
            max(SMALLEST_PX, LARGEST_PX * sqrt(place.n / most)),
        )
        for place in places
    }
    names: list[Markup] = []
    taken = [(x - radius, y - radius, x + radius, y + radius) for x, y, radius in circles.values()]
    for place in sorted(places, key=lambda place: -place.n):
        x, y, radius = circles[place.emotion]
        said = f"{place.emotion}: {clips(place.n)}, valence {place.valence:.2f}, arousal {place.arousal:.2f}"
        style = f"fill:{emotion_colour(place.emotion)};fill-opacity:.88;stroke:var(--c-ground);stroke-width:1.5"
        marks.append(element("circle", note(said), cx=float(x), cy=float(y), r=float(radius), style=style))
        name = f"{place.emotion} {count(place.n)}"
        box = min(_boxes(x, y, radius, len(name) * LETTER_PX), key=lambda box: _covered(box, taken))
        taken.append(box)
        names.append(label(box[0], box[3] - 3, name, kind="halo strong"))
    return figure(slug, WIDTH, HEIGHT, title, description, *marks, *names)


def _boxes(x: float, y: float, radius: float, width: float) -> list[Box]:
    """Where a name may stand: above, below, left or right of its circle."""
    height = 14.0
    return [
        (x - width / 2, y - radius - height - 2, x + width / 2, y - radius - 2),
        (x - width / 2, y + radius + 2, x + width / 2, y + radius + 2 + height),
        (x - radius - width - 3, y - height / 2, x - radius - 3, y + height / 2),
        (x + radius + 5, y - height / 2, x + radius + 5 + width, y + height / 2),
    ]


def _covered(box: Box, taken: Sequence[Box]) -> float:
    """Area that the box shares with others or has outside the plot (which weighs ten times)."""
    left, top, right, bottom = box
    inside = max(0.0, min(right, WIDTH) - max(left, LEFT)) * max(0.0, min(bottom, HEIGHT - BOTTOM) - max(top, TOP))
    outside = (right - left) * (bottom - top) - inside
    shared = sum(
        max(0.0, min(right, x2) - max(left, x1)) * max(0.0, min(bottom, y2) - max(top, y1)) for x1, y1, x2, y2 in taken
    )
    return shared + 10 * outside
