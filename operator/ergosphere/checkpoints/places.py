"""Where objects lie. Everything of one domain lies below one prefix; domains share nothing.

A domain is a namespace, or all of them where the administrator shares pages between tenants.
"""

import re
from dataclasses import dataclass

from ergosphere.checkpoints.names import CheckpointId

ROOT = "v1"
_SHARED = "_shared"  # no namespace can have this name
_UPLOAD = re.compile(r"uploads/([^/]+)/([^/]+)/([^/]+)/[0-9]{1,7}-[0-9a-f]{32}$")
_MANIFEST = re.compile(r"manifests/([^/]+)/([^/]+)/([^/]+)$")
_UNFINISHED = re.compile(r"unfinished/([0-9a-f]{32})-[^/]*$")
_LONGEST = 200  # of an unfinished file's name, so that more fits behind it


@dataclass(frozen=True)
class Domain:
    """The keys of one domain's objects."""

    name: str

    @classmethod
    def of(cls, namespace: str, shared: bool) -> "Domain":
        """The domain that a namespace's checkpoints are in."""
        return cls(_SHARED if shared else namespace)

    @property
    def prefix(self) -> str:
        """What all its keys begin with."""
        return f"{ROOT}/{self.name}/"

    @property
    def seed(self) -> str:
        """The seed of the page fingerprints."""
        return f"{self.prefix}seed"

    @property
    def packs(self) -> str:
        """All packs and recipes."""
        return f"{self.prefix}packs/"

    @property
    def uploads(self) -> str:
        """All uploads in progress."""
        return f"{self.prefix}uploads/"

    @property
    def condemned(self) -> str:
        """All lists of packs that a collection is about to remove."""
        return f"{self.prefix}condemned/"

    @property
    def unfinished(self) -> str:
        """All files being written, where the store is a directory."""
        return f"{self.prefix}unfinished/"

    @property
    def manifests(self) -> str:
        """All manifests."""
        return f"{self.prefix}manifests/"

    def pack(self, name: str) -> str:
        """One pack or recipe; the directories spread them, for file systems' sake."""
        return f"{self.packs}{name[:2]}/{name}"

    def manifests_of(self, namespace: str, job: str) -> str:
        """All manifests of one job."""
        return f"{self.manifests}{namespace}/{job}/"

    def manifest(self, checkpoint: CheckpointId) -> str:
        """The object whose presence makes the checkpoint exist; empty once it was ended or abandoned."""
        return f"{self.manifests}{checkpoint}"

    def uploads_of(self, checkpoint: CheckpointId) -> str:
        """All ranks' uploads of one checkpoint."""
        return f"{self.uploads}{checkpoint}/"

    def upload(self, checkpoint: CheckpointId, rank: int, token: str) -> str:
        """One upload of one rank."""
        return f"{self.uploads_of(checkpoint)}{rank}-{token}"


def unfinished(key: str) -> str:
    """What the file that is to be the object `key` may be called while it is written, with more behind it."""
    domain, _, name = key.removeprefix(f"{ROOT}/").partition("/")
    return f"{Domain(domain).unfinished}{name.rpartition('/')[2][:_LONGEST]}"


def token_in(key: str) -> str | None:
    """The upload that an unfinished pack or recipe is of; None for any other unfinished file."""
    found = _UNFINISHED.search(key)
    return found[1] if found else None


def checkpoint_in(key: str) -> CheckpointId | None:
    """The checkpoint that a manifest's or upload's key is about; None for a key of neither form."""
    found = _UPLOAD.search(key) or _MANIFEST.search(key)
    return CheckpointId(*found.groups()) if found else None
