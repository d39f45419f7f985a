"""Items on a real Ray cluster of two nodes: the same results, and nothing lost with a worker, a node or the run.

Skipped where Ray is not installed.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ray_nodes import Nodes
from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import ComputeSettings, StepResources
from emovid_assets.resources.compute import Item, Outcome, Step, compute
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.resources.workers import WorkersCannotStartError, kept_alive
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT, draw_gif, emovid
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.resources.steps import work

pytestmark = pytest.mark.integration

STEP = Step("square", "1", "", work)
COUNT = 40


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray")
    import ray

    nodes = Nodes(2)
    yield nodes
    ray.shutdown()
    nodes.close()


class Bench:
    """A home whose items a cluster computes, and the note of which of them were begun."""

    def __init__(self, home: Path, nodes: Nodes) -> None:
        self.home, self.log = home, home / "log.txt"
        self.engine = ComputeSettings(engine="ray", ray_address=nodes.address)
        self.store = ItemStore(home / "state.sqlite")

    def item(self, number: int, **more: Any) -> Item:
        name = f"{number:03d}"
        known = {"number": number, "name": name, "log": str(self.log), "home": str(self.home)}
        return Item(name, content=name, arguments={**known, "file": f"out/{name}.txt", **more}, path=f"library/{name}")

    def run(self, items: list[Item], *, timeout_s: float = 60.0, **options: Any) -> Outcome:
        options = {"engine": self.engine, "workers": 0, "memory_mb": 1024} | options
        return compute(self.store, STEP, "movie", items, home=self.home, timeout_s=timeout_s, **options)

    def begun(self) -> Counter[str]:
        return Counter(self.log.read_text().split())


@pytest.fixture
def bench(tmp_path: Path, nodes: Nodes) -> Iterator[Bench]:
    bench = Bench(tmp_path, nodes)
    yield bench
    bench.store.close()


def squares(numbers: Any) -> dict[str, dict[str, Any]]:
    return {f"{n:03d}": {"answer": n * n, "files": [f"out/{n:03d}.txt"]} for n in numbers}


def test_items_that_crash_hang_or_devour_memory_fail_alone_and_as_they_do_in_processes(bench: Bench) -> None:
    acts = {17: "exit", 40: "devour", 70: "spin", 99: "kill"}
    items = [bench.item(n, **({"act": acts[n]} if n in acts else {})) for n in range(100)]
    outcome = bench.run(items, timeout_s=2.0)
    found = {int(failure.item_id): (failure.code, failure.message) for failure in outcome.failures}
    assert dict(outcome.payloads) == squares(n for n in range(100) if n not in acts)
    begun = bench.begun()
    # What SIGKILL ends may be the kernel's choice, so that alone is tried again.
    assert begun.pop("099") == 5
    assert begun == Counter(f"{n:03d}" for n in range(99))
    other = bench.home / "other"
    other.mkdir()
    store = ItemStore(other / "state.sqlite")
    failing = [item for item in items if int(item.item_id) in acts]
    here = compute(store, STEP, "movie", failing, home=bench.home, workers=2, timeout_s=2.0, memory_mb=1024)
    store.close()
    assert found == {int(failure.item_id): (failure.code, failure.message) for failure in here.failures}


def test_with_a_worker_and_with_a_node_only_what_was_in_flight_is_begun_again(bench: Bench, nodes: Nodes) -> None:
    hurt: list[str] = []

    def hurts(step: str, done: int, total: int) -> None:
        if done >= 8 and not hurt:
            hurt.append("worker")
            nodes.kill(nodes.busy_workers()[0])
        if done >= 20 and len(hurt) == 1:
            hurt.append("node")
            nodes.lose(0)

    outcome = bench.run([bench.item(n, seconds=0.2) for n in range(COUNT)], progress=hurts)
    nodes.add()
    assert hurt == ["worker", "node"]
    assert (dict(outcome.payloads), outcome.failures) == (squares(range(COUNT)), [])
    again = {name: count for name, count in bench.begun().items() if count > 1}
    # Two workers were lost, each at one item: at 0.2 s a batch is one.
    assert len(again) <= 2
    assert set(again.values()) <= {2}


def test_the_home_is_found_elsewhere_on_the_nodes_and_told_of_as_it_is_here(bench: Bench, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.symlink_to(bench.home, target_is_directory=True)
    engine = bench.engine.model_copy(update={"home_on_workers": str(elsewhere)})
    outcome = bench.run([bench.item(3, tell_home=True), bench.item(4, act="home")], engine=engine)
    assert outcome.payloads["003"]["home"] == str(elsewhere)
    assert f"'{bench.home}'" in outcome.failures[0].message
    assert not list(bench.home.glob(".workers*"))


def test_nodes_that_do_not_see_the_home_or_have_no_room_are_named(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = bench.engine.model_copy(update={"home_on_workers": str(tmp_path / "nowhere")})
    with pytest.raises(WorkersCannotStartError, match=r"does not see the home in .*nowhere.*compute\.home_on_workers"):
        bench.run([bench.item(1)], engine=nowhere)
    large = bench.engine.model_copy(update={"steps": (StepResources(step="square", cpus=1, gpus=2),)})
    monkeypatch.setattr("emovid_assets.resources.ray_workers.NO_ROOM_S", 0.0)
    with pytest.raises(WorkersCannotStartError, match=r"room for a worker of square, which takes 1 CPUs, 2 GPUs"):
        bench.run([bench.item(1)], engine=large)
    assert bench.store.failures("movie") == []


def test_steps_of_one_build_share_their_workers_and_none_is_left_behind(bench: Bench, nodes: Nodes) -> None:
    with kept_alive():
        bench.run([bench.item(n) for n in range(4)])
        first = set(nodes.workers())
        bench.run([bench.item(n) for n in range(4, 8)], keep_others=True)
        assert set(nodes.workers()) == first
    assert nodes.wait_without_workers(20)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_cancelled_or_killed_leaves_no_worker_and_goes_on_later(
    tmp_path: Path, nodes: Nodes, ending: signal.Signals
) -> None:
    log = tmp_path / "log.txt"
    command = [sys.executable, "-m", "emovid_assets_tests.resources.run_compute", str(tmp_path), "24", "0.3", str(log)]
    process = subprocess.Popen([*command, nodes.address], cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    while not log.exists() or log.read_text().count("\n") < 4:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, ending)
    assert process.wait(30) != 0
    assert nodes.wait_without_workers(30)
    begun = log.read_text()
    time.sleep(0.5)
    assert log.read_text() == begun
    store = ItemStore(tmp_path / "state.sqlite")
    assert 0 < len(dict(store.finished("square", "movie"))) < 24
    store.close()


SELECTION = "+key:colour_attributes or +key:clip_media or +key:clip_fingerprints or +key:processing_errors"


def test_a_home_is_equal_to_the_last_byte_whichever_engine_computes_it(tmp_path: Path, nodes: Nodes) -> None:
    library = tmp_path / "library"
    for number in range(4):
        draw_gif(library / "sticker" / f"{number}.gif", (40 * number, 90, 200), frame_count=10)
    (library / "sticker" / "bad.gif").write_text("no picture", encoding="utf-8")
    (library / "movie").mkdir()
    write_video(
        *(library / "movie" / "film.mp4", [scenery(scene, number) for scene in range(3) for number in range(55)]),
        fps=12,
        codec="libx264",
        pix_fmt="yuv420p",
        options={"g": "40", "sc_threshold": "0"},
    )
    settings = {"processes": "", "cluster": f'[compute]\nengine = "ray"\nray_address = "{nodes.address}"\n'}
    for name, text in settings.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "library").symlink_to(library, target_is_directory=True)
        (tmp_path / name / "emovid.toml").write_text(text, encoding="utf-8")
        done = emovid(tmp_path / name, "build", "-d", "movie", "-d", "sticker", "--select", SELECTION)
        assert done.returncode == 0, done.stdout + done.stderr
    here, there = (contents(tmp_path / name) for name in settings)
    assert len(here) > 20
    assert here == there


def contents(home: Path) -> dict[str, Any]:
    """Hashes of the media and of tables, and the values of tables that say when something happened."""
    found: dict[str, Any] = {
        str(path.relative_to(home)): file_sha256(path) for path in (home / "media").rglob("*") if path.is_file()
    }
    warehouse = Warehouse(Home(home).warehouse)
    for name, table in TABLES.items():
        columns = [column for column in table.column_names if not column.endswith("_at")]
        for domain in ("movie", "sticker") if table.is_partitioned else (None,):
            if len(columns) == len(table.column_names):
                found[f"{name}/{domain}"] = warehouse.state(name, domain)
            else:
                found[f"{name}/{domain}"] = warehouse.read(name, domain).select(columns).to_pylist()
    return found


def test_a_model_goes_to_the_cluster_where_its_step_is_named_there(
    tmp_path: Path, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from emovid_assets.core.model_place import ModelNotUsableError, find_model
    from emovid_assets.resources import embeddings
    from emovid_assets.resources.project import Project
    from emovid_assets_tests.resources.tiny_models import tiny_vit

    rows = []
    for scene in range(6):
        (tmp_path / "media").mkdir(exist_ok=True)
        write_video(tmp_path / "media" / f"{scene}.mov", [scenery(scene, number, 40, 60) for number in range(12)])
        content = {"sha256": f"sha-{scene}", "colour_matrix": "rgb", "is_colour_tagged": True}
        rows.append({"clip_id": f"clip-{scene}", "media_path": f"media/{scene}.mov", **content})
    tiny_vit(tmp_path / "model")

    def embedded(domain: str) -> dict[str, Any]:
        place = find_model("model", tmp_path)
        stamps = {row["clip_id"]: [0.0, 0.2, 0.4] for row in rows}
        log = logging.getLogger("test")
        outcome = embeddings.embed(Project(home_folder=str(tmp_path)), domain, place, rows, stamps, log)
        return {name: embeddings.vector_of(payload) for name, payload in outcome.payloads.items()}

    here = embedded("movie")
    monkeypatch.setattr(embeddings, "load_tower", lambda *_: pytest.fail("the model is loaded here"))
    (tmp_path / "emovid.toml").write_text(
        f'[compute]\nengine = "ray"\nray_address = "{nodes.address}"\n[[compute.steps]]\nstep = "embed"\n'
    )
    there = embedded("animation")
    assert set(here) == set(there) == {row["clip_id"] for row in rows}
    # Which clips go through a model together may change the last bits.
    assert all(np.allclose(here[name], there[name], atol=1e-6) for name in here)
    (tmp_path / "model" / "config.json").write_text("{}")
    with pytest.raises(ModelNotUsableError):
        embedded("sticker")
