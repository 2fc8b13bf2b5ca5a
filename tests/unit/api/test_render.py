"""crds/, and the chart's copy of it, is what the models say; every value that a user writes has a bound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ergosphere.api.render import DEFINITIONS, definition, files, main

ROOT = Path(__file__).parents[3]
Schema = dict[str, Any]


def schema(of: Any) -> Schema:
    return definition(of)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def walk(path: str, node: Schema) -> Iterator[tuple[str, Schema]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(f"{path}.{name}", child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from walk(f"{path}[]", node[key])


RENDERED = files()
BOUNDS = {
    "string": {"maxLength", "enum", "format"},
    "integer": {"maximum"},
    "array": {"maxItems"},
    "object": {"properties", "maxProperties", "x-kubernetes-preserve-unknown-fields"},
    "number": {"minimum"},
    "boolean": {"type"},
    None: {"x-kubernetes-int-or-string"},
}


@pytest.mark.parametrize("folder", ["crds", "charts/ergosphere/files/crds"])
def test_the_files_are_what_the_models_say(folder: str) -> None:
    found = {path.name: path.read_text() for path in (ROOT / folder).iterdir()}
    assert found == RENDERED, "run `make crds`"


def test_rendering_removes_the_files_of_kinds_that_are_no_more(tmp_path: Path) -> None:
    (tmp_path / "old.ergosphere.dev.yaml").touch()
    (tmp_path / "README.md").touch()
    main(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {*RENDERED, "README.md"}


def test_the_files_have_no_anchors() -> None:
    for text in RENDERED.values():
        assert not any(
            isinstance(token, yaml.AnchorToken | yaml.AliasToken)
            for token in yaml.scan(text, yaml.CSafeLoader)
        )


@pytest.mark.parametrize("of", DEFINITIONS, ids=lambda of: of.kind)
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_value_is_bounded(of: Any, part: str) -> None:
    nodes = walk(part, schema(of)["properties"].get(part, {"type": "boolean"}))
    assert [path for path, node in nodes if not BOUNDS[node.get("type")] & node.keys()] == []


@pytest.mark.parametrize("of", DEFINITIONS, ids=lambda of: of.kind)
def test_every_field_is_explained(of: Any) -> None:
    unexplained = [
        f"{path}.{name}"
        for path, node in walk(of.kind, schema(of))
        for name, child in node.get("properties", {}).items()
        if "description" not in child and name != "metadata"
    ]
    assert unexplained == []


def test_the_status_has_no_defaults() -> None:
    for of in DEFINITIONS:
        status = schema(of)["properties"].get("status", {})
        assert not any("default" in node for _, node in walk("status", status))
