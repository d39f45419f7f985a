"""`emovid sql` without a query: statements typed one after another, until `.quit`.

Belongs here: reading lines, the commands that begin with a dot, history and completion. Does not belong here: running
a query (`query`), what names there are (`query_help`).
"""

import atexit
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from emovid_assets.core.plain_text import for_terminal
from emovid_assets.home.folders import Home
from emovid_assets.queries import help as query_help
from emovid_assets.queries import running as query
from emovid_assets.queries.named import NamedQueryError, named_query, settings

PROMPT, MORE = "emovid> ", "   ...> "
HISTORY_FILE, HISTORY_LINES = ".sql_history", 1000
HELP = """\
Statements end with a semicolon and may span lines. Ctrl-C ends a statement, Ctrl-D the program.
  .tables [TEXT]           tables, views and named queries, or those whose name holds TEXT
  .describe NAME           what it gives, its columns, units and meanings
  .run NAME [name=value …] a named query
  .format table|csv|json   how answers are shown
  .help                    this list
  .quit                    leave
"""


def talk(session: query.Session, read: Callable[[str], str], *, is_terminal: bool = True) -> None:
    """Answers what `read` gives, line by line, until it raises EOFError or somebody types `.quit`."""
    form, waiting = "table", ""
    while True:
        try:
            line = read(MORE if waiting else PROMPT)
        except EOFError:
            break
        except KeyboardInterrupt:
            waiting = ""
            sys.stdout.write("\n")
            continue
        try:
            if not waiting and line.strip().startswith("."):
                words = line.split()
                if words[0] in (".quit", ".exit"):
                    return
                form = _command(session, words, form)
                continue
            waiting = f"{waiting}\n{line}" if waiting else line
            if not waiting.strip():
                waiting = ""
            elif is_complete(waiting):
                text, waiting = waiting, ""
                _answer(session, text, form)
        except (query.QueryError, NamedQueryError) as error:
            _complain(str(error))
        except KeyboardInterrupt:
            session.connection.interrupt()
            _complain("stopped")
    if waiting.strip():
        _complain("the last statement has no semicolon and was not run")
    if is_terminal:
        sys.stdout.write("\n")


def is_complete(text: str) -> bool:
    """Whether the text ends with a semicolon that is no part of a string, a name or a comment."""
    if not text.rstrip().endswith(";"):
        return False
    try:
        count = len(duckdb.extract_statements(text))
    except duckdb.Error as error:
        # A mistake is told at once; an open string or comment waits for its end.
        return "unterminated" not in str(error)
    try:
        # What comes after a semicolon in a comment belongs to the same statement, and here does not fit it.
        return len(duckdb.extract_statements(f"{text}\nselect 1")) > count
    except duckdb.Error:
        return False


def prepare_terminal(home: Home) -> None:
    """History of earlier sessions, and completion of names by the tab key, where the system has readline."""
    try:
        import readline
    except ImportError:
        return
    path = home.root / HISTORY_FILE
    with suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(HISTORY_LINES)
    names = sorted(query_help.listed()["name"].to_pylist())

    def complete(text: str, state: int) -> str | None:
        near = [name for name in names if name.startswith(text)]
        return near[state] if state < len(near) else None

    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
    atexit.register(_keep_history, path)


def _keep_history(path: Path) -> None:
    import readline

    # A home that cannot be written to has no history.
    with suppress(OSError):
        readline.write_history_file(path)


def _command(session: query.Session, words: list[str], form: str) -> str:
    """Does what a line beginning with a dot says; returns the format of answers from now on."""
    match words:
        case [".help"]:
            sys.stdout.write(HELP)
        case [".tables", *rest] if len(rest) <= 1:
            rows = query_help.listed()
            wanted = [bool(not rest or rest[0].lower() in name.lower()) for name in rows["name"].to_pylist()]
            query.write(rows.filter(wanted).to_reader(), "table", None)
        case [".describe", name]:
            text, columns = query_help.described(name.rstrip(";"))
            sys.stdout.write(f"{text}\n")
            query.write(columns.to_reader(), "table", None)
        case [".format", name] if name in query.FORMATS and name != "parquet":
            return name
        case [".run", name, *typed]:
            chosen = named_query(name)
            _answer(session, chosen.sql, form, chosen.values(settings(typed)))
        case _:
            _complain(f"'{' '.join(words)}' is no command; .help lists them")
    return form


def _answer(session: query.Session, text: str, form: str, values: dict[str, query.Value] | None = None) -> None:
    with closing(session.answers(text, values)) as readers:
        for reader in readers:
            if not query.write(reader, form, None):
                why = query_help.emptiness(session.home, text)
                _complain(f"no rows{f': {why}' if why else ''}")


def _complain(message: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"{for_terminal(message)}\n")
