"""Homes that are set up to collect from servers on this machine."""

from pathlib import Path

from emovid_assets.home.folders import Home
from emovid_assets_tests.collection.servers import Loopback

CLIPS = "videoid,year,clip_idx,clip_tot,upload_year,title,clip_name,imdbid\n"


def settings(home: Home, **values: object) -> None:
    """Writes the section `[collection]`."""
    lines = []
    for name, value in values.items():
        shown = str(value).lower() if isinstance(value, bool) else value
        if isinstance(value, str):
            shown = f'"{value}"'
        lines.append(f"{name} = {list(value) if isinstance(value, tuple) else shown}")
    home.root.mkdir(exist_ok=True, parents=True)
    (home.root / "emovid.toml").write_text("\n".join(["[collection]", *lines, ""]).replace("'", '"'), encoding="utf-8")


def movie_home(
    root: Path, server: Loopback, ids: list[str], durations: dict[str, int] | None = None, **values: object
) -> Home:
    """A home that wants the videos of these ids from the server, `/videos/<id>.mp4`."""
    home = Home(root)
    usual = {
        "movie_url": f"{server.url}/videos/{{id}}.mp4",
        "movie_extractors": ("generic",),
        "movie_format": "b",
        "pause_s": 0,
    }
    settings(home, **{**usual, **values})
    metadata = home.library / "movie" / "metadata"
    metadata.mkdir(parents=True)
    rows = [
        f"{name},2012.0,{number},{len(ids)},2019,A film,Scene {number},tt1707386" for number, name in enumerate(ids, 1)
    ]
    (metadata / "clips.csv").write_text(CLIPS + "\n".join(rows) + "\n", encoding="utf-8")
    lengths = "".join(f"{name},{seconds}\n" for name, seconds in (durations or {}).items())
    (metadata / "durations.csv").write_text("videoid,duration\n" + lengths, encoding="utf-8")
    return home
