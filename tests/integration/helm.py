"""The chart as Helm installs it on one API server."""

import os
import subprocess
from pathlib import Path

from tests.integration.control_plane import ControlPlane

CHART = Path(__file__).parents[2] / "charts/ergosphere"
NAMESPACE = "ergosphere-system"


class Helm:
    """Helm against one API server."""

    def __init__(self, program: Path, plane: ControlPlane) -> None:
        self._program = program
        self.plane = plane

    def __call__(self, command: str, *arguments: str) -> str:
        """Run a command on the release; returns what Helm prints, raises CalledProcessError."""
        return self._run(command, "ergosphere", *arguments)

    def _run(self, *arguments: str) -> str:
        line = [str(self._program), *arguments, f"--namespace={NAMESPACE}"]
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.plane.kubeconfig),
            "HOME": str(self.plane.directory),
        }
        done = subprocess.run(line, env=environment, capture_output=True, text=True)
        if done.returncode:
            error = subprocess.CalledProcessError(done.returncode, line, done.stdout, done.stderr)
            error.add_note(done.stderr)
            raise error
        return done.stdout

    def install(self, *arguments: str) -> str:
        return self("upgrade", str(CHART), "--install", "--create-namespace", *arguments)

    def lint(self) -> str:
        return self._run("lint", str(CHART), "--strict")

    def render(self, *arguments: str) -> str:
        return self("template", str(CHART), *arguments)
