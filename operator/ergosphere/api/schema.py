"""A model's JSON Schema in the form that a CustomResourceDefinition takes (a structural schema).

Source: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", section on structural schemas.
"""

from typing import Any

from ergosphere.api.meta import Resource

Schema = dict[str, Any]

# Keywords of JSON Schema that a structural schema has no place for. What propertyNames would bound is bounded
# by maxProperties and the size of a request.
_DROPPED = ("title", "propertyNames", "examples")
_INT32 = 2**31 - 1
_ORDER = ("description", "type", "format", "default", "enum", "required")


def structural(model: type[Resource]) -> Schema:
    """Return the `openAPIV3Schema` of a kind."""
    source = model.model_json_schema(by_alias=True)
    schema = _convert(source, source.get("$defs", {}))
    properties = schema["properties"]
    properties["apiVersion"] = {"type": "string", "description": "The version of this representation."}
    properties["kind"] = {"type": "string", "description": "The kind of this object."}
    properties["metadata"] = {"type": "object"}
    if "status" in properties:
        _drop_defaults(properties["status"])
    return schema | {"required": ["spec"]}


def _convert(node: Schema, definitions: Schema) -> Schema:
    node = _without_null(_resolved(node, definitions), definitions)
    node = {key: value for key, value in node.items() if key not in _DROPPED and key != "$defs"}
    if "description" in node:
        node["description"] = _paragraphs(node["description"])
    if node.get("type") == "object":
        node = _object(node, definitions)
    if "items" in node:
        node["items"] = _convert(node["items"], definitions)
    node = _default(_number(node))
    return {key: node[key] for key in sorted(node, key=_rank)}


def _resolved(node: Schema, definitions: Schema) -> Schema:
    """A field's own keywords win over those of the model that it refers to."""
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].removeprefix("#/$defs/")]
    return _resolved({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions)


def _without_null(node: Schema, definitions: Schema) -> Schema:
    """Absent says the same as null in an API object, so null is not offered."""
    choices = node.get("anyOf", [])
    others = [choice for choice in choices if choice != {"type": "null"}]
    if len(others) == len(choices):
        return node
    (only,) = others
    outer = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
    return {**_resolved(only, definitions), **outer}


def _object(node: Schema, definitions: Schema) -> Schema:
    values = node.pop("additionalProperties", None)
    if values is True:
        node["x-kubernetes-preserve-unknown-fields"] = True
    elif isinstance(values, dict):
        node["additionalProperties"] = _convert(values, definitions)
    if "properties" in node:
        node["properties"] = {key: _convert(value, definitions) for key, value in node["properties"].items()}
    return node


def _number(node: Schema) -> Schema:
    if node.get("type") == "integer":
        return {"format": "int32" if node.get("maximum", _INT32 + 1) <= _INT32 else "int64", **node}
    if node.get("type") == "number":
        return {"format": "double", **node}
    return node


def _default(node: Schema) -> Schema:
    """An object's default is that of its fields; an empty string, list or map is no default."""
    kept = {key: value for key, value in node.items() if key != "default"}
    if node.get("type") == "object":
        fields = node.get("properties", {})
        inner = {name: field["default"] for name, field in fields.items() if "default" in field}
        return {**kept, "default": inner} if inner and "default" in node else kept
    return kept if node.get("default") in (None, [], "") else node


def _rank(keyword: str) -> tuple[int, str]:
    return (_ORDER.index(keyword) if keyword in _ORDER else len(_ORDER), keyword)


def _drop_defaults(node: Schema) -> None:
    """What the operator has not written must not look as if it had."""
    node.pop("default", None)
    for child in (*node.get("properties", {}).values(), node.get("items"), node.get("additionalProperties")):
        if isinstance(child, dict):
            _drop_defaults(child)


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
