"""The table of adapters: a row for each that is there, no cost where none is asked for, and a plan by steps."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.tuning import loop
from emovid_assets.freshness.amounts import adapters_amount
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError
from emovid_assets_tests.assets.homes import ROOT, rows
from emovid_assets_tests.tuning.drawn_clips import adapter, plant_clips, record_of, write_settings
from emovid_assets_tests.tuning.materialising import materialise_adapters

Tiny = Callable[[str], Path]


def amount(home: Path) -> tuple[int | None, float | None]:
    found = adapters_amount(Home(home), is_open=False)
    assert found is not None
    return found.items, found.seconds


def test_an_adapter_is_planned_by_its_steps_trained_once_and_told_with_its_curve(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    plant_clips(tmp_path, licence="no licence granted; non-commercial research")
    one = {"epochs": 2, "evaluations_per_epoch": 1}
    wan = tiny_generator("wan_t2v")
    write_settings(tmp_path, adapter("emotion", wan, **one), adapter("few", wan, min_clips=99))
    # Four clips to learn from, two held out.
    assert amount(tmp_path) == (8, None)
    shown = materialise_adapters(tmp_path)
    (row,) = rows(tmp_path, "generator_adapters")
    record = record_of(tmp_path / row["path"])
    assert shown["computed_items"] == 8
    assert shown["missing"].startswith("few has 6 clips of 3 sources to learn from, and takes at least 99 (min_clips)")
    assert "polyline" in shown["curves"] or "svg" in shown["curves"]
    assert (row["name"], row["task"], row["rank"]) == ("emotion", "t2v", 4)
    assert row["targets"] == "q,k,v,o,ffn.0,ffn.2"
    assert (row["training_clip_count"], row["held_out_clip_count"]) == (4, 2)
    assert [one["step"] for one in row["evaluations"]] == [0, 4, 8]
    assert row["loss_before"] == row["evaluations"][0]["loss"] == record["loss_before"]
    assert row["evaluations"][0]["training_loss"] is None
    assert row["kept_step"] in (4, 8)
    assert (row["sha256"], row["data_sha256"]) == (record["sha256"], record["data_sha256"])
    assert row["is_non_commercial"]
    told = "non-commercial: no licence granted; non-commercial research (5); no licence stated (1)"
    assert row["data_licence"] == told
    assert row["is_trial"]
    assert amount(tmp_path) == (0, 0.0)
    assert materialise_adapters(tmp_path)["computed_items"] == 0
    assert rows(tmp_path, "generator_adapters") == [row]
    # Other settings are another adapter, whose time is known by the first one's.
    write_settings(tmp_path, adapter("emotion", wan, **{**one, "epochs": 4}))
    items, seconds = amount(tmp_path)
    assert items == 16
    assert seconds is not None
    assert seconds > 0


def test_where_nothing_is_gained_it_is_told_whose_adapter_generators_still_take(
    tmp_path: Path, tiny_generator: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_clips(tmp_path)
    wan = tiny_generator("wan_t2v")
    losses = iter((2.0, 1.0, 1.0, 2.0))
    monkeypatch.setattr(loop.Tuning, "_held_out_loss", lambda self: next(losses))
    told = []
    for seed in (1, 2):
        write_settings(tmp_path, adapter("emotion", wan, epochs=1, evaluations_per_epoch=1, seed=seed))
        told.append(materialise_adapters(tmp_path).get("missing", ""))
    assert told[0] == ""
    assert told[1].startswith("emotion: no evaluation was better than the model as it was")
    assert told[1].endswith("; models/adapters/emotion.safetensors is that of an earlier training")


def test_without_adapters_there_is_an_empty_table_and_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from emovid_assets_tests.tuning.materialising import materialise_adapters\n"
        f"print(materialise_adapters(Path({str(tmp_path)!r}))['how_to_begin'])\n"
        "print([name for name in ('torch', 'diffusers', 'transformers', 'peft', 'av', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-2:] == ["docs/training_lora.md: [[tuning.adapters]] in emovid.toml", "[]"]
    assert rows(tmp_path, "generator_adapters") == []
    assert adapters_amount(Home(tmp_path), is_open=False) is None


def test_a_model_that_is_not_there_is_tried_again_and_too_few_clips_are_not(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    plant_clips(tmp_path)
    write_settings(tmp_path, adapter("gone", tmp_path / "gone"))
    assert amount(tmp_path) == (1, None)
    write_settings(tmp_path, adapter("few", tiny_generator("wan_t2v"), min_clips=99))
    assert amount(tmp_path) == (0, None)
    open_amount = adapters_amount(Home(tmp_path), is_open=True)
    assert open_amount is not None
    assert (open_amount.items, open_amount.is_estimate) == (None, True)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ([{"name": "a"}, {"name": "A"}], 'two adapters are called "a", whatever the case: give each its own name'),
        ([{"name": "a", "height_px": None}], 'tuning.adapters "a": Value error, set both width_px and height_px'),
        ([{"name": "a", "frames": 6}], "Wan is trained on 4k + 1 frames, not 6: take 5 or 9"),
        ([{"name": "a", "targets": ["head"]}], 'tuning.adapters "a".targets 1: Input should be'),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(tables: list[dict[str, Any]], said: str, tmp_path: Path) -> None:
    some = [{**adapter("x", Path("models/wan")), **one} for one in tables]
    write_settings(tmp_path, *({k: v for k, v in one.items() if v is not None} for one in some))
    with pytest.raises(SettingsError) as raised:
        Home(tmp_path).settings()
    assert said in str(raised.value)
