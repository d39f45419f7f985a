"""Releases in an S3-compatible store: a server of moto on this machine, through fsspec and s3fs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emovid_assets.resources.release.pushing import PushError, compare, push
from emovid_assets.resources.release.store import Store
from emovid_assets.resources.retrying import Patience
from emovid_assets_tests.release.pushed_releases import FILES, bytes_in, release
from emovid_assets_tests.rooms import PACKAGE

pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")
URL = "s3://shelf/emovid"
QUICK = Patience(attempts=2, first_pause_s=0.0)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    import boto3
    import requests
    import s3fs

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    s3fs.S3FileSystem.clear_instance_cache()
    boto3.client("s3").create_bucket(Bucket="shelf")
    yield "shelf"
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    s3fs.S3FileSystem.clear_instance_cache()


def held(bucket: str) -> dict[str, bytes]:
    """As another client reads it."""
    import boto3

    client = boto3.client("s3")
    found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"]: client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}


def test_a_store_receives_a_release_in_a_folder_of_its_name_and_a_change_there_is_found(
    bucket: str, tmp_path: Path
) -> None:
    import boto3

    folder = release(tmp_path / "1.0.0+metadata")
    pushed = push(folder, Store(URL, folder.name))
    assert held(bucket) == {f"emovid/1.0.0+metadata/{name}": data for name, data in bytes_in(folder).items()}
    assert (pushed.sent_count, pushed.address) == (9, "s3://shelf/emovid/1.0.0+metadata")
    assert push(folder, Store(URL, folder.name)).sent_count == 0
    film = FILES["train/movie/c.mp4"]
    key = "emovid/1.0.0+metadata/train/movie/c.mp4"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=film[:-1] + b"!")
    assert compare(folder, Store(URL, folder.name)).different == ("train/movie/c.mp4",)
    assert push(folder, Store(URL, folder.name)).sent_count == 1
    assert held(bucket)[key] == film


def test_a_bucket_that_is_not_there_is_not_made(bucket: str, tmp_path: Path) -> None:
    import boto3

    with pytest.raises(PushError, match=r"cannot be sent .* push again"):
        push(release(tmp_path / "1.0.0"), Store("s3://nowhere/emovid", "1.0.0", QUICK))
    assert [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]] == [bucket]


@pytest.mark.integration
def test_a_push_that_is_killed_shows_as_half_and_goes_on_where_it_was(bucket: str, tmp_path: Path) -> None:
    films = {f"train/movie/{number:03d}.mp4": bytes([number % 256]) * 20_000 for number in range(150)}
    folder = release(tmp_path / "1.0.0", dict(films))
    code = (
        "from pathlib import Path\n"
        "from emovid_assets.resources.release.pushing import push\n"
        "from emovid_assets.resources.release.store import Store\n"
        f"push(Path({str(folder)!r}), Store({URL!r}, '1.0.0'))\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=PACKAGE.parent, env={**os.environ})
    try:
        while len(_keys(bucket)) < 20:
            assert killed.poll() is None
            time.sleep(0.02)
    finally:
        killed.kill()
        killed.wait()
    there = _keys(bucket)
    assert 20 <= len(there) < len(films)
    assert not {name for name in there if name.endswith(("README.md", "release.json", "SHA256SUMS"))}
    pushed = push(folder, Store(URL, "1.0.0"))
    # A film may have arrived whose sender did not live to see it.
    assert 0 <= pushed.kept_count - len(there) <= 8
    assert pushed.kept_count + pushed.sent_count == len(films) + len(FILES) + 1
    assert held(bucket) == {f"emovid/1.0.0/{name}": data for name, data in bytes_in(folder).items()}


def _keys(bucket: str) -> list[str]:
    import boto3

    return [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
