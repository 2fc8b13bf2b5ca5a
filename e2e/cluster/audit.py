"""What the API server writes down of the operator's requests: what for, and whether it was allowed."""

from collections.abc import Mapping
from pathlib import Path

OPERATOR = "system:serviceaccount:ergosphere-system:ergosphere"
FILES = "audit*.log"
POLICY = f"""\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: ["{OPERATOR}"]
  - level: None
"""
# A request takes about a kilobyte: room for 60,000 in a file before the first is rotated away.
_MEGABYTES = 64
_OLD_FILES = 1


def flags(policy: str, directory: str) -> Mapping[str, str]:
    """Give the API server's flags, without dashes in front: where the policy is, and where the log goes."""
    return {
        "audit-policy-file": policy,
        "audit-log-path": f"{directory}/audit.log",
        "audit-log-maxsize": str(_MEGABYTES),
        "audit-log-maxbackup": str(_OLD_FILES),
    }


def read(directory: Path) -> str:
    """Read the log from the API server's directory: an event a line, oldest first."""
    return "".join(path.read_text() for path in sorted(directory.glob(FILES)))
