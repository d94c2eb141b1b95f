"""Labels to and from other tools: what goes out comes back, what a form cannot hold is said, nothing is guessed."""

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from film_tables import CAST, sampled, written
from hypothesis import given, settings
from hypothesis import strategies as st
from test_label_rows import ROWS, free_of_contradictions

from screentime.errors import InputError
from screentime.exchange import cvat, elan, image_classes, label_studio, stretches, via
from screentime.exchange.arriving import Terms, arriving
from screentime.exchange.leaving import answers_by_frame, still_name, stretches_of, time_in_name
from screentime.label_rows import Row, standing

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PLAIN = Terms(names={})


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return sampled(tmp_path_factory.mktemp("frames"), length_s=12.0)


def answers(rows, frames):
    """{(frame, character): present} of the answers that are not blind."""
    return {(cell.frame, cell.character): row.present for cell, row in standing(rows, frames).items() if not cell.blind}


def come(path, found, frames, drawn=(), **terms):
    return arriving(path, found, Terms(**({"names": {}} | terms)), frames, CAST, drawn)


def sentence(function, *arguments, **options) -> str:
    with pytest.raises(InputError) as failure:
        function(*arguments, **options)
    return str(failure.value)


# ---- what goes out comes back


@settings(max_examples=50)
@given(rows=ROWS, third=st.booleans())
def test_stretches_and_elan_give_back_every_answer(tmp_path_factory, rows, third):
    """At three frames a second too, whose times are no whole milliseconds, and with a film's file that begins late."""
    folder = tmp_path_factory.mktemp("law")
    frames = sampled(folder, length_s=12.0, fps=3.0 if third else 1.0)
    frames.facts["first_frame_time_s"] = 1.075
    rows = free_of_contradictions(rows, frames)
    known = stretches_of(answers_by_frame(rows, frames), frames, CAST)
    elan.write(folder / "a.eaf", known, CAST, Path("film.mp4"), 1.075, NOW)
    stretches.write(folder / "a.csv", known)

    for path, found in (
        (folder / "a.eaf", elan.read(folder / "a.eaf")),
        (folder / "a.csv", stretches.read(folder / "a.csv")),
    ):
        back = come(path, found, frames).rows
        assert answers(back, frames) == answers(rows, frames)
        assert all(row.source == "imported" for row in back)


@settings(max_examples=50)
@given(rows=ROWS)
def test_label_studio_gives_back_every_frame_that_is_known_whole(tmp_path_factory, frames, rows):
    path = tmp_path_factory.mktemp("law") / "tasks.json"
    rows = free_of_contradictions(rows, frames)
    by_frame = answers_by_frame(rows, frames)
    tasks = [
        label_studio.task(
            f"/x/{i}.jpg", "film", float(i), {name: row.present for name, row in said.items()}, CAST, "ann", ""
        )
        for i, said in sorted(by_frame.items())
    ]
    label_studio.write(path, tasks, CAST)

    back = answers(come(path, label_studio.read(path), frames).rows, frames) if tasks else {}

    whole = {
        i for i, said in by_frame.items() if {said[name].present for name in said} <= {"0", "1"} and len(said) == 2
    }
    assert back == {cell: present for cell, present in answers(rows, frames).items() if cell[0] in whole}


ODD = ("Zoë <3", "O'Hara & Söhne", "عمر", "a/b=c;d", "🐰 & 🐻", "mr. 0", "visible")


