"""The files of `sql/`: headers, and the order in which views and functions must be made.

Belongs here: reading them and refusing what is wrong with them. Does not belong here: DuckDB.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from emovid_assets.tables.registry import TABLES


class CatalogueError(ValueError):
    """The catalogue cannot be built or opened; the message says what to do."""


INFO_VIEW = "catalogue_info"
FILES_VIEW = "catalogue_files"
SETTINGS_VIEW = "library_settings"
FUNCTION_FOLDER = "functions"
HOME_PLACE = "$home"
"""In a function: where the home folder is put in, which has the files that the function reads."""
A_TABLE = "TABLE"
"""What a function returns that stands behind `from`: its header then lists columns."""
_VIEW_KEYS = ("view", "gives", "grain", "source", "depends on", "columns")
_FUNCTION_KEYS = ("function", "gives", "source", "depends on", "arguments", "returns")
_LIST_KEYS = ("columns", "arguments")
_KEY_LINE = re.compile(r"^-- ([a-z][a-z ]*): ?(.*)$")
_COLUMN_LINE = re.compile(r"^--   (\w+) \(([^,()]+)(?:, ([^()]+))?\): (.+)$")
_CONTINUATION = re.compile(r"^--   +(\S.*)$")


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view or argument of a function, as a header declares it. `type` is DuckDB's name of the type."""

    name: str
    type: str
    unit: str | None
    meaning: str


@dataclass(frozen=True)
class ViewFile:
    """One file of `sql/`: the header, parsed, and the whole text (comments are valid SQL)."""

    name: str
    meaning: str
    grain: str
    source: str
    depends_on: tuple[str, ...]
    columns: tuple[ViewColumn, ...]
    note: str | None
    sql: str


