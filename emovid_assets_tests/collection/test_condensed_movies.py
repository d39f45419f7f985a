"""The metadata of Condensed Movies: the published samples without loss, and every oddity of the whole on its own."""

import ast
import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.collection.condensed_movies import COLUMNS, Metadata, Video, read_metadata, video_id_of

CLIPS_HEADER = "videoid,year,clip_idx,clip_tot,upload_year,title,clip_name,imdbid"
CLIP = "Sv-BxH3SVS8,2012.0,6,10,2019,Les Misérables,One Day More Scene,tt1707386"


def read(folder: Path, **files: str) -> Metadata:
    """Metadata of files given by name without suffix, without their headers where these are the usual ones."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        header = ",".join(COLUMNS[f"{name}.csv"]) + "\n" if f"{name}.csv" in COLUMNS else ""
        (folder / f"{name}.csv").write_text(header + text + "\n", encoding="utf-8")
    return read_metadata(folder)


def only(found: Metadata) -> Video:
    (video,) = found.videos.values()
    return video


def test_the_published_samples_are_read_without_loss(corpus: Path) -> None:
    folder = corpus / "metadata" / "condensed_movies"
    found = read_metadata(folder)
    assert found.faults == []

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def number(text: str) -> int | None:
        return int(float(text)) if text else None

    clips = rows("clips.csv")
    assert len(clips) >= 20
    assert [
        (v.video_id, v.year, v.film_position, v.film_video_count, v.upload_year, v.film_title, v.name, v.film_id)
        for v in found.videos.values()
    ] == [
        (
            *(row["videoid"], number(row["year"]), number(row["clip_idx"])),
            *(number(row["clip_tot"]) if row["clip_tot"] != "-1" else None, number(row["upload_year"])),
            *(row["title"], row["clip_name"] or None, row["imdbid"]),
        )
        for row in clips
    ]
    for row in rows("descriptions.csv"):
        assert found.videos[row["videoid"]].description == row["description"]
    for row in rows("durations.csv"):
        video = found.videos.get(row["videoid"])
        assert (video.trim_s if video else found.other_durations[row["videoid"]]) == float(row["duration"])
    for row in rows("movies.csv"):
        assert found.films[row["imdbid"]] == (row["title"], number(row["year"]))
    for row in rows("casts.csv"):
        assert found.casts[row["imdbid"]] == ast.literal_eval(row["cast"])
    splits = {row["imdbid"]: row["split"] for row in rows("split.csv")}
    assert {v.film_id: v.split for v in found.videos.values()} == {
        v.film_id: splits.get(v.film_id or "") for v in found.videos.values()
    }
    dumped = (folder / "youtube-dl-dump_2011.csv").read_text(encoding="utf-8").split()
    assert set(dumped) == {name for name in dumped if name in found.videos} | set(found.other_ids)


def test_genres_and_countries_of_a_film_reach_its_videos(tmp_path: Path) -> None:
    film = only(read(tmp_path, clips=CLIP, movie_info="""tt1707386,"['Drama', 'Animation']",['USA']"""))
    assert (film.genres, film.countries, film.is_animated) == (("Drama", "Animation"), ("USA",), True)


def test_a_year_written_with_a_fraction_is_a_whole_year(tmp_path: Path) -> None:
    assert only(read(tmp_path, clips=CLIP)).year == 2012


def test_a_missing_year_is_unknown_unless_the_list_of_films_knows_it(tmp_path: Path) -> None:
    row = CLIP.replace("2012.0", "")
    assert only(read(tmp_path, clips=row)).year is None
    assert only(read(tmp_path, clips=row, movies="tt1707386,Les Misérables,")).year is None
    assert only(read(tmp_path, clips=row, movies="tt1707386,Les Misérables,2012.0")).year == 2012


def test_an_id_that_begins_with_a_dash_is_an_id(tmp_path: Path) -> None:
    found = read(tmp_path, clips=CLIP.replace("Sv-BxH3SVS8", "-0a_bcdefgh"), durations="-0a_bcdefgh,83")
    assert (only(found).video_id, only(found).trim_s, found.faults) == ("-0a_bcdefgh", 83.0, [])


def test_the_one_id_of_ten_characters_is_kept(tmp_path: Path) -> None:
    assert list(read(tmp_path, clips=CLIP.replace("Sv-BxH3SVS8", "7b3D5qPBrI")).videos) == ["7b3D5qPBrI"]


@pytest.mark.parametrize("bad", ["../../etc/pw", "a b", "id;rm -rf", "", "ä" * 11])
def test_what_is_no_id_becomes_a_fault_and_no_file_name(tmp_path: Path, bad: str) -> None:
    found = read(tmp_path, clips=f"{CLIP}\n{CLIP.replace('Sv-BxH3SVS8', bad)}")
    assert list(found.videos) == ["Sv-BxH3SVS8"]
    assert [(fault.file, fault.row) for fault in found.faults] == [("clips.csv", 3)]


def test_a_clip_without_a_name_bears_the_title_of_its_film(tmp_path: Path) -> None:
    video = only(read(tmp_path, clips=CLIP.replace("One Day More Scene", "")))
    assert (video.name, video.title) == (None, "Les Misérables")


def test_minus_one_as_the_number_of_clips_is_unknown(tmp_path: Path) -> None:
    assert only(read(tmp_path, clips=CLIP.replace(",10,", ",-1,"))).film_video_count is None


def test_two_videos_may_claim_the_same_position_of_a_film(tmp_path: Path) -> None:
    second, third = CLIP.replace("Sv-B", "XXXX"), CLIP.replace("Sv-B", "YYYY").replace(",6,", ",7,")
    found = read(tmp_path, clips=f"{CLIP}\n{second}\n{third}")
    assert [(v.film_position, v.is_position_shared) for v in found.videos.values()] == [
        (6, True),
        (6, True),
        (7, False),
    ]


def test_a_clip_without_a_description_or_a_duration_is_wanted_all_the_same(tmp_path: Path) -> None:
    video = only(read(tmp_path, clips=CLIP, descriptions="tt1,other_video,Text", durations="other_video,12"))
    assert (video.description, video.trim_s) == (None, None)


def test_durations_of_no_clip_are_kept_apart(tmp_path: Path) -> None:
    found = read(tmp_path, clips=CLIP, durations="PK0i_dyx230,83\nSv-BxH3SVS8,119")
    assert (only(found).trim_s, found.other_durations) == (119.0, {"PK0i_dyx230": 83.0})


@pytest.mark.parametrize("text", ["-3", "0", "soon", "inf", "nan"])
def test_a_duration_that_is_no_length_is_a_fault_and_trims_nothing(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, clips=CLIP, durations=f"Sv-BxH3SVS8,{text}")
    assert only(found).trim_s is None
    assert [(fault.file, fault.row) for fault in found.faults] == [("durations.csv", 2)]


def test_a_film_without_genres_has_none(tmp_path: Path) -> None:
    assert only(read(tmp_path, clips=CLIP, movie_info="tt0020629,['War'],['USA']")).genres == ()


def test_what_is_no_python_literal_is_never_run(tmp_path: Path) -> None:
    found = read(tmp_path, clips=CLIP, movie_info="""tt1707386,"__import__('os').abort()",['USA']""")
    assert (only(found).genres, only(found).countries) == ((), ("USA",))
    assert [(fault.file, fault.row) for fault in found.faults] == [("movie_info.csv", 2)]


def test_two_rows_of_one_film_make_one_cast(tmp_path: Path) -> None:
    casts = """tt1,"{'A': 'x', 'B': 'y'}"\ntt1,"{'B': 'z', 'C': 'w'}"\ntt2,"{'A': 'cut off..."""
    found = read(tmp_path, clips=CLIP, casts=casts)
    assert found.casts == {"tt1": {"A": "x", "B": "y", "C": "w"}, "tt2": {}}
    assert [fault.file for fault in found.faults] == ["casts.csv"]