@settings(max_examples=40)
@given(rows=ROWS, names=st.permutations(ODD))
def test_names_of_every_kind_go_out_and_come_back(tmp_path_factory, frames, rows, names):
    folder = tmp_path_factory.mktemp("law")
    called = dict(zip(CAST, names, strict=False))
    cast = tuple(called.values())
    rows = [row._replace(character=called[row.character]) for row in free_of_contradictions(rows, frames)]
    by_frame = answers_by_frame(rows, frames)
    known = stretches_of(by_frame, frames, cast)
    elan.write(folder / "a.eaf", known, cast, Path("film.mp4"), 0.0, NOW)
    stretches.write(folder / "a.csv", known)
    said = {i: {name: row.present for name, row in of_frame.items()} for i, of_frame in by_frame.items()}
    whole = {i for i, present in said.items() if len(present) == 2 and "?" not in present.values()}
    tasks = [label_studio.task(f"/x/{i}.jpg", "film", float(i), present, cast, "", "") for i, present in said.items()]
    label_studio.write(folder / "a.json", tasks, cast)

    def back(found) -> dict:
        if not (found.looks or found.stretches):
            return {}
        return answers(arriving(folder / "a", found, PLAIN, frames, cast, ()).rows, frames)

    assert back(elan.read(folder / "a.eaf")) == answers(rows, frames)
    assert back(stretches.read(folder / "a.csv")) == answers(rows, frames)
    assert back(label_studio.read(folder / "a.json")) == {
        cell: one for cell, one in answers(rows, frames).items() if cell[0] in whole
    }


@settings(max_examples=30)
@given(rows=ROWS)
def test_blind_answers_never_leave(tmp_path_factory, frames, rows):
    """Every answer is blind: nothing of it is in what goes out."""
    rows = [row._replace(end_s=None, source="audit") for row in rows]

    assert answers_by_frame(rows, frames) == {}
    assert stretches_of(answers_by_frame(rows, frames), frames, CAST) == []


def test_a_still_says_its_film_and_time_in_its_name_whatever_a_tool_puts_before_it():
    name = still_name("my film", 1 / 3)

    assert name == "my film_0.333333s.jpg"
    for form in (name, f"0a1b2c3d-{name}", name.replace(" ", "_")):
        assert time_in_name(form, "my film") == 0.333333
    assert time_in_name(name, "other") is None


# ---- ELAN


def document(tmp_path, *tiers: str, header: str = "", before: str = "") -> Path:
    slots = "".join(f'<TIME_SLOT TIME_SLOT_ID="ts{ms}" TIME_VALUE="{ms}"/>' for ms in range(0, 20_000, 500))
    return written(
        tmp_path / "film.eaf",
        f'<?xml version="1.0"?>{before}<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds">{header}</HEADER><TIME_ORDER>{slots}'
        f'<TIME_SLOT TIME_SLOT_ID="open"/></TIME_ORDER>{"".join(tiers)}</ANNOTATION_DOCUMENT>',
    )  # fmt: skip


def tier(name: str, *marks: tuple[object, object, str], parent: str = "") -> str:
    held = "".join(
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a" TIME_SLOT_REF1="ts{begin}" TIME_SLOT_REF2="ts{end}">'
        f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
        for begin, end, text in marks
    )
    return f'<TIER TIER_ID="{name}" {f"PARENT_REF={chr(34)}{parent}{chr(34)}" if parent else ""}>{held}</TIER>'


def test_in_a_document_made_by_hand_an_annotation_is_visible_and_the_rest_is_unknown(tmp_path, frames):
    path = document(
        tmp_path, tier("Ann", (1000, 3500, "ann talks"), (8000, 9000, "?")), tier("bob", (0, 0, "x")), tier("gloss", parent="Ann"),
        tier("noise", (0, 500, "bang")),
    )  # fmt: skip
    arrival = come(path, elan.read(path), frames)

    assert answers(arrival.rows, frames) == {(1, "ann"): "1", (2, "ann"): "1", (3, "ann"): "1", (8, "ann"): "?"}
    assert arrival.notes == (
        "passed over: 1 annotation without times of their own",
        "passed over: tiers that hang on others (gloss)",
        "not in the cast, left out: noise; --map NAME=CHARACTER takes one over",
    )


def test_complete_tiers_say_where_nobody_is(tmp_path, frames):
    path = document(tmp_path, tier("ann", (1000, 3500, "")), tier("bob"))

    complete = answers(come(path, elan.read(path), frames, complete=True).rows, frames)

    assert {i for (i, name), present in complete.items() if (name, present) == ("ann", "1")} == {1, 2, 3}
    assert len(complete) == 24 and all(present == "0" for (_, name), present in complete.items() if name == "bob")


