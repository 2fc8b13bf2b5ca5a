"""The part of a template's container that Ergosphere reads or restricts; the rest passes through."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, WithJsonSchema, model_serializer
from pydantic.alias_generators import to_camel

from ergosphere.api.cel import keyed_by, rule, rules
from ergosphere.api.meta import GPU_RESOURCE, Model

RESERVED_PREFIX = "ergosphere-"
RESERVED_DIRECTORY = "/ergosphere"
RESERVED_UID = 64999

GPU_KEY = f"'{GPU_RESOURCE}'"
_COUNT = "^(0|[1-9][0-9]{0,2})$"

Name = Annotated[str, Field(min_length=1, max_length=63)]
UnixId = Annotated[int, Field(ge=0, le=2**31 - 1)]
Quantity = Annotated[
    int | str,
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "maxLength": 32,
        }
    ),
]
Quantities = Annotated[dict[str, Quantity], Field(max_length=32)]


class Open(Model):
    """A part whose unknown fields are kept: they belong to Kubernetes, and it checks them.

    `to_dict()` returns what was read, with nothing added.
    """

    model_config = ConfigDict(extra="allow")

    @model_serializer(mode="wrap")
    def _as_read(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unset = type(self).model_fields.keys() - self.model_fields_set
        absent = unset | {to_camel(name) for name in unset}
        return {key: value for key, value in handler(self).items() if key not in absent}


class Handler(Open):
    """A probe or a life cycle hook, as in Pod."""

    exec: dict[str, Any] | None = Field(default=None)
    """A command to run in the container."""


class Lifecycle(Open):
    """What to do after a container's start and before its end, as in Pod."""

    post_start: Handler | None = None
    """What to do right after the container's start."""

    pre_stop: Handler | None = None
    """What to do before the container is ended."""


class Capabilities(Open):
    """Linux capabilities of a container."""

    add: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=64)
    """Capabilities to add."""

    drop: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=64)
    """Capabilities to drop."""


def uid_rule(field: str = "runAsUser") -> dict[str, str]:
    """The rule that nobody but Ergosphere's own containers runs as its user."""
    return rule(
        f"!has(self.{field}) || self.{field} != {RESERVED_UID}",
        f"must not be {RESERVED_UID}: Ergosphere uses that user id to keep its own files apart",
        field=f".{field}",
    )


class SecurityContext(Open):
    """Whom a container runs as, and what it may do, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(uid_rule()))

    privileged: bool | None = None
    """Run with all rights on the node. Refused for the main container."""

    run_as_user: UnixId | None = None
    """The user id. Without it, the image's user."""

    run_as_group: UnixId | None = None
    """The primary group id. Without it, that of the image's user."""

    capabilities: Capabilities | None = None
    """Linux capabilities. The main container must not add any."""


def _quantity_rules(field: str) -> list[dict[str, str]]:
    values = f"self.{field}"
    gpus = f"{values}[{GPU_KEY}]"
    return [
        rule(
            f"!has({values}) || !({GPU_KEY} in {values}) || string({gpus}).matches('{_COUNT}')",
            f"'{GPU_RESOURCE} must be a whole number from 0 to 999, not ' + string({gpus})",
            field=f".{field}",
            computed=True,
        ),
        rule(
            f"!has({values}) || {values}.all(k, k == {GPU_KEY} || !string({values}[k]).startsWith('-'))",
            "must be zero or more",
            field=f".{field}",
        ),
    ]


class Resources(Open):
    """What a container asks of its node, as in Pod."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *_quantity_rules("limits"),
            *_quantity_rules("requests"),
            rule(
                f"""!has(self.requests) || !({GPU_KEY} in self.requests)
                || (has(self.limits) && {GPU_KEY} in self.limits
                && string(self.limits[{GPU_KEY}]) == string(self.requests[{GPU_KEY}]))""",
                f"{GPU_RESOURCE} must be the same as in limits",
                field=".requests",
            ),
        )
    )

    limits: Quantities = Field(default={})
    """The most that the container may use. GPUs are asked for here, as nvidia.com/gpu."""

    requests: Quantities = Field(default={})
    """What the container is sure to get."""


def name_rule(thing: str) -> dict[str, str]:
    """The rule that names of volumes or containers are not those that Ergosphere adds."""
    return rule(
        f"!self.name.startsWith('{RESERVED_PREFIX}')",
        f"must not start with {RESERVED_PREFIX}: such names are kept for the {thing} that Ergosphere adds",
        field=".name",
    )


# Kubelets put a relative path below the root and runtimes resolve these parts: other ways to write a place.
_DIRECT = """self.mountPath.startsWith('/') && !self.mountPath.contains('//')
    && !(self.mountPath + '/').contains('/./') && !(self.mountPath + '/').contains('/../')"""


class VolumeMount(Open):
    """Where a container sees a volume, as in Pod."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            name_rule("volumes"),
            rule(
                _DIRECT,
                "must begin with / and have no part that is empty, . or ..",
                field=".mountPath",
            ),
            rule(
                f"!(self.mountPath + '/').startsWith('{RESERVED_DIRECTORY}/')",
                f"must not be {RESERVED_DIRECTORY} or below it: Ergosphere keeps its own files there",
                field=".mountPath",
            ),
        )
    )

    name: Name
    """The volume."""

    mount_path: str = Field(min_length=1, max_length=1024)
    """Where the container sees it, as an absolute path."""


class Container(Open):
    """A container of the worker's pod, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(name_rule("containers")))

    name: Name
    """The container's name, unlike that of any other container of the pod."""

    image: str = Field(min_length=1, max_length=1024)
    """The image. It needs nothing of Ergosphere installed."""

    command: list[Annotated[str, Field(max_length=32768)]] = Field(default=[], max_length=256)
    """The command to run. The main container must have one, because Ergosphere starts it under its launcher,
    and the image's entry point is not known to it."""

    args: list[Annotated[str, Field(max_length=32768)]] = Field(default=[], max_length=1024)
    """Arguments of the command."""

    resources: Resources = Resources()
    """What the container asks of its node: GPUs, CPU, memory."""

    security_context: SecurityContext | None = None
    """Whom the container runs as, and what it may do."""

    volume_mounts: list[VolumeMount] = Field(
        default=[], max_length=64, json_schema_extra=keyed_by("mountPath")
    )
    """Where the container sees the pod's volumes."""

    lifecycle: Lifecycle | None = None
    """What to do after the container's start and before its end."""

    liveness_probe: Handler | None = None
    """How to tell that the container must be ended. Refused for the main container."""

    readiness_probe: Handler | None = None
    """How to tell that the container is ready."""

    startup_probe: Handler | None = None
    """How to tell that the container has started. Refused for the main container."""

    def gpus(self) -> int:
        """Return how many GPUs the container asks for; raises ValueError for anything but a whole number."""
        asked = (self.resources.limits.get(GPU_RESOURCE), self.resources.requests.get(GPU_RESOURCE))
        return int(next((a for a in asked if a is not None), 0))
