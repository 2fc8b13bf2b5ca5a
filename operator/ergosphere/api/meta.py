"""What all resources share: the group, the names written on objects, metadata, conditions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

GROUP = "ergosphere.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

FINALIZER = f"{GROUP}/operator"

LABEL_JOB = f"{GROUP}/job"
LABEL_JOB_UID = f"{GROUP}/job-uid"
LABEL_RANK = f"{GROUP}/rank"
LABEL_INCARNATION = f"{GROUP}/incarnation"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "ergosphere"

GPU_RESOURCE = "nvidia.com/gpu"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

# What JSON's numbers hold exactly. The API server refuses bounds that are not.
LARGEST = 2**53 - 1

Time = AwareDatetime
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
LabelName = Annotated[str, Field(min_length=1, max_length=63, pattern=DNS_LABEL)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Generation = Annotated[int, Field(ge=0, le=LARGEST)]
Size = Annotated[int, Field(ge=0, le=LARGEST)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Timings = Annotated[dict[Annotated[str, Field(max_length=63)], Milliseconds], Field(max_length=64)]


class Model(BaseModel):
    """A part of a resource: camelCase on the wire, snake_case here; immutable.

    Fields that this version does not know are dropped, so that objects written by a newer one still load.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that the API server takes, without the fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Metadata(Model):
    """The part of an object's metadata that the operator reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    owner_references: list[dict[str, Any]] = []
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One aspect of the current state, in the form of Kubernetes' metav1.Condition."""

    type: str = Field(min_length=1, max_length=316)
    """The aspect, in CamelCase."""

    status: ConditionStatus
    """True, False or Unknown."""

    observed_generation: Generation | None = None
    """The metadata.generation that the condition was derived from."""

    last_transition_time: Time
    """When the status last changed."""

    reason: str = Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    """Why the condition has this status, in CamelCase."""

    message: str = Field(default="", max_length=32768)
    """The same, for people."""


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


def condition(conditions: list[Condition], kind: str) -> Condition | None:
    """Return the condition of type `kind`, None where there is none."""
    return next((c for c in conditions if c.type == kind), None)


def is_true(conditions: list[Condition], kind: str) -> bool:
    """Tell whether the condition of type `kind` is there and True."""
    found = condition(conditions, kind)
    return found is not None and found.status is ConditionStatus.TRUE


def with_condition(conditions: list[Condition], new: Condition) -> list[Condition]:
    """Return `conditions` with `new` in the place of the one of its type.

    `last_transition_time` moves only when the status does.
    """
    old = condition(conditions, new.type)
    if old is not None and old.status is new.status:
        new = new.model_copy(update={"last_transition_time": old.last_transition_time})
    return [new if c.type == new.type else c for c in conditions] + ([] if old else [new])


class Resource(Model):
    """An object of this group. Subclasses narrow `kind`, `spec` and `status`."""

    api_version: str = API_VERSION
    kind: str
    metadata: Metadata

    @property
    def name(self) -> str:
        """The object's name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """The object's namespace, empty for cluster-scoped kinds."""
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        """The object's unique id."""
        return self.metadata.uid

    @property
    def deleted(self) -> datetime | None:
        """When the object's deletion was asked for; None for a living one."""
        return self.metadata.deletion_timestamp

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Read an object as the API server returned it; raises pydantic.ValidationError."""
        return cls.model_validate(body)


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with what was read: where, and what is allowed."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