def test_names_of_another_tool_are_mapped_and_others_left_out(tmp_path, frames):
    path = document(tmp_path, tier("A. Smith", (0, 2000, "")), tier("bob", (0, 1000, "")))

    arrival = come(path, elan.read(path), frames, names={"A. Smith": "ann", "bob": ""})

    assert answers(arrival.rows, frames) == {(0, "ann"): "1", (1, "ann"): "1"}
    assert arrival.notes == ("nothing is said of bob: the file has no such name",)
    assert sentence(come, path, elan.read(path), frames, names={"A. Smith": "anm"}) == (
        "--map A. Smith=anm: 'anm' is not in the cast; did you mean 'ann'?"
    )
    assert sentence(come, path, elan.read(path), frames, names={"bop": "ann"}) == (
        f"--map bop=ann: {path} has no name 'bop'; did you mean 'bob'?"
    )


def test_media_that_is_shifted_is_refused_and_times_can_be_shifted(tmp_path, frames):
    path = document(
        tmp_path, tier("ann", (1000, 2000, "")), header='<MEDIA_DESCRIPTOR MEDIA_URL="x" TIME_ORIGIN="1500"/>'
    )
    assert sentence(elan.read, path) == (
        f"{path}: TIME_ORIGIN 1500 ms was found, media that begins with the annotations was expected; synchronise it at 0 in ELAN, "
        "or take the attribute out and shift the times with --shift SECONDS"
    )

    path = document(tmp_path, tier("ann", (1000, 2000, ""), (14000, 15000, "")))
    arrival = come(path, elan.read(path), frames, shift_s=2.0)
    assert answers(arrival.rows, frames) == {(3, "ann"): "1"}
    assert arrival.notes[-1] == "1 stretch left out: outside the film, which is 12 s long"


@pytest.mark.parametrize("reader", [elan, cvat])
def test_a_document_type_is_refused_before_anything_in_it_is_expanded(tmp_path, reader):
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    path = document(tmp_path, tier("ann", (0, 1000, "&b;")), before=bomb)

    assert sentence(reader.read, path) == (
        f"{path}: line 1: a document type (DOCTYPE) was found, plain XML was expected; export the file anew, or take that line out "
        "if you trust it"
    )


# ---- Label Studio


def annotation(*chosen: str, by: object = 7, at: str = "2026-11-20T09:30:00.123456Z", **more) -> dict:
    result = (
        [{"type": "choices", "from_name": "who", "to_name": "img", "value": {"choices": list(chosen)}}]
        if chosen
        else []
    )
    return {"result": result, "was_cancelled": False, "completed_by": by, "created_at": at, "updated_at": at, **more}


def export(tmp_path, *tasks: tuple[str, list[dict]]) -> Path:
    listed = [{"id": i, "data": {"image": image}, "annotations": held} for i, (image, held) in enumerate(tasks)]
    return written(tmp_path / "export.json", json.dumps(listed))


def test_an_empty_result_is_a_look_at_nobody_and_a_cancelled_one_is_nothing(tmp_path, frames):
    path = export(
        tmp_path,
        ("/data/upload/1/0a1b2c3d-film_1.000000s.jpg", [annotation("ann")]),
        ("/data/local-files/?d=stills/film_2.000000s.jpg", [annotation()]),
        ("film_3.000000s.jpg", [annotation("bob", was_cancelled=True)]),
        ("film_4.000000s.jpg", []),
        ("other_5.000000s.jpg", [annotation("bob")]),
    )
    arrival = come(path, label_studio.read(path), frames)

    assert answers(arrival.rows, frames) == {(1, "ann"): "1", (1, "bob"): "0", (2, "ann"): "0", (2, "bob"): "0"}
    assert {(row.source, row.annotator, row.at) for row in arrival.rows} == {("imported", "7", "2026-11-20T09:30:00Z")}
    assert arrival.notes == (
        "passed over: 1 cancelled annotation",
        "1 task has no annotation: nobody has looked",
        "1 picture left out: whose name says no time of this film; --images DIR finds their frames by what they show",
    )


