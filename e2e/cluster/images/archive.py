"""OCI image archives: a tar of content-addressed blobs."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "io.containerd.image.name"
REFERENCE = "org.opencontainers.image.ref.name"


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def _tar(files: Mapping[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files.items():
            _add(archive, name, data, mode)
    return buffer.getvalue()


def _descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def write_archive(
    path: Path, name: str, files: Mapping[str, bytes], entrypoint: Sequence[str], user: str = "65535:65535"
) -> None:
    """Write an archive of an amd64 image that has one layer of executable files. Same input, same bytes."""
    layer = _tar(files, 0o755)
    layer_descriptor = _descriptor(LAYER, layer)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": list(entrypoint), "User": user},
            "rootfs": {"type": "layers", "diff_ids": [layer_descriptor["digest"]]},
        }
    ).encode()
    descriptors = {"config": _descriptor(CONFIG, config), "layers": [layer_descriptor]}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **descriptors}).encode()
    top = {**_descriptor(MANIFEST, manifest), "annotations": {NAME: name}}
    blobs = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in (layer, config, manifest)}
    texts = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    texts["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    path.write_bytes(_tar({**texts, **blobs}, 0o644))


def read_index(path: Path) -> dict[str, str]:
    """Read which images an OCI archive holds, with their manifests' digests; none from other archives."""
    with tarfile.open(path) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.name in {"index.json", "./index.json"} else None
            if file is not None:
                return named(json.load(file))
    return {}


def named(index: Mapping[str, Any]) -> dict[str, str]:
    """Give the named images of an OCI index, as containerd names them."""
    found = {}
    for manifest in index["manifests"]:
        annotations = manifest.get("annotations", {})
        name = annotations.get(NAME) or annotations.get(REFERENCE)
        if name:
            found[name] = manifest["digest"]
    return found
