"""What releases and snapshots may be called, and in which order versions come.

Belongs here: names as texts. Does not belong here: the files of a release (`layout`), which version comes next
(`versions`).
"""

import re
import unicodedata
from typing import Final, NamedTuple

from emovid_assets.core.plain_text import bare, one_line, quoted
from emovid_assets.core.release.layout import TIERS
from emovid_assets.core.release.scan import clean

_NUMBER: Final = "(0|[1-9][0-9]{0,8})"
_VERSION: Final = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")
_FOLDER: Final = re.compile(rf"({_NUMBER}\.{_NUMBER}\.{_NUMBER})(?:\+({'|'.join(TIERS[1:])}))?")
LONGEST_NAME: Final = 100
"""Characters of what a dataset is called: it is a heading, and a column of tables."""
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?")


class Version(NamedTuple):
    """Compared as numbers: 1.10.0 comes after 1.9.0."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return ".".join(map(str, self))


def is_version(text: str) -> bool:
    """Whether a text is three numbers, as in `1.0.0`; what Semantic Versioning adds to them no release has."""
    return _VERSION.fullmatch(text) is not None


def version_of(text: str) -> Version:
    """Raises ValueError."""
    if not is_version(text):
        raise ValueError(f"'{text}' is no version: three numbers are one, such as 1.0.0")
    return Version(*map(int, text.split(".")))


def is_release_name(text: str) -> bool:
    """Whether a folder of releases may be called so: `1.0.0`, `1.0.0+metadata`."""
    return _FOLDER.fullmatch(text) is not None


def name_fault(text: str) -> str | None:
    """Why no snapshot can be called so, as a sentence that says what to do; null where one can."""
    if _NAME.fullmatch(text):
        return None
    return (
        f"{text!a} cannot be the name of a snapshot: letters, digits and . _ + - between them make one, at most 64, "
        "such as 1.0.0 or before-review"
    )


def dataset_name_fault(text: str) -> str | None:
    """Why no dataset can be called so, as a sentence that says what to do; null where one can."""
    such = "such as: emovid release make my-emovid"
    if not text.strip():
        return f"a release needs a name, {such}"
    if len(text) > LONGEST_NAME:
        return f"the name has {len(text):,} characters; at most {LONGEST_NAME} make one, {such}"
    if bare(text) != unicodedata.normalize("NFC", one_line(text)):
        return f"'{quoted(text)}' cannot be the name: one line without characters that nobody sees makes one, {such}"
    if clean(text) != text:
        return f"'{quoted(clean(text))}' cannot be the name: a release holds no address, path or key, {such}"
    return None
