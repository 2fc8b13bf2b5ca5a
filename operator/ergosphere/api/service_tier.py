"""`ServiceTier`: a promise of GPU time, and who yields first."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from ergosphere.api.definition import AGE, Column, Definition
from ergosphere.api.meta import Model, Resource

PLURAL = "servicetiers"


class ServiceTierSpec(Model):
    """What jobs of this tier are promised."""

    gpu_fraction: str | None = Field(
        default=None, max_length=6, pattern=r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$", examples=["0.95"]
    )
    """The share of the GPU time it asked for that a job is sure to receive over the window, as a decimal
    from "0" to "1", such as "0.95". Without it nothing is promised: jobs of the tier run on what is spare."""

    window_seconds: int = Field(default=3600, ge=60, le=604800)
    """The length of the sliding window that the promise is kept over, in seconds (60 to 604800)."""

    order: int = Field(default=0, ge=-1000, le=1000)
    """Who yields first when GPUs are short: jobs of the tier with the lowest order (-1000 to 1000)."""

    description: str = Field(default="", max_length=1024)
    """What the tier is for, in a sentence."""

    @property
    def fraction(self) -> Decimal | None:
        """`gpu_fraction` as a number from 0 to 1; None when nothing is promised."""
        return None if self.gpu_fraction is None else Decimal(self.gpu_fraction)


class ServiceTier(Resource):
    """A promise to training jobs: a guaranteed share of GPU time over a window, and who yields first.

    Jobs name their tier in spec.tier; without one they are of the tier standard.
    """

    kind: Literal["ServiceTier"] = "ServiceTier"
    spec: ServiceTierSpec


DEFINITION = Definition(
    model=ServiceTier,
    plural=PLURAL,
    short_names=("tier",),
    namespaced=False,
    columns=(
        Column("GPU-Fraction", ".spec.gpuFraction", "The guaranteed share of GPU time; none if empty."),
        Column(
            "Window",
            ".spec.windowSeconds",
            "The window that the promise is kept over, in seconds.",
            "integer",
        ),
        Column("Order", ".spec.order", "The tier with the lowest order yields first.", "integer"),
        Column("Description", ".spec.description", "What the tier is for.", wide=True),
        AGE,
    ),
)