def test_a_name_that_the_file_does_not_offer_stays_unknown(tmp_path, frames):
    """A character that came into the cast later was not looked for."""
    path = export(tmp_path, ("film_1.000000s.jpg", [annotation("ann")]), ("film_2.000000s.jpg", [annotation()]))

    assert answers(come(path, label_studio.read(path), frames).rows, frames) == {(1, "ann"): "1", (2, "ann"): "0"}


def test_two_people_who_differ_are_left_out_and_counted_unless_one_is_asked_for(tmp_path, frames):
    path = export(
        tmp_path, ("film_1.000000s.jpg", [annotation("ann", by={"email": "a@x.org"}), annotation("bob", by={"email": "b@x.org"})]),
        ("film_2.000000s.jpg", [annotation("ann", by={"email": "a@x.org"})]),
    )  # fmt: skip
    both = come(path, label_studio.read(path), frames)
    one = come(path, label_studio.read(path, "b@x.org"), frames)

    assert answers(both.rows, frames) == {(2, "ann"): "1", (2, "bob"): "0"}
    assert both.notes == ("2 answers left out: the file says two things, first of ann at 1 s",)
    assert answers(one.rows, frames) == {(1, "ann"): "0", (1, "bob"): "1"}


def test_answers_by_looking_need_who_and_when(tmp_path, frames):
    path = export(tmp_path, ("film_1.000000s.jpg", [annotation("ann", by=None)]))
    assert sentence(come, path, label_studio.read(path), frames, looked=True) == (
        f"{path}: it does not say who looked at film_1.000000s.jpg and when, both were expected for --as manual; import it without, as "
        "`imported`"
    )
    path = export(tmp_path, ("film_1.000000s.jpg", [annotation("ann")]))
    assert come(path, label_studio.read(path), frames, looked=True).rows == (
        Row(1.0, None, "ann", "1", "manual", "7", "2026-11-20T09:30:00Z"),
    )


def test_the_export_that_forgets_who_looked_is_refused(tmp_path):
    path = written(tmp_path / "min.json", json.dumps([{"image": "a.jpg", "choice": "ann"}]))

    assert sentence(label_studio.read, path) == (
        f"{path}: no list of tasks with `data` and `annotations` was found, Label Studio's full export was expected; export as JSON, "
        "not JSON-MIN, which leaves out who looked and saw nobody"
    )


def test_the_interface_offers_every_character_whatever_it_is_called(tmp_path):
    cast = ("Zoë <3", "O'Hara & Söhne", "عمر")
    interface = label_studio.write(tmp_path / "tasks.json", [], cast)

    offered = [choice.get("value") for choice in ElementTree.parse(interface).iter("Choice")]
    assert tuple(offered) == cast


# ---- CVAT, VIA


def test_cvat_marks_say_visible_and_nothing_else(tmp_path, frames):
    text = """<annotations><version>1.1</version><meta><task><labels><label><name>ann</name></label><label><name>bob</name></label>
    <label><name>car</name></label></labels></task></meta>
    <image id="0" name="s/film_1.000000s.jpg" width="9" height="9"><tag label="ann" source="manual"/><box label="car" xtl="0"/></image>
    <image id="1" name="film_2.000000s.jpg" width="9" height="9"><box label="bob" source="manual"/><tag label="ann" source="auto"/></image>
    <image id="2" name="film_3.000000s.jpg" width="9" height="9"/></annotations>"""
    path = written(tmp_path / "annotations.xml", text)

    arrival = come(path, cvat.read(path), frames)
    assert answers(arrival.rows, frames) == {(1, "ann"): "1", (2, "bob"): "1"}
    assert arrival.notes == (
        "passed over: 1 mark that a model made", "not in the cast, left out: car; --map NAME=CHARACTER takes one over",
    )  # fmt: skip
    complete = answers(come(path, cvat.read(path), frames, complete=True).rows, frames)
    assert complete == {
        (1, "ann"): "1", (1, "bob"): "0", (2, "ann"): "0", (2, "bob"): "1", (3, "ann"): "0", (3, "bob"): "0",
    }  # fmt: skip


