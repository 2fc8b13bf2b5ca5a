"""One worker's pod, as it is read: how it stands, and what has ended it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ergosphere.api.agent import Exit
from ergosphere.api.container import RESERVED_PREFIX
from ergosphere.api.meta import LABEL_INCARNATION, LABEL_JOB_UID, LABEL_RANK
from ergosphere.workload.sidecar import AGENT

# Reasons for which a container that waits will not start by itself soon.
_STUCK = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
}
# What a kubelet says of pods that it does not take, beside OutOfcpu and the like.
_REJECTED = {"UnexpectedAdmissionError", "NodeAffinity", "NodePorts", "AppArmor", "InvalidNodeInfo"}
# Exit codes above are 128 and the number of the signal that ended the container's first process.
_SIGNALLED = 128
# How kubelets with containerd, CRI-O or Docker call a container whose first process never began.
_UNSTARTED = {"StartError", "ContainerCannotRun"}
# How a kubelet and containerd call a container that they lost sight of, as when its node starts anew.
_VANISHED = {"ContainerStatusUnknown", "Unknown"}
# The reason of the condition DisruptionTarget by which a kubelet says that its node needed what a pod held.
_FOR_THE_NODE = "TerminationByKubelet"
_BY_SIGKILL = Exit(code=137, signal=9)


@dataclass(frozen=True, slots=True)
class WorkerPod:
    """A worker's pod. `left` is the cut with which its program was ended, by the launcher's word.

    `reason` is set when something else than the program, or a cut, has ended it.
    `fault` is why its kubelet ended it, where that was for what the pod itself did; `exit` is no 0 then.
    `unstarted` is why the node's runtime could not start it.
    `ending` says that none but Ergosphere's own containers run in it, which end by themselves.
    `lost` says that its node is gone or out of reach, `grace_seconds` how long a deleted pod may go on,
    `ended` when its program ended, and `up` when its agent began, by its node's clock.
    """

    name: str
    uid: str
    rank: int
    incarnation: int
    node: str
    ip: str = ""
    phase: str = "Pending"
    reason: str = ""
    fault: str = ""
    deleting: bool = False
    exit: Exit | None = None
    ended: datetime | None = None
    left: str = ""
    ending: bool = False
    images: tuple[tuple[str, str], ...] = ()
    unschedulable: str = ""
    unstarted: str = ""
    stuck: str = ""
    lost: bool = False
    grace_seconds: int = 0
    created: datetime | None = None
    up: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether none of its containers runs any more, so that its GPUs are free."""
        return self.phase in ("Succeeded", "Failed")


def worker_pods(
    pods: Iterable[Mapping[str, Any]], main: str, lost: Callable[[str], bool]
) -> tuple[WorkerPod, ...]:
    """Read a job's pods as the API server returned them; `main` names the user's main container.

    `lost` tells whether the node of that name is gone or out of reach.
    """
    workers = (_worker(pod, main, lost) for pod in pods)
    return tuple(sorted(workers, key=lambda p: (p.incarnation, p.rank, p.name)))


def worker_of(pod: Mapping[str, Any]) -> str | None:
    """The uid of the job that a pod is a worker of. Labels alone, which anybody may write, make none."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    owner = next((o["uid"] for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
    numbered = all(labels.get(name, "").isdecimal() for name in (LABEL_RANK, LABEL_INCARNATION))
    return owner if numbered and owner == labels.get(LABEL_JOB_UID) else None


def _worker(pod: Mapping[str, Any], main: str, lost: Callable[[str], bool]) -> WorkerPod:
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    containers = status.get("containerStatuses") or []
    first = [c for c in _first(status) if not c["name"].startswith(RESERVED_PREFIX)]
    over = status.get("phase") == "Failed"
    program = next((c["state"]["terminated"] for c in containers if _ended(c, main)), None)
    prelude = next((c["state"]["terminated"] for c in first if over and _broke(c)), None)
    ended = program or prelude
    fault = _fault(status)
    return WorkerPod(
        name=metadata["name"],
        uid=metadata["uid"],
        rank=int(metadata["labels"][LABEL_RANK]),
        incarnation=int(metadata["labels"][LABEL_INCARNATION]),
        node=spec.get("nodeName", ""),
        ip=status.get("podIP", ""),
        created=_time(metadata.get("creationTimestamp")),
        up=_up(status),
        phase=status.get("phase", "Pending"),
        reason="" if fault else status.get("reason", "") or _outside(program, prelude),
        fault=fault,
        deleting="deletionTimestamp" in metadata,
        grace_seconds=metadata.get("deletionGracePeriodSeconds", 0),
        lost=bool(spec.get("nodeName")) and lost(spec["nodeName"]),
        exit=_exit(ended, fault),
        ended=_time(ended.get("finishedAt")) if ended else None,
        left=_left(program) if program else "",
        ending=bool(containers) and all("terminated" in (c.get("state") or {}) for c in containers),
        images=tuple((c["name"], c.get("imageID", "")) for c in containers),
        unschedulable=_unschedulable(status),
        unstarted=_unstarted(program or {}) if ended else _rejected(status),
        stuck=_stuck([*containers, *(status.get("initContainerStatuses") or ())]),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _first(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What is said of the containers that begin before the program's."""
    return status.get("initContainerStatuses") or ()


