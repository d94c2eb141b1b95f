"""How a function becomes a command: its keyword arguments are the options, its docstring the help.

Whatever goes wrong on a user's side ends as one sentence on standard error: bad input with exit code 1, Ctrl-C with 130.
"""

import argparse
import errno
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from screentime.errors import InputError

INTERRUPTED = "interrupted: nothing half-written was left; run the same command again to go on"


def interruption_is_a_sentence() -> None:
    """From now on Ctrl-C outside `guarded`, while modules are imported, ends in the same sentence."""
    usual = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: object) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print(INTERRUPTED, file=sys.stderr)
        else:
            usual(kind, error, trace)

    sys.excepthook = hook


def run(function: Callable[..., None], load: Callable[[Path], object] | None = None, file: str = "params.yaml") -> None:
    """Run a stage as a command.

    Every keyword argument annotated `Path` becomes an option of its name with a value; the argument `params` is loaded
    and checked by `load` (screentime.params.load unless told) from the file that `--params` names (`file` unless told).
    """
    guarded(lambda: _call(function, load, file))


def guarded(work: Callable[[], None]) -> None:
    """Do the work; end the process with one sentence where a person can repair the cause."""
    try:
        work()
        sys.stdout.flush()
    except InputError as error:
        _leave(str(error), 1)
    except KeyboardInterrupt:
        _leave(INTERRUPTED, 130)
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] in ("screentime", "stages"):
            raise
        _leave(
            f"python: {sys.executable} lacks {error.name}, the project's whole environment was expected here; activate it, "
            "or run `pip install -r requirements.txt`",
            1,
        )
    except BrokenPipeError:  # whoever read the output, `head` say, has enough: nothing more to say, to nobody
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES):
            raise
        place = error.filename or "the disk"
        _leave(
            f"{place}: {os.strerror(error.errno).lower()}, room to write was expected; nothing half-written was left: "
            "make room (`python -m screentime disk` says what a project may free) or give access, then run again",
            1,
        )


def _call(function: Callable[..., None], load: Callable[[Path], object] | None, file: str) -> None:
    text = inspect.cleandoc(function.__doc__ or "")
    parser = argparse.ArgumentParser(
        prog=f"python -m stages.{function.__name__}",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = list(inspect.signature(function).parameters)
    for name in names:
        if name != "params":
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=Path, required=True, metavar="PATH")
    if "params" in names:
        parser.add_argument("--params", type=Path, default=Path(file), metavar="FILE")
    arguments = vars(parser.parse_args())
    if "params" in names:
        if load is None:
            from screentime.params import load

        arguments["params"] = load(arguments["params"])
    function(**arguments)


def _leave(sentence: str, code: int) -> None:
    print(sentence, file=sys.stderr)
    sys.stderr.flush()
    sys.exit(code)