@dataclass(frozen=True)
class FunctionFile:
    """One file of `sql/functions/`: a macro. `returns` is DuckDB's name of the type of its value, or `A_TABLE` with
    `columns`; `result` says what it means."""

    name: str
    meaning: str
    source: str
    depends_on: tuple[str, ...]
    arguments: tuple[ViewColumn, ...]
    returns: str
    result: str
    columns: tuple[ViewColumn, ...]
    note: str | None
    sql: str

    @property
    def is_table(self) -> bool:
        return self.returns == A_TABLE

    @property
    def returned(self) -> str:
        """The type of its value; of a table the names and types of its columns."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns) if self.is_table else self.returns

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(argument.name for argument in self.arguments)})"


_File = TypeVar("_File", ViewFile, FunctionFile)


@dataclass(frozen=True)
class SqlFolder:
    functions: tuple[FunctionFile, ...]
    views: tuple[ViewFile, ...]


def split_sql_header(text: str) -> ViewFile:
    """Reads the header of a view file.

    The header is the comment at the top: `-- view: name`, then `gives`, `grain`, `source`, `depends on`
    (names, comma-separated, or `nothing`), optionally `note`, and at last `columns:` with a line
    `--   name (TYPE, unit): meaning` per column. Deeper indented lines continue the one above.

    Raises:
        CatalogueError: a key is missing, unknown or given twice, or a line has another shape.
    """
    values, lists = _read_header(text, "view", _VIEW_KEYS)
    return ViewFile(
        name=values["view"],
        meaning=values["gives"],
        grain=values["grain"],
        source=values["source"],
        depends_on=_names(values["depends on"]),
        columns=lists["columns"],
        note=values.get("note"),
        sql=text,
    )


def split_function_header(text: str) -> FunctionFile:
    """Reads the header of a function file.

    Like a view's, with `-- function: name` at the top, no grain, `arguments:` in the place of the columns, and
    `returns: TYPE; meaning` after them. One that gives rows has `returns: TABLE; a row per what`, and then `columns:`.

    Raises:
        CatalogueError: a key is missing, unknown or given twice, or a line has another shape.
    """
    values, lists = _read_header(text, "function", _FUNCTION_KEYS, optional=("columns",))
    returns, separator, result = values["returns"].partition("; ")
    if not separator:
        raise CatalogueError(f"The header of function {values['function']}: write `-- returns: TYPE; meaning`.")
    if (returns == A_TABLE) != ("columns" in lists):
        raise CatalogueError(
            f"The header of function {values['function']}: `-- columns:` belong to one that `returns: {A_TABLE}; …`, "
            "and to no other."
        )
    return FunctionFile(
        name=values["function"],
        meaning=values["gives"],
        source=values["source"],
        depends_on=_names(values["depends on"]),
        arguments=lists["arguments"],
        returns=returns,
        result=result,
        columns=lists.get("columns", ()),
        note=values.get("note"),
        sql=text,
    )


def read_view_files(sql_folder: Path) -> tuple[ViewFile, ...]:
    """The views of a folder, each after those that it depends on, otherwise by name.

    Raises:
        CatalogueError: no file, a wrong header, a name that is not the file's or is taken by a table,
            an unknown dependency, or a circle of dependencies.
    """
    paths = sorted(sql_folder.glob("*.sql"))
    if not paths:
        raise CatalogueError(f"No view files (*.sql) in {sql_folder}; give the folder `sql` of the project.")
    files: dict[str, ViewFile] = {}
    for path in paths:
        file = _read_file(path, split_sql_header)
        if file.name in TABLES or file.name in (INFO_VIEW, FILES_VIEW, SETTINGS_VIEW):
            raise CatalogueError(f"{path.name}: {file.name} is the name of a table; choose another one.")
        files[file.name] = file
    return _ordered(files, known={*TABLES, SETTINGS_VIEW})


def read_function_files(sql_folder: Path) -> tuple[FunctionFile, ...]:
    """The functions of `<sql_folder>/functions`, each after those that it depends on; none where there is no folder.

    Those that give tables come last, and may read tables and views.

    Raises:
        CatalogueError: a wrong header, a name that is not the file's, an unknown dependency, or a circle.
    """
    files = {
        path.stem: _read_file(path, split_function_header)
        for path in sorted((sql_folder / FUNCTION_FOLDER).glob("*.sql"))
    }
    values = _ordered({name: file for name, file in files.items() if not file.is_table}, known=set())
    known = {*TABLES, SETTINGS_VIEW, *(path.stem for path in sql_folder.glob("*.sql")), *(file.name for file in values)}
    return (*values, *_ordered({name: file for name, file in files.items() if file.is_table}, known=known))


def read_sql_folder(sql_folder: Path) -> SqlFolder:
    return SqlFolder(read_function_files(sql_folder), read_view_files(sql_folder))


def _read_file(path: Path, split: Callable[[str], _File]) -> _File:
    try:
        file = split(path.read_text(encoding="utf-8"))
    except CatalogueError as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    if file.name != path.stem:
        kind = "view" if isinstance(file, ViewFile) else "function"
        raise CatalogueError(f"{path.name}: the header names the {kind} {file.name}; name both alike.")
    return file


def _ordered(files: Mapping[str, _File], known: set[str]) -> tuple[_File, ...]:
    """The files, each after those that it depends on, otherwise by name; `known` is there before all of them."""
    ordered: dict[str, _File] = {}
    waiting = dict(files)
    while waiting:
        ready = [name for name, file in waiting.items() if all(d in known or d in ordered for d in file.depends_on)]
        if not ready:
            unknown = {d for file in waiting.values() for d in file.depends_on} - known - set(files)
            if unknown:
                raise CatalogueError(
                    f"Nothing to depend on is named {', '.join(sorted(unknown))}; correct `depends on` in the headers."
                )
            raise CatalogueError(f"The files {', '.join(sorted(waiting))} depend on each other in a circle; break it.")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return tuple(ordered.values())


def _read_header(
    text: str, first_key: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> tuple[dict[str, str], dict[str, tuple[ViewColumn, ...]]]:
    """The texts by key, and the lines of `columns` and `arguments`."""
    allowed = (*required, *optional, "note")
    values: dict[str, str] = {}
    lists: dict[str, list[ViewColumn]] = {}
    key = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("--"):
            break
        if match := _KEY_LINE.match(line):
            key = match[1]
            if key not in allowed or key in values:
                problem = "is there twice" if key in values else f"is none of {', '.join(allowed)}"
                raise CatalogueError(f"Line {number} of the header: the key `{key}` {problem}; correct it.")
            values[key] = match[2]
            if key in _LIST_KEYS:
                lists[key] = []
        elif key in _LIST_KEYS and (match := _COLUMN_LINE.match(line)):
            lists[key].append(ViewColumn(match[1], match[2], match[3], match[4]))
        elif key and (match := _CONTINUATION.match(line)):
            if key not in _LIST_KEYS:
                values[key] = f"{values[key]} {match[1]}".strip()
            elif lists[key] and line.startswith("--     "):
                last = lists[key].pop()
                lists[key].append(ViewColumn(last.name, last.type, last.unit, f"{last.meaning} {match[1]}"))
            else:
                raise CatalogueError(
                    f"Line {number} of the header: write a column as `--   name (TYPE, unit): meaning`, got: {line}"
                )
        else:
            raise CatalogueError(f"Line {number} of the header: write `-- key: value`, got: {line}")

    missing = [name for name in required if not (lists.get(name) if name in _LIST_KEYS else values.get(name))]
    missing += [name for name in optional if name in lists and not lists[name]]
    if missing:
        name = values.get(first_key, "without a name")
        raise CatalogueError(
            f"The header of {first_key} {name} lacks {', '.join(missing)}; add it at the top of the file."
        )
    return values, {name: tuple(columns) for name, columns in lists.items()}


def _names(listed: str) -> tuple[str, ...]:
    return () if listed == "nothing" else tuple(name.strip() for name in listed.split(","))
