"""`python -m ergosphere.agent`: the sidecar; `… forget CHECKPOINT…` deletes checkpoints from the store, and
`… collect NAMESPACE` what none of the namespace's checkpoints needs.

Exit status: 0 when ended by SIGTERM or done, 1 after a failure, 2 when told something unusable.
"""

import os
import sys
from pathlib import Path

from ergosphere.agent import logs
from ergosphere.agent.settings import InvalidSettings, Settings

ROOT = Path("/ergosphere")
USAGE = "usage: python -m ergosphere.agent [forget CHECKPOINT... | collect NAMESPACE]"


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run what the arguments ask for; the exit status. `root` is where the pod's volumes are mounted."""
    logs.configure()
    match arguments:
        case []:
            return _serve(root)
        case ["forget", _, *_]:
            from ergosphere.agent.forget import forget

            return forget(os.environ, arguments[1:])
        case ["collect", namespace]:
            from ergosphere.agent.forget import collect

            return collect(os.environ, namespace)
    print(USAGE, file=sys.stderr)
    return 2


def _serve(root: Path) -> int:
    try:
        settings = Settings.from_environment(os.environ, root=root)
    except InvalidSettings as error:
        print(f"ergosphere.agent: {error}", file=sys.stderr)
        return 2
    from ergosphere.agent.sidecar import run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
