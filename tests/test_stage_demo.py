"""The demo film arrives by pip, checked by hash; without a network one sentence says what to do."""

from pathlib import Path

import pytest

from screentime.errors import InputError
from screentime.params import load
from stages.demo import demo

PARAMS = load(Path(__file__).parents[1] / "params.yaml")


def test_without_a_network_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")

    with pytest.raises(InputError) as failure:
        demo(video=tmp_path / "film.mp4", params=PARAMS)

    assert str(failure.value).startswith("moviepy==2.2.1: pip could not download the demo film (")
    assert str(failure.value).endswith(
        "), a package registry was expected; connect to the network or set pip's index, or put your own film into "
        "`videos:` in params.yaml"
    )
    assert list(tmp_path.iterdir()) == []


def test_another_archive_than_the_pinned_one_is_refused(tmp_path, monkeypatch):
    wheelhouse = tmp_path / "wheelhouse"
    wheelhouse.mkdir()
    (wheelhouse / "moviepy-2.2.1.tar.gz").write_bytes(b"not the pinned archive")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheelhouse))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")

    with pytest.raises(InputError) as failure:
        demo(video=tmp_path / "film.mp4", params=PARAMS)

    assert str(failure.value) == (
        f"moviepy==2.2.1: pip received another file than sha256 {PARAMS.demo.archive_sha256}; the registry or mirror does "
        "not serve the pinned archive: use another one, or put your own film into `videos:` in params.yaml"
    )
    assert not (tmp_path / "film.mp4").exists()
