"""Which settings results depend on: every key in one place, digests that change exactly with what counts."""

from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.home.settings_groups import GROUPS, WITHOUT_INFLUENCE, digests, keys_of

VLM = '[labeller]\nbackend = "transformers"\nmodel = "m"\nprompt = "ask.txt"\n'


def changed(home: Path, before: str, after: str) -> set[str]:
    """Groups whose digest differs between two settings files."""
    found = []
    for text in (before, after):
        (home / "emovid.toml").write_text(text, encoding="utf-8")
        found.append(digests(Home(home)))
    return {group for group in GROUPS if found[0][group] != found[1][group]}


def test_every_key_is_in_exactly_one_group_or_without_influence() -> None:
    grouped = [key for keys in GROUPS.values() for key in keys]
    assert len(grouped) == len(set(grouped))
    assert set(grouped).isdisjoint(WITHOUT_INFLUENCE)
    assert set(grouped) | WITHOUT_INFLUENCE == keys_of(Settings())


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[scenes]\nthreshold = 5.0", {"scene_settings"}),
        ("[scenes]\nframe_stride = 5", {"frame_sampling"}),
        ("[benchmark]\nper_cell = 3", {"benchmark_settings"}),
        ('seed = "other"', {"seed"}),
        ("[annotation]\nlabel_annotators = 5", {"label_annotators"}),
        ("[media]\nworkers = 1\ntimeout_s = 5\nmemory_mb = 1024\nmax_quarantined_share = 0.1", set()),
        # The embedded labeller sees no frames.
        ("[labeller]\nframes = 3", set()),
        ("[fine_tuning]\nrank = 4", set()),
    ],
)
def test_a_change_concerns_the_groups_that_it_should(tmp_path: Path, text: str, groups: set[str]) -> None:
    assert changed(tmp_path, "", text) == groups


def test_a_model_that_looks_depends_on_what_it_sees_and_on_what_stands_in_its_prompt(tmp_path: Path) -> None:
    (tmp_path / "ask.txt").write_text("What is it?", encoding="utf-8")
    assert changed(tmp_path, "", VLM) == {"labeller_settings", "fine_tuning_settings"}
    assert changed(tmp_path, VLM, VLM + "frames = 3\n") == {"labeller_settings"}
    assert changed(tmp_path, VLM, VLM + 'device = "cpu"\n') == set()
    assert changed(tmp_path, VLM, VLM + "[fine_tuning]\nrank = 4\n") == {"fine_tuning_settings"}
    before = digests(Home(tmp_path))["labeller_settings"]
    (tmp_path / "ask.txt").write_text("What is that?", encoding="utf-8")
    assert digests(Home(tmp_path))["labeller_settings"] != before
