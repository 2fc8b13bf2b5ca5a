"""Validation rules that the API server evaluates: CEL, carried by the models as part of their schema."""

from typing import Any, Literal

Reason = Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"]


def rule(
    expression: str,
    message: str,
    *,
    field: str = "",
    reason: Reason = "FieldValueInvalid",
    computed: bool = False,
) -> dict[str, str]:
    """Return one entry of `x-kubernetes-validations`.

    `message` says what the value must be; it is itself a CEL expression where `computed`. `field` is the path
    that the refusal names, relative to the schema that carries the rule (".container").
    """
    entry = {"rule": " ".join(expression.split()), "reason": reason}
    entry["messageExpression" if computed else "message"] = message
    return entry | ({"fieldPath": field} if field else {})


def forbidden(field: str, message: str) -> dict[str, str]:
    """Return a rule that refuses the presence of a field."""
    return rule(f"!has(self.{field})", message, field=f".{field}", reason="FieldValueForbidden")


def immutable(field: str, kind: str, *, optional: bool = False) -> dict[str, str]:
    """Return a rule that refuses a change of a field; an `optional` one can neither come nor go."""
    same = f"self.{field} == oldSelf.{field}"
    if optional:
        same = f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {same})"
    return rule(same, f"is immutable: create a new {kind} instead", field=f".{field}")


def rules(*entries: dict[str, str]) -> dict[str, Any]:
    """Return the schema extension that carries `entries`."""
    return {"x-kubernetes-validations": list(entries)}


def keyed_by(*keys: str) -> dict[str, Any]:
    """Return the schema extension of a list whose items are told apart by `keys`: no two are the same."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}
