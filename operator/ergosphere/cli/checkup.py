"""What must be so for jobs to move, judged from what the cluster says of itself, and how to mend it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ergosphere.api.checkpoint import FAILED, Checkpoint
from ergosphere.api.meta import condition
from ergosphere.api.render import DEFINITIONS, definition
from ergosphere.cli.failure import Failure, NotFound
from ergosphere.cli.finding import Finding, State, dotted, missing, numbers
from ergosphere.cli.fitness import fitness
from ergosphere.cli.units import age
from ergosphere.controller.kube import Object
from ergosphere.controller.leader import DURATION_SECONDS

OLDEST_KUBERNETES = (1, 35)
_POD_SECURITY = "pod-security.kubernetes.io/enforce"

_UPGRADE = "upgrade the chart: helm upgrade ergosphere charts/ergosphere --namespace ergosphere-system"


@dataclass(frozen=True, slots=True)
class Installation:
    """The operator's Deployment as the chart makes it."""

    body: Object

    @property
    def environment(self) -> Mapping[str, str]:
        """The operator's variables that have a plain value."""
        (container,) = self.body["spec"]["template"]["spec"]["containers"]
        return {e["name"]: e["value"] for e in container.get("env", ()) if "value" in e}

    @property
    def account(self) -> str:
        """The user name of its service account."""
        spec = self.body["spec"]["template"]["spec"]
        return f"system:serviceaccount:{self.body['metadata']['namespace']}:{spec['serviceAccountName']}"

    @property
    def user_namespaces(self) -> bool:
        """Whether workers run in user namespaces."""
        return self.environment.get("ERGO_USER_NAMESPACES", "true") == "true"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the cluster says; a Failure stands for what it does not tell, or does not have."""

    at: datetime
    version: Mapping[str, str]
    kinds: Mapping[str, Object | Failure]
    operator: Installation | Failure
    lease: Object | Failure
    nodes: Sequence[Object] | Failure
    checkpoints: Sequence[Checkpoint] | Failure
    denied: Sequence[str] = ()
    operator_denied: Sequence[str] | Failure = ()
    namespace: Object | Failure | None = None
    claim: Object | Failure | None = None
    secret: Object | Failure | None = None


def examined(facts: Facts) -> list[Finding]:
    """Everything that was found, in the order in which it is worth mending."""
    return [
        _kubernetes(facts.version),
        *_kinds(facts.kinds),
        _operator(facts.operator),
        _leads(facts.lease, facts.at),
        *_fitness(facts),
        _store(facts),
        _saves(facts.checkpoints, facts.at),
        *_admits(facts.namespace),
        _user(facts.denied),
        _account(facts.operator_denied),
    ]


def _kubernetes(version: Mapping[str, str]) -> Finding:
    text = version.get("gitVersion", "unknown")
    if numbers(text) >= OLDEST_KUBERNETES:
        return Finding("Kubernetes", State.OK, text)
    return Finding(
        "Kubernetes", State.WRONG, text, f"upgrade the cluster to {dotted(OLDEST_KUBERNETES)} or newer"
    )


def _kinds(kinds: Mapping[str, Object | Failure]) -> Iterable[Finding]:
    wanted = {d.name: definition(d) for d in DEFINITIONS}
    for name, found in sorted(kinds.items()):
        check = f"kind {name.partition('.')[0]}"
        if isinstance(found, Failure):
            yield missing(check, found, f"install the chart, or {_UPGRADE}")
        elif not _established(found):
            yield Finding(check, State.WRONG, "is not served yet", f"kubectl describe crd {name}")
        elif _schemas(found) != _schemas(wanted[name]):
            yield Finding(check, State.WARNING, "is of another version than this program", _UPGRADE)
        else:
            yield Finding(check, State.OK, "is served, in this program's version")


def _established(kind: Object) -> bool:
    conditions = (kind.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def _schemas(kind: Object) -> list[Object]:
    return [version["schema"] for version in kind["spec"]["versions"]]


def _operator(found: Installation | Failure) -> Finding:
    if isinstance(found, Failure):
        return missing(
            "operator", found, "install the chart, or name its namespace with --operator-namespace"
        )
    status, metadata = found.body.get("status") or {}, found.body["metadata"]
    ready_, wanted = status.get("readyReplicas", 0), found.body["spec"].get("replicas", 1)
    says = f"{ready_} of {wanted} ready"
    if ready_:
        return Finding("operator", State.OK if ready_ >= wanted else State.WARNING, says, _logs(metadata))
    return Finding("operator", State.WRONG, says, _logs(metadata))


def _logs(metadata: Object) -> str:
    return f"kubectl logs -n {metadata['namespace']} deploy/{metadata['name']} says why others are not"


def _leads(lease: Object | Failure, at: datetime) -> Finding:
    mend = "see the operator's logs; with replicas: 0 nobody leads"
    if isinstance(lease, Failure):
        return missing("leader", lease, mend)
    holder, renewed = lease["spec"].get("holderIdentity"), lease["spec"].get("renewTime")
    if not holder or not renewed:
        return Finding("leader", State.WRONG, "no operator leads", mend)
    since = datetime.fromisoformat(renewed)
    if (at - since).total_seconds() > 2 * DURATION_SECONDS:
        says = f"{holder} was heard {age(since, at)} ago for the last time"
        return Finding("leader", State.WRONG, says, f"{mend}; or this machine's clock is wrong")
    return Finding("leader", State.OK, holder)


def _fitness(facts: Facts) -> Iterable[Finding]:
    if isinstance(facts.nodes, Failure):
        return [missing("nodes", facts.nodes, "ask for the permission to list nodes")]
    return fitness(
        facts.nodes,
        user_namespaces=isinstance(facts.operator, Failure) or facts.operator.user_namespaces,
    )


def _store(facts: Facts) -> Finding:
    if isinstance(facts.operator, Failure):
        return Finding("store", State.UNKNOWN, "the operator says which, and was not found")
    own = facts.operator.environment
    url = own.get("ERGO_STORE_URL", "")
    if not url.startswith("file:"):
        return _bucket(url, own.get("ERGO_STORE_SECRET", ""), facts.secret)
    if facts.claim is not None:
        return _claim(own.get("ERGO_STORE_PVC", ""), facts.claim)
    path = own.get("ERGO_STORE_HOSTPATH")
    if path:
        says = f"{path} on every node; nothing here can tell whether it is one directory"
        return Finding("store", State.WARNING, says, "mount the same file system there, or set store.claim")
    return Finding(
        "store", State.WRONG, f"{url} on no volume", "set store.hostPath or store.claim in the chart"
    )


def _bucket(url: str, name: str, secret: Object | Failure | None) -> Finding:
    if isinstance(secret, Failure):
        return missing("store", secret, f"create the Secret {name} with its credentials in this namespace")
    return Finding("store", State.OK, f"{url} with Secret {name}" if name else url)


def _claim(name: str, claim: Object | Failure) -> Finding:
    if isinstance(claim, Failure):
        return missing(
            "store", claim, f"create a PersistentVolumeClaim {name} (ReadWriteMany) in this namespace"
        )
    phase, modes = claim.get("status", {}).get("phase"), claim["spec"].get("accessModes", [])
    says = f"PersistentVolumeClaim {name}, {phase}, {', '.join(modes)}"
    if phase != "Bound":
        return Finding("store", State.WRONG, says, f"kubectl describe pvc {name}")
    if "ReadWriteMany" not in modes:
        return Finding(
            "store", State.WRONG, says, "it must be ReadWriteMany, for workers on all nodes use it"
        )
    return Finding("store", State.OK, says)


def _saves(checkpoints: Sequence[Checkpoint] | Failure, at: datetime) -> Finding:
    if isinstance(checkpoints, Failure):
        return missing("checkpoints", checkpoints, "ask for the permission to list checkpoints")
    ended = [c for c in checkpoints if c.status.completion_time]
    last = max(ended, key=lambda c: (str(c.status.completion_time), c.name), default=None)
    if last is None:
        return Finding("checkpoints", State.UNKNOWN, "none was made here yet", "ergo doctor --try makes one")
    when = f"{last.name}, {age(last.status.completion_time, at)} ago"
    if not last.failed:
        return Finding("checkpoints", State.OK, f"the last was stored: {when}")
    why = condition(last.status.conditions, FAILED)
    says = f"the last failed: {when}: {why.reason if why else ''}: {why.message if why else ''}"
    return Finding(
        "checkpoints", State.WRONG, says, "the message says what is missing; ergo describe has the rest"
    )


def _admits(namespace: Object | Failure | None) -> Iterable[Finding]:
    """Pod Security looks at what a pod asks for, not at the user namespace that takes the weight from it."""
    if isinstance(namespace, NotFound):
        yield missing("namespace", namespace, "create it, or name another with -n")
    if namespace is None or isinstance(namespace, Failure):
        return
    name, labels = namespace["metadata"]["name"], namespace["metadata"].get("labels") or {}
    level = labels.get(_POD_SECURITY, "privileged")
    if level != "privileged":
        mend = f"kubectl label --overwrite namespace {name} {_POD_SECURITY}=privileged"
        yield Finding(f"namespace {name}", State.WRONG, f"takes only pods of level {level}", mend)


def _user(denied: Sequence[str]) -> Finding:
    if not denied:
        return Finding("your permissions", State.OK, "all that ergo needs in this namespace")
    mend = "ask for the roles edit in the namespace, and for list on nodes, pods and servicetiers"
    return Finding("your permissions", State.WARNING, f"you may not {', '.join(denied)}", mend)


def _account(denied: Sequence[str] | Failure) -> Finding:
    check = "operator's permissions"
    if isinstance(denied, Failure):
        return missing(check, denied, "an administrator can see them")
    if denied:
        return Finding(check, State.WRONG, f"it may not {', '.join(denied)}", _UPGRADE)
    return Finding(check, State.OK, "all that it needs")
