"""What the agent is told by its environment and where its files lie."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

_JOB = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"


def _ip_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


class InvalidSettings(ValueError):
    """The environment does not describe a worker; the message names each variable and what it must be."""


class StoreSettings(BaseModel):
    """The checkpoint store. Every field comes from the environment variable `ERGO_<NAME>`."""

    model_config = ConfigDict(frozen=True)

    store: str = Field(min_length=1, description="URL of the checkpoint store")
    store_key_file: Path | None = Field(None, description="file of the 32 bytes that encrypt what is stored")
    store_shared: bool = Field(False, description="whether namespaces share pages")
    store_cache: Path | None = Field(None, description="directory of this node for what was read or written")
    store_cache_bytes: int = Field(8 << 30, gt=0, description="how much that directory may hold")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], **others: Any) -> Self:
        """Read the `ERGO_` variables; `others` are given. Raises InvalidSettings."""
        names = [name for name in cls.model_fields if name not in others]
        values = {name: environment[f"ERGO_{name.upper()}"] for name in names if _given(environment, name)}
        try:
            return cls.model_validate({**values, **others})
        except ValidationError as error:
            raise InvalidSettings(_explain(error)) from None


class Settings(StoreSettings):
    """One worker's agent. `root` is /ergosphere in a pod."""

    job: str = Field(pattern=_JOB, max_length=320, description="namespace/name of the TrainingJob")
    job_uid: str = Field(min_length=1, max_length=64)
    rank: int = Field(ge=0)
    world: int = Field(ge=1, le=65535)
    incarnation: int = Field(ge=0)
    restore: str = Field("", description="checkpoint to restore, namespace/job/name, or nothing")
    mode: Literal["Transparent", "Cooperative"] = Field(
        "Transparent", description="Cooperative: the program saves its own state on a signal and ends"
    )
    pod_ip: Annotated[str, AfterValidator(_ip_address)]
    node: str = Field("", max_length=253)
    network_cidr: ipaddress.IPv4Network | ipaddress.IPv6Network | None = Field(
        None, description="addresses of the ranks: rank 0 has the first host address"
    )
    network_id: int | None = Field(None, ge=1, lt=1 << 24, description="VXLAN network identifier")
    root: Path = Path("/ergosphere")

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if self.rank >= self.world:
            raise ValueError(f"ERGO_RANK must be below ERGO_WORLD, which is {self.world}")
        if self.world == 1:
            return self
        if self.network_cidr is None or self.network_id is None:
            raise ValueError("ERGO_NETWORK_CIDR and ERGO_NETWORK_ID must be set when ERGO_WORLD is above 1")
        if self.network_cidr.num_addresses < self.world + 2:
            raise ValueError(f"ERGO_NETWORK_CIDR must have room for {self.world} ranks")
        return self

    @property
    def cooperative(self) -> bool:
        """Whether the program saves its own state."""
        return self.mode == "Cooperative"

    @property
    def run(self) -> Path:
        """Where the launcher's socket, the images and the journal lie."""
        return self.root / "run"

    @property
    def images(self) -> Path:
        """One directory an image."""
        return self.run / "images"

    def checkpoint(self, cut: str) -> str:
        """The store's name of the checkpoint that a cut of this job makes."""
        return f"{self.job}/{cut}"


def _given(environment: Mapping[str, str], name: str) -> bool:
    return bool(environment.get(f"ERGO_{name.upper()}"))


def _explain(error: ValidationError) -> str:
    problems = []
    for problem in error.errors():
        message = re.sub(r"^Value error, ", "", problem["msg"])
        name = f"ERGO_{problem['loc'][0]!s}: ".upper() if problem["loc"] else ""
        problems.append(name + message)
    return "; ".join(problems)
