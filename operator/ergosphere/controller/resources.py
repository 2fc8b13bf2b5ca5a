"""The kinds of objects that the operator reads or writes."""

from ergosphere.api.meta import GROUP, VERSION

from .kube import Resource

TRAINING_JOBS = Resource(GROUP, VERSION, "trainingjobs")
CHECKPOINTS = Resource(GROUP, VERSION, "checkpoints")
SERVICE_TIERS = Resource(GROUP, VERSION, "servicetiers", namespaced=False)
NODES = Resource("", "v1", "nodes", namespaced=False)
PODS = Resource("", "v1", "pods")
CLAIMS = Resource("", "v1", "persistentvolumeclaims")
VOLUMES = Resource("", "v1", "persistentvolumes", namespaced=False)
SECRETS = Resource("", "v1", "secrets")
EVENTS = Resource("", "v1", "events")
BUDGETS = Resource("policy", "v1", "poddisruptionbudgets")
LEASES = Resource("coordination.k8s.io", "v1", "leases")

WATCHED = (TRAINING_JOBS, CHECKPOINTS, SERVICE_TIERS, NODES, PODS, CLAIMS, VOLUMES)
