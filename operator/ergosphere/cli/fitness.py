"""Whether the nodes are fit to run jobs that move."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ergosphere.cli.finding import Finding, State, dotted, numbers
from ergosphere.controller.kube import Object
from ergosphere.controller.node import gpus, ready

OLDEST_KERNEL = (6, 6)
ROOMY_KERNEL = (6, 17)  # the first whose net.core.wmem_max is enough as it comes
OLDEST_RUNTIMES = {"containerd": (2, 0), "cri-o": (1, 25)}


def fitness(nodes: Sequence[Object], *, user_namespaces: bool) -> Iterable[Finding]:
    """What is found of the nodes; `user_namespaces` says whether workers are to run in some."""
    yield from (_node(node, user_namespaces) for node in nodes)
    total = sum(gpus((node.get("status") or {}).get("allocatable")) for node in nodes)
    plugin = "install the device plugin of your GPUs"
    state = State.OK if total else State.WARNING
    yield Finding("GPUs", state, f"{total} of resource nvidia.com/gpu", "" if total else plugin)
    yield from _buffers(nodes)
    alone = sorted(_alone(nodes))
    if alone:
        says = f"no other node has the kernel and architecture of {', '.join(alone)}"
        yield Finding(
            "moves", State.WARNING, says, "run the same kernel on them: jobs move only between such nodes"
        )


def _node(node: Object, namespaces: bool) -> Finding:
    check = f"node {node['metadata']['name']}"
    info = _info(node)
    kernel, runtime = info.get("kernelVersion", ""), info.get("containerRuntimeVersion", "")
    says = ", ".join(part for part in (f"Linux {kernel}", runtime.replace("://", " ")) if part)
    if not ready(node):
        return Finding(check, State.WARNING, f"{says}; not ready", f"kubectl describe {check}")
    if numbers(kernel) < OLDEST_KERNEL:
        return Finding(check, State.WRONG, says, f"upgrade to Linux {dotted(OLDEST_KERNEL)} or newer")
    name, _, version = runtime.partition("://")
    oldest = OLDEST_RUNTIMES.get(name)
    if namespaces and oldest and numbers(version) < oldest:
        mend = (
            f"upgrade to {name} {dotted(oldest)} or newer for user namespaces, or set userNamespaces: false"
        )
        return Finding(check, State.WRONG, says, mend)
    if namespaces and name and oldest is None:
        return Finding(check, State.UNKNOWN, says, "see whether it knows user namespaces: ergo doctor --try")
    return Finding(check, State.OK, says)


def _buffers(nodes: Iterable[Object]) -> Iterable[Finding]:
    """Nothing that a cluster says of its nodes tells what their sockets may hold."""
    tight = sorted(
        node["metadata"]["name"]
        for node in nodes
        if numbers(_info(node).get("kernelVersion", "")) < ROOMY_KERNEL
    )
    if tight:
        says = f"before Linux {dotted(ROOMY_KERNEL)} sockets hold too little for gangs: {', '.join(tight)}"
        mend = (
            "see that net.core.wmem_max is half of the last number of net.ipv4.tcp_wmem there; "
            "sysctl -w net.core.wmem_max=2097152 is enough as Linux comes"
        )
        yield Finding("socket buffers", State.UNKNOWN, says, mend)


def _info(node: Object) -> Object:
    info: Object = (node.get("status") or {}).get("nodeInfo") or {}
    return info


def _alone(nodes: Iterable[Object]) -> list[str]:
    infos = {n["metadata"]["name"]: _info(n) for n in nodes}
    platforms = {name: (i.get("architecture"), i.get("kernelVersion")) for name, i in infos.items()}
    counts = Counter(platforms.values())
    return [name for name, platform in platforms.items() if counts[platform] == 1]
