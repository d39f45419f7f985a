"""`emovid sql`: questions to the catalogue.

Belongs here: arguments and printing. Does not belong here: any work.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from emovid_assets.cli.shared import err, fail, home_to_read, named_home, out
from emovid_assets.home.folders import Home


def sql(
    query: Annotated[str | None, typer.Argument(help='For example "SELECT * FROM dataset_statistics".')] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the query from a file; - is stdin.")] = None,
    name: Annotated[str | None, typer.Option("--name", "-n", help="Run a named query; --list shows them.")] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="Value of a parameter: name=value for $name in the query; may be repeated."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of the terminal.")] = None,
    list_names: Annotated[bool, typer.Option("--list", help="List views, tables, functions, named queries.")] = False,
    describe: Annotated[
        str | None, typer.Option("--describe", help="Columns, units and meanings of one name of the list.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="Ask the tables as they were: name of a snapshot.")] = None,
) -> None:
    """Query the catalogue. Without a query: a prompt, or what is piped in. Docs: docs/cookbook.md."""
    from emovid_assets.queries import running as queries
    from emovid_assets.queries.help import described, emptiness, listed, nothing_built
    from emovid_assets.queries.named import NamedQueryError, ad_hoc_values, named_query, settings
    from emovid_assets.resources.release.snapshots import SnapshotError, find_snapshot

    home = named_home()
    try:
        chosen = [option for option in (query, file, name, describe, list_names or None) if option is not None]
        if len(chosen) > 1:
            raise fail("give one of these: a query, --file, --name, --describe, --list")
        if list_names or describe is not None:
            queries.check_form(form, output)
            text, rows = described(describe) if describe is not None else ("", listed())
            if form == "table" and output is None and text:
                sys.stdout.write(f"{text}\n")
            queries.write(rows.to_reader(), form, output)
            return
        home = home_to_read()
        asked = home if at is None else Home(find_snapshot(home, at).folder)
        typed = settings(values or ())
        if name is not None:
            stored = named_query(name)
            query, bound = stored.sql, stored.values(typed)
        else:
            bound = ad_hoc_values(typed)
            if query is None:
                query = _query_text(file, home, asked)
                if query is None:
                    return
        count = queries.run(asked, query, form, output, bound)
        reason = emptiness(asked, query)
        if reason and (not count or reason == nothing_built(asked)):
            err.print(f"[yellow]note[/] {escape(reason)}")
        elif not count:
            err.print("[yellow]note[/] no rows")
    except BrokenPipeError:
        # `| head` has seen enough. Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except queries.QueryError as error:
        reason = nothing_built(home) if name is not None else None
        raise fail(f"{error}\n{reason}" if reason else str(error)) from error
    except (NamedQueryError, SnapshotError, OSError, UnicodeDecodeError) as error:
        raise fail(str(error)) from error


def _query_text(file: Path | None, home: Home, asked: Home) -> str | None:
    """The query out of a file or a pipe; null where somebody has typed at the prompt and is done.

    `asked`: the home, or a snapshot of it, whose tables are read.
    """
    if file is not None and str(file) != "-":
        return file.read_text(encoding="utf-8")
    if file is None and sys.stdin.isatty():
        from emovid_assets.queries.running import session
        from emovid_assets.queries.shell import prepare_terminal, talk

        with session(asked) as opened:
            out.print(
                f"Catalogue of {asked.root}, read-only. Statements end with ;  .help lists commands", markup=False
            )
            prepare_terminal(home)
            talk(opened, input)
        return None
    text = sys.stdin.read()
    if not text.strip():
        raise fail('give a query, --file, --name or --list; for example: emovid sql "SELECT * FROM dataset_statistics"')
    return text
