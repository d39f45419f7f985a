"""The condition of every asset, evaluated as the daemon does, on runs that really take place."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.freshness.staleness import Lineage
from emovid_assets.orchestration import automation
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.project import Project
from emovid_assets.resources.workers import kept_alive
from emovid_assets_tests.assets.homes import draw_gif

pytestmark = pytest.mark.integration


class Live:
    """Ticks of the condition, and the runs that they ask for, in this process."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._cursor = None
        self.definitions = build_defs(resource_overrides={"project": Project(home_folder=str(home))})
        self._job = self.definitions.resolve_implicit_global_asset_job_def()

    def tick(self) -> dict[str | None, set[str]]:
        """Assets asked for, by domain."""
        result = dg.evaluate_automation_conditions(self.definitions, self._instance, cursor=self._cursor)
        self._cursor = result.cursor
        asked: dict[str | None, set[str]] = {}
        for key in self.definitions.resolve_asset_graph().materializable_asset_keys:
            for domain in result.get_requested_partitions(key):
                asked.setdefault(domain, set()).add(key.to_user_string())
        return asked

    def run(self, domain: str | None, names: set[str]) -> bool:
        keys = [dg.AssetKey(name) for name in names]
        result = self._job.execute_in_process(
            instance=self._instance, partition_key=domain, asset_selection=keys, raise_on_error=False
        )
        return result.success

    def settle(self) -> list[tuple[str | None, set[str]]]:
        """Runs until nothing more is asked for."""
        done = []
        while asked := self.tick():
            for domain, names in asked.items():
                self.run(domain, names)
                done.append((domain, names))
            assert len(done) < 20
        assert self.tick() == {}
        return done


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path))
    draw_gif(tmp_path / "library" / "sticker" / "awe" / "a.gif")
    # An instance in memory, and workers that stay from run to run: a tick sees the same at less cost.
    with dg.DagsterInstance.ephemeral() as instance, kept_alive():
        yield Live(tmp_path, instance)


def test_new_sources_set_the_rest_going_in_as_few_runs_as_there_can_be(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A home in which nothing was built asks for nothing: a sensor begins.
    assert live.tick() == {}
    assert live.run("sticker", {"source_videos"})
    runs = live.settle()
    assert [domain for domain, _ in runs] == ["sticker", None, "sticker", None]
    assert runs[1] == (None, {"clip_groups", "emotion_labeller"})
    built = [(domain, name) for domain, names in runs for name in names]
    lineage = Lineage.of(live.definitions.resolve_asset_graph())
    assert len(built) == len(set(built))
    assert {name for _, name in built} == {name for name in lineage.names if lineage.parents[name]}
    assert "catalogue" in runs[3][1]

    # The same content once more: nothing follows.
    assert live.run("sticker", {"source_videos", "scanned_segments", "segments"})
    assert live.settle() == []

    # A clip file that a power cut has emptied is made again; a look at all media is not taken in every tick.
    (clip,) = (tmp_path / "media" / "clips" / "sticker").iterdir()
    whole = clip.read_bytes()
    clip.write_bytes(b"")
    assert live.tick() == {}
    with monkeypatch.context() as patched:
        patched.setattr(automation, "LOOK_EVERY_S", 0.0)
        assert live.settle() == [("sticker", {"clip_media", "clip_fingerprints", "clip_embeddings", "captions"})]
    assert clip.read_bytes() == whole
    # So is a report over which something else was written.
    report = tmp_path / "reports" / "report.html"
    report.write_text("x", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(automation, "LOOK_EVERY_S", 0.0)
        assert live.settle() == [(None, {"dataset_report"})]
    assert report.read_text(encoding="utf-8").endswith("</html>\n")

    # What is no video changes no table but that of the quarantine.
    bad = tmp_path / "library" / "sticker" / "awe" / "bad.gif"
    bad.write_text("no picture", encoding="utf-8")
    assert live.run("sticker", {"source_videos"})
    assert live.settle() == [("sticker", {"processing_errors"}), (None, {"catalogue", "dataset_report"})]
    bad.unlink()
    assert live.run("sticker", {"source_videos"})
    assert live.settle() == [("sticker", {"processing_errors"}), (None, {"catalogue", "dataset_report"})]

    # A setting concerns what reads it, and what comes out different.
    (tmp_path / "emovid.toml").write_text("[embeddings]\nneighbours = 4\n", encoding="utf-8")
    assert live.settle() == [(None, {"embedding_separability", "catalogue", "dataset_report"})]
    (tmp_path / "emovid.toml").write_text("[media]\nworkers = 1\n[embeddings]\nneighbours = 4\n", encoding="utf-8")
    assert live.settle() == []

    # Another domain joins. Its clips may belong to groups of the stickers, so both are split anew.
    draw_gif(tmp_path / "library" / "animation" / "b.gif")
    assert live.run("animation", {"source_videos"})
    runs = live.settle()
    domains = [domain for domain, _ in runs]
    assert [domains[:2], sorted(domains[2:4]), domains[4:]] == [["animation", None], ["animation", "sticker"], [None]]
    assert all("benchmark_split" in names for _, names in runs[2:4])


def test_what_fails_is_not_tried_again_before_something_changes(live: Live, tmp_path: Path) -> None:
    assert live.run("sticker", {"source_videos"})
    # A folder in the way of the table: the run fails at `clips`.
    table = tmp_path / "warehouse" / "clips" / "domain=sticker" / "part-0.parquet"
    (table / "in the way").mkdir(parents=True)
    runs = live.settle()
    assert 1 <= len(runs) <= 2
    assert live.tick() == {}
    (table / "in the way").rmdir()
    table.rmdir()
    assert live.tick() == {}
    draw_gif(tmp_path / "library" / "sticker" / "awe" / "c.gif", (1, 200, 3))
    assert live.run("sticker", {"source_videos"})
    assert {"segments", "clips"} <= live.tick()["sticker"]


def test_while_a_run_is_under_way_nothing_below_it_is_asked_for(live: Live) -> None:
    assert live.run("sticker", {"source_videos"})
    job = live.definitions.resolve_implicit_global_asset_job_def()
    instance = live._instance
    run = instance.create_run_for_job(
        job.get_subset(asset_selection={dg.AssetKey("scanned_segments")}),
        asset_selection=frozenset({dg.AssetKey("scanned_segments")}),
        tags={"dagster/partition": "sticker"},
    )
    assert live.tick() == {}
    instance.report_run_canceled(run)
    assert "segments" in live.tick()["sticker"]
