"""HTML and SVG as text that is escaped by construction.

Titles, captions and ids come from files of strangers. So nothing is put together from strings: `element` escapes
every text and attribute that is not `Markup` already. Belongs here: that and nothing else.
"""

import html
from typing import Any

from emovid_assets.core.plain_text import unturned

VOID = frozenset({"br", "col", "hr", "img", "link", "meta"})


class Markup(str):
    """Text that is HTML or SVG already; everything else is plain text and gets escaped."""

    __slots__ = ()


def text(value: Any) -> Markup:
    """A value as it is to be read. Control characters go: HTML has no way to write them. So does what would turn the
    direction of the words behind it."""
    if isinstance(value, Markup):
        return value
    plain = "".join(character for character in str(value) if character >= " " or character in "\n\t")
    return Markup(html.escape(unturned(plain), quote=True))


def join(*parts: Any) -> Markup:
    """The parts one after another; nulls are left out."""
    return Markup("".join(text(part) for part in parts if part is not None))


def element(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """`<name …>children</name>`.

    In names of attributes a trailing underscore is dropped (`class_`) and others become hyphens. Null and false leave
    an attribute out, true writes it without a value, numbers get two decimals at most.
    """
    written = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def _attribute(key: str, value: Any) -> str:
    name = key.removesuffix("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return f' {name}="{text(coordinate(value) if isinstance(value, float) else value)}"'


def coordinate(value: float) -> str:
    """A number of a drawing: two decimals, without zeros that say nothing."""
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if short in ("-0", "") else short
