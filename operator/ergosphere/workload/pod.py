"""One worker of a job as a pod."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ergosphere.api.meta import API_VERSION, LABEL_INCARNATION, LABEL_RANK
from ergosphere.api.training_job import TrainingJob

from . import cooperation, launcher, network, sidecar, store
from .affinity import pinned_to
from .names import host_name, job_labels, pod_name, secret_name, shelf
from .reserved import unreserved
from .settings import PodSettings


@dataclass(frozen=True, slots=True)
class Worker:
    """One rank of one incarnation of `world` ranks: its node, and what it starts from ("" for nothing)."""

    rank: int
    world: int
    incarnation: int
    node: str
    restore_from: str = ""


def worker_pod(job: TrainingJob, worker: Worker, settings: PodSettings) -> dict[str, Any]:
    """The pod of one worker.

    It names its node by affinity, not by `nodeName`: the scheduler still checks taints, CPU and memory.
    """
    metadata = job.spec.template.metadata
    labels = metadata.labels | job_labels(job.name, job.uid)
    labels |= {LABEL_RANK: str(worker.rank), LABEL_INCARNATION: str(worker.incarnation)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(job.name, worker.incarnation, worker.rank),
            "namespace": job.namespace,
            "labels": labels,
            "annotations": metadata.annotations,
            "ownerReferences": [owner(job)],
        },
        "spec": _spec(job, worker, settings),
    }


def owner(job: TrainingJob) -> dict[str, Any]:
    """The reference by which Kubernetes deletes an object with its job."""
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainingJob",
        "name": job.name,
        "uid": job.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _spec(job: TrainingJob, worker: Worker, settings: PodSettings) -> dict[str, Any]:
    template = unreserved(job.spec.template.spec.to_dict())
    own = cooperation.patient(template, job.spec.checkpoint.cooperative)
    main = job.spec.main_container().name
    spec = deepcopy(own)
    gang = worker.world > 1
    gpus = job.spec.main_container().gpus()
    variables = network.environment(worker.world, worker.rank, gpus, settings.network_cidr)
    saving = cooperation.arguments(job.spec.checkpoint.cooperative, worker.rank, worker.world)
    spec["containers"] = [_container(job, c, own, main, variables, saving) for c in own["containers"]]
    spec["initContainers"] = [
        sidecar.agent(settings, _agent_environment(job, worker, settings), gang=gang),
        *_probes(job, worker, own, variables, settings),
        *own.get("initContainers", ()),
    ]
    secret = secret_name(job.name, job.uid, settings.authority)
    spec["volumes"] = [*own.get("volumes", ()), *sidecar.volumes(settings, secret)]
    if secrets := settings.pull_secrets_with(own.get("imagePullSecrets", ())):
        spec["imagePullSecrets"] = secrets
    spec.setdefault("hostname", host_name(job.name, worker.rank))
    spec["affinity"] = pinned_to(worker.node, own.get("affinity"))
    spec |= {"restartPolicy": "Never", "automountServiceAccountToken": False}
    if gang:
        aliases = network.host_aliases(job.name, worker.world, settings.network_cidr)
        spec["hostAliases"] = [*own.get("hostAliases", ()), *aliases]
    if settings.user_namespaces:
        spec["hostUsers"] = False
    return spec


def _container(
    job: TrainingJob,
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    main: str,
    variables: list[dict[str, str]],
    saving: list[str],
) -> dict[str, Any]:
    image = job.status.images.get(container["name"], container["image"])
    if container["name"] != main:
        return {**container, "image": image}
    return launcher.wrapped(container, pod, image, variables, saving, job.uid)


def _probes(
    job: TrainingJob,
    worker: Worker,
    pod: Mapping[str, Any],
    variables: list[dict[str, str]],
    settings: PodSettings,
) -> list[dict[str, Any]]:
    # A program that comes back frozen is who it was.
    if worker.restore_from and job.spec.checkpoint.cooperative is None:
        return []
    name = job.spec.main_container().name
    container = next(c for c in pod["containers"] if c["name"] == name)
    image = job.status.images.get(name, container["image"])
    return [launcher.probe(container, image, variables, settings.agent_resources)]


def _agent_environment(job: TrainingJob, worker: Worker, settings: PodSettings) -> dict[str, str]:
    return {
        "ERGO_JOB": shelf(job.namespace, job.name),
        "ERGO_JOB_UID": job.uid,
        "ERGO_RANK": str(worker.rank),
        "ERGO_WORLD": str(worker.world),
        "ERGO_INCARNATION": str(worker.incarnation),
        **store.environment(settings),
        **store.page_environment(settings),
        "ERGO_RESTORE": worker.restore_from,
        "ERGO_MODE": job.spec.checkpoint.mode.value,
        **network.agent_environment(job.uid, worker.world, settings.network_cidr),
    }