def test_cvat_in_the_form_of_its_own_documentation(tmp_path, frames):
    """docs.cvat.ai, XML annotation format 1.1, annotation mode: every kind of mark it describes, with all their attributes."""
    shape = 'source="manual" occluded="0" z_order="0"'
    marks = (
        f'<box label="ann" {shape} xtl="1.0" ytl="1.0" xbr="2.0" ybr="2.0"><attribute name="pose">left</attribute></box>',
        f'<polygon label="ann" {shape} points="1.0,1.0;2.0,1.0;2.0,2.0"></polygon>',
        f'<polyline label="ann" {shape} points="1.0,1.0;2.0,1.0"></polyline>',
        f'<points label="ann" {shape} points="1.0,1.0"></points>',
        f'<cuboid label="ann" {shape} xtl1="1.0" ytl1="1.0" xbl1="1.0" ybl1="2.0"></cuboid>',
        f'<mask label="ann" {shape} rle="3, 5, 7" left="1" top="1" width="5" height="3"></mask>',
        f'<ellipse label="ann" {shape} cx="5.0" cy="5.0" rx="2.0" ry="1.0"></ellipse>',
        '<skeleton label="ann" source="manual" z_order="0"><points label="paw" source="manual" outside="0" points="1.0,1.0"></points></skeleton>',
        '<tag label="ann" source="manual"><attribute name="sure">true</attribute></tag>',
    )
    images = "".join(
        f'<image id="{i}" name="film_{i}.000000s.jpg" subset="default" task_id="1" width="640" height="360">{mark}</image>'
        for i, mark in enumerate(marks)
    )
    path = written(
        tmp_path / "annotations.xml",
        f"""<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task><id>1</id><name>film</name><size>9</size><mode>annotation</mode><overlap>0</overlap><bugtracker></bugtracker>
      <created>2026-11-20 09:00:00.000000+00:00</created><subset>default</subset><start_frame>0</start_frame><stop_frame>8</stop_frame>
      <labels>
        <label><name>ann</name><color>#fa3253</color><type>any</type><attributes><attribute><name>pose</name><mutable>False</mutable>
          <input_type>select</input_type><default_value>left</default_value><values>left right</values></attribute></attributes></label>
        <label><name>bob</name><color>#3d3df5</color><type>any</type><attributes></attributes></label>
      </labels>
      <owner><username>zoe</username><email>zoe@example.org</email></owner>
    </task>
    <dumped>2026-11-20 09:30:00.000000+00:00</dumped>
  </meta>
  {images}
</annotations>""",
    )
    arrival = come(path, cvat.read(path), frames)

    assert answers(arrival.rows, frames) == {(i, "ann"): "1" for i in range(len(marks))}
    assert arrival.notes == ()
    assert {row.source for row in arrival.rows} == {"imported"}


def test_tracks_by_frame_number_have_no_time(tmp_path):
    path = written(tmp_path / "annotations.xml", '<annotations><track id="0" label="ann"/></annotations>')

    assert sentence(cvat.read, path) == (
        f"{path}: tracks by frame number were found, images by name were expected; a frame number is no time: export as `CVAT for "
        "images 1.1`, with the images"
    )


VIA = "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


def test_via_attributes_name_characters_in_every_way_the_tool_has(tmp_path, frames):
    def line(second, file_attributes, region_attributes):
        cells = (json.dumps(held).replace('"', '""') for held in (file_attributes, {}, region_attributes))
        first, shape, last = (f'"{cell}"' for cell in cells)
        return f"film_{second}.000000s.jpg,1,{first},1,0,{shape},{last}"

    path = written(
        tmp_path / "via.csv", VIA, line(1, {"ann": "1", "bob": "no"}, {}), line(2, {"who": {"ann": True, "bob": False}}, {}),
        line(3, {}, {"name": "bob"}), line(3, {}, {"name": "ann"}), line(4, {"ann": "?"}, {}), line(5, {"weather": "rain"}, {}),
    )  # fmt: skip
    arrival = come(path, via.read(path), frames)

    assert answers(arrival.rows, frames) == {
        (1, "ann"): "1", (1, "bob"): "0", (2, "ann"): "1", (3, "ann"): "1", (3, "bob"): "1", (4, "ann"): "?",
    }  # fmt: skip
    assert arrival.notes == ("not in the cast, left out: rain; --map NAME=CHARACTER takes one over",)
    broken = written(tmp_path / "broken.csv", VIA, "a.jpg,1,{}")
    assert sentence(via.read, broken) == f"{broken}: line 2: 3 cells were found, 7 expected; export it anew"


