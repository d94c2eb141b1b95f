"""Stage preprocess: the labelled frames as normalized arrays, in the form the backbone wants."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas

from screentime import command
from screentime.errors import InputError
from screentime.exchange.likeness import ALIKE, thumbnail, thumbnails
from screentime.files import new_folder, write_array, write_json
from screentime.frames import open_frames
from screentime.inputs import Form, network_input
from screentime.near_copies import groups_of_near_copies, looks_of
from screentime.params import Params
from screentime.stills import Still, read_stills
from screentime.table_files import Table, read_table, write_table
from screentime.tables import FILLED, FILLED_INDEX, INDEX, STILLS_INDEX, TARGETS
from screentime.windows import Around, places_in_windows, windows_around
from screentime.wording import count_text

FrameRow = tuple[str, float, np.ndarray]


def preprocess(
    *, frames: Path, features: Path, targets: Path, filled: Path, stills: Path, arrays: Path, params: Params
) -> None:
    """Write inputs.npy, targets.npy, index.csv and form.json: one row per frame with at least one answer.

    inputs is (n_frames, height, width, 3) float16, normalized RGB as the backbone wants it; targets is
    (n_frames, n_characters) float32, 1 visible, 0 not visible, NaN unknown, columns as in `cast`. A film without labels,
    or a new audit answer, leaves these bytes as they were. Rows are written one by one: the memory stays flat.

    Frames of private films have no row in inputs but one in features.npy, (n_private, n_features) float16, as the stage
    embed has kept it: so their pictures are in nothing that is shared, and who has no pictures can train all the same.
    Both keep the order of the index; form.json names the private films, and how the frames were sampled.

    windows.npy, (n_labelled, window, n_features) float16, has for every row of the index what embed has kept of the frames
    around it, for heads over windows; window_places.npy, (n_labelled, 2) int64, of each how many frames it holds and which
    is the labelled one. Both are absent where embed and preprocess are of two forms.

    Stills come last, in inputs and in targets; they have no time, and stills.csv says which are near copies of each other.
    A still that shows a frame which only measures, as an audit drew it or its film is a test film, is left out.

    Where preprocess.filled is true, filled.csv, filled_features.npy and filled_targets.npy hold what the stage fill has
    filled, apart from what people have said and without pictures; else data/filled leaves these bytes as they were.
    """
    form = Form(**params.preprocess.form)
    rows = [row for video in params.shown_videos for row in _rows_of(targets, TARGETS, video.video_id, params.cast)]
    rows.sort(key=lambda row: row[:2])
    private = sorted({video.video_id for video in params.shown_videos if video.private} & {row[0] for row in rows})
    _check_forms(private, params)
    sets = [(name, still) for name in sorted(params.stills) for still in read_stills(stills / name, params.cast)]
    told = [(name, still) for name, still in sets if _answers(still.answers, params.cast) is not None]
    training = _without_measuring(told, frames, targets, params)
    with new_folder(arrays) as folder:
        index, at, kept = [], [], []
        # row by row through an ordinary file: a memory map would end the process, without a word, on a full disk
        with open(folder / "inputs.npy", "wb") as file:
            n_shown = sum(row[0] not in private for row in rows)
            _write_header(file, (n_shown + len(training), form.height, form.width, 3))
            for video_id, time_s, _ in rows:
                if not index or index[-1][0] != video_id:
                    pack = open_frames(frames, video_id)
                position = int(np.argmin(np.abs(pack.times_s - time_s)))
                if video_id in private:
                    kept.append(np.load(features / f"{video_id}.npy", mmap_mode="r", allow_pickle=False)[position])
                else:
                    file.write(network_input(pack.image(position), form).astype(np.float16).tobytes())
                index.append((video_id, time_s, pack.durations_s[position]))
                at.append(position)
            for _, still in training:
                file.write(network_input(still.image(), form).astype(np.float16).tobytes())
        if kept:
            write_array(folder / "features.npy", np.stack(kept))
        answers = [answer for _, _, answer in rows] + [_answers(still.answers, params.cast) for _, still in training]
        answers = np.array(answers, np.float32).reshape(len(answers), len(params.cast))
        write_array(folder / "targets.npy", answers)
        around = params.preprocess.window if params.embed.form == params.preprocess.form else None
        if around:
            _write_windows(folder, features, [row[0] for row in rows], np.array(at, np.int64), Around(**dict(around)))
        write_table(folder / "index.csv", pandas.DataFrame(index, columns=["video_id", "time_s", "duration_s"]), INDEX)
        if training:
            write_table(folder / "stills.csv", _stills_index(training, rows, private, frames), STILLS_INDEX)
        n_filled = _write_filled(folder, frames, features, filled, params)
        write_json(
            folder / "form.json",
            form.as_dict()
            | {
                "cast": list(params.cast),
                "private": private,
                "window": None if around is None else dict(around),
                "sampling": params.sample.model_dump(exclude={"workers"}),
            },
        )
    beside = f" and {count_text(len(training), 'still', 'stills')}" if sets else ""
    print(f"{arrays}: {len(rows)} labelled frames{beside} at {form.width}x{form.height} for {form.backbone}")
    if len(told) < len(sets):
        print(f"{count_text(len(sets) - len(told), 'still', 'stills')} left out: nothing is known of the cast in them")
    if len(training) < len(told):
        left = count_text(len(told) - len(training), "still", "stills")
        print(f"{left} left out: they show frames that only measure (drawn by an audit, or of a test film)")
    if params.preprocess.filled:
        print(
            f"{arrays}: {count_text(n_filled, 'filled cell', 'filled cells')}, which train the head that is kept and nothing else"
        )


def _check_forms(private: list[str], params: Params) -> None:
    """Private films and filled cells train from kept features, which must be those of the network that trains."""
    kept, wanted = params.embed.form, params.preprocess.form
    if kept != wanted and (private or params.preprocess.filled):
        shown = [f"{form['backbone']} at {form['width']}x{form['height']}" for form in (kept, wanted)]
        who = f"private films ({', '.join(private)}) train" if private else "filled cells train"
        away = (
            "leave those films out with `python -m screentime video skip`"
            if private
            else "set preprocess.filled to false"
        )
        raise InputError(
            f"params.yaml: embed is {shown[0]}, preprocess {shown[1]}; the same was expected, as {who} from what embed has "
            f"kept: make both the same, or {away}"
        )


def _write_windows(folder: Path, features: Path, of: Sequence[str], at: np.ndarray, around: Around) -> None:
    """Write the features of the frames around labelled ones, film by film: of each row its film and its frame there."""
    seen = {name: np.load(features / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in dict.fromkeys(of)}
    lengths = np.empty(len(of), np.int64)
    with open(folder / "windows.npy", "wb") as file:
        _write_header(file, (len(of), around.n_frames, seen[of[0]].shape[1] if of else 0))
        for row, (video_id, centre) in enumerate(zip(of, at, strict=True)):
            window = windows_around(seen[video_id], centre[None], around)
            file.write(window.features.tobytes())
            lengths[row] = window.mask.sum()
    write_array(folder / "window_places.npy", np.column_stack([lengths, places_in_windows(at, around)]))


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Begin a .npy file of float16."""
    header = {"descr": np.dtype(np.float16).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _write_filled(folder: Path, frames: Path, features: Path, filled: Path, params: Params) -> int:
    """Write what was filled, a row per frame, where preprocess.filled asks for it; how many cells that is."""
    if not params.preprocess.filled:
        return 0
    index, kept, cells = [], [], []
    for video_id in sorted(video.video_id for video in params.shown_videos):
        rows = _rows_of(filled, FILLED, video_id, params.cast)
        if rows:
            pack = open_frames(frames, video_id)
            seen = np.load(features / f"{video_id}.npy", mmap_mode="r", allow_pickle=False)
            place = np.searchsorted(pack.times_s, [time_s - 1e-6 for _, time_s, _ in rows])
            kept.append(seen[place])
            cells.append([answer for *_, answer in rows])
            index += [(video_id, time_s, pack.durations_s[at]) for (_, time_s, _), at in zip(rows, place, strict=True)]
    table = pandas.DataFrame(index, columns=["video_id", "time_s", "duration_s"])
    write_table(folder / "filled.csv", table, FILLED_INDEX)
    answers = np.concatenate(cells) if cells else np.empty((0, len(params.cast)), np.float32)
    write_array(folder / "filled_targets.npy", answers)
    write_array(folder / "filled_features.npy", np.concatenate(kept) if kept else np.empty((0, 0), np.float16))
    return int((~np.isnan(answers)).sum())


def _without_measuring(
    stills: Sequence[tuple[str, Still]], frames: Path, targets: Path, params: Params
) -> list[tuple[str, Still]]:
    """The stills that show no frame which only measures. Pictures of private films are not looked at: not all have them."""
    if not stills:
        return []
    measuring = thumbnails(_measuring_images(frames, targets, params))
    if not len(measuring):
        return list(stills)
    return [(name, still) for name, still in stills if (measuring @ thumbnail(still.image())).max() < ALIKE]


def _measuring_images(frames: Path, targets: Path, params: Params) -> Iterator[np.ndarray]:
    """The frames that audits drew, and all of test films."""
    for video in params.shown_videos:
        if video.private:
            continue
        pack = open_frames(frames, video.video_id)
        path = targets / f"{video.video_id}.csv"
        times_s = pack.times_s
        if video.split is None:
            table = read_table(path, TARGETS) if path.is_file() else None
            times_s = [] if table is None else table.loc[table["source"] == "drawn", "time_s"]
        for time_s in times_s:
            yield pack.image(int(np.argmin(np.abs(pack.times_s - time_s))))


def _stills_index(
    stills: Sequence[tuple[str, Still]], rows: Sequence[FrameRow], private: Sequence[str], frames: Path
) -> pandas.DataFrame:
    """The table of the stills: which they are, and which pictures are near copies of each other."""
    looks = looks_of(still.image() for _, still in stills)
    shown = [place for place, row in enumerate(rows) if row[0] not in private]
    packs = {video_id: open_frames(frames, video_id) for video_id in {rows[place][0] for place in shown}}
    of_frames = looks_of(
        packs[video_id].image(int(np.argmin(np.abs(packs[video_id].times_s - time_s))))
        for video_id, time_s, _ in (rows[place] for place in shown)
    )
    groups = groups_of_near_copies(looks)
    table = [
        (
            name,
            still.path.name,
            groups[row],
            " ".join(str(shown[one]) for one in np.flatnonzero(of_frames.alike(looks, row))),
        )
        for row, (name, still) in enumerate(stills)
    ]
    return pandas.DataFrame(table, columns=[column.name for column in STILLS_INDEX.columns])


def _answers(said: dict[str, str], cast: Sequence[str]) -> np.ndarray | None:
    """(n_characters,) float32: 1, 0 or NaN; None where nothing is known."""
    answers = np.array([{"1": 1, "0": 0}.get(said.get(name), np.nan) for name in cast], np.float32)
    return None if np.isnan(answers).all() else answers


def _rows_of(folder: Path, kind: Table, video_id: str, cast: tuple[str, ...]) -> list[FrameRow]:
    """(video_id, time_s, answers) of every frame of a film with at least one answer; answers is (n_characters,)."""
    path = folder / f"{video_id}.csv"
    if not path.is_file():
        return []
    table = read_table(path, kind)
    known = table[table["present"].isin(["0", "1"])]
    return [
        (video_id, float(time_s), _answers(dict(zip(frame["character"], frame["present"], strict=True)), cast))
        for time_s, frame in known.groupby("time_s")
    ]


if __name__ == "__main__":
    command.run(preprocess)
