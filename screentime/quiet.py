"""Silence for native libraries that write to standard error on their own, past Python and its settings."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_native_chatter() -> Iterator[None]:
    """Send what the process writes to file descriptor 2 to nowhere; exceptions are raised as ever."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
