"""The chart's values: explained, in the schema, and no others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from charts.values_table import rendered, values

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts/ergosphere"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Of these, Kubernetes itself knows what they may hold, or the user names the keys.
FREE = {
    "podSelector",
    "namespaceSelector",
    "nodeAffinity",
    "podAffinity",
    "podAntiAffinity",
    "ipBlock",
    "global",
}


def test_the_table_is_as_the_chart_is():
    assert (ROOT / "docs/values.md").read_text() == rendered(), "run `make docs`"


def test_every_value_is_explained():
    assert [v.path for v in values() if not v.purpose] == []


def test_every_value_has_a_default_and_every_default_is_in_the_schema():
    assert set(_paths(yaml.safe_load((CHART / "values.yaml").read_text()), SCHEMA)) == set(_fields(SCHEMA))


def test_no_object_takes_fields_that_are_not_in_the_schema():
    assert [path for path, schema in _objects(SCHEMA) if "additionalProperties" not in schema] == []


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    return SCHEMA["$defs"][reference.rpartition("/")[2]] if reference else schema


def _fields(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, field in schema["properties"].items():
        field = _resolved(field)
        if name == "global":
            continue
        if "properties" in field and name not in ("affinity", "resources"):
            yield from _fields(field, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _paths(data: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in data.items():
        field = _resolved(schema["properties"][name])
        if "properties" in field and name not in ("affinity", "resources"):
            yield from _paths(value, field, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _objects(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    schema = _resolved(schema)
    name = path.rpartition(".")[2]
    if schema.get("type") == "object" and name not in FREE and name != "claims[]":
        yield path, schema
    for field, below in schema.get("properties", {}).items():
        yield from _objects(below, f"{path}.{field}")
    if "items" in schema:
        yield from _objects(schema["items"], f"{path}[]")
