"""The Docker engine of this machine."""

import shutil
import subprocess


def answers() -> bool:
    """Tell whether there is one that answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "version"], capture_output=True).returncode == 0
