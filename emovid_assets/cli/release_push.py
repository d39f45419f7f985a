"""`emovid release push …`: a release goes to a hub or a store, because somebody asks for it.

Belongs here: arguments and printing. Does not belong here: any work.
"""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from emovid_assets.cli.shared import err, fail, home_to_read, out
from emovid_assets.core.release.names import is_release_name
from emovid_assets.drawing.numerals import counted
from emovid_assets.home.folders import Home, HomeError

if TYPE_CHECKING:
    from emovid_assets.resources.release.pushing import Place
    from emovid_assets.resources.release.reading import Release

SHOWN = 10


def push(
    version: Annotated[str, typer.Argument(help="A version, such as 1.0.0 or 1.0.0+metadata, or the folder of one.")],
    target: Annotated[
        str, typer.Argument(help="hf://datasets/OWNER/NAME[@BRANCH], s3://BUCKET/FOLDER, file:///FOLDER …")
    ],
    is_public: Annotated[
        bool, typer.Option("--public", help="Also into a repository of the hub that everybody can read.")
    ] = False,
    is_check: Annotated[bool, typer.Option("--check", help="Only compare what is there with the release.")] = False,
) -> None:
    """Send a release to a hub or a store. A new repository is private. Again: only what is missing there, or differs.
    Afterwards all that is there is compared with the release (docs/release.md)."""
    from emovid_assets.building.terminal import Bars, progress_bars
    from emovid_assets.checks.releases import release_faults
    from emovid_assets.resources.release.pushing import PushError, compare, told
    from emovid_assets.resources.release.pushing import push as push_release
    from emovid_assets.resources.release.reading import NotAReleaseError, find_release

    home = home_to_read() if is_release_name(version) else None
    try:
        release = find_release(home, version)
        if not is_check:
            _refuse_withdrawn(release)
        place = _place(target, release.folder_name, is_public=is_public)
        with progress_bars(out) as progress:
            if is_check:
                compared = compare(release.folder, place, Bars(progress))
            else:
                pushed = push_release(release.folder, place, verify=release_faults, tell=Bars(progress))
    except (NotAReleaseError, PushError) as error:
        raise fail(str(error)) from error
    if is_check:
        if not compared.is_same:
            raise fail(f"{place.address}: {told(compared)}")
        out.print(f"{escape(place.address)} holds {release.folder_name}: every file has the same bytes")
        _say_others(compared.others)
        return
    out.print(
        f"{escape(pushed.address)} holds {release.folder_name}: {counted(pushed.sent_count, 'file')} sent "
        f"({pushed.sent_bytes / 1e6:,.1f} MB), {pushed.kept_count:,} there already; every file was compared"
    )
    _say_others(pushed.others)


def _refuse_withdrawn(release: "Release") -> None:
    """Of this home: others have their decisions elsewhere."""
    from emovid_assets.core.release.decisions import DecisionsError
    from emovid_assets.resources.release.decisions import decisions_of
    from emovid_assets.resources.release.withdrawn import told, withdrawn

    try:
        home = Home.from_environment()
    except HomeError:
        # A folder is pushed without one.
        return
    if release.folder.resolve().parent != home.releases.resolve():
        return
    try:
        clips = withdrawn(release, decisions_of(home))
    except DecisionsError as error:
        raise fail(f"what people have decided cannot be followed, so nothing was sent:\n{error}") from error
    if clips:
        raise fail(f"{release.folder_name} {told(clips)}: make the next release, and push that")


def _place(target: str, name: str, *, is_public: bool) -> "Place":
    """Raises PushError."""
    from emovid_assets.resources.release.hub import SCHEME, Hub
    from emovid_assets.resources.release.pushing import PushError
    from emovid_assets.resources.release.store import Store

    if target.startswith(SCHEME):
        return Hub(target, name, may_be_public=is_public)
    if "://" not in target:
        raise PushError(f"'{target}' is no address to push to: write s3://BUCKET/FOLDER, or file:///FOLDER")
    return Store(target, name)


def _say_others(others: tuple[str, ...]) -> None:
    if others:
        shown = ", ".join(others[:SHOWN]) + (" …" if len(others) > SHOWN else "")
        err.print(f"[yellow]note[/] not of this release, and left as they are: {escape(shown)}")
