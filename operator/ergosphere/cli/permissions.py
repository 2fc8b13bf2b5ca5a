"""What one must be allowed to do: the user of `ergo`, and the operator."""

from collections.abc import Mapping
from dataclasses import dataclass

from ergosphere.controller.kube import Resource
from ergosphere.controller.resources import (
    BUDGETS,
    CHECKPOINTS,
    EVENTS,
    NODES,
    PODS,
    SECRETS,
    SERVICE_TIERS,
    TRAINING_JOBS,
    WATCHED,
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One verb on one kind of object."""

    verb: str
    resource: Resource
    subresource: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource.plural}" + (f"/{self.subresource}" if self.subresource else "")

    def attributes(self, namespace: str) -> Mapping[str, str]:
        """The question to the API server; an empty namespace means all of them."""
        asked = {"verb": self.verb, "group": self.resource.group, "resource": self.resource.plural}
        if self.subresource:
            asked["subresource"] = self.subresource
        return asked | ({"namespace": namespace} if namespace and self.resource.namespaced else {})


OF_THE_USER = (
    *(Permission(verb, TRAINING_JOBS) for verb in ("get", "list", "watch", "create", "patch")),
    *(Permission(verb, CHECKPOINTS) for verb in ("get", "list", "watch", "create")),
    Permission("list", EVENTS),
    Permission("list", PODS),
    Permission("get", PODS, "log"),
    Permission("list", NODES),
    Permission("list", SERVICE_TIERS),
)

OF_THE_OPERATOR = (
    *(Permission(verb, kind) for kind in WATCHED for verb in ("list", "watch")),
    Permission("create", SERVICE_TIERS),
    Permission("patch", TRAINING_JOBS, "status"),
    *(Permission(verb, CHECKPOINTS) for verb in ("create", "patch", "delete")),
    Permission("patch", CHECKPOINTS, "status"),
    *(Permission(verb, PODS) for verb in ("create", "delete")),
    Permission("create", SECRETS),
    *(Permission(verb, BUDGETS) for verb in ("create", "delete")),
    Permission("create", EVENTS),
)
