"""The named queries: one file each in `sql/queries`, with the question, and parameters that are bound.

Belongs here: reading the files, and turning what somebody typed into values of the parameters. Does not belong here:
running a query (`query`), how the cookbook looks (`reference`).
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.home.shipped_files import shipped_file

TOPICS = ("labels", "clips", "films and sources", "splits", "quality", "generated video", "the paper")
VOCABULARIES = {"emotion": EMOTION_NAMES, "domain": DOMAINS}
"""Parameters of these names take one of these words: any other would silently find nothing."""
REQUIRED = "required"
_TYPES = {"VARCHAR": str, "BIGINT": int, "DOUBLE": float}
_KEYS = ("question", "topic", "answer", "parameters")
_KEY_LINE = re.compile(r"^-- ([a-z]+): ?(.*)$")
_PARAMETER_LINE = re.compile(r"^--   (\w+) \(([A-Z]+), ([^()]*)\): (.+)$")
_CONTINUATION = re.compile(r"^--   +(\S.*)$")

Value = str | int | float | None


class NamedQueryError(ValueError):
    """A file, a name or a value is wrong; the message says what would be right."""


@dataclass(frozen=True)
class Parameter:
    """`$name` in the query. `type` is DuckDB's; `default` is as typed: `null` for none, `required` for no default."""

    name: str
    type: str
    default: str
    meaning: str

    def value(self, text: str) -> Value:
        """What was typed as a value. Raises NamedQueryError where it is no value of the type."""
        if text == "null":
            return None
        words = VOCABULARIES.get(self.name)
        if words is not None and text not in words:
            raise NamedQueryError(f"{self.name}='{text}': use one of {', '.join(words)}")
        try:
            return _TYPES[self.type](text)
        except ValueError:
            raise NamedQueryError(f"{self.name}='{text}': give a value of type {self.type}") from None


@dataclass(frozen=True)
class NamedQuery:
    """One file of `sql/queries`. `sql` is what follows the header, without the semicolon."""

    name: str
    question: str
    topic: str
    answer: str
    parameters: tuple[Parameter, ...]
    sql: str

    def values(self, typed: Mapping[str, str]) -> dict[str, Value]:
        """A value for every parameter: what was typed, otherwise the default.

        Raises NamedQueryError for an unknown parameter, a wrong value, or a required one that is missing.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in typed:
            if name not in known:
                own = f"its parameters are {', '.join(known)}" if known else "it has none"
                raise NamedQueryError(f"the query {self.name} has no parameter '{name}'; {own}")
        values = {}
        for name, parameter in known.items():
            text = typed.get(name, parameter.default)
            if text == REQUIRED:
                raise NamedQueryError(f"the query {self.name} needs --set {name}=…: {parameter.meaning}")
            values[name] = parameter.value(text)
        return values


def read_named_queries(folder: Path | None = None) -> dict[str, NamedQuery]:
    """All named queries, by topic and then by name. Raises NamedQueryError with file and line of a wrong header."""
    paths = sorted((folder or shipped_file("sql") / "queries").glob("*.sql"))
    queries = [parse(path.stem, path.read_text(encoding="utf-8")) for path in paths]
    queries.sort(key=lambda query: (TOPICS.index(query.topic), query.name))
    return {query.name: query for query in queries}


def parse(name: str, text: str) -> NamedQuery:
    """Reads one file: `-- question:`, `-- topic:`, `-- answer:`, optionally `-- parameters:`, then the query.

    A parameter is a line `--   name (TYPE, default): meaning`. Deeper indented lines continue the one above.
    """
    values: dict[str, str] = {}
    parameters: list[Parameter] = []
    lines = text.splitlines()
    key, number = None, 0
    for number, line in enumerate(lines):
        if not line.startswith("--"):
            break
        if match := _KEY_LINE.match(line):
            key = match[1]
            if key not in _KEYS or key in values:
                raise NamedQueryError(f"{name}.sql, line {number + 1}: the keys are {', '.join(_KEYS)}, each once")
            values[key] = match[2]
        elif key == "parameters" and (match := _PARAMETER_LINE.match(line)):
            parameters.append(Parameter(match[1], match[2], match[3], match[4]))
        elif key == "parameters" and parameters and (match := _CONTINUATION.match(line)):
            last = parameters.pop()
            parameters.append(Parameter(last.name, last.type, last.default, f"{last.meaning} {match[1]}"))
        elif key not in (None, "parameters") and (match := _CONTINUATION.match(line)):
            values[str(key)] = f"{values[str(key)]} {match[1]}".strip()
        else:
            raise NamedQueryError(f"{name}.sql, line {number + 1}: cannot be read: {line}")
    missing = [key for key in _KEYS[:3] if not values.get(key)]
    if missing or values["topic"] not in TOPICS:
        raise NamedQueryError(f"{name}.sql needs question, answer and a topic out of {', '.join(TOPICS)}")
    if wrong := [parameter.name for parameter in parameters if parameter.type not in _TYPES]:
        raise NamedQueryError(f"{name}.sql: the type of {wrong[0]} is none of {', '.join(_TYPES)}")
    sql = "\n".join(lines[number:]).strip().removesuffix(";")
    return NamedQuery(name, values["question"], values["topic"], values["answer"], tuple(parameters), sql)


def named_query(name: str) -> NamedQuery:
    """The query of this name. Raises NamedQueryError, with the nearest names, where there is none."""
    queries = read_named_queries()
    if name not in queries:
        raise NamedQueryError(f"no query is named '{name}' (emovid sql --list shows all){did_you_mean(name, queries)}")
    return queries[name]


def settings(typed: Sequence[str]) -> dict[str, str]:
    """`name=value` pairs. Raises NamedQueryError for anything else, and for a name that is there twice."""
    pairs: dict[str, str] = {}
    for text in typed:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise NamedQueryError(f"--set '{text}': write it as name=value, for example --set emotion=fear")
        if name in pairs:
            raise NamedQueryError(f"--set {name} is there twice; give it once")
        pairs[name] = value
    return pairs


def ad_hoc_values(typed: Mapping[str, str]) -> dict[str, Value]:
    """Values for a query whose parameters nobody has declared: a number where the text is one as Python writes it."""
    return {name: _guessed(text) for name, text in typed.items()}


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """`; did you mean a or b?`, or nothing where no word is near."""
    by_lower = {other.lower(): other for other in words}
    near = [by_lower[match] for match in difflib.get_close_matches(word.lower(), by_lower, n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _guessed(text: str) -> Value:
    for number_type in (int, float):
        try:
            number = number_type(text)
        except ValueError:
            continue
        if str(number) == text:
            return number
    return None if text == "null" else text
