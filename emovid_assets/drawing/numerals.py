"""Numbers as people read them: thousands with commas, shares in percent, intervals, and what n is.

Belongs here: the one way in which each kind of number is written. A null is a dash everywhere.
"""

from collections.abc import Sequence

NARROW = "\u202f"
DASH = "–"


def count(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"


def counted(value: float, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{value:,.0f} {noun}" if value == 1 else f"{value:,.0f} {noun}s"


def clips(value: float) -> str:
    return counted(value, "clip")


def sample(value: float) -> str:
    """`n = 126`, which no line end divides."""
    return f"n\u00a0=\u00a0{value:,.0f}"


def number(value: float | None, digits: int = 2) -> str:
    """Fixed decimals with a true minus sign."""
    if value is None:
        return DASH
    shown = f"{value:,.{digits}f}"
    # Rounding must not leave a minus before nothing.
    if shown.startswith("-"):
        return shown[1:] if float(shown.replace(",", "")) == 0 else "−" + shown[1:]
    return shown


def short(value: float) -> str:
    """As few decimals as it takes, for numbers that are round already: those of an axis."""
    return f"{value:,.6g}".replace("-", "−")


def percent(value: float | None, digits: int = 1) -> str:
    return DASH if value is None else f"{number(100 * value, digits)}{NARROW}%"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    return DASH if low is None or high is None else f"[{number(low, digits)}, {number(high, digits)}]"


def p_value(value: float | None) -> str:
    """Three decimals; smaller ones as the bound that they lie under."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def hours(value_h: float | None) -> str:
    """A length that may be anything from a second to weeks."""
    if value_h is None:
        return DASH
    if value_h * 3600 < 60:
        return f"{value_h * 3600:.0f}{NARROW}s"
    return f"{value_h * 60:.1f}{NARROW}min" if value_h < 1 else f"{value_h:,.1f}{NARROW}h"


def size(value_bytes: float | None) -> str:
    if value_bytes is None:
        return DASH
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value_bytes >= factor:
            return f"{value_bytes / factor:,.1f}{NARROW}{unit}"
    return f"{value_bytes:,.0f}{NARROW}bytes"


def words(names: Sequence[str], *, most: int = 4) -> str:
    """`a, b and c`; of many the first ones and how many more."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def plain(name: str) -> str:
    """A name of the tables as words: `no_specific_emotion` → `no specific emotion`."""
    return name.replace("_", " ")
