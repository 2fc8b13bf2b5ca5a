"""Names of checkpoints: `<namespace>/<job>/<name>`, each part a DNS label or subdomain."""

import re
from dataclasses import dataclass
from typing import Self

from ergosphere.checkpoints.errors import Invalid

_PART = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, order=True)
class CheckpointId:
    """One checkpoint of one job. Safe to use as a path below the store's root."""

    namespace: str
    job: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.namespace, self.job, self.name):
            if not _PART.fullmatch(part) or ".." in part:
                raise Invalid(
                    f"checkpoint name part {part[:64]!r}: allowed are 1 to 253 of a-z, 0-9, '-' and "
                    "single '.', beginning and ending with a letter or digit"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The id written as `<namespace>/<job>/<name>`; raises `Invalid` for anything else."""
        parts = text.split("/")
        if len(parts) != 3:
            raise Invalid(f"checkpoint id {text[:64]!r}: write it as <namespace>/<job>/<name>")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.job}/{self.name}"
