"""YAML edited by line: what is not changed keeps its bytes, and what is changed reads back as meant."""

from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as some

from screentime.project.yaml_lines import YamlLines

ROOT = Path(__file__).parents[1]
TEXT = """\
# the films
videos:
  - a.mp4  # the first

  # the second
  - file: b.mp4
    skip: no sound

# the cast
cast: []  # nobody yet
section:
  number: 3   # why
  last: yes
"""
NAMES = some.text(some.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
ITEMS = NAMES | some.fixed_dictionaries({"file": NAMES, "skip": NAMES})


def test_an_item_is_added_at_the_end_and_the_comment_after_the_list_stays_behind_it():
    lines = YamlLines(TEXT)
    lines.append(("videos",), "c.mp4")

    assert lines.text == TEXT.replace("    skip: no sound\n", "    skip: no sound\n  - c.mp4\n")


def test_an_empty_list_gets_its_first_item_and_becomes_empty_again():
    lines = YamlLines(TEXT)
    lines.append(("cast",), "tom")
    assert "cast:  # nobody yet\n  - tom\n" in lines.text

    lines.remove_item(("cast",), 0)
    assert "cast: []  # nobody yet\nsection:" in lines.text


def test_a_replaced_item_keeps_the_comment_beside_it():
    lines = YamlLines(TEXT)
    lines.set_item(("videos",), 0, {"file": "a.mp4", "skip": "yes"})

    assert "  - file: a.mp4  # the first\n    skip: 'yes'\n\n  # the second\n" in lines.text


def test_an_item_of_several_lines_is_removed_whole():
    lines = YamlLines(TEXT)
    lines.remove_item(("videos",), 1)

    assert lines.text == TEXT.replace("  - file: b.mp4\n    skip: no sound\n", "")


def test_a_value_is_replaced_and_a_key_removed_with_the_comment_above_it():
    lines = YamlLines(TEXT)
    lines.set_value(("section", "number"), 4)
    lines.remove_key(("cast",))

    assert lines.text == TEXT.replace("# the cast\ncast: []  # nobody yet\n", "").replace("number: 3", "number: 4")


@given(some.lists(some.tuples(some.sampled_from(["append", "set", "remove"]), some.integers(0, 9), ITEMS), max_size=8))
def test_edits_read_back_like_the_same_edits_of_plain_lists(edits):
    lines, plain = YamlLines(TEXT), yaml.safe_load(TEXT)
    films = plain["videos"]
    for kind, place, item in edits:
        if kind == "append" or not films:
            lines.append(("videos",), item)
            films.append(item)
        elif kind == "set":
            lines.set_item(("videos",), place % len(films), item)
            films[place % len(films)] = item
        else:
            lines.remove_item(("videos",), place % len(films))
            del films[place % len(films)]

    assert lines.value() == plain


def test_the_project_own_files_come_back_to_the_byte_when_an_edit_is_taken_back():
    for name, keys in (("params.yaml", ("videos",)), ("dvc.yaml", ("stages", "sample", "deps"))):
        text = (ROOT / name).read_text(encoding="utf-8")
        lines = YamlLines(text)
        lines.append(keys, "another")
        lines.remove_item(keys, len(lines._items(keys)) - 1)

        assert lines.text == text
