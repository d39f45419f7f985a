"""Results of frames are kept as long as the frames are the same, and no longer."""

from emovid_assets.core.clip_content import frames_content


def of(matrix, *, tagged, sha256="ab"):
    return frames_content({"sha256": sha256, "colour_matrix": matrix, "is_colour_tagged": tagged})


def test_frames_are_the_bytes_of_the_file_where_it_names_its_matrix_or_is_small():
    assert of("bt709", tagged=True) == of("bt2020", tagged=True) == of("bt601", tagged=False) == "ab"
    assert of("bt709", tagged=True, sha256="cd") == "cd"


def test_frames_of_a_large_file_without_a_tag_are_others_than_those_that_bt_601_gave():
    assert of("bt709", tagged=False) == "ab|bt709"
