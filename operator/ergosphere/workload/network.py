"""The job network as the workers see it: addresses for the job's life, names for them, torchrun's variables.

Every pod has a network namespace of its own and reaches only the peers that its agent was given, so all
jobs may use the same addresses; the identifier, from the job's uid, keeps out packets of a pod that is gone.
"""

import hashlib
import ipaddress
from typing import Any

from .names import stem

DEVICE = "ergo0"
MASTER_PORT = 29500


def address(cidr: str, rank: int) -> str:
    """The address of a rank: rank 0 has the first host address of the range."""
    return str(ipaddress.ip_network(cidr)[rank + 1])


def identifier(uid: str) -> int:
    """The VXLAN network identifier of a job, from 1 to 2**24 - 1."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:3], "big") or 1


def agent_environment(uid: str, world: int, cidr: str) -> dict[str, str]:
    """What the agent of a gang needs to bring the network up; nothing for a single worker."""
    if world == 1:
        return {}
    return {"ERGO_NETWORK_CIDR": cidr, "ERGO_NETWORK_ID": str(identifier(uid))}


def host_aliases(job: str, world: int, cidr: str) -> list[dict[str, Any]]:
    """Names of the ranks for /etc/hosts: JOB-RANK, for the job's life."""
    if world == 1:
        return []
    return [{"ip": address(cidr, rank), "hostnames": [f"{stem(job)}-{rank}"]} for rank in range(world)]


def environment(world: int, rank: int, gpus: int, cidr: str) -> list[dict[str, str]]:
    """What torchrun, Gloo and NCCL read (pytorch.org, elastic/run). A variable of the template wins.

    Under torchrun a worker has a process for each of its `gpus`; it sets what is not PET_ for each of them.
    A launcher that starts such processes itself takes LOCAL_RANK for the word that somebody else has.
    """
    gang = world > 1
    master = address(cidr, 0) if gang else "127.0.0.1"
    values = {
        "RANK": str(rank),
        "WORLD_SIZE": str(world),
        "NODE_RANK": str(rank),
        "MASTER_ADDR": master,
        "MASTER_PORT": str(MASTER_PORT),
        "PET_NNODES": str(world),
        "PET_NODE_RANK": str(rank),
        "PET_NPROC_PER_NODE": str(max(1, gpus)),
        "PET_MASTER_ADDR": master,
        "PET_MASTER_PORT": str(MASTER_PORT),
    }
    if gpus <= 1:
        values |= {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    if gang:
        values |= dict.fromkeys(("GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"), DEVICE)
    return [{"name": name, "value": value} for name, value in values.items()]
