"""`emovid release …`: versions of the dataset that others can load, and that prove themselves.

Belongs here: arguments and printing of `make`, `list`, `gate` and `verify`, and putting the group together. Does not
belong here: any work.
"""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from emovid_assets.cli.proofs import print_proofs
from emovid_assets.cli.release_diff import diff
from emovid_assets.cli.release_load import load
from emovid_assets.cli.release_push import push
from emovid_assets.cli.release_rebuild import rebuild
from emovid_assets.cli.shared import err, fail, home_to_read, named_home, out
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.plain_text import bare
from emovid_assets.core.release.layout import TIERS, Tier
from emovid_assets.drawing.numerals import counted
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError

if TYPE_CHECKING:
    from emovid_assets.building.releasing import Prepared
    from emovid_assets.resources.release.making import Made

SHOWN_REASONS = 12

release = typer.Typer(no_args_is_help=True, help="Versions of the dataset that others can load (docs/release.md).")


@release.callback()
def group() -> None:
    """Versions of the dataset that others can load (docs/release.md)."""


TierOption = Annotated[str, typer.Option(help="full: media where that is allowed; metadata: no media at all.")]


@release.command("make")
def make(
    name: Annotated[str, typer.Argument(help="What the dataset is called, such as my-emovid.")],
    tier: TierOption = "full",
    webdataset: Annotated[bool, typer.Option("--webdataset", help="Also the clips as tar shards.")] = False,
) -> None:
    """Write releases/VERSION: the labelled clips, with media where that is allowed. The version follows from what has
    changed. Again: nothing, as long as nothing has changed."""
    from emovid_assets.building import releasing
    from emovid_assets.building.terminal import Bars, progress_bars
    from emovid_assets.resources.release.files import DamagedFileError
    from emovid_assets.resources.release.making import NothingToReleaseError
    from emovid_assets.resources.release.reading import NotAReleaseError

    home = home_to_read()
    try:
        with releasing.one_at_a_time(home), progress_bars(out) as progress:
            prepared = _prepared(home, name, tier, has_shards=webdataset)
            made = releasing.make_release(home, prepared, Bars(progress))
    except (
        releasing.ReleasesBusyError,
        releasing.NotProvedError,
        DamagedFileError,
        NothingToReleaseError,
        NotAReleaseError,
    ) as error:
        raise fail(str(error)) from error
    _print_made(made, prepared)
    if made.is_new:
        _note_in_dagster(home)


@release.command("gate")
def gate(
    tier: TierOption = "full",
) -> None:
    """Say what a release would hold of which clips and why, and write nothing."""
    prepared = _prepared(home_to_read(), "gate", tier)
    content = prepared.content
    counts: Counter[tuple[str, str, str]] = Counter()
    totals: Counter[tuple[str, str]] = Counter()
    for row in content.rows.select(["domain", "permission", "permission_reason"]).to_pylist():
        counts[row["permission"], row["permission_reason"], row["domain"]] += 1
        totals[row["permission"], row["domain"]] += 1
    for (domain, reason), count in content.left_out.items():
        counts["nothing", reason, domain] += count
        totals["nothing", domain] += count
    out.print(f"{'':10}" + "".join(f"{domain:>12}" for domain in DOMAINS))
    for permission in ("full", "metadata", "nothing"):
        out.print(f"{permission:10}" + "".join(f"{totals[permission, domain]:12,}" for domain in DOMAINS))
    for (permission, reason, domain), count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[
        :SHOWN_REASONS
    ]:
        out.print(f"{permission}: {count:,} of {domain}: {reason}", markup=False)
    if len(counts) > SHOWN_REASONS:
        out.print(f"and {len(counts) - SHOWN_REASONS} more reasons; a release says it of each clip")
    _print_remarks(prepared)


@release.command("list")
def list_releases() -> None:
    """Say which releases there are."""
    from emovid_assets.resources.release.reading import found_in

    home = home_to_read()
    found = found_in(home.releases)
    if found.releases:
        out.print(f"{'version':18}{'made':12}{'clips':>9}{'media':>9}{'MB':>11}  since the one before")
    for one in found.releases:
        since = "the first" if one.previous is None else f"{one.bump} since {one.previous}"
        size = f"{one.size_bytes / 1e6:,.1f}"
        made = one.created_at.date().isoformat()
        out.print(f"{one.folder_name:18}{made:12}{one.clip_count:9,}{one.media_count:9,}{size:>11}  {since}")
    for sentence in found.broken.values():
        err.print(f"[yellow]note[/] {escape(sentence)}")
    if not found.releases:
        out.print("no releases yet; the first: emovid release make NAME")


