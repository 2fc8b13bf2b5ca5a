"""`ergo`, as a user would call it, bound to one cluster and namespace."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ergo:
    """The command of this virtual environment."""

    kubeconfig: str
    namespace: str

    def __call__(self, *arguments: str, timeout: float = 300.0) -> str:
        """Run a command to the end and return what it prints; `timeout` is in seconds.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            self._command(*arguments), capture_output=True, text=True, timeout=timeout, check=False
        )
        assert done.returncode == 0, f"ergo {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def following(self, job: str, into: Path) -> Iterator[subprocess.Popen[str]]:
        """Follow a job's log into a file, to the job's end or the block's."""
        into.parent.mkdir(parents=True, exist_ok=True)
        with into.open("w") as file:
            process = subprocess.Popen(self._command("logs", job, "--follow"), stdout=file, text=True)
            try:
                yield process
            finally:
                process.terminate()
                process.wait()

    def _command(self, *arguments: str) -> list[str]:
        program = Path(sys.executable).with_name("ergo")
        return [str(program), *arguments, "--kubeconfig", self.kubeconfig, "-n", self.namespace]