def _up(status: Mapping[str, Any]) -> datetime | None:
    """When the agent began; when its pod did, if it ended since, for it may never be up for long."""
    agent = next((c for c in _first(status) if c["name"] == AGENT), {})
    if agent.get("restartCount"):
        return _time(status.get("startTime"))
    return _time(((agent.get("state") or {}).get("running") or {}).get("startedAt"))


def _ended(container: Mapping[str, Any], main: str) -> bool:
    return container["name"] == main and "terminated" in (container.get("state") or {})


def _broke(container: Mapping[str, Any]) -> bool:
    """Whether an init container of the user's has failed: the main one is never started then."""
    return bool(((container.get("state") or {}).get("terminated") or {}).get("exitCode"))


def _rejected(status: Mapping[str, Any]) -> str:
    """Why the node never began with the pod: its kubelet refused it, or one of our own containers failed."""
    reason = status.get("reason", "")
    if status.get("phase") != "Failed":
        return ""
    if reason in _REJECTED or reason.startswith("OutOf"):
        return f"{reason}: {status.get('message', '')}"
    if reason:
        return ""
    ours = (c for c in _first(status) if c["name"].startswith(RESERVED_PREFIX))
    broken = next((c for c in ours if _broke(c) and not c["state"]["terminated"].get("signal")), None)
    began = any((c.get("state") or {}).get("terminated") for c in status.get("containerStatuses") or ())
    return f"container {broken['name']} failed before the program began" if broken and not began else ""


def _fault(status: Mapping[str, Any]) -> str:
    """What a pod did that its kubelet ended it for: it ran out of its own time, or of its own disk space.

    Pods that the node's pressure evicts are called the same, but bear a condition; those that it keeps from
    being taken at all have no containers.
    """
    reason, own = status.get("reason", ""), status.get("phase") == "Failed"
    if reason == "Evicted":
        own = own and bool(status.get("containerStatuses")) and not _sacrificed(status)
    elif reason != "DeadlineExceeded":
        return ""
    return f"{reason}: {status.get('message', '')}" if own else ""


def _sacrificed(status: Mapping[str, Any]) -> bool:
    target = (c for c in status.get("conditions") or () if c["type"] == "DisruptionTarget")
    return any(c.get("status") == "True" and c.get("reason") == _FOR_THE_NODE for c in target)


def _exit(terminated: Mapping[str, Any] | None, fault: str) -> Exit | None:
    """How the program ended. One that its kubelet ended has failed, whatever it made of the signal."""
    code = (terminated or {}).get("exitCode", 0)
    if fault and not code:
        return _BY_SIGKILL
    return None if terminated is None else Exit(code=code, signal=terminated.get("signal", 0))


def _outside(program: Mapping[str, Any] | None, prelude: Mapping[str, Any] | None) -> str:
    """What ended the program, or an init container of the user's, if neither it nor a cut did."""
    if program:
        return _killed(program)
    vanished = prelude is not None and prelude.get("reason") in _VANISHED
    return "its node lost sight of an init container" if vanished else ""


def _left(terminated: Mapping[str, Any]) -> str:
    # The program itself may have written the file: believed only for the cut that the operator made.
    left = _word(terminated).get("left")
    return left if isinstance(left, str) else ""


def _killed(terminated: Mapping[str, Any]) -> str:
    """Why a launcher said nothing: it never began or was killed. Memory runs out by what the program does."""
    if _unstarted(terminated):
        return "its container could not be started"
    by_signal = terminated.get("exitCode", 0) > _SIGNALLED and terminated.get("reason") != "OOMKilled"
    return "the launcher was killed" if by_signal and not _word(terminated) else ""


def _unstarted(terminated: Mapping[str, Any]) -> str:
    reason = terminated.get("reason", "")
    return f"{reason}: {terminated.get('message', '')}" if reason in _UNSTARTED else ""


def _word(terminated: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the launcher wrote as the container's termination message; nothing where it did not."""
    try:
        word = json.loads(terminated.get("message") or "null")
    except (ValueError, RecursionError):
        return {}
    return word if isinstance(word, dict) else {}


def _unschedulable(status: Mapping[str, Any]) -> str:
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return str(condition.get("message", ""))
    return ""


def _stuck(containers: Iterable[Mapping[str, Any]]) -> str:
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _STUCK:
            return f"{container['name']}: {waiting['reason']}: {waiting.get('message', '')}"
    return ""
