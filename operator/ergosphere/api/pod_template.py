"""The part of a pod template that Ergosphere reads or restricts; the rest passes through untouched."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, WithJsonSchema, model_serializer
from pydantic.alias_generators import to_camel

from ergosphere.api.cel import forbidden, keyed_by, rule, rules
from ergosphere.api.meta import GPU_RESOURCE, Model

RESERVED_PREFIX = "ergosphere-"
RESERVED_DIRECTORY = "/ergosphere"
RESERVED_UID = 64999

_GPU = f"'{GPU_RESOURCE}'"
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


class _Open(Model):
    """A part whose unknown fields are kept: they belong to Kubernetes, and it checks them.

    `to_dict()` returns what was read, with nothing added.
    """

    model_config = ConfigDict(extra="allow")

    @model_serializer(mode="wrap")
    def _as_read(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unset = type(self).model_fields.keys() - self.model_fields_set
        absent = unset | {to_camel(name) for name in unset}
        return {key: value for key, value in handler(self).items() if key not in absent}


class Handler(_Open):
    """A probe or a life cycle hook, as in Pod."""

    exec: dict[str, Any] | None = Field(default=None)
    """A command to run in the container."""


class Lifecycle(_Open):
    """What to do after a container's start and before its end, as in Pod."""

    post_start: Handler | None = None
    """What to do right after the container's start."""

    pre_stop: Handler | None = None
    """What to do before the container is ended."""


class Capabilities(_Open):
    """Linux capabilities of a container."""

    add: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=64)
    """Capabilities to add."""

    drop: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=64)
    """Capabilities to drop."""


def _uid_rule(field: str = "runAsUser") -> dict[str, str]:
    return rule(
        f"!has(self.{field}) || self.{field} != {RESERVED_UID}",
        f"must not be {RESERVED_UID}: Ergosphere uses that user id to keep its own files apart",
        field=f".{field}",
    )


class SecurityContext(_Open):
    """Whom a container runs as, and what it may do, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(_uid_rule()))

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
    gpus = f"{values}[{_GPU}]"
    return [
        rule(
            f"!has({values}) || !({_GPU} in {values}) || string({gpus}).matches('{_COUNT}')",
            f"'{GPU_RESOURCE} must be a whole number from 0 to 999, not ' + string({gpus})",
            field=f".{field}",
            computed=True,
        ),
        rule(
            f"!has({values}) || {values}.all(k, k == {_GPU} || !string({values}[k]).startsWith('-'))",
            "must be zero or more",
            field=f".{field}",
        ),
    ]


class Resources(_Open):
    """What a container asks of its node, as in Pod."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *_quantity_rules("limits"),
            *_quantity_rules("requests"),
            rule(
                f"""!has(self.requests) || !({_GPU} in self.requests)
                || (has(self.limits) && {_GPU} in self.limits
                && string(self.limits[{_GPU}]) == string(self.requests[{_GPU}]))""",
                f"{GPU_RESOURCE} must be the same as in limits",
                field=".requests",
            ),
        )
    )

    limits: Quantities = Field(default={})
    """The most that the container may use. GPUs are asked for here, as nvidia.com/gpu."""

    requests: Quantities = Field(default={})
    """What the container is sure to get."""


def _name_rule(thing: str) -> dict[str, str]:
    return rule(
        f"!self.name.startsWith('{RESERVED_PREFIX}')",
        f"must not start with {RESERVED_PREFIX}: such names are kept for the {thing} that Ergosphere adds",
        field=".name",
    )


# Kubelets put a relative path below the root and runtimes resolve these parts: other ways to write a place.
_DIRECT = """self.mountPath.startsWith('/') && !self.mountPath.contains('//')
    && !(self.mountPath + '/').contains('/./') && !(self.mountPath + '/').contains('/../')"""


class VolumeMount(_Open):
    """Where a container sees a volume, as in Pod."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _name_rule("volumes"),
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


class Container(_Open):
    """A container of the worker's pod, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(_name_rule("containers")))

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


