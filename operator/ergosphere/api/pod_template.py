"""The part of a pod template that Ergosphere reads or restricts; the rest passes through untouched."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ergosphere.api.cel import forbidden, keyed_by, rule, rules
from ergosphere.api.container import (
    GPU_KEY,
    Container,
    Name,
    Open,
    UnixId,
    name_rule,
    uid_rule,
)
from ergosphere.api.meta import GPU_RESOURCE


class Volume(Open):
    """A volume of the worker's pod, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(name_rule("volumes")))

    name: Name
    """The volume's name."""


class PodSecurityContext(Open):
    """Whom the pod's containers run as unless they say otherwise, as in Pod."""

    model_config = ConfigDict(json_schema_extra=rules(uid_rule()))

    run_as_user: UnixId | None = None
    """The user id. Without it, the image's user."""

    run_as_group: UnixId | None = None
    """The primary group id. Without it, that of the image's user."""


_HOST = "must be false or absent: a program that shares this with its node cannot be moved to another"


class PodSpec(Open):
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
                || !has(c.resources.limits) || !({GPU_KEY} in c.resources.limits))""",
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


class TemplateMetadata(Open):
    """Labels and annotations for the worker's pods."""

    labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(default={}, max_length=64)
    """Labels for the pods."""

    annotations: dict[str, Annotated[str, Field(max_length=65536)]] = Field(default={}, max_length=64)
    """Annotations for the pods."""


class PodTemplate(Open):
    """What each worker's pod is made from."""

    metadata: TemplateMetadata = TemplateMetadata()
    """Labels and annotations for the pods."""

    spec: PodSpec
    """The pod, as in Pod, with the limits that moving it imposes."""
