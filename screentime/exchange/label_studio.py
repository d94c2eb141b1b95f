"""Label Studio: tasks of stills with a choice for each character, and its full JSON export.

An annotation with an empty result is a person who looked and saw nobody; that is in the full export only (JSON), not in
JSON-MIN or CSV. The form of tasks, annotations and predictions: labelstud.io/guide/task_format.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from screentime.errors import InputError
from screentime.exchange.found import Found, Look
from screentime.files import write_text
from screentime.wording import count_text

FROM, TO = "characters", "image"
_CHOOSING = (
    "choices", "labels", "rectanglelabels", "polygonlabels", "ellipselabels", "brushlabels", "keypointlabels",
)  # fmt: skip


def task(
    image: str, video_id: str, time_s: float, said: Mapping[str, str], cast: Sequence[str], by: str, at: str
) -> dict:
    """One still as a task.

    A frame whose every character is known is an annotation. A frame that is known in part is a prediction, which Label
    Studio shows as a start: it has no way to say "unknown" or "cannot tell" of one choice.

    Args:
        image: its address, for the browser.
        said: character to "1", "0" or "?".
        by, at: who said so and when, "" where that is not known.
    """
    data = {"image": image, "video_id": video_id, "time_s": time_s, "characters": list(cast)}
    chosen = [name for name in cast if said.get(name) == "1"]
    value = {"type": "choices", "from_name": FROM, "to_name": TO, "value": {"choices": chosen}}
    result = [value] if chosen else []
    if all(said.get(name) in ("0", "1") for name in cast):
        return {
            "data": data | {"annotator": by, "said_at": at},
            "annotations": [{"result": result, "was_cancelled": False}],
        }
    return (
        {"data": data, "predictions": [{"model_version": "known so far", "result": result}]}
        if result
        else {"data": data}
    )


def write(path: Path, tasks: Sequence[dict], cast: Sequence[str]) -> Path:
    """Write tasks, and beside them the labelling interface that they are for; gives the path of that."""
    write_text(path, json.dumps(list(tasks), indent=1, ensure_ascii=False) + "\n")
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in cast)
    interface = path.with_suffix(".interface.xml")
    write_text(
        interface,
        f'<View>\n  <Image name="{TO}" value="$image"/>\n  <Choices name="{FROM}" toName="{TO}" choice="multiple">\n{choices}'
        "  </Choices>\n</View>\n",
    )
    return interface


def read(path: Path, annotator: str | None = None) -> Found:
    """Read the full JSON export; cancelled annotations and drafts are passed over, predictions are no answers.

    Args:
        path: the file.
        annotator: whose annotations; None: everybody's.

    Raises:
        InputError: another file, or the export that leaves out who looked and saw nobody.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}, Label Studio's JSON export was expected; export it anew") from None
    if not isinstance(tasks, list) or not all(
        isinstance(one, dict) and isinstance(one.get("data"), dict) for one in tasks
    ):
        raise InputError(
            f"{path}: no list of tasks with `data` and `annotations` was found, Label Studio's full export was expected; export as "
            "JSON, not JSON-MIN, which leaves out who looked and saw nobody"
        )
    looks, names, cancelled, bare = [], set(), 0, 0
    for one in tasks:
        data = one["data"]
        names.update(str(name) for name in data.get("characters") or ())
        answers = one.get("annotations", one.get("completions")) or []
        bare += not answers
        for answer in answers:
            if answer.get("was_cancelled") or answer.get("skipped"):
                cancelled += 1
                continue
            chosen = [name for result in answer.get("result") or [] for name in _chosen(result)]
            names.update(chosen)
            by = _who(answer.get("completed_by")) or str(data.get("annotator") or "")
            if annotator in (None, by):
                at = str(answer.get("updated_at") or answer.get("created_at") or data.get("said_at") or "")
                looks.append(
                    Look(
                        _image(data),
                        dict.fromkeys(chosen, "1"),
                        True,
                        _time_s(data),
                        str(data.get("video_id") or ""),
                        by,
                        at,
                    )
                )
    notes = []
    if cancelled:
        notes.append(f"passed over: {count_text(cancelled, 'cancelled annotation', 'cancelled annotations')}")
    if bare:
        notes.append(f"{count_text(bare, 'task has', 'tasks have')} no annotation: nobody has looked")
    return Found(frozenset(names), looks=tuple(looks), notes=tuple(notes))


def _chosen(result: dict) -> list[str]:
    value = result.get("value") if isinstance(result, dict) else None
    if not isinstance(value, dict):
        return []
    return [str(name) for kind in _CHOOSING for name in value.get(kind) or []]


def _who(person: object) -> str:
    """The address of a person, else their number in Label Studio."""
    if isinstance(person, dict):
        person = person.get("email") or person.get("id")
    return "" if person is None else str(person)


def _image(data: dict) -> str:
    """The address of the picture, whatever the interface calls it."""
    address = data.get("image") or next(
        (value for value in data.values() if isinstance(value, str) and "." in value), ""
    )
    return str(address)


def _time_s(data: dict) -> float | None:
    value = data.get("time_s")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
