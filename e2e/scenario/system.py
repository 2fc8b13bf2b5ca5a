"""The whole system, stood up: a cluster, the images in it, the operator installed with Helm."""

from cluster.__main__ import provider
from cluster.images.build import Image, build, find
from cluster.paths import REPOSITORY
from cluster.progress import step
from cluster.provider import default_nodes
from scenario import helm
from scenario.helm import PRODUCT
from scenario.kubectl import Kubectl

DIGITS = find()["digits"]
DDP = find()["ddp"]
WORKER = Image("e2e-worker", REPOSITORY / "e2e" / "images" / "worker" / "Dockerfile")


def stand_up(name: str, *programs: Image) -> Kubectl:
    """Make the cluster unless it stands, install the operator, and load the images of `programs`.

    Raises:
        ClusterError: the cluster or an image could not be made.
        HelmError: the operator did not become ready.
    """
    images = [*(find()[part] for part in PRODUCT), *programs]
    build(images)
    provider().create(name, default_nodes(count=3, gpus=4))
    kubeconfig = provider().kubeconfig(name)
    for image in images:
        provider().load_image(name, image.archive)
    with step("installing the operator"):
        helm.install(kubeconfig)
    return Kubectl(str(provider().kubectl(name)), str(kubeconfig))