def test_films_without_a_clip_and_clips_without_a_film_are_fine(tmp_path: Path) -> None:
    found = read(tmp_path, clips=CLIP.replace("tt1707386", ""), movies="tt9,Another,1999.0", split="tt9,train")
    assert (only(found).film_id, only(found).split, found.faults) == (None, None, [])
    assert found.films == {"tt9": ("Another", 1999)}


def test_ids_that_only_a_download_list_names_are_counted_not_wanted(tmp_path: Path) -> None:
    found = read(tmp_path, clips=CLIP, **{"youtube-dl-dump_2011": "-dashed_id_\nSv-BxH3SVS8\nXdMuekkeCeU"})
    assert (list(found.videos), found.other_ids) == (["Sv-BxH3SVS8"], ("-dashed_id_", "XdMuekkeCeU"))


def test_a_repeated_id_counts_once_and_a_short_row_is_a_fault(tmp_path: Path) -> None:
    found = read(tmp_path, clips=f"{CLIP}\n{CLIP.replace('Les', 'Les other')}\nabcdefghijk,2012.0")
    assert only(found).film_title == "Les Misérables"
    assert [fault.row for fault in found.faults] == [4, 3]


def test_an_open_quotation_mark_costs_one_cell_and_is_named_with_its_line(tmp_path: Path) -> None:
    ids = [f"video_{number:05}" for number in range(50)]
    rows = [f"tt1,{video_id},Text {number}" for number, video_id in enumerate(ids)]
    rows[2] = f'tt1,{ids[2]},"Text 2'
    clips = "\n".join(CLIP.replace("Sv-BxH3SVS8", video_id) for video_id in ids)
    found = read(tmp_path, clips=clips, descriptions="\n".join(rows))
    assert [video_id for video_id in ids if found.videos[video_id].description is None] == [ids[2]]
    (fault,) = found.faults
    assert (fault.file, fault.row) == ("descriptions.csv", 4)
    assert "quotation mark" in fault.message


