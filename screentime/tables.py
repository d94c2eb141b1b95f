"""The contract of every CSV of the project: where it lies, its columns, their types and units, its key."""

from screentime.table_files import Column, Table


def _number(name: str, meaning: str, **more) -> Column:
    return Column(name, "number", meaning, **more)


def _count(name: str, meaning: str, **more) -> Column:
    return Column(name, "count", meaning, **more)


def _word(name: str, meaning: str, **more) -> Column:
    return Column(name, "word", meaning, **more)


SOURCES = ("manual", "audit", "propagated", "accepted", "imported")
ANSWERS = ("1", "0", "?")
BASES = ("labels", "audit", "model", "count")
ALL_VIDEOS = "*"  # in place of a video_id: the totals over videos

_VIDEO = _word("video_id", "the video: the stem of its file name")
_TIME = _number("time_s", "time of the sampled frame, seconds from the first frame")
_DURATION = _number("duration_s", "time the frame stands for, seconds, above 0")
_CHARACTER = _word("character", "a member of the cast")
_START = _number("start_s", "begin of the stretch, seconds, included")
_END = _number("end_s", "end of the stretch, seconds, excluded")
_AT = _word("at", "when it was said: UTC, ISO 8601, seconds", required=False)
_SCORE = _number("score of the character", "calibrated score in [0, 1]")

