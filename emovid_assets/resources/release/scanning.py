"""The scan of a release: proof that no address, path, key or machine leaves with it.

Belongs here: reading the files of a release, and what this home alone knows (its folder, keys and people). Does not
belong here: what an address or a key looks like (`core.release.scan`), and mending what is found.

All text files are read, all columns of text in Parquet files, JSON and text within tars; pictures and films are not. Of
a column only those values are looked at closely that hold a hint (`HINT`), each once: 22,758 clips take a second.
"""

import json
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from emovid_assets.core import csv_text, filled_tables
from emovid_assets.core.filled_tables import Columns
from emovid_assets.core.plain_text import one_line
from emovid_assets.core.pseudonyms import addresses_in, is_pseudonym
from emovid_assets.core.redaction import SHORTEST_SECRET, forms_of
from emovid_assets.core.release.scan import HINT, KINDS, excerpt, found_in, without_unseen
from emovid_assets.home.folders import Home

MOST_OF_A_FILE: Final = 50
"""Findings that are told of a file."""
_NOT_TEXT: Final = frozenset(
    {".mp4", ".webm", ".mov", ".mkv", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".apng", ".npy", ".npz", ".zip"}
)
_SECRET_NAME = re.compile(r"(?i)key|token|password|passwd|secret|credential")
_PERSON_COLUMNS: Final = ("annotator_id", "rater_id")


class Found(NamedTuple):
    """`file`: below the release. `where`: the column, the line or the place within a file. `kind`: of
    `core.release.scan`, or `name`, or `unread` of a damaged file, which may hold anything. `excerpt`: what stands
    around it, the finding hidden."""

    file: str
    where: str
    kind: str
    excerpt: str

    @property
    def told(self) -> str:
        place = f"{self.file}, {self.where}" if self.where else self.file
        return f"{place}: {self.kind}: {self.excerpt}"


class _Known(NamedTuple):
    """What this home knows must not leave: patterns by kind, and the addresses of its people. `hint`, in RE2's syntax,
    is in every text with any of it."""

    patterns: Mapping[str, re.Pattern[str]]
    people: frozenset[str]
    hint: str


class _Texts(NamedTuple):
    """Texts of one place in a file, and how its rows are called."""

    where: str
    values: pa.Array
    row: Callable[[int], str] = lambda row: f"row {row + 1}"


def scan_release(folder: Path, home: Home | None, environment: Mapping[str, str] = os.environ) -> list[Found]:
    """What must not leave in the files below a folder; nothing where all is well.

    `home`: whose folder, key of pseudonyms and people are looked for as well. `environment`: whose keys are. At most
    `MOST_OF_A_FILE` a file.
    """
    known = _known(home, environment)
    found: list[Found] = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        of_file = dict.fromkeys(_in_text(name, "its name", name, known))
        try:
            for one in _of_file(name, path, known):
                of_file.setdefault(one)
                if len(of_file) >= MOST_OF_A_FILE:
                    break
        except (tarfile.TarError, pa.ArrowException, OSError) as error:
            of_file.setdefault(Found(name, "", "unread", one_line(error)[:160]))
        found += of_file
        # Arrow keeps for later what the table took, and tables are most of what a large release takes.
        pa.default_memory_pool().release_unused()
    return found


def _files(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(directory, name) for name in sorted(names))


def _known(home: Home | None, environment: Mapping[str, str]) -> _Known:
    roots: set[str] = set()
    people: frozenset[str] = frozenset()
    secrets = [value for name, value in environment.items() if _SECRET_NAME.search(name) and not os.path.exists(value)]
    if home is not None:
        roots = {str(home.root), str(home.root.resolve())}
        people = frozenset(_people(home))
        if home.annotator_key.is_file():
            secrets.append(home.annotator_key.read_text(encoding="ascii", errors="replace").strip())
    keys = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in forms_of(secret)}
    texts = {"path": roots, "key": keys}
    # `/data` is a home in a container, and a part of many addresses.
    around = {"path": (r"(?<![\w.:/%~-])", r"(?![\w-]|/local-files)")}
    patterns = {
        kind: re.compile(_any_of(map(re.escape, found)).join(around.get(kind, ("", ""))), re.IGNORECASE)
        for kind, found in texts.items()
        if found
    }
    literals = [_for_re2(text) for found in texts.values() for text in sorted(found)]
    # Addresses of people, of which there may be thousands, hold a sign that is in `HINT`.
    return _Known(patterns, people, "|".join([HINT, *(f"(?i:{text})" for text in literals)]))


def _any_of(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(sorted(patterns, key=len, reverse=True))})"


def _for_re2(text: str) -> str:
    return "".join(one if one.isalnum() else rf"\x{{{ord(one):x}}}" for one in text)


def _people(home: Home) -> Iterator[str]:
    if not home.annotator_addresses.is_file():
        return
    table = filled_tables.read_bytes(home.annotator_addresses.read_bytes(), Columns.of("annotator_id", "address"))
    yield from filter(None, (row.cells.get("address", "").strip() for row in table.rows))


def _of_file(name: str, path: Path, known: _Known) -> Iterator[Found]:
    suffix = path.suffix.lower()
    if suffix == ".tar":
        yield from _of_tar(name, path, known)
    elif suffix == ".parquet":
        yield from _of_parquet(name, path, known)
    elif suffix not in _NOT_TEXT:
        with path.open("rb") as file:
            yield from _of_stream(name, suffix, file, known)


