"""The manifest: the one small object whose presence makes a checkpoint exist."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

STORED_NAME = r"^[0-9a-f]{32}-([0-9]{1,6}|recipe|prints)$"
UPLOAD_NAME = r"^[0-9a-f]{32}$"
PACK_NAME = r"^[0-9a-f]{32}-[0-9]{1,6}$"


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RankEntry(_Stored):
    """One rank of a checkpoint.

    `digest` is the BLAKE3 of its recipe as stored under the name `recipe`, and `recipe_bytes` the
    recipe's unpacked size; `packs` are all that it needs, but for those of the ranks it takes pages from:
    `builds_on` has the tokens of their uploads.
    """

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    recipe: str = Field(pattern=r"^[0-9a-f]{32}-recipe$")
    recipe_bytes: int = Field(ge=0)
    bytes: int = Field(ge=0)
    new_bytes: int = Field(ge=0)
    packs: tuple[Annotated[str, Field(pattern=PACK_NAME)], ...]
    builds_on: dict[int, Annotated[str, Field(pattern=UPLOAD_NAME)]] = {}

    @property
    def token(self) -> str:
        """The upload that made it."""
        return self.recipe.partition("-")[0]


class Manifest(_Stored):
    """A checkpoint: its ranks in order and what the job wants to remember with it.

    `created` is the writer's clock in seconds since the epoch.
    """

    version: Literal[1] = 1
    id: str
    created: float
    ranks: tuple[RankEntry, ...]
    meta: dict[str, str] = {}

    @property
    def stored(self) -> frozenset[str]:
        """All packs and recipes that this checkpoint needs."""
        return frozenset(name for rank in self.ranks for name in (rank.recipe, *rank.packs))

    @property
    def bytes(self) -> int:
        """What the images take unpacked, all ranks together."""
        return sum(rank.bytes for rank in self.ranks)

    @property
    def new_bytes(self) -> int:
        """What the store grew by for this checkpoint."""
        return sum(rank.new_bytes for rank in self.ranks)