@release.command("verify")
def verify(
    release: Annotated[str, typer.Argument(help="A version of this home, or the folder of any release.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Prove a release from its folder alone: sums, rows, digest, CSV, media, shards, permissions, splits, and that
    nothing personal is in it."""
    from emovid_assets.checks.releases import release_proofs
    from emovid_assets.resources.release.reading import NotAReleaseError, find_release

    try:
        proofs = list(release_proofs(find_release(home_or_none(), release).folder))
    except (NotAReleaseError, OSError) as error:
        raise fail(str(error)) from error
    print_proofs(proofs, as_json=as_json)
    if not all(proof.holds for proof in proofs):
        raise typer.Exit(1)


for command in (diff, load, rebuild, push):
    release.command()(command)


def home_or_none() -> Home | None:
    """The home where there is one: a release can be proved without."""
    home = named_home()
    return home if home.root.is_dir() else None


def _prepared(home: Home, name: str, tier: str, *, has_shards: bool = False) -> "Prepared":
    from emovid_assets.building.releasing import prepare
    from emovid_assets.core.release.decisions import DecisionsError
    from emovid_assets.core.release.names import dataset_name_fault
    from emovid_assets.resources.release.content import FaultyRowsError, HiddenPicturesError
    from emovid_assets.resources.release.snapshots import SnapshotError
    from emovid_assets.resources.sql_files import CatalogueError

    if fault := dataset_name_fault(name):
        raise fail(fault)
    try:
        return prepare(home, bare(name), _tier(tier), has_shards=has_shards)
    except DecisionsError as error:
        raise fail(f"what people have decided cannot be followed, so nothing was released:\n{error}") from error
    except (FaultyRowsError, HiddenPicturesError, SnapshotError, CatalogueError, SettingsError) as error:
        raise fail(str(error)) from error


def _tier(said: str) -> Tier:
    for tier in TIERS:
        if said == tier:
            return tier
    raise fail(f"--tier is {' or '.join(TIERS)}, not '{said}'")


def _print_made(made: "Made", prepared: "Prepared") -> None:
    one, effort = made.release, made.effort
    if not made.is_new:
        out.print(f"nothing has changed since {one.folder_name}: {one.folder}", markup=False)
        _print_remarks(prepared)
        return
    since = "the first" if one.previous is None else f"{one.bump} since {one.previous}"
    out.print(f"{one.name} {one.folder_name}, {since}", markup=False)
    for reason in one.reasons[:SHOWN_REASONS]:
        out.print(f"  {reason}", markup=False)
    out.print(f"{'':10}" + "".join(f"{domain:>12}" for domain in DOMAINS))
    for what in ("clips", "media"):
        out.print(f"{what:10}" + "".join(f"{one.domains.get(domain, {}).get(what, 0):12,}" for domain in DOMAINS))
    if one.metadata_only_count and one.tier == "full":
        out.print(f"{counted(one.metadata_only_count, 'clip')} without media; why: emovid release gate")
    if one.left_out_count:
        out.print(f"{counted(one.left_out_count, 'clip')} left out; why: emovid release gate")
    done = (
        f"{effort.written_count:,} files written ({effort.written_bytes / 1e6:,.1f} MB), {effort.linked_count:,} linked"
    )
    out.print(f"{done}; {one.size_bytes / 1e6:,.1f} MB in {one.file_count:,} files")
    _print_remarks(prepared)
    for warning in prepared.background.warnings:
        err.print(f"[yellow]note[/] {escape(warning)}")
    out.print(f"in {one.folder}", markup=False)
    out.print(f"next: emovid release load {one.folder_name}, emovid release verify {one.folder_name}")


def _print_remarks(prepared: "Prepared") -> None:
    for sentence in prepared.remarks:
        err.print(f"[yellow]note[/] {escape(sentence)}")


def _note_in_dagster(home: Home) -> None:
    """The table `releases`, built as a build would: its run and its row are in the UI."""
    from emovid_assets.building import runner

    for report in runner.build(home, domains=DOMAINS, selection="key:releases", scope="needed", told=lambda said: None):
        if report.error:
            err.print(f"[yellow]note[/] the release is there, but the table releases is not: {escape(report.error)}")
