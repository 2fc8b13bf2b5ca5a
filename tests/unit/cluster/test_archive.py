"""Image archives."""

import hashlib
import json
import tarfile
from pathlib import Path

from cluster.image_store import parse_list, replaced
from cluster.images.archive import named, read_index, write_archive


def test_an_archive_names_its_image_and_every_blob_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    write_archive(path, "ergosphere.dev/pause:1", {"pause": b"\x7fELF"}, ["/pause"])
    [(name, digest)] = read_index(path).items()
    assert name == "ergosphere.dev/pause:1"
    with tarfile.open(path) as archive:
        blobs = [entry for entry in archive.getmembers() if entry.name.startswith("blobs/sha256/")]
        contents = {entry.name.rpartition("/")[2]: archive.extractfile(entry).read() for entry in blobs}
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in contents.items())
    manifest = json.loads(contents[digest.removeprefix("sha256:")])
    assert manifest["layers"][0]["digest"].removeprefix("sha256:") in contents


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        write_archive(tmp_path / name, "x:1", {"pause": b"1"}, ["/pause"])
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_an_archive_of_another_kind_names_nothing(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(__file__, "manifest.json")
    assert read_index(tmp_path / "other.tar") == {}


def test_a_name_for_containerd_wins_over_the_plain_reference() -> None:
    short, full = "org.opencontainers.image.ref.name", "io.containerd.image.name"
    manifests = [
        {"digest": "sha256:1", "annotations": {short: "dev", full: "ergosphere.dev/agent:dev"}},
        {"digest": "sha256:2", "annotations": {short: "ergosphere.dev/digits:dev"}},
        {"digest": "sha256:3"},
    ]
    expected = {"ergosphere.dev/agent:dev": "sha256:1", "ergosphere.dev/digits:dev": "sha256:2"}
    assert named({"manifests": manifests}) == expected


def test_containerds_list_is_read_by_name_and_digest() -> None:
    table = """\
REF                      TYPE                                       DIGEST      SIZE      PLATFORMS   LABELS
ergosphere.dev/agent:dev application/vnd.oci.image.manifest.v1+json sha256:1234 680.6 KiB linux/amd64 -
"""
    assert parse_list(table) == {"ergosphere.dev/agent:dev": "sha256:1234"}


def test_an_image_whose_name_went_to_a_newer_one_is_removed_and_no_other() -> None:
    present = {
        "ergosphere.dev/agent:dev": "sha256:new",
        "sha256:identity-of-new": "sha256:new",
        "sha256:identity-of-old": "sha256:old",
    }
    assert replaced(present) == ["sha256:identity-of-old"]
