"""The import closure is read from the source, whole."""

from pathlib import Path

from screentime import closure


def test_the_closure_holds_a_module_what_it_imports_and_the_packages(tmp_path, monkeypatch):
    (tmp_path / "stages").mkdir()
    (tmp_path / "screentime").mkdir()
    for name, text in {
        "stages/__init__.py": "from screentime import door",
        "stages/go.py": "import numpy\ndef f():\n    from screentime.inner import x",
        "screentime/__init__.py": "",
        "screentime/door.py": "",
        "screentime/inner.py": "import screentime.deep",
        "screentime/deep.py": "",
        "screentime/other.py": "",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    closure.import_closure.cache_clear()

    found = closure.import_closure("stages.go")

    closure.import_closure.cache_clear()
    assert found == tuple(
        Path(name)
        for name in (
            "screentime/__init__.py",
            "screentime/deep.py",
            "screentime/door.py",
            "screentime/inner.py",
            "stages/__init__.py",
            "stages/go.py",
        )
    )


def test_the_hash_changes_with_a_file_of_the_closure_and_with_no_other(tmp_path, monkeypatch):
    (tmp_path / "screentime").mkdir()
    for name in ("__init__", "a", "b"):
        (tmp_path / "screentime" / f"{name}.py").write_text("import screentime.b" if name == "a" else "")
    monkeypatch.setattr(closure, "ROOT", tmp_path)

    def hash_of(module: str) -> str:
        closure.import_closure.cache_clear()
        return closure.closure_hash(module)

    before_a, before_b = hash_of("screentime.a"), hash_of("screentime.b")
    (tmp_path / "screentime" / "a.py").write_text("import screentime.b  # changed")

    assert hash_of("screentime.a") != before_a
    assert hash_of("screentime.b") == before_b
    closure.import_closure.cache_clear()