def test_a_missing_column_and_bytes_that_are_no_text_are_faults_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("videoid,title\nabcdefghijk,x\n", encoding="utf-8")
    (tmp_path / "durations.csv").write_bytes(b"videoid,duration\n\xff\xfe,1\n")
    found = read_metadata(tmp_path)
    assert found.is_empty
    assert [(fault.file, fault.row) for fault in found.faults] == [("clips.csv", 1), ("durations.csv", 0)]


def test_without_a_folder_nothing_is_wanted(tmp_path: Path) -> None:
    assert read_metadata(tmp_path / "metadata").is_empty


@given(st.lists(st.lists(st.text(max_size=12), min_size=8, max_size=8), max_size=5))
def test_whatever_the_rows_hold_each_is_a_video_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("metadata")
    with (folder / "clips.csv").open("w", encoding="utf-8", newline="", errors="surrogatepass") as stream:
        writer = csv.writer(stream)
        writer.writerow(CLIPS_HEADER.split(","))
        writer.writerows(rows)
    found = read_metadata(folder)
    assert len(found.videos) <= len(rows)
    if rows and not found.videos:
        assert found.faults


IDS = st.text(st.sampled_from("abcXYZ019-_"), min_size=11, max_size=11)
TITLES = st.text(st.sampled_from("aZ é兎.-_[]() 1"), max_size=20)


@given(st.sets(IDS, min_size=1, max_size=5), TITLES, st.sampled_from(["", ".f137", " (1)"]), st.data())
def test_an_id_is_found_in_the_names_that_downloaders_give(
    ids: set[str], title: str, added: str, data: st.DataObject
) -> None:
    video_id = data.draw(st.sampled_from(sorted(ids)))
    for name in (f"{title} [{video_id}]", f"{title}-[{video_id}]", video_id, f"youtube-{video_id}"):
        assert video_id_of(name + added, ids) == video_id
    plain = title.replace("[", "").replace("-", "")
    for name in (f"{plain}-{video_id}", f"{plain} - {video_id}"):
        assert video_id_of(name + added, ids) == video_id


@given(st.sets(IDS, max_size=5), TITLES, IDS)
def test_no_id_is_guessed_that_the_metadata_does_not_list_or_the_name_does_not_hold(
    ids: set[str], title: str, other: str
) -> None:
    for name in (f"{title} [{other}]", f"{title}{other}", title, f"{title}-{other}"):
        found = video_id_of(name, ids)
        assert found is None or (found in ids and found in name)
    if other not in ids:
        assert video_id_of(f"{title} [{other}]", ids) is None
        assert video_id_of(f"{title.replace('[', '')}-{other}", ids) is None


@pytest.mark.parametrize(
    ("stem", "video_id"),
    [
        ("One Day More--0a_bcdefgh", "-0a_bcdefgh"),
        ("One Day More-_0a_bcdefgh", "_0a_bcdefgh"),
        # Ten characters, as one of the published ids has.
        ("One Day More-0a_bcdefgh", "0a_bcdefgh"),
        ("Ending in abcdefghijk", None),
        ("Reaction to-abcdefghijk [zzzzzzzzzzz]", None),
        ("Reaction to [abcdefghijk] [zzzzzzzzzzz]", None),
        ("One Day More [abcdefghijk] [1080p]", "abcdefghijk"),
        ("zzzzzzzzzzz-abcdefghijk", "abcdefghijk"),
        ("abcdefghijk-part", None),
        ("xabcdefghijk", None),
        ("One Day More-ABCDEFGHIJK", None),
        ("", None),
    ],
)
def test_an_id_is_the_longest_one_that_the_name_ends_with(stem: str, video_id: str | None) -> None:
    assert video_id_of(stem, {"-0a_bcdefgh", "_0a_bcdefgh", "0a_bcdefgh", "abcdefghijk"}) == video_id


def test_the_name_of_a_metadata_file_may_be_in_another_case(tmp_path: Path) -> None:
    read(tmp_path, clips=CLIP)
    (tmp_path / "clips.csv").rename(tmp_path / "Clips.CSV")
    assert list(read_metadata(tmp_path).videos) == ["Sv-BxH3SVS8"]