LABELS = Table(
    "data/labels/<video_id>.csv",
    "what people said; written by people, in Git",
    (
        _number("start_s", "the moment, or the begin of the stretch, seconds"),
        _number(
            "end_s", "end of the stretch, seconds, excluded; empty: the frame on screen at start_s", required=False
        ),
        _CHARACTER,
        _word("present", "1 visible, 0 not visible, ? looked and cannot tell", choices=ANSWERS),
        _word("source", "how it was made", required=False, optional=True, choices=SOURCES),
        _word("annotator", "who said it", required=False, optional=True, own_words=True),
        _word("at", "when it was said: UTC, ISO 8601, seconds", required=False, optional=True),
    ),
    ("start_s", "end_s", "character"),
)
SKIP = Table(
    "data/labels/<video_id>.skip.csv",
    "ranges that are not part of the film (credits, recaps, adverts); written by people, in Git",
    (_START, _END, _word("reason", "why it is left out", own_words=True)),
    ("start_s", "end_s"),
)
AUDIT_DRAW = Table(
    "data/labels/<video_id>.audit.csv",
    "which frames the audit drew; written by `python -m screentime audit draw`, in Git, never changed afterwards",
    (
        _count("round", "number of the round, from 1"),
        _TIME,
        _number("probability", "chance the frame had in that round, in (0, 1]", decimals=12),
        _word("stratum", "the stratum it was drawn from; empty for a systematic draw", required=False),
        _word(
            "design", "systematic (evenly in time, random start) or stratified", choices=("systematic", "stratified")
        ),
        _count("seed", "seed of the draw"),
        _count("n_population", "frames that nobody had labelled by looking when the round was drawn"),
        _number("fps", "frames sampled per second when the round was drawn"),
        _word("video_sha256", "sha256 of the video file the round was drawn from"),
    ),
    ("round", "time_s"),
)
FRAMES = Table(
    "data/frames/<video_id>.csv",
    "index of the packed frames; row i is sample i",
    (
        _TIME,
        _DURATION,
        _number("frame_time_s", "the decoded frame's own timestamp, seconds from the first frame"),
        _number("frame_end_s", "when the decoded frame leaves the screen, seconds"),
        _count("offset", "first byte of its JPEG in <video_id>.mjpeg"),
        _count("size", "length of its JPEG, bytes"),
    ),
    ("time_s",),
)
TARGETS = Table(
    "data/targets/<video_id>.csv",
    "what training may see: one row per answered frame and character; a frame that an audit drew has one row with "
    "neither character nor answer, source `drawn`",
    (
        _TIME,
        _word("character", "a member of the cast; empty for a drawn frame", required=False),
        _word(
            "present",
            "1 visible, 0 not visible, ? cannot tell; empty for a drawn frame",
            required=False,
            choices=ANSWERS,
        ),
        _word("source", "how the label was made, or `drawn`", choices=(*SOURCES, "drawn")),
        _AT,
    ),
    ("time_s", "character"),
)
AUDIT = Table(
    "data/audit/<video_id>.csv",
    "what only measuring may see: one row per drawn frame and character, and every label of a test video",
    (
        _TIME,
        _CHARACTER,
        _word(
            "present",
            "1 visible, 0 not visible, ? cannot tell; empty: not answered yet",
            required=False,
            choices=ANSWERS,
        ),
        _word("source", "how the label was made; audit for drawn frames", choices=SOURCES),
        _AT,
        _number("round", "number of the round; empty for a frame that was not drawn", required=False),
        _number("probability", "chance the frame had in that round, in (0, 1]", required=False, decimals=12),
        _word("stratum", "the stratum it was drawn from", required=False),
        _word("design", "systematic or stratified", required=False, choices=("systematic", "stratified")),
        _number("n_population", "frames that nobody had labelled by looking when the round was drawn", required=False),
    ),
    ("time_s", "character", "source"),
)
SKIPPED = Table("data/skipped/<video_id>.csv", "checked copy of the skip file", SKIP.columns, SKIP.key)
INDEX = Table(
    "data/arrays/index.csv",
    "which frame each row of the arrays is; row i describes inputs[i] and targets[i]; the rows of stills come after those",
    (_VIDEO, _TIME, _DURATION),
    ("video_id", "time_s"),
)
FILLED_INDEX = Table(
    "data/arrays/filled.csv",
    "which frame each row of filled_features.npy and filled_targets.npy is; absent unless preprocess.filled is true",
    INDEX.columns,
    INDEX.key,
)
_STILL = _word("still", "the picture, a file beside stills.csv")
STILLS = Table(
    "data/stills/<set>/stills.csv",
    "what the pictures of a set show, written by `python -m screentime stills add`; a still belongs to no film and has no time",
    (_STILL, _CHARACTER, _word("present", "1 visible, 0 not visible, ? looked and cannot tell", choices=ANSWERS)),
    ("still", "character"),
)
STILLS_INDEX = Table(
    "data/arrays/stills.csv",
    "which still each row of the arrays behind those of index.csv is, in the same order; absent where there are none",
    (
        _word("set", "the set of stills"),
        _STILL,
        _count("group", "near copies of each other, over all sets, have one number; no fold parts them"),
        _word(
            "near_copies",
            "rows of index.csv, from 0, whose frames are near copies of it; blanks between",
            required=False,
        ),
    ),
    ("set", "still"),
)
SCORES = Table("data/scores/<video_id>.csv", "the model's score of every sampled frame", (_TIME,), ("time_s",), _SCORE)
PLACES = Table(
    "data/scores/<video_id>.places.csv",
    "where in the frame the evidence for a character is strongest, visible or not; only of a model whose places give "
    "evidence (`train.fine_tune.pooling`: lse or top_k)",
    (
        _TIME,
        _CHARACTER,
        _number("x", "middle of the place, share of the frame's width from the left, in [0, 1]"),
        _number("y", "share of the height from the top, in [0, 1]"),
    ),
    ("time_s", "character"),
)
OUT_OF_FOLD = Table(
    "models/trained/out_of_fold.csv",
    "the score of every training frame by a model that did not see its neighbourhood",
    (_VIDEO, _TIME),
    ("video_id", "time_s"),
    _number("out-of-fold score of the character", "calibrated score in [0, 1]"),
)
_OF_FOLDS = "of the frames that the folds train on; empty where the folds had stopped"
_OF_STOPPING = "of the frames that say when to stop; empty likewise, and where there are none"
_OF_ALL = "of all labelled frames, by the network that is kept; empty after its last epoch"
EPOCHS = Table(
    "plots/epochs.csv",
    "every epoch of the training: the folds, means over all of them, and the network that is kept; accuracies "
    "where fine-tuning was kept, on frames as augmentation has changed them where they train",
    (
        _count("epoch", "from 1"),
        _number("loss", _OF_FOLDS, required=False),
        _number("validation_loss", _OF_STOPPING, required=False),
        _number("final_loss", _OF_ALL, required=False),
        _number("accuracy", _OF_FOLDS, required=False, optional=True),
        _number("validation_accuracy", _OF_STOPPING, required=False, optional=True),
        _number("final_accuracy", _OF_ALL, required=False, optional=True),
    ),
    ("epoch",),
)
_MEASURED_ON = _word("measured_on", "which frames, see metrics/evaluate.json", choices=("audit", "test", "out_of_fold"))
MEASURED = Table(
    "data/measured/answers.csv",
    "the answers that measured the scores: what a person said beside what the model says",
    (
        _VIDEO,
        _TIME,
        _CHARACTER,
        _MEASURED_ON,
        _word("present", "1 visible, 0 not visible, ? cannot tell", choices=ANSWERS),
        _number("score", "calibrated score in [0, 1]"),
        _number("n_frames", "how many frames this one speaks for"),
        _number("seconds", "how many seconds of film this frame speaks for"),
    ),
    ("video_id", "time_s", "character"),
)
PRECISION_RECALL = Table(
    "plots/evaluate/precision_recall.csv",
    "precision and recall at every threshold",
    (
        _MEASURED_ON,
        _CHARACTER,
        _number("threshold", "score from which the character is taken to be visible, in [0, 1]"),
        _number("recall", "share of the present frames that are found, in [0, 1]"),
        _number("precision", "share of the found frames that are present, in [0, 1]"),
    ),
    (),
)
CALIBRATION = Table(
    "plots/evaluate/calibration.csv",
    "how often a character is present where its score is about so much",
    (
        _MEASURED_ON,
        _CHARACTER,
        _number("score", "mean score of the frames in the bin, in [0, 1]"),
        _number("present", "share of these frames in which the character is present, in [0, 1]"),
        _count("n_frames", "number of these frames"),
    ),
    (),
)
TIMELINE = Table(
    "reports/<video_id>/timeline.csv",
    "the score of every character, frame by frame",
    (_TIME, _DURATION),
    ("time_s",),
    _SCORE,
)
APPEARANCES = Table(
    "reports/<video_id>/appearances.csv",
    "stretches in which a character is taken to be visible",
    (_CHARACTER, _START, _END, _number("score", "mean score over the stretch, in [0, 1]")),
    ("character", "start_s"),
)
SCREEN_TIME = Table(
    "reports/screen_time.csv",
    "seconds on screen per video and character with a 95 % interval; video_id * is the total over videos",
    (
        _VIDEO,
        _CHARACTER,
        _number("seconds", "best estimate of the screen time, seconds"),
        _number(
            "low", "lower end of the 95 % interval, seconds; empty where nothing measured the error", required=False
        ),
        _number(
            "high", "upper end of the 95 % interval, seconds; empty where nothing measured the error", required=False
        ),
        _number("share", "seconds over the length of the video without skipped ranges, in [0, 1]"),
        _number("counted_s", "plain sum over frames whose score passes the threshold, seconds"),
        _word("basis", "what the interval rests on: labels, audit, model or count (nothing)", choices=BASES),
        _count("n_labelled", "frames with an answer by looking (manual) for this character"),
        _count("n_audit", "audit frames with an answer for this character in complete rounds"),
    ),
    (),
)
TOGETHER = Table(
    "reports/together.csv",
    "seconds that two characters are on screen at once, counted like counted_s of screen_time.csv: no audit has corrected "
    "them; each pair once, in the order of the cast; video_id * is the total over videos",
    (
        _VIDEO,
        _CHARACTER,
        _word("companion", "the other one, later in the cast"),
        _number("seconds", "sum over frames in which both scores pass the threshold, seconds"),
        _number("share", "seconds over the length of the video without skipped ranges, in [0, 1]"),
    ),
    (),
)
GROUPS = Table(
    "reports/groups.csv",
    "seconds that the groups of `report.groups` are on screen, counted likewise; video_id * is the total over videos; absent "
    "where no group is named",
    (
        _VIDEO,
        _word("group", "the group"),
        _word("members", "its characters, commas between"),
        _number("any_s", "sum over frames in which the score of at least one member passes the threshold, seconds"),
        _number("any_share", "any_s over the length of the video without skipped ranges, in [0, 1]"),
        _number("all_s", "sum over frames in which the scores of all members pass the threshold, seconds"),
        _number("all_share", "all_s over the length of the video without skipped ranges, in [0, 1]"),
        _word("basis", "count: nothing measured the error, so there is no interval", choices=("count",)),
    ),
    (),
)
SUGGESTIONS = Table(
    "data/suggestions/<video_id>.csv",
    "which frames to label next, and what a light head thinks of them",
    (
        _count("rank", "from 1, most useful first"),
        _TIME,
        _word(
            "purpose",
            "start: first frames, which differ; audit: drawn by an audit; review: least certain, one a shot; check: likely label errors",
            choices=("start", "review", "check", "audit"),
        ),
    ),
    ("rank",),
    _number(
        "score of the character",
        "score in [0, 1] by a light head on the labels so far; empty where it has not seen both answers, and on audit frames",
        required=False,
    ),
)

