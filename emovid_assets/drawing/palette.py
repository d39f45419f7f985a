"""Colours: one per emotion and one per domain, the same in every figure, for light and for dark.

Belongs here: colours and their names as CSS variables. A figure names a variable, so that one drawing serves both
themes and paper. Every figure also writes the name beside the colour or has another mark: none is read by colour alone.

Lightness and chroma were searched for the greatest smallest distance (OKLab) between any two of the eight, with normal
sight and with protanopia, deuteranopia and tritanopia (Machado 2009), at a contrast of 3:1 or more to the ground.
"""

from collections.abc import Mapping

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES

EMOTION_COLOURS: dict[str, tuple[str, str]] = {
    "amusement": ("#b78e09", "#f3d84a"),
    "awe": ("#3c9cc4", "#48c2f5"),
    "contentment": ("#02645f", "#70f4bd"),
    "excitement": ("#ba664c", "#cf5937"),
    "anger": ("#6e003d", "#f0809f"),
    "disgust": ("#5e6112", "#b2ad19"),
    "fear": ("#9152b0", "#a45eb7"),
    "sadness": ("#003a93", "#2f87ff"),
}
DOMAIN_COLOURS: dict[str, tuple[str, str]] = {
    "movie": ("#0072b2", "#5ab4e5"),
    "animation": ("#b87400", "#f0b23c"),
    "sticker": ("#a23b72", "#e58ab8"),
}
POLARITY_COLOURS = {"positive": ("#0072b2", "#5ab4e5"), "negative": ("#b8450b", "#f29a5f")}
OTHER = ("#6b7280", "#9aa3af")

LIGHT, DARK = 0, 1


def emotion_colour(name: str | None) -> str:
    """CSS colour of an emotion; grey for what is none (no specific emotion, nothing yet)."""
    return f"var(--e-{name})" if name in EMOTION_COLOURS else "var(--other)"


def domain_colour(name: str | None) -> str:
    """CSS colour of a domain; grey for all of them together."""
    return f"var(--d-{name})" if name in DOMAIN_COLOURS else "var(--other)"


def variables(theme: int) -> str:
    """Declarations of all colour variables for `LIGHT` or `DARK`."""
    named: Mapping[str, tuple[str, str]] = {
        **{f"e-{name}": EMOTION_COLOURS[name] for name in EMOTION_NAMES},
        **{f"d-{name}": DOMAIN_COLOURS[name] for name in DOMAINS},
        **{f"p-{name}": colours for name, colours in POLARITY_COLOURS.items()},
        "other": OTHER,
    }
    return "".join(f"--{name}:{colours[theme]};" for name, colours in named.items())
