"""An administrator's connection out of the kubeconfig that kind wrote."""

import base64
from pathlib import Path

import yaml

from cluster.api import Api

FILES = {
    "ca.crt": "certificate-authority-data",
    "admin.crt": "client-certificate-data",
    "admin.key": "client-key-data",
}


def connect(kubeconfig: Path) -> Api:
    """Write the credentials to files beside the kubeconfig, and connect with them."""
    document = yaml.safe_load(kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]
    fields = {**cluster, **document["users"][0]["user"]}
    for name, key in FILES.items():
        path = kubeconfig.parent / name
        path.touch(mode=0o600)
        path.write_bytes(base64.b64decode(fields[key]))
    return Api(cluster["server"], kubeconfig.parent)
