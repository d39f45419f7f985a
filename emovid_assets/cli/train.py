"""`emovid train …`: generators are tuned on the dataset.

Belongs here: arguments and printing. Does not belong here: any work.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emovid_assets.cli.shared import DomainOption, chosen_domains, err, fail, home_to_read, out
from emovid_assets.core.cells import CellError, number
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.tuning.families import FAMILIES, Family, Size
from emovid_assets.core.tuning.trainers import TRAINERS, Trainer
from emovid_assets.core.tuning.trainers.shape import LAUNCH
from emovid_assets.drawing.numerals import counted
from emovid_assets.home.settings import SettingsError
from emovid_assets.resources.tuning.manifest import MANIFEST

if TYPE_CHECKING:
    from emovid_assets.resources.tuning.export import Report
    from emovid_assets.resources.tuning.merging import Part

BUCKETS = "buckets"
SHOWN_FRAME_COUNTS = 6
SHOWN_REASONS = 10

train = typer.Typer(no_args_is_help=True, help="Tune generators on the dataset (docs/training.md).")


@train.callback()
def group() -> None:
    """Tune generators on the dataset (docs/training.md)."""


@train.command("export")
def export(
    trainer: Annotated[str, typer.Option("--for", help=f"Who reads it: {', '.join(TRAINERS)}.")],
    family: Annotated[
        str | None, typer.Option(help=f"What is trained: {', '.join(FAMILIES)}. Default: the trainer's first.")
    ] = None,
    size: Annotated[
        str, typer.Option(help="WIDTHxHEIGHT for all clips, or buckets: each in the nearest of five shapes.")
    ] = BUCKETS,
    frames: Annotated[int | None, typer.Option(help="Most frames of a clip. Default: the family's.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder. Default: exports/TRAINER-FAMILY in the home folder."),
    ] = None,
    domain: DomainOption = None,
) -> None:
    """Write the training split as a trainer wants to find it: clips at the rate and in the numbers of frames of what is
    trained, captions, settings, and a script that starts it. Again: only what is missing or has changed."""
    from emovid_assets.building.terminal import Bars, progress_bars
    from emovid_assets.resources.tuning.choosing import NothingToExportError, Wish
    from emovid_assets.resources.tuning.export import export as write_export
    from emovid_assets.resources.tuning.manifest import NotOursError
    from emovid_assets.resources.workers import WorkersCannotStartError

    chosen = _trainer(trainer)
    trained = _family(chosen, family)
    wish = Wish(chosen, trained, _sizes(trained, size), _frames(trained, frames), chosen_domains(domain))
    home = home_to_read()
    folder = output or home.exports / f"{chosen.name}-{trained.name}"
    try:
        with progress_bars(out) as progress:
            report = write_export(home, wish, folder, Bars(progress))
    except (NothingToExportError, NotOursError, SettingsError, WorkersCannotStartError) as error:
        raise fail(str(error)) from error
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise fail(f"{said}: check free space and permissions, or give another folder with -o") from error
    _print(chosen, report)


@train.command("merge")
def merge(
    adapters: Annotated[list[str], typer.Argument(help="Names of trained adapters, or files; NAME=0.5 counts half.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The safetensors file that is written.")],
    naming: Annotated[
        str, typer.Option("--for", help="Whose names the layers get: diffusers or comfyui.")
    ] = "diffusers",
) -> None:
    """Write several adapters of Wan, each with its weight, as one."""
    from emovid_assets.resources.tuning.merging import NAMINGS, NotMergeableError
    from emovid_assets.resources.tuning.merging import merge as write_merged

    if naming not in NAMINGS:
        raise fail(f"--for is {' or '.join(NAMINGS)}, not '{naming}'")
    parts = [_part(written) for written in adapters]
    try:
        layers = write_merged(home_to_read(), parts, output, naming)
    except NotMergeableError as error:
        raise fail(str(error)) from error
    except OSError as error:
        raise fail(f"{error.filename}: {error.strerror}") from error
    out.print(f"{output}: {counted(len(parts), 'adapter')}, {layers:,} layers", markup=False)


def _part(written: str) -> "Part":
    from emovid_assets.resources.tuning.merging import Part

    name, sign, weight = written.rpartition("=")
    try:
        return Part(name, number(weight)) if sign else Part(written, 1.0)
    except CellError as error:
        raise fail(f"'{written}': what stands behind = is a number, such as 0.5") from error


def _trainer(name: str) -> Trainer:
    if name not in TRAINERS:
        raise fail(f"'{name}' is no trainer that is known; use one of {', '.join(TRAINERS)}")
    return TRAINERS[name]


def _family(trainer: Trainer, name: str | None) -> Family:
    known = ", ".join(trainer.families)
    if name is None:
        return FAMILIES[trainer.families[0]]
    if name not in FAMILIES:
        raise fail(f"'{name}' is no family that is known; {trainer.title} trains {known}")
    if name not in trainer.families:
        raise fail(f"{trainer.title} does not train {name}; it trains {known}")
    return FAMILIES[name]


def _sizes(family: Family, said: str) -> tuple[Size, ...]:
    if said == BUCKETS:
        return family.buckets()
    width, _, height = said.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise fail(f"--size is WIDTHxHEIGHT, such as {family.size}, or {BUCKETS}; not '{said}'")
    size = Size(int(width), int(height))
    if not family.has_size(size):
        raise fail(f"--size {said}: width and height of {family.name} are multiples of {family.side_step}")
    return (size,)


def _frames(family: Family, asked: int | None) -> int:
    if asked is None:
        return family.frames
    if not family.has_count(asked) or asked == 1:
        below, above = family.largest_count(asked), max(asked + 1, 2)
        while not family.has_count(above):
            above += 1
        near = f"{below} or {above}" if below > 1 else str(above)
        raise fail(f"--frames {asked}: {family.name} is not trained on so many; take {near}")
    return asked


def _print(trainer: Trainer, report: "Report") -> None:
    exported = report.exported
    family = exported.family
    out.print(f"{trainer.title}, {family.title}: {family.rate} frames a second, at most {exported.frames} of a clip")
    _print_counts(report)
    lengths = Counter(example.frame_count for example in exported.examples)
    shown = [f"{frames} ({count:,})" for frames, count in sorted(lengths.items(), reverse=True)]
    rest = ", …" if len(shown) > SHOWN_FRAME_COUNTS else ""
    out.print(f"frames (clips): {', '.join(shown[:SHOWN_FRAME_COUNTS])}{rest}")
    repeats = sum(example.repeats for example in exported.examples)
    if repeats != len(exported.examples):
        out.print(f"an epoch sees {repeats:,} clips, by the repeats of the settings")
    reasons = report.left_out.counts()
    for domain, reason, count in reasons[:SHOWN_REASONS]:
        err.print(f"left out: {count:,} of {domain}: {reason}", markup=False)
    if len(reasons) > SHOWN_REASONS:
        err.print(f"left out for {len(reasons) - SHOWN_REASONS} more reasons, which {MANIFEST} has")
    done = f"{report.made_count:,} encoded, {report.there_count:,} there already, {report.removed_count:,} removed"
    out.print(f"{done}; {report.size_bytes / 1e6:,.1f} MB")
    for path in report.kept:
        err.print(f"{path} was changed and stays; what it would be now is {path}.new, if that differs", markup=False)
    for path in report.strangers:
        err.print(f"{path} does not belong any more, but somebody has changed it: it stays", markup=False)
    out.print(f"in {exported.folder}", markup=False)
    out.print(f"next: read {LAUNCH} there, put your models in, and run it where it says:")
    out.print(trainer.settings(exported)[LAUNCH].partition("set -e\n")[2].strip(), markup=False)


def _print_counts(report: "Report") -> None:
    counts = report.counts()
    out.print(f"{'':12}" + "".join(f"{domain:>12}" for domain in DOMAINS))
    for size in report.exported.sizes:
        of_size = [counts[str(size), domain] for domain in DOMAINS]
        if any(of_size):
            out.print(f"{size!s:12}" + "".join(f"{count:12,}" for count in of_size))
    totals = Counter(example.domain for example in report.exported.examples)
    out.print(f"{'together':12}" + "".join(f"{totals[domain]:12,}" for domain in DOMAINS))
