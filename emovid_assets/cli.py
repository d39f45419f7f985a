"""The command line: `emovid …`. `--help` on each command says what it is for.

Belongs here: arguments, and what the terminal shows. Does not belong here: any work. Imports that cost time
(Dagster, DuckDB) happen in the command that needs them.
"""

import errno
import os
import shutil
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Build emotion-annotated video datasets. Everything lies below EMOVID_HOME (default: ./data).",
)
annotate = typer.Typer(no_args_is_help=True, help="The round trip with human annotators.")
app.add_typer(annotate, name="annotate")
# Lines are left whole: a log or a pipe should not be cut at 80 columns.
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

DomainOption = Annotated[
    list[str] | None, typer.Option("--domain", "-d", help=f"Only this domain; may be repeated. {', '.join(DOMAINS)}.")
]


DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


class DemoSize(StrEnum):
    FULL = "full"
    SMALL = "small"


class Only(StrEnum):
    STALE = "stale"
    FAILED = "failed"


def fail(message: str) -> typer.Exit:
    # Paths, SQL and Dagster's messages hold brackets, which are no markup.
    err.print(f"[bold red]error[/] {escape(message)}")
    return typer.Exit(1)


def _domains(chosen: list[str] | None) -> list[str]:
    unknown = [name for name in chosen or () if name not in DOMAINS]
    if unknown:
        raise fail(f"'{unknown[0]}' is not a domain; use one of {', '.join(DOMAINS)}")
    return chosen or list(DOMAINS)


@app.command()
def build(
    domain: DomainOption = None,
    select: Annotated[
        str | None,
        typer.Option(help='Assets in the syntax of the UI: "key:clips+", "group:labels".'),
    ] = None,
    retry_quarantined: Annotated[bool, typer.Option(help="Try quarantined items once more.")] = False,
    only: Annotated[
        Only | None,
        typer.Option(
            help="`stale`: what is stale or missing. `failed`: what failed, with quarantined items tried again."
        ),
    ] = None,
) -> None:
    """Materialise the graph: only what is new or changed is computed."""
    from emovid_assets.building.terminal import run_build

    home = Home.from_environment()
    home.library.mkdir(parents=True, exist_ok=True)
    try:
        is_successful = run_build(out, home, _domains(domain), select, retry_quarantined, only.value if only else None)
    except (SettingsError, ValueError) as error:
        raise fail(str(error)) from error
    if not is_successful:
        raise typer.Exit(1)


@app.command()
def demo(
    size: Annotated[DemoSize, typer.Option(help="`small` is for a quick look.")] = DemoSize.FULL,
) -> None:
    """Make a small three-domain library by itself, build everything, and print the paper's tables from it."""
    from emovid_assets.demo.session import run_demo

    try:
        is_successful = run_demo(out, Home.from_environment(), size.value)
    except (FileExistsError, ValueError) as error:
        raise fail(str(error)) from error
    if not is_successful:
        raise typer.Exit(1)


@app.command()
def status(domain: DomainOption = None) -> None:
    """Per asset and domain: rows, quarantined items, and whether it is missing or stale."""
    from emovid_assets.building.status import asset_states, unresolved_failures

    home, chosen = Home.from_environment(), _domains(domain)
    table = Table("asset", "domain", "rows", "quarantined", "state", box=None, header_style="bold")
    try:
        states = asset_states(home, chosen)
    except ValueError as error:
        raise fail(str(error)) from error
    for state in states:
        colour = {"up to date": "green", "missing": "dim"}.get(state.state, "yellow")
        rows = "" if state.rows is None else f"{state.rows:,}"
        quarantined = str(state.quarantined) if state.quarantined else ""
        table.add_row(state.asset, state.domain or "all", rows, quarantined, f"[{colour}]{state.state}[/]")
    out.print(table)
    for failed in unresolved_failures(home, chosen):
        told = f"{failed.failed_at:%Y-%m-%d %H:%M} UTC  {failed.asset} [{failed.domain or 'all'}]"
        out.print(f"[bold red]failed[/] {escape(f'{told}  run {failed.run_id[:8]} ({failed.job}): {failed.error}')}")


