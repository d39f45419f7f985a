"""Finding a file by a name that somebody has written elsewhere: in a table, or on a file that belongs to it.

Belongs here: when two names mean one file. macOS writes `é` as two characters, forms and editors write it as one, and
Windows knows no case. An exact name is always the one that is meant. Does not belong here: folders and files.
"""

import os
import unicodedata
from collections.abc import Callable, Iterable


def _exactly(name: str) -> str:
    return name


def _composed(name: str) -> str:
    """In normal form C, with a suffix in lower case."""
    stem, suffix = os.path.splitext(unicodedata.normalize("NFC", name))
    return stem + suffix.lower()


def _caseless(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


FORMS: tuple[Callable[[str], str], ...] = (_exactly, _composed, _caseless)
"""In what names are compared: a form counts where the ones before it find nothing."""


class Names:
    """Names that are there."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._by_form: dict[int, dict[str, list[str]]] = {}

    def find(self, *wanted: str) -> tuple[str, str] | None:
        """(the wanted name, the name that is there) of the first wanted name in the first form that finds one.

        Null where none is there, and where a form finds several: which of them is meant, nobody knows.
        """
        for number, form in enumerate(FORMS):
            for name in wanted:
                if found := self._in_form(number).get(form(name)):
                    return (name, found[0]) if len(found) == 1 else None
        return None

    def _in_form(self, number: int) -> dict[str, list[str]]:
        """Made when it is asked for: where all names are exact, most libraries never need the others."""
        if number not in self._by_form:
            by_form = self._by_form[number] = {}
            for name in sorted(self._names):
                by_form.setdefault(FORMS[number](name), []).append(name)
        return self._by_form[number]