class Volume(_Open):
    """A volume of the worker's pod, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(_name_rule("volumes")))

    name: Name
    """The volume's name."""


class PodSecurityContext(_Open):
    """Whom the pod's containers run as unless they say otherwise, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(_uid_rule()))

    run_as_user: UnixId | None = None
    """The user id. Without it, the image's user."""

    run_as_group: UnixId | None = None
    """The primary group id. Without it, that of the image's user."""


_HOST = "must be false or absent: a program that shares this with its node cannot be moved to another"


class PodSpec(_Open):
    """The worker's pod, as in Pod."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                rule(f"!has(self.{f}) || !self.{f}", _HOST, field=f".{f}", reason="FieldValueForbidden")
                for f in ("hostNetwork", "hostPID", "hostIPC")
            ),
            rule(
                "!has(self.shareProcessNamespace) || !self.shareProcessNamespace",
                "must be false or absent: the main container's processes are saved as one tree of their own",
                field=".shareProcessNamespace",
                reason="FieldValueForbidden",
            ),
            rule(
                "!has(self.automountServiceAccountToken) || !self.automountServiceAccountToken",
                "must be false or absent: workers run without a Kubernetes token",
                field=".automountServiceAccountToken",
                reason="FieldValueForbidden",
            ),
            rule(
                "!has(self.restartPolicy) || self.restartPolicy == 'Never'",
                "must be Never or absent: Ergosphere restarts workers itself, from their last checkpoint",
                field=".restartPolicy",
            ),
            forbidden(
                "nodeName", "must be absent: Ergosphere chooses the node; use nodeSelector or affinity"
            ),
            forbidden("hostUsers", "must be absent: the operator's configuration decides on user namespaces"),
            rule(
                f"""!has(self.initContainers) || self.initContainers.all(c, !has(c.resources)
                || !has(c.resources.limits) || !({_GPU} in c.resources.limits))""",
                f"must not ask for {GPU_RESOURCE}: only containers can",
                field=".initContainers",
                reason="FieldValueForbidden",
            ),
        )
    )

    containers: list[Container] = Field(min_length=1, max_length=16, json_schema_extra=keyed_by("name"))
    """The containers: the main one, whose program is checkpointed, and at will others beside it (1 to 16)."""

    init_containers: list[Container] = Field(default=[], max_length=16, json_schema_extra=keyed_by("name"))
    """Containers that run to their end before the others start."""

    volumes: list[Volume] = Field(default=[], max_length=64, json_schema_extra=keyed_by("name"))
    """The volumes that containers can mount."""

    security_context: PodSecurityContext | None = None
    """Whom the containers run as unless they say otherwise."""

    restart_policy: str | None = Field(default=None, max_length=16)
    """Never, or absent."""

    host_network: bool | None = None
    """False, or absent."""

    host_pid: bool | None = Field(default=None, alias="hostPID")
    """False, or absent."""

    host_ipc: bool | None = Field(default=None, alias="hostIPC")
    """False, or absent."""

    host_users: bool | None = None
    """Absent."""

    share_process_namespace: bool | None = None
    """False, or absent."""

    automount_service_account_token: bool | None = None
    """False, or absent."""

    node_name: str | None = Field(default=None, max_length=253)
    """Absent."""

    @cached_property
    def as_given(self) -> Mapping[str, Any]:
        """`to_dict()`, made once: every cycle of the operator looks at that of every job."""
        return self.to_dict()


class TemplateMetadata(_Open):
    """Labels and annotations for the worker's pods."""

    labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(default={}, max_length=64)
    """Labels for the pods."""

    annotations: dict[str, Annotated[str, Field(max_length=65536)]] = Field(default={}, max_length=64)
    """Annotations for the pods."""


class PodTemplate(_Open):
    """What each worker's pod is made from."""

    metadata: TemplateMetadata = TemplateMetadata()
    """Labels and annotations for the pods."""

    spec: PodSpec
    """The pod, as in Pod, with the limits that moving it imposes."""