@app.command()
def plan(
    domain: DomainOption = None,
    select: Annotated[str | None, typer.Option(help="As of `emovid build`.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is fresh, but follows from something that is to be built.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of all assets instead of a table.")] = False,
) -> None:
    """What a build would do: what is stale and why, how many items, about how long. Nothing runs or is written."""
    import json

    from emovid_assets.building.plan import plan as planned_assets
    from emovid_assets.building.server_costs import server_costs
    from emovid_assets.building.terminal import duration

    home = Home.from_environment()
    try:
        planned = planned_assets(home, _domains(domain), select)
    except (SettingsError, ValueError) as error:
        raise fail(str(error)) from error
    if as_json:
        sys.stdout.write(json.dumps([one.as_json() for one in planned], indent=1) + "\n")
        return
    to_do = [one for one in planned if one.state != "up to date"]
    following = [one for one in to_do if one.state == "follows" and not one.items]
    if not to_do:
        out.print("everything is up to date")
        return
    table = Table("asset", "domain", "state", "items", "about", "reason", box=None, header_style="bold")
    for one in to_do if everything else (one for one in to_do if one not in following):
        colour = {"follows": "dim", "missing": "cyan"}.get(one.state, "yellow")
        items = ("?" if one.is_estimate else "") if one.items is None else f"{one.items:,}"
        items = f"~{items}" if one.is_estimate and one.items else items
        about = duration(one.seconds) if one.items else ""
        table.add_row(one.asset, one.domain or "all", f"[{colour}]{one.state}[/]", items, about, escape(one.reason))
    out.print(table)
    known = [one.seconds for one in to_do if one.items and one.seconds is not None]
    unknown = sum(one.seconds is None and (bool(one.items) or one.is_estimate) for one in to_do)
    if following and not everything:
        out.print(f"{len(following)} more follow where results come out different: --all shows them")
    told = [f"about {duration(sum(known))}"] if known else []
    told += [f"{unknown} of unknown length"] if unknown else []
    if told:
        out.print(f"{', '.join(told)}; ~ is an estimate, by what the domain holds now")
    for asset, cost in server_costs(home, planned).items():
        hours = "" if cost.hours is None else f", about {duration(cost.hours * 3600)}"
        out.print(
            f"{asset}: {cost.request_count:,} requests, {cost.prompt_token_count:,} prompt and "
            f"{cost.output_token_count:,} output tokens, {cost.upload_bytes / 1e9:.2f} GB sent, "
            f"price {cost.price:,.2f}{hours} ({escape(cost.basis)})"
        )


