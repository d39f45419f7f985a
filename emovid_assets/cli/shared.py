"""What every command needs: the two consoles, the home, the option for domains, and how a command fails.

Belongs here: that. Does not belong here: any command.
"""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.plain_text import for_terminal
from emovid_assets.home.folders import Home, HomeError, require_meant


class PlainConsole(Console):
    """A console that shows what strangers have written and does not obey it: names of files may hold escapes that move
    the cursor or rename the window."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(for_terminal(text), **options)


# Lines are left whole: a log or a pipe should not be cut at 80 columns.
out, err = PlainConsole(highlight=False, soft_wrap=True), PlainConsole(stderr=True, highlight=False, soft_wrap=True)

DomainOption = Annotated[
    list[str] | None, typer.Option("--domain", "-d", help=f"Only this domain; may be repeated. {', '.join(DOMAINS)}.")
]


def fail(message: str) -> typer.Exit:
    # Paths, SQL and Dagster's messages hold brackets, which are no markup.
    err.print(f"[bold red]error[/] {escape(message)}")
    return typer.Exit(1)


def named_home() -> Home:
    """The home that the environment names, there or not."""
    try:
        return Home.from_environment()
    except HomeError as error:
        raise fail(str(error)) from error


def home_to_make() -> Home:
    """The home of a command that may be the first one there, unless another path was probably meant."""
    home = named_home()
    try:
        require_meant(home.root)
    except HomeError as error:
        raise fail(str(error)) from error
    if not home.root.exists():
        err.print(f"[yellow]note[/] {escape(str(home.root))} is a new home")
    return home


def home_to_read() -> Home:
    """The home of a command that looks at what is there: a name with a slip in it makes no new one."""
    home = named_home()
    if not home.root.is_dir():
        raise fail(
            f"{home.root}: there is no such folder. Set EMOVID_HOME to your home (it is ./data where nothing is set), "
            "or make a new one there with: emovid build"
        )
    return home


def chosen_domains(chosen: list[str] | None) -> list[str]:
    unknown = [name for name in chosen or () if name not in DOMAINS]
    if unknown:
        raise fail(f"'{unknown[0]}' is not a domain; use one of {', '.join(DOMAINS)}")
    return chosen or list(DOMAINS)
