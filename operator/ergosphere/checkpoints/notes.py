"""Notes that processes leave for each other: of uploads in progress, and of what is condemned."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ergosphere.checkpoints.manifest import STORED_NAME, UPLOAD_NAME, RankEntry


class Segment(BaseModel):
    """A piece of an announcement as stored: its length and hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int = Field(gt=0, lt=1 << 26)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class Announced(BaseModel):
    """The fingerprints of a rank's pages, in the order of its recipe, are in the object `<token>-prints`.

    Behind them are its stretches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pages: int = Field(ge=0, lt=1 << 32)
    segments: tuple[Segment, ...]
    stretches: tuple[Segment, ...] = ()


class Upload(BaseModel):
    """One rank's upload. What is stored under `<token>-...` is its own; `pins` are others it may name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    rank: int = Field(ge=0)
    token: str = Field(pattern=UPLOAD_NAME)
    pins: tuple[Annotated[str, Field(pattern=STORED_NAME)], ...] = ()
    announced: Announced | None = None
    result: RankEntry | None = None


class Condemned(BaseModel):
    """Packs that a collection found unnamed. No later upload may name them; none is ever reprieved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    packs: tuple[str, ...]
