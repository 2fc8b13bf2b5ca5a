"""The whole system, stood up: a cluster, the images in it, the operator installed with Helm."""

import json
import subprocess
from pathlib import Path

from cluster import binaries
from cluster.__main__ import provider
from cluster.images.archive import read_index
from cluster.images.build import Image, build, find
from cluster.paths import REPOSITORY
from cluster.progress import step
from cluster.provider import default_nodes
from cluster.versions import read_versions
from scenario.kubectl import Kubectl
from scenario.names import OPERATOR_NAMESPACE, RELEASE

PRODUCT = ("agent", "operator")
DIGITS = find()["digits"]
DDP = find()["ddp"]
WORKER = Image("e2e-worker", REPOSITORY / "e2e" / "images" / "worker" / "Dockerfile")


class InstallationError(RuntimeError):
    """Helm could not install the chart; the message is what it said."""


def stand_up(name: str, *programs: Image) -> Kubectl:
    """Make the cluster unless it stands, install the operator, and load the images of `programs`.

    Raises:
        ClusterError: the cluster or an image could not be made.
        InstallationError: the operator did not become ready.
    """
    images = [*(find()[part] for part in PRODUCT), *programs]
    build(images)
    provider().create(name, default_nodes(count=3, gpus=4))
    kubeconfig = provider().kubeconfig(name)
    for image in images:
        provider().load_image(name, image.archive)
    with step("installing the operator"):
        install(
            kubeconfig,
            dict(pair for image in images for pair in read_index(image.archive).items()),
        )
    return Kubectl(str(provider().kubectl(name)), str(kubeconfig))


def install(kubeconfig: Path, digests: dict[str, str]) -> None:
    """Install or upgrade the chart and wait until the operator is ready.

    The images' digests, by reference, are annotations of its pod, so that a new image under an old tag starts
    a new one. The chart's directory store is on a directory that the nodes of such a cluster share.

    Raises:
        InstallationError: Helm gave up.
    """
    helm = binaries.build(read_versions().go["helm"]) / "helm"
    values = {
        "image": {"tag": "dev"},
        "agent": {"image": {"tag": "dev"}},
        "podAnnotations": {f"ergosphere.dev/{part}-image": digests[find()[part].tag] for part in PRODUCT},
    }
    done = subprocess.run(
        [
            *(str(helm), "upgrade", "--install", RELEASE, str(REPOSITORY / "charts" / "ergosphere")),
            *("--kubeconfig", str(kubeconfig), "--namespace", OPERATOR_NAMESPACE, "--create-namespace"),
            *("--values", "-", "--take-ownership", "--force-conflicts", "--wait", "--timeout", "3m"),
        ],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InstallationError(f"helm could not install the chart: {done.stderr.strip()}")
