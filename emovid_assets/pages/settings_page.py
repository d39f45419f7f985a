"""docs/settings.md: every key of `emovid.toml` with its default, made from `home.settings.Settings`.

Belongs here: how the page looks. Does not belong here: any default or meaning.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from emovid_assets.home.settings import Settings

_INTRODUCTION = """\
# Settings

`emovid.toml` in the home folder; every key is optional, and a misspelt one is an error. These are the defaults; a key
that stands behind `#` has none. The page is made from `emovid_assets/home/settings.py`: see
[CONTRIBUTING](../CONTRIBUTING.md).
"""
_COMMENT_AT = 34


def render_settings() -> str:
    """The page as Markdown: what belongs to no section first, then a TOML block for each section."""
    sections = {name: value for name, value in Settings() if isinstance(value, BaseModel)}
    top = {name for name in Settings.model_fields if name not in sections}
    parts = [_INTRODUCTION, _block(_lines(Settings(), top))]
    for name, section in sections.items():
        meaning = " ".join((type(section).__doc__ or "").split())
        parts.append(f"## {name}\n\n{meaning}\n\n{_block([f'[{name}]', *_lines(section)])}")
        parts += _tables(name, type(section))
    return "\n".join(parts)


def _block(lines: Iterator[str] | list[str]) -> str:
    return "```toml\n" + "\n".join(lines) + "\n```\n"


def _lines(section: BaseModel, names: set[str] | None = None) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        if names is None or name in names:
            value = getattr(section, name)
            entry = f"# {name} =" if value is None else f"{name} = {_toml(value)}"
            meaning = "; ".join(part for part in (_choices(field.annotation), field.description) if part)
            yield f"{entry:{_COMMENT_AT}} # {meaning}" if meaning else entry


def _tables(above: str, section: type[BaseModel]) -> Iterator[str]:
    """A block for each kind of table of which there may be any number, with its defaults; what has none is needed."""
    for name, field in section.model_fields.items():
        kind = next((one for one in get_args(field.annotation) if isinstance(one, type)), None)
        if kind is not None and issubclass(kind, BaseModel):
            # Behind `#`: there is none as long as nobody has named one.
            header = f"# [[{above}.{name}]]"
            entries = []
            for key, one in kind.model_fields.items():
                needed = one.is_required()
                value = None if needed else one.default
                entry = f"# {key} =" if value is None else f"# {key} = {_toml(value)}"
                told = ("needed" if needed else "", _choices(one.annotation), one.description)
                meaning = "; ".join(part for part in told if part)
                entries.append(f"{entry:{_COMMENT_AT}} # {meaning}" if meaning else entry)
            yield f"{' '.join((kind.__doc__ or '').split())}\n\n{_block([header, *entries])}"
            yield from _tables(f"{above}.{name}", kind)


def _choices(annotation: Any) -> str:
    """What a value may be where only certain words are allowed."""
    return " or ".join(map(_toml, get_args(annotation))) if get_origin(annotation) is Literal else ""


def _toml(value: Any) -> str:
    """Strings, numbers, booleans and lists are written alike in TOML and JSON."""
    return json.dumps(value, ensure_ascii=False)
