"""The release of the chart on a cluster: installed, upgraded, removed."""

import json
import subprocess
from pathlib import Path

from cluster import binaries
from cluster.images.archive import read_index
from cluster.images.build import find
from cluster.paths import REPOSITORY
from cluster.versions import read_versions
from scenario.names import OPERATOR_NAMESPACE, RELEASE

CHART = REPOSITORY / "charts" / "ergosphere"
PRODUCT = ("agent", "operator")


class HelmError(RuntimeError):
    """Helm could not do it; the message is what it said."""


def install(kubeconfig: Path, chart: Path = CHART) -> None:
    """Install the chart, or upgrade to it, and wait until the operator is ready.

    The images' digests are annotations of its pod, so that a new image under an old tag starts a new one. The
    chart's directory store is on a directory that the nodes of such a cluster share.

    Raises:
        HelmError: Helm gave up.
    """
    digests = {part: read_index(find()[part].archive)[find()[part].tag] for part in PRODUCT}
    values = {
        "image": {"tag": "dev"},
        "agent": {"image": {"tag": "dev"}},
        "podAnnotations": {f"ergosphere.dev/{part}-image": digest for part, digest in digests.items()},
    }
    options = ("--create-namespace", "--values", "-", "--take-ownership", "--force-conflicts")
    _run(kubeconfig, "upgrade", "--install", RELEASE, str(chart), *options, values=values)


def uninstall(kubeconfig: Path) -> None:
    """Remove the release and wait until it is gone.

    Raises:
        HelmError: Helm gave up.
    """
    _run(kubeconfig, "uninstall", RELEASE)


def previous_chart(folder: Path) -> Path:
    """The chart as it was before the last commit that changed it, written into a folder.

    Raises:
        CalledProcessError: this is no git repository, or has no such commit.
    """
    git = ("git", "-C", str(REPOSITORY))
    last = subprocess.check_output(
        (*git, "rev-list", "-n1", "HEAD", "--", "charts/ergosphere"), text=True
    ).strip()
    archive = subprocess.check_output((*git, "archive", f"{last}^", "charts/ergosphere"))
    subprocess.run(("tar", "-x", "-C", str(folder)), input=archive, check=True)
    return folder / "charts" / "ergosphere"


def _run(kubeconfig: Path, *arguments: str, values: object = None) -> None:
    program = binaries.build(read_versions().go["helm"]) / "helm"
    place = ("--kubeconfig", str(kubeconfig), "--namespace", OPERATOR_NAMESPACE, "--wait", "--timeout", "3m")
    done = subprocess.run(
        [str(program), *arguments, *place],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise HelmError(f"helm {arguments[0]}: {done.stderr.strip()}")
