"""Rights that roles grant, and those that requests used, by what the API server wrote down of them."""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class Right(NamedTuple):
    """A verb on a resource, or resource/subresource, in one namespace; without one, everywhere."""

    namespace: str
    group: str
    resource: str
    verb: str


@dataclass(frozen=True)
class Request:
    """A request that the API server has decided on: the right that it takes, if it was about a resource."""

    time: datetime
    user: str
    right: Right | None
    uri: str
    forbidden: bool


def requests(log: str) -> list[Request]:
    """Read an audit log, an event a line."""
    return [_request(json.loads(line)) for line in log.splitlines()]


def _request(event: Mapping[str, Any]) -> Request:
    decision = (event.get("annotations") or {}).get("authorization.k8s.io/decision")
    return Request(
        time=datetime.fromisoformat(event["requestReceivedTimestamp"]),
        user=event["user"]["username"],
        right=_right(event["objectRef"], event["verb"]) if "objectRef" in event else None,
        uri=f"{event['verb']} {event['requestURI']}",
        # Admission answers 403 as well, in a namespace that is being deleted: that is no matter of rights.
        forbidden=decision == "forbid",
    )


def _right(ref: Mapping[str, str], verb: str) -> Right:
    resource = "/".join(filter(None, (ref["resource"], ref.get("subresource"))))
    return Right(ref.get("namespace", ""), ref.get("apiGroup", ""), resource, verb)


def granted(*roles: Mapping[str, Any]) -> set[Right]:
    """What Roles grant in their namespaces, and ClusterRoles everywhere."""
    return {
        Right(role["metadata"]["namespace"] if role["kind"] == "Role" else "", group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(rights: Set[Right], asked: Iterable[Request]) -> set[Right]:
    """Those of the rights that requests were allowed by: the narrower one where two allow the same."""
    taken = {request.right for request in asked if request.right and not request.forbidden}
    narrow = {right for right in taken if right in rights}
    return narrow | {wide for right in taken - narrow if (wide := right._replace(namespace="")) in rights}


def forbidden(asked: Iterable[Request], since: datetime) -> list[str]:
    """The requests since then that were refused for want of a right, each once."""
    return sorted({request.uri for request in asked if request.forbidden and request.time >= since})
