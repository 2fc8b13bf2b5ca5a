"""`TrainingJob`: a gang of workers made from one pod template."""

from typing import Literal

from ergosphere.api.definition import AGE, Column, Definition
from ergosphere.api.meta import Resource, is_true
from ergosphere.api.training_job_spec import TrainingJobSpec
from ergosphere.api.training_job_status import COMPLETE, FAILED, TrainingJobStatus

PLURAL = "trainingjobs"


class TrainingJob(Resource):
    """A training job: a gang of workers that may be cut anywhere and goes on elsewhere exactly at the cut."""

    kind: Literal["TrainingJob"] = "TrainingJob"
    spec: TrainingJobSpec
    status: TrainingJobStatus = TrainingJobStatus()

    @property
    def finished(self) -> bool:
        """Whether the job has ended, well or not."""
        return is_true(self.status.conditions, COMPLETE) or is_true(self.status.conditions, FAILED)


DEFINITION = Definition(
    model=TrainingJob,
    plural=PLURAL,
    short_names=("tj",),
    categories=("all", "ergosphere"),
    selectable=(".spec.tier", ".status.phase"),
    columns=(
        Column("Phase", ".status.phase", "What the job is doing."),
        Column("Tier", ".spec.tier", "The tier whose promise holds for the job."),
        Column("GPUs", ".status.gpus", "How many GPUs the job holds.", "integer"),
        Column("Nodes", ".status.nodes", "The nodes that the job runs on."),
        Column(
            "Last-Checkpoint", ".status.lastCheckpoint.time", "How long ago the job was last saved.", "date"
        ),
        AGE,
        Column(
            "GPU-Fraction", ".status.gpuFraction", "The share of GPU time that the job received.", wide=True
        ),
        Column(
            "Restarts", ".status.restarts", "How often it went on from a checkpoint.", "integer", wide=True
        ),
        Column(
            "Incarnation",
            ".status.incarnation",
            "How often it was started or restored.",
            "integer",
            wide=True,
        ),
    ),
)