@app.command()
def verify(
    repair: Annotated[
        bool, typer.Option(help="Forget what does not hold, so that `emovid build` makes it again; remove leftovers.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Prove the warehouse: hash every file again, check tables, ids, splits and the quarantine. Reads all media."""
    from emovid_assets.checks import proofs as verification

    try:
        proofs = list(verification.proofs(Home.from_environment(), repair=repair))
    except (verification.NothingBuiltError, SettingsError, OSError) as error:
        raise fail(str(error)) from error
    if as_json:
        sys.stdout.write(verification.as_json(proofs))
    else:
        for proof in proofs:
            word = "[green]holds[/]" if proof.holds else "[bold red]fails[/]"
            note = f"  [dim]{escape(proof.note)}[/]" if proof.note else ""
            out.print(f"{word}  {proof.name:14} {proof.checked:9,} {proof.unit}{note}")
            for fault in proof.faults[: verification.SHOWN_FAULTS]:
                out.print(f"         {escape(fault)}")
            if len(proof.faults) > verification.SHOWN_FAULTS:
                out.print(f"         and {len(proof.faults) - verification.SHOWN_FAULTS:,} more; --json has all")
    failed = [proof for proof in proofs if not proof.holds]
    if failed and not as_json:
        is_repair_due = not repair and any(proof.is_repairable for proof in failed)
        out.print("next: emovid verify --repair, then emovid build" if is_repair_due else "next: emovid build")
    if failed:
        raise typer.Exit(1)


@app.command()
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
) -> None:
    """Query the catalogue. Without a query: a prompt, or what is piped in. Docs: docs/cookbook.md."""
    from emovid_assets.queries import running as queries
    from emovid_assets.queries.help import described, emptiness, listed, nothing_built
    from emovid_assets.queries.named import NamedQueryError, ad_hoc_values, named_query, settings

    home = Home.from_environment()
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
        typed = settings(values or ())
        if name is not None:
            stored = named_query(name)
            query, bound = stored.sql, stored.values(typed)
        else:
            bound = ad_hoc_values(typed)
            if query is None:
                query = _query_text(file, home)
                if query is None:
                    return
        count = queries.run(home, query, form, output, bound)
        reason = emptiness(home, query)
        if reason and (not count or reason == nothing_built(home)):
            err.print(f"[yellow]note[/] {escape(reason)}")
        elif not count:
            err.print("[yellow]note[/] no rows")
    except BrokenPipeError:
        # `| head` has seen enough. Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except queries.QueryError as error:
        reason = nothing_built(home) if name is not None else None
        raise fail(f"{error}\n{reason}" if reason else str(error)) from error
    except (NamedQueryError, OSError, UnicodeDecodeError) as error:
        raise fail(str(error)) from error


def _query_text(file: Path | None, home: Home) -> str | None:
    """The query out of a file or a pipe; null where somebody has typed at the prompt and is done."""
    if file is not None and str(file) != "-":
        return file.read_text(encoding="utf-8")
    if file is None and sys.stdin.isatty():
        from emovid_assets.queries.running import session
        from emovid_assets.queries.shell import prepare_terminal, talk

        with session(home) as opened:
            out.print(f"Catalogue of {home.root}, read-only. Statements end with ;  .help lists commands", markup=False)
            prepare_terminal(home)
            talk(opened, input)
        return None
    text = sys.stdin.read()
    if not text.strip():
        raise fail('give a query, --file, --name or --list; for example: emovid sql "SELECT * FROM dataset_statistics"')
    return text


@app.command()
def report(
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write reports/report.html from the catalogue as it is, and print where it is."""
    import webbrowser

    from emovid_assets.report.build import build_report
    from emovid_assets.resources.catalogue import CatalogueError

    home = Home.from_environment()
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        made = build_report(home)
    except (CatalogueError, SettingsError, OSError) as error:
        raise fail(str(error)) from error
    out.print(str(made.path), markup=False)
    if open_it and not webbrowser.open(made.path.as_uri()):
        raise fail("no browser was found; open the file by hand")


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    live: Annotated[
        bool, typer.Option("--live", help="Sensors, schedules and automation are on: what is new is built by itself.")
    ] = False,
) -> None:
    """The Dagster UI with its daemon, on this machine only."""
    from emovid_assets.building.runner import open_instance
    from emovid_assets.home.shipped_files import shipped_file

    home = Home.from_environment()
    home.library.mkdir(parents=True, exist_ok=True)
    try:
        # Sets DAGSTER_HOME, and makes Dagster's tables before the processes of `dagster dev` would all try to.
        open_instance(home).dispose()
    except ValueError as error:
        raise fail(str(error)) from error
    environment = {
        **os.environ,
        "EMOVID_HOME": str(home.root),
        **({"EMOVID_AUTOMATION": "on"} if live else {}),
    }
    program = shutil.which("dagster", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise fail("the program `dagster` is not installed beside this one; install emovid-assets again")
    out.print(f"Dagster UI on http://127.0.0.1:{port} for {home.root} (stop with Ctrl-C)")
    workspace = str(shipped_file("workspace.yaml"))
    os.execve(program, [program, "dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)], environment)


@app.command()
def collect(
    domain: DomainOption = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Files per domain; default: collection.max_items.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked and fetched.")] = False,
    retry: Annotated[bool, typer.Option(help="Also what is unavailable, blocked or has failed before.")] = False,
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Folder or archive of animations with a manifest.csv; may be repeated."),
    ] = None,
) -> None:
    """Fetch films, stickers and animations into the library, within a budget. Docs: docs/collection.md."""
    from emovid_assets.building.terminal import Bars, print_collection, progress_bars
    from emovid_assets.resources.collection.budget import Budget
    from emovid_assets.resources.collection.collect import collect as collect_domain
    from emovid_assets.resources.collection.shelf import BrokenManifestError, BusyError

    home = Home.from_environment()
    chosen = ["animation"] if source and domain is None else _domains(domain)
    if source and "animation" not in chosen:
        raise fail("--from is for animations; add --domain animation, or leave --domain out")
    try:
        settings = home.settings().collection
        for name in chosen:
            with progress_bars(out) as progress:
                report = collect_domain(
                    home,
                    name,
                    Budget.of(settings, limit),
                    progress=Bars(progress),
                    retries_all=retry,
                    is_dry=dry_run,
                    sources=[str(path) for path in source or ()],
                )
            print_collection(out, report, is_dry=dry_run)
    except (BrokenManifestError, BusyError, SettingsError) as error:
        raise fail(str(error)) from error
    if not dry_run:
        out.print("next: emovid build")


@annotate.command("export")
def annotate_export(
    folder: Annotated[Path, typer.Argument(help="Where to write; is created.")],
    domain: DomainOption = None,
) -> None:
    """Write what annotators need: tasks for Label Studio's import, a labelling screen, and a CSV to fill in."""
    from emovid_assets.people.files import NothingToExportError, export_tasks

    try:
        written = export_tasks(Home.from_environment(), _domains(domain), folder)
    except NothingToExportError as error:
        raise fail(str(error)) from error
    for path, count in written:
        out.print(f"{count:6d} tasks  {path}", markup=False)


@annotate.command("import")
def annotate_import(
    files: Annotated[list[Path], typer.Argument(help="Label Studio JSON exports or CSV files.")],
) -> None:
    """Copy annotation files into the library and say what would count; `emovid build` takes them up."""
    from emovid_assets.people.files import import_files

    home = Home.from_environment()
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise fail(f"no such file: {missing[0]}")
    try:
        reports = import_files(home, files)
    except (ValueError, FileExistsError) as error:
        raise fail(str(error)) from error
    for report in reports:
        out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected", markup=False)
        for reason, count in report.reasons.items():
            out.print(f"    {count:5d} {reason}")


@annotate.command("serve")
def annotate_serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8080,
) -> None:
    """Start Label Studio for this home, on this machine only; sets it up the first time. Stop with Ctrl-C."""
    from emovid_assets.resources.label_studio import Access, LabelStudioError, running_server

    home = Home.from_environment()
    # Ending it by a signal must end the server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with running_server(home, port, lambda text: out.print(text, markup=False)) as server:
            out.print(f"Label Studio on {server.url} for {home.root} (stop with Ctrl-C)", markup=False)
            out.print(f"  administrator  see {Access.path(home)}", markup=False)
            out.print(f"  annotators     {server.invite_link()}", markup=False)
            out.print("  next           emovid annotate push", markup=False)
            server.wait()
    except KeyboardInterrupt:
        out.print("Label Studio ended")
    except (LabelStudioError, OSError) as error:
        raise fail(str(error)) from error


@annotate.command("push")
def annotate_push(domain: DomainOption = None) -> None:
    """Bring tasks to Label Studio that are not there yet; `emovid annotate serve` must be running."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    home, chosen = Home.from_environment(), _domains(domain)
    try:
        done = annotation_server.push(home, LabelStudio.of(home), chosen)
    except (LabelStudioError, SettingsError, annotation_server.NothingToPushError) as error:
        raise fail(str(error)) from error
    for project in done:
        withdrawn = f", {project.withdrawn_count} no longer asked for" if project.withdrawn_count else ""
        counts = f"{project.new_count:5d} new of {project.task_count:5d} tasks{withdrawn}"
        out.print(f"{counts}  {project.title}  {project.address}", markup=False)


@annotate.command("pull")
def annotate_pull() -> None:
    """Bring the answers from Label Studio into the library and say what counts; `emovid build` takes them up."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    home = Home.from_environment()
    try:
        done = annotation_server.pull(home, LabelStudio.of(home))
    except (LabelStudioError, SettingsError) as error:
        raise fail(str(error)) from error
    if not done:
        out.print("no answers yet; emovid annotate status says how far people are")
    for project in done:
        report = project.report
        state = "new answers" if project.is_changed else "as before"
        out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected ({state})", markup=False)
        for reason, count in report.reasons.items():
            out.print(f"    {count:5d} {reason}")
        if project.kept_count:
            out.print(f"    {project.kept_count:5d} answers are gone from the server and were kept")


@annotate.command("status")
def annotate_status() -> None:
    """How far people are: per Label Studio project, tasks, finished ones, and answers a person."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    try:
        projects = annotation_server.status(LabelStudio.of(Home.from_environment()))
    except LabelStudioError as error:
        raise fail(str(error)) from error
    table = Table(box=None, header_style="bold")
    table.add_column("project", no_wrap=True)
    for name in ("tasks", "finished", "skipped"):
        table.add_column(name, justify="right")
    table.add_column("answers")
    for project in projects:
        people = ", ".join(f"{name} {count}" for name, count in sorted(project.answers.items()))
        numbers = (project.task_count, project.finished_count, project.skipped_count)
        table.add_row(escape(project.title), *map(str, numbers), escape(people))
    out.print(table)


def main() -> None:
    """Entry point of the `emovid` program."""
    try:
        app()
    except Exception as error:
        said = _disk_fault(error)
        if said is None:
            raise
        sys.exit(fail(said).exit_code)


def _disk_fault(error: BaseException | None) -> str | None:
    """What a full, read-only or forbidden disk has to do with the error; null for errors of other kinds."""
    import sqlite3

    from emovid_assets.resources.item_store import StateError

    home = Home.from_environment().root
    advice = f"check free space and permissions of {home}, then run the same command again"
    while error is not None:
        if isinstance(error, StateError):
            return str(error)
        if isinstance(error, OSError) and error.errno in DISK_FAULTS:
            return f"{error.filename or home}: {error.strerror}: {advice}"
        # Dagster keeps its own state in SQLite.
        if isinstance(error, sqlite3.OperationalError):
            return f"{home}: {error}: {advice}"
        error = error.__cause__ or error.__context__
    return None


if __name__ == "__main__":
    main()
