"""The output of a job over all its pods, kept from the start: a deleted pod's log is gone."""

import subprocess
import threading
from pathlib import Path

from ergosphere.api.meta import LABEL_JOB
from ergosphere.workload.names import stem
from scenario.kubectl import Kubectl

_COLUMNS = (
    r"custom-columns=INCARNATION:.metadata.labels.ergosphere\.dev/incarnation,"
    r"RANK:.metadata.labels.ergosphere\.dev/rank,NAME:.metadata.name,"
    'STARTED:.status.containerStatuses[?(@.name=="{container}")].started,'
    'EXIT:.status.containerStatuses[?(@.name=="{container}")].state.terminated.exitCode'
)


class JobLogs:
    """Follows the main container of each pod of a job into one file a pod.

    A context manager. One watch and one `kubectl logs -f` a pod run while it is open.
    """

    def __init__(self, kubectl: Kubectl, namespace: str, job: str, container: str, folder: Path) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._container = container
        self._selector = f"{LABEL_JOB}={stem(job)}"
        self._folder = folder
        self._files: dict[str, tuple[int, int, Path]] = {}
        self._followers: list[subprocess.Popen[str]] = []
        self._watch: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._follow_all, daemon=True)

    def __enter__(self) -> "JobLogs":
        self._folder.mkdir(parents=True, exist_ok=True)
        self._watch = self._kubectl.stream(
            *("get", "pods", "-n", self._namespace, "-l", self._selector, "--watch"),
            *("--no-headers", "-o", _COLUMNS.format(container=self._container)),
            into=subprocess.PIPE,
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._watch, *self._followers):
            if process and process.poll() is None:
                process.terminate()
                process.wait()
        self._thread.join()
        if self._watch and self._watch.stdout:
            self._watch.stdout.close()

    def numbered(self) -> list[tuple[int, str]]:
        """What each pod has printed so far, with its incarnation and in that order."""
        return [(incarnation, path.read_text()) for incarnation, _, path in sorted(self._files.values())]

    def by_rank(self) -> list[tuple[int, str]]:
        """What each pod has printed so far, with its rank, in the order of the incarnations."""
        return [(rank, path.read_text()) for _, rank, path in sorted(self._files.values())]

    def pieces(self) -> list[str]:
        """What each pod has printed so far, in the order of the incarnations."""
        return [text for _, text in self.numbered()]

    def finish(self, timeout: float = 30.0) -> list[str]:
        """Wait (seconds) until the log of every pod seen has ended, then return the pieces."""
        for follower in self._followers:
            follower.wait(timeout)
        return self.pieces()

    def _follow_all(self) -> None:
        assert self._watch
        assert self._watch.stdout
        for line in self._watch.stdout:
            if not line.endswith("\n"):
                break  # it was ended as it wrote
            incarnation, rank, name, started, exit_code = line.split()
            begun = started == "true" or exit_code != "<none>"
            if begun and name not in self._files:
                self._follow(int(incarnation), int(rank), name)

    def _follow(self, incarnation: int, rank: int, pod: str) -> None:
        path = self._folder / f"{pod}.log"
        with path.open("w") as file:
            # Who reads meanwhile finds a file that is there, and a mapping that does not change.
            self._files = {**self._files, pod: (incarnation, rank, path)}
            self._followers.append(
                self._kubectl.stream(
                    *("logs", "-f", "-n", self._namespace, pod, "-c", self._container), into=file
                )
            )