def _of_tar(name: str, path: Path, known: _Known) -> Iterator[Found]:
    """Members are read in their order, films are stepped over."""
    texts: list[str] = []
    members: list[str] = []
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            inside = PurePosixPath(member.name)
            texts.append(member.name)
            members.append(member.name)
            if not member.isfile() or inside.suffix.lower() in _NOT_TEXT:
                continue
            file = tar.extractfile(member)
            data = file.read() if file else b""
            strings = list(_strings(_json(data))) if inside.suffix.lower() == ".json" else [_decoded(data)]
            texts += strings
            members += [member.name] * len(strings)
    yield from _of_texts(name, _Texts("", _array(texts), lambda row: members[row]), known)


def _of_parquet(name: str, path: Path, known: _Known) -> Iterator[Found]:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        said = [text.decode("utf-8", "replace") for pair in (schema.metadata or {}).items() for text in pair]
        yield from _of_texts(name, _Texts("metadata of the file", _array(said), lambda _: ""), known)
        for column in schema.names:
            yield from _of_table(name, file.read([column]), known)
        yield from _people_of(name, file.read([one for one in schema.names if one in (*_PERSON_COLUMNS, "rater_kind")]))


def _of_table(name: str, table: pa.Table, known: _Known) -> Iterator[Found]:
    for title in table.column_names:
        column = table[title]
        while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            column = pc.list_flatten(column)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_struct(column.type):
            fields = {
                f"{title}.{column.type.field(index).name}": pc.struct_field(column, index)
                for index in range(column.type.num_fields)
            }
            yield from _of_table(name, pa.table(fields), known)
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            # Not chunk by chunk: rows are counted over all of them.
            yield from _of_texts(name, _Texts(title, column.cast(pa.large_string()).combine_chunks()), known)


def _people_of(name: str, table: pa.Table) -> Iterator[Found]:
    """Names of people that are no pseudonyms. Raters that are models have names of their own."""
    for title in _PERSON_COLUMNS:
        if title not in table.column_names or not pa.types.is_string(table[title].type):
            continue
        names = table[title]
        if "rater_kind" in table.column_names:
            names = names.filter(pc.equal(table["rater_kind"], "human"))
        if any(one and not is_pseudonym(one) for one in pc.unique(names).to_pylist()):
            yield Found(name, title, "name", "names that are no pseudonyms")


def _of_stream(name: str, suffix: str, file: IO[bytes], known: _Known) -> Iterator[Found]:
    data = file.read()
    if suffix == ".csv" and (table := _csv(data)) is not None:
        yield from _of_texts(name, _Texts("header", _array(table.column_names), lambda _: ""), known)
        yield from _of_table(name, table, known)
        yield from _people_of(name, table)
    elif suffix in (".json", ".jsonl"):
        lines = data.splitlines() if suffix == ".jsonl" else [data]
        strings = [text for line in lines for text in _strings(_json(line))]
        yield from _of_texts(name, _Texts("", _array(strings), lambda _: ""), known)
    else:
        lines_of = _array(_decoded(data).split("\n"))
        yield from _of_texts(name, _Texts("", lines_of, lambda row: f"line {row + 1}"), known)


def _csv(data: bytes) -> pa.Table | None:
    """All cells as text; null where it is no table, to be read as lines."""
    parsing = pa_csv.ParseOptions(newlines_in_values=True)
    try:
        with pa_csv.open_csv(pa.BufferReader(data), parse_options=parsing) as reader:
            as_text = dict.fromkeys(reader.schema.names, pa.string())
        return pa_csv.read_csv(
            pa.BufferReader(data), parse_options=parsing, convert_options=pa_csv.ConvertOptions(column_types=as_text)
        )
    except pa.ArrowInvalid:
        return None


def _decoded(data: bytes) -> str:
    try:
        return csv_text.decoded(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _array(texts: Iterable[str]) -> pa.Array:
    return pa.array((text.encode("utf-8", "replace").decode() for text in texts), pa.large_string())


def _json(data: bytes) -> Any:
    """What JSON says; the lines where it is none."""
    try:
        return json.loads(data)
    except ValueError:
        return _decoded(data).split("\n")


def _strings(value: Any) -> Iterator[str]:
    """All texts in what JSON says, the names of fields too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _of_texts(name: str, texts: _Texts, known: _Known) -> Iterator[Found]:
    hinted = pc.match_substring_regex(texts.values, known.hint)
    seen: set[str] = set()
    for row in pc.indices_nonzero(pc.fill_null(hinted, False)).to_pylist():
        text = texts.values[row].as_py()
        if text not in seen:
            seen.add(text)
            where = ", ".join(filter(None, (texts.where, texts.row(row))))
            yield from _in_text(name, where, text, known)


def _in_text(name: str, where: str, text: str, known: _Known) -> Iterator[Found]:
    text = without_unseen(text)
    for kind, shown in found_in(text):
        yield Found(name, where, kind, shown)
    for start, end, address in addresses_in(text) if known.people else ():
        if address in known.people:
            yield Found(name, where, "address", excerpt(text, start, end, KINDS["address"]))
    for kind, pattern in known.patterns.items():
        for match in pattern.finditer(text):
            yield Found(name, where, kind, excerpt(text, *match.span(), KINDS[kind]))
