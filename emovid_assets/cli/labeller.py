"""`emovid labeller …`: labellers are measured.

Belongs here: arguments and printing. Does not belong here: any work.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emovid_assets.cli.shared import fail, out
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError

labeller = typer.Typer(no_args_is_help=True, help="Labellers are measured.")


class Split(StrEnum):
    TEST = "test"
    VAL = "val"
    TRAIN = "train"


@labeller.callback()
def measured() -> None:
    """Keeps `compare` a word of its own while it is the only one."""


@labeller.command("compare")
def compare(
    emoset: Annotated[Path, typer.Option(help="The folder of EmoSet: info.json, three lists, image, annotation.")],
    split: Annotated[Split, typer.Option(help="Which pictures are asked about.")] = Split.TEST,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many of them, each emotion in proportion; default: all.")
    ] = None,
    train: Annotated[
        int, typer.Option(min=0, help="Pictures of the train split that labellers learn from; 0: none learns.")
    ] = 2000,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="The vision-language model learns from them too, as an adapter.")
    ] = False,
    answers: Annotated[
        Path | None, typer.Option(help="What people say: a sheet filled in, or Label Studio's JSON.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Folder for the pictures under names that say nothing, with a CSV to fill in.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder of the results; default: <home>/emoset/<split>.")
    ] = None,
) -> None:
    """Ask every labeller at hand about pictures of EmoSet, and hold the answers against its labels. May be stopped:
    the same command goes on. Docs: docs/emoset.md."""
    from emovid_assets.building import emoset_results
    from emovid_assets.building.emoset import Asked
    from emovid_assets.building.emoset import compare as compared
    from emovid_assets.building.emoset_sheet import write_sheet
    from emovid_assets.building.terminal import Bars, progress_bars
    from emovid_assets.core.emoset import NotEmoSetError
    from emovid_assets.core.model_place import ModelNotUsableError
    from emovid_assets.core.vlm.fine_tuning import TrainingFailedError
    from emovid_assets.core.vlm.prompts import PromptError
    from emovid_assets.home.file_lock import locked
    from emovid_assets.resources.endpoint_client import EndpointError
    from emovid_assets.resources.models import LabellerOutOfDateError
    from emovid_assets.resources.pictures import PictureProject
    from emovid_assets.resources.progress import listener
    from emovid_assets.resources.warehouse import OtherVersionError
    from emovid_assets.resources.workers import WorkersCannotStartError

    if answers is not None and not answers.is_file():
        raise fail(f"no such file: {answers}")
    if not emoset.expanduser().is_dir():
        raise fail(f"no such folder: {emoset}")
    home = Home.from_environment()
    below = PictureProject.below(home).home.root
    asked = Asked(emoset.expanduser(), split.value, limit, train, fine_tune, answers)

    def busy() -> None:
        raise fail(f"another comparison is at work in {below}")

    with progress_bars(out) as progress:
        token = listener.set(Bars(progress))
        try:
            with locked(below / ".lock", busy):
                found = compared(
                    home, asked, lambda sentence: progress.console.print(sentence, markup=False, style="dim")
                )
        except (
            *(NotEmoSetError, SettingsError, PromptError, ModelNotUsableError),
            *(LabellerOutOfDateError, TrainingFailedError, EndpointError, OtherVersionError, WorkersCannotStartError),
        ) as error:
            raise fail(str(error)) from error
        finally:
            listener.reset(token)
    results = emoset_results.Results(found)
    folder = to or below / split.value
    emoset_results.write(results, folder)
    emoset_results.show(out, results, folder)
    if sheet is not None:
        out.print(f"For people to fill in: {write_sheet(found, sheet)}", markup=False)
    if not results.comparison:
        raise fail("no labeller has answered about any picture; the notes above say why")
