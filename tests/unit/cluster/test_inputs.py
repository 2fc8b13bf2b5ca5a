"""When an image is built again."""

import subprocess
from pathlib import Path

import pytest

from cluster.images.inputs import digest, files
from cluster.provider import ClusterError


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "src" / "__pycache__").mkdir(parents=True)
    (tmp_path / "src" / "main.py").write_text("print(1)\n")
    (tmp_path / "src" / "__pycache__" / "main.pyc").write_bytes(b"1")
    (tmp_path / ".gitignore").write_text("__pycache__/\nbuild/\n")
    (tmp_path / "other.py").write_text("")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY src /src\n")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def image(context: Path, extra: str = "buildah") -> str:
    return digest(context / "Dockerfile", context, extra)


def test_ignored_files_and_files_that_are_not_copied_do_not_count(context: Path) -> None:
    before = image(context)
    (context / "src" / "__pycache__" / "main.pyc").write_bytes(b"2")
    (context / "other.py").write_text("changed\n")
    assert image(context) == before


def test_changed_new_renamed_and_removed_files_count(context: Path) -> None:
    seen = [image(context)]
    (context / "src" / "main.py").write_text("print(2)\n")
    seen.append(image(context))
    (context / "src" / "more.py").write_text("")
    seen.append(image(context))
    (context / "src" / "more.py").rename(context / "src" / "less.py")
    seen.append(image(context))
    (context / "src" / "less.py").chmod(0o755)
    seen.append(image(context))
    assert len(set(seen)) == len(seen)


def test_the_recipe_and_the_engine_count(context: Path) -> None:
    before = image(context)
    assert image(context, "docker") != before
    (context / "Dockerfile").write_text("FROM scratch\nCOPY src /elsewhere\n")
    assert image(context) != before


def test_an_ignored_directory_counts_when_it_is_copied_by_name(context: Path) -> None:
    (context / "build").mkdir()
    (context / "build" / "made").write_text("1")
    assert files(context, ["build"]) == [context / "build" / "made"]


def test_a_copied_path_that_does_not_exist_is_an_error_that_names_it(context: Path) -> None:
    with pytest.raises(ClusterError, match="nothing that matches src/absent"):
        files(context, ["src/absent"])
