"""The validating webhooks: checks that need a second object, read from the API server at each call."""

from functools import partial
from typing import Any

import kopf
from pydantic import ValidationError

from ergosphere.api.admission import checkpoint_errors, training_job_errors
from ergosphere.api.checkpoint import Checkpoint
from ergosphere.api.meta import GROUP, VERSION, first_problem
from ergosphere.api.training_job import TrainingJob

from .kube import Kube, Object, Resource
from .resources import CHECKPOINTS, SERVICE_TIERS, TRAINING_JOBS

_UNPROCESSABLE = 422


def register(registry: kopf.OperatorRegistry) -> None:
    """Serve `/validate-trainingjob` and `/validate-checkpoint`; the chart points the API server there."""
    lookups = _Lookups()

    served = partial(kopf.on.validate, GROUP, VERSION, registry=registry, persistent=True)

    @served("trainingjobs", id="validate-trainingjob")
    async def training_job(body: kopf.Body, **rest: Any) -> None:
        new = _parse(TrainingJob, body)
        before = _before(TrainingJob, rest.get("old"))
        tiers = [obj["metadata"]["name"] for obj in await lookups.all(SERVICE_TIERS)]
        named = await lookups.one(CHECKPOINTS, new.namespace, new.spec.restore_from)
        _refuse(training_job_errors(new, before, tiers, {n: Checkpoint.parse(o) for n, o in named.items()}))

    @kopf.on.validate(
        GROUP, VERSION, "checkpoints", id="validate-checkpoint", registry=registry, persistent=True
    )
    async def checkpoint(body: kopf.Body, **rest: Any) -> None:
        new = _parse(Checkpoint, body)
        jobs = await lookups.named(TRAINING_JOBS, new.namespace, new.spec.job_name)
        before = _before(Checkpoint, rest.get("old"))
        _refuse(checkpoint_errors(new, before, {n: TrainingJob.parse(o) for n, o in jobs.items()}))


class _Lookups:
    """Reads from the API server, over a connection made at the first call."""

    def __init__(self) -> None:
        self._kube: Kube | None = None

    async def all(self, resource: Resource) -> list[Object]:
        listing = await (await self._connected()).list(resource)
        return list(listing.get("items") or ())

    async def named(self, resource: Resource, namespace: str, name: str) -> dict[str, Object]:
        found = await (await self._connected()).get(resource, namespace, name)
        return {name: found} if found else {}

    async def one(self, resource: Resource, namespace: str, reference: Any) -> dict[str, Object]:
        return await self.named(resource, namespace, reference.name) if reference else {}

    async def _connected(self) -> Kube:
        if self._kube is None:
            self._kube = await Kube.connect()
        return self._kube


def _parse(model: type[Any], body: Any) -> Any:
    try:
        return model.parse(dict(body))
    except ValidationError as error:
        raise kopf.AdmissionError(first_problem(error), code=_UNPROCESSABLE) from error


def _before(model: type[Any], old: Any) -> Any:
    """The object before an update; None for a creation."""
    return _parse(model, old) if old else None


def _refuse(errors: list[str]) -> None:
    if errors:
        raise kopf.AdmissionError("; ".join(errors), code=_UNPROCESSABLE)
