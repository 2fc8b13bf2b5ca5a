"""The chart's values as a table: `python charts/values_table.py > docs/values.md`.

What a value is for is the comment above it in values.yaml, what it may be is said by values.schema.json.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_CHART = Path(__file__).parent / "ergosphere"
_HEAD = """# The chart's values

Generated from charts/ergosphere by `make docs`. Anything else is refused when the chart is installed.

| value | default | allowed | what it is for |
| --- | --- | --- | --- |
"""

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """One value that can be set."""

    path: str
    default: Any
    allowed: str
    purpose: str


def rendered() -> str:
    """The whole document."""
    rows = (f"| `{v.path}` | `{json.dumps(v.default)}` | {v.allowed} | {v.purpose} |\n" for v in values())
    return _HEAD + "".join(rows)


def values() -> Iterator[Value]:
    """The values in their order. A map whose fields are not explained, or a list, is one value."""
    text = (_CHART / "values.yaml").read_text()
    schema = json.loads((_CHART / "values.schema.json").read_text())
    yield from _below(yaml.compose(text), yaml.safe_load(text), schema, schema, text.splitlines(), None)


def _below(
    node: yaml.Node,
    data: Mapping[str, Any],
    schema: Schema,
    root: Schema,
    lines: list[str],
    above: Value | None,
) -> Iterator[Value]:
    for key, value in node.value:
        known = _resolved(schema["properties"][key.value], root)
        purpose = _comment(lines, key) or (above.purpose if above else "")
        path = f"{above.path}.{key.value}" if above else key.value
        found = Value(path, data[key.value], _allowed(known), purpose)
        if "properties" in known and _explained(value, lines):
            yield from _below(value, found.default, known, root, lines, found)
        else:
            yield found


def _explained(node: yaml.Node, lines: list[str]) -> bool:
    """Whether a comment stands above anything in a map."""
    inside = node.value if isinstance(node, yaml.MappingNode) else ()
    return any(_comment(lines, key) or _explained(value, lines) for key, value in inside)


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    found: Schema = root["$defs"][reference.rpartition("/")[2]] if reference else schema
    return found


def _comment(lines: list[str], key: yaml.Node) -> str:
    """The comment right above a key."""
    first = last = key.start_mark.line
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(line.strip(" #") for line in lines[first:last])


def _allowed(schema: Schema) -> str:
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    kind = {"object": "map", "array": "list"}.get(schema["type"], schema["type"])
    if "minimum" in schema:
        most = f"to {schema['maximum']}" if "maximum" in schema else "or more"
        return f"{kind}, {schema['minimum']} {most}"
    pattern = schema.get("pattern", "").replace("|", "\\|")
    return f"{kind}, `{pattern}`" if pattern else kind


if __name__ == "__main__":
    print(rendered(), end="")
