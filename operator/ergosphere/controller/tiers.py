"""The tiers that an installation comes with."""

import json
from collections.abc import Iterable

from pydantic import ValidationError

from ergosphere.api.meta import API_VERSION, first_problem
from ergosphere.api.service_tier import ServiceTier

from .kube import Kube, Object
from .resources import SERVICE_TIERS


def parsed(text: str) -> tuple[Object, ...]:
    """ServiceTiers from a JSON list of their specs, each with a `name`; raises ValueError, saying why."""
    try:
        return tuple(_tier(**entry) for entry in json.loads(text))
    except ValidationError as error:
        raise ValueError(first_problem(error)) from error
    except TypeError as error:
        raise ValueError("it must be a list of objects, each with a name") from error


async def make_missing(kube: Kube, tiers: Iterable[Object]) -> None:
    """Create those of whose name there is none; the others are the administrator's. Raises ApiError."""
    for tier in tiers:
        await kube.create(SERVICE_TIERS, tier)


def _tier(name: str, **spec: object) -> Object:
    body = {
        "apiVersion": API_VERSION,
        "kind": "ServiceTier",
        "metadata": {"name": name},
        "spec": spec,
    }
    ServiceTier.parse(body)
    return body