FILLED = Table(
    "data/filled/<video_id>.csv",
    "cells that nobody has answered and a light head is sure of; no labels, they count nowhere",
    (
        _TIME,
        _CHARACTER,
        _word("present", "1 where the score is at least fill.above, 0 where at most fill.below", choices=("1", "0")),
        _number("score", "calibrated score in [0, 1] by a light head on the labels so far"),
    ),
    ("time_s", "character"),
)

CLIPS = Table(
    "data/clips.csv",
    "which videos are clips of one class each; written by people or by `python -m screentime clips add`, in Git",
    (
        _word("clip", "the file below data/clips"),
        _word("class", "what it shows"),
        _word(
            "group",
            "clips of one group are pieces of one recording, never on two sides of a split; empty: a group of its own",
            required=False,
            optional=True,
        ),
        _word(
            "split",
            "who learns from it; empty: drawn by group, see clips/params.yaml",
            required=False,
            optional=True,
            choices=("train", "val", "test"),
        ),
    ),
    ("clip",),
)
CLIP_EPOCHS = Table(
    "clips/plots/epochs.csv",
    "every epoch of every head, one head for each seed",
    (
        _count("seed", "the seed of the head"),
        _count("epoch", "from 1"),
        _number("loss", "cross-entropy of the clips that train, with dropout"),
        _number("accuracy", "share of them that is right, in [0, 1]"),
        _number("validation_loss", "cross-entropy of the val clips; empty where there are none", required=False),
        _number("validation_accuracy", "share of them that is right, in [0, 1]; empty likewise", required=False),
    ),
    ("seed", "epoch"),
)
CLIP_RESULTS = Table(
    "reports/clips.csv",
    "what the model says of every test clip",
    (_word("clip", "the file below data/clips"), _word("predicted", "the class with the largest probability")),
    ("clip",),
    _number("the class", "its probability in [0, 1]; the sum over classes is 1"),
    each="class",
)
CLIP_CONFUSION = Table(
    "clips/plots/confusion.csv",
    "the true and the predicted class of every test clip",
    (
        _word("clip", "the file below data/clips"),
        _word("actual", "what data/clips.csv says it shows"),
        _word("predicted", "the class with the largest probability"),
    ),
    ("clip",),
)

TABLES = (
    LABELS, SKIP, AUDIT_DRAW, FRAMES, TARGETS, AUDIT, SKIPPED, STILLS, INDEX, FILLED_INDEX, STILLS_INDEX, SCORES, PLACES, OUT_OF_FOLD, EPOCHS, MEASURED,
    PRECISION_RECALL, CALIBRATION, TIMELINE, APPEARANCES, SCREEN_TIME, TOGETHER, GROUPS, SUGGESTIONS, FILLED, CLIPS, CLIP_EPOCHS, CLIP_RESULTS, CLIP_CONFUSION,
)  # fmt: skip
