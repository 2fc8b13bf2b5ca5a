"""How a kind presents itself: its names, its scope, and the columns that `kubectl get` prints."""

from dataclasses import dataclass
from typing import Literal

from ergosphere.api.meta import GROUP, Resource


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`; a `wide` one is printed only with `-o wide`."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "number", "date", "boolean"] = "string"
    wide: bool = False


AGE = Column("Age", ".metadata.creationTimestamp", "How long ago the object was created.", "date")


@dataclass(frozen=True)
class Definition:
    """What a CustomResourceDefinition says beyond the schema; `selectable` fields are for field selectors."""

    model: type[Resource]
    plural: str
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    categories: tuple[str, ...] = ("ergosphere",)
    selectable: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.model.__name__

    @property
    def name(self) -> str:
        """The name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"

    @property
    def has_status(self) -> bool:
        """Whether the kind has a status subresource."""
        return "status" in self.model.model_fields