def test_via_in_the_form_of_its_own_export(tmp_path, frames):
    """What VIA 1 writes: a remark sign before the header, numbers of bytes, polygons, attributes that are no characters."""
    path = written(
        tmp_path / "via_region_data.csv",
        VIA,
        'film_1.000000s.jpg,-1,"{""caption"":""in the snow"",""public_domain"":""no""}",2,0,"{""name"":""polygon"",""all_points_x"":'
        '[116,94,87],""all_points_y"":[157,195,239]}","{""name"":""Ann""}"',
        'film_1.000000s.jpg,-1,"{""caption"":""in the snow"",""public_domain"":""no""}",2,1,"{""name"":""circle"",""cx"":211,""cy"":212,""r"":9}",'
        '"{""name"":""Bob""}"',
        'film_2.000000s.jpg,62201,"{}",0,0,"{}","{}"',
    )
    arrival = come(path, via.read(path), frames)

    assert answers(arrival.rows, frames) == {(1, "ann"): "1", (1, "bob"): "1"}
    assert arrival.notes == (
        "not in the cast, left out: in the snow, public_domain; --map NAME=CHARACTER takes one over",
    )


# ---- Image_ID,Class


def test_a_class_says_nothing_of_others_and_neither_says_nobody(tmp_path, frames):
    path = written(
        tmp_path / "train.csv", "Image_ID,Class", "film_1.000000s.jpg,ann", "film_2.000000s.jpg,Neither", "film_3.000000s.jpg,0",
    )  # fmt: skip
    nobody = {(i, name): "0" for i in (2, 3) for name in CAST}

    assert answers(come(path, image_classes.read(path), frames).rows, frames) == {(1, "ann"): "1"} | nobody
    exclusive = answers(come(path, image_classes.read(path), frames, complete=True).rows, frames)
    assert exclusive == {(1, "ann"): "1", (1, "bob"): "0"} | nobody


# ---- audits, and files about something else


def test_frames_that_an_audit_drew_are_left_out_and_counted(tmp_path, frames):
    path = written(tmp_path / "a.csv", "character,start_s,end_s", "ann,2,6")
    arrival = come(path, stretches.read(path), frames, drawn=[4])

    assert answers(arrival.rows, frames) == {(2, "ann"): "1", (3, "ann"): "1", (5, "ann"): "1"}
    assert arrival.notes[-1] == "1 answer left out: on frames that an audit drew, which only a blind look answers"


def test_a_file_with_nobody_of_the_cast_is_refused(tmp_path, frames):
    path = written(tmp_path / "a.csv", "character,start_s,end_s", "tom,2,6")

    assert sentence(come, path, stretches.read(path), frames) == (
        f"{path}: tom are the names in it, some of the cast (ann, bob) were expected; say what they mean with --map NAME=CHARACTER"
    )


def test_what_contradicts_itself_is_left_out(tmp_path, frames):
    path = written(tmp_path / "a.csv", "character,start_s,end_s,present", "ann,2,6,1", "ann,5,8,0")
    arrival = come(path, stretches.read(path), frames)

    assert answers(arrival.rows, frames) == {
        (2, "ann"): "1",
        (3, "ann"): "1",
        (4, "ann"): "1",
        (6, "ann"): "0",
        (7, "ann"): "0",
    }
    assert arrival.notes[-1] == "1 answer left out: the file says two things, first of ann at 5 s"
    assert np.all([row.end_s > row.start_s for row in arrival.rows])
