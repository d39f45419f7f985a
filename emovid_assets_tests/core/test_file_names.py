"""When two names mean one file: exactly, in another normal form, in another case."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.file_names import Names

NAMES = st.text(st.sampled_from("aAéÉñüÅ한ß."), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (["Rene\u0301.mp4"], "Ren\u00e9.mp4", "Rene\u0301.mp4"),
        (["Ren\u00e9.mp4"], "Rene\u0301.mp4", "Ren\u00e9.mp4"),
        (["\u00c5.gif"], "\u212b.gif", "\u00c5.gif"),
        (["a.GIF"], "a.gif", "a.GIF"),
        (["Tea/A.gif"], "tea/a.GIF", "Tea/A.gif"),
        (["a.gif"], "b.gif", None),
    ],
)
def test_a_name_is_found_in_another_form_of_it(there, wanted, found):
    assert Names(there).find(wanted) == (found and (wanted, found))


def test_the_nearest_form_counts():
    there = ["Ren\u00e9.gif", "Rene\u0301.gif", "REN\u00c9.gif"]
    for name in there:
        assert Names(there).find(name) == (name, name)
    assert Names(there[1:]).find("Ren\u00e9.gif") == ("Ren\u00e9.gif", "Rene\u0301.gif")


def test_of_several_that_are_meant_equally_none_is_found():
    assert Names(["A.gif", "a.GIF"]).find("a.gif") == ("a.gif", "a.GIF")
    assert Names(["FILM", "Film"]).find("film") is None


def test_an_exact_name_goes_before_another_form_of_a_name_that_is_wanted_more():
    assert Names(["FILM.EN", "film"]).find("film.en", "film") == ("film", "film")


@given(st.sets(NAMES, max_size=8), NAMES)
def test_what_is_found_is_there_and_equal_but_for_form_and_case(there, wanted):
    def plain(name):
        return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())

    found = Names(there).find(wanted)
    equal = [name for name in there if plain(name) == plain(wanted)]
    if wanted in there:
        assert found == (wanted, wanted)
    elif len(equal) == 1:
        assert found == (wanted, equal[0])
    elif found is not None:
        assert found[1] in equal
    if not equal:
        assert found is None
