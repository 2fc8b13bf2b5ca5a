"""What the agent's core asks its shell to do. Each effect ends in one `Succeeded` or `Failed` input."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class NetUp:
    """Make the job's network device, locked, unless it exists already."""


@dataclass(frozen=True)
class NetLock:
    """Drop every packet of the job network, and read the rule back."""

    cut: str


@dataclass(frozen=True)
class NetUnlock:
    """Let the job network's packets pass again."""


@dataclass(frozen=True)
class NetOpen:
    """Make every rank reachable at the address of its pod, then unlock."""

    peers: dict[int, str] = field(hash=False)


@dataclass(frozen=True)
class NetAdopt:
    """Take in the addresses of earlier pods, which the program's sockets are bound to."""

    addresses: tuple[str, ...]


@dataclass(frozen=True)
class NetSever:
    """End the restored connections from these addresses to outside of the pod."""

    addresses: tuple[str, ...]


@dataclass(frozen=True)
class LauncherStatus:
    """Ask the launcher where the program stands."""


@dataclass(frozen=True)
class LauncherStart:
    """Start the user's command."""


@dataclass(frozen=True)
class LauncherPrepare:
    """Announce the cut: the launcher has CRIU ready then.

    That of a program which saves its own state takes the program's end for an answer to it from then on.
    """

    cut: str
    lease_seconds: float


@dataclass(frozen=True)
class LauncherFreeze:
    """Freeze the program. `lease_seconds` is how long it may stay so."""

    cut: str
    lease_seconds: float


@dataclass(frozen=True)
class LauncherDump:
    """Write the image of the program, frozen before or now. `lease_seconds` is how long it may stay so."""

    cut: str
    lease_seconds: float


@dataclass(frozen=True)
class LauncherRenew:
    """Prolong the launcher's own lease on a frozen program."""

    cut: str
    lease_seconds: float


@dataclass(frozen=True)
class LauncherThaw:
    """Let the frozen or restored program run. `cut` is empty after a restore."""

    cut: str


@dataclass(frozen=True)
class LauncherLeave:
    """End the frozen program for good."""

    cut: str


@dataclass(frozen=True)
class LauncherRestore:
    """Bring the program back, stopped, from the fetched image."""


@dataclass(frozen=True)
class StoreFetch:
    """Fetch and verify this rank's image of a checkpoint."""

    checkpoint: str


@dataclass(frozen=True)
class StoreSave:
    """Store the image of a cut."""

    cut: str


@dataclass(frozen=True)
class StoreCommit:
    """Write the manifest of a cut whose ranks are all stored."""

    cut: str
    digests: tuple[str, ...]


@dataclass(frozen=True)
class StoreAbandon:
    """Tell the store that an aborted cut will never be committed."""

    cut: str


@dataclass(frozen=True)
class RemoveImages:
    """Delete image directories that nothing needs any more."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Cancel:
    """Stop the fetch or the save under way, which then ends in `Failed`. Ends in nothing itself."""

    work: StoreFetch | StoreSave


NetWork = NetUp | NetLock | NetUnlock | NetOpen | NetAdopt | NetSever
TreeWork = (
    NetWork
    | LauncherStatus
    | LauncherStart
    | LauncherPrepare
    | LauncherFreeze
    | LauncherDump
    | LauncherThaw
    | LauncherLeave
    | LauncherRestore
)
StoreWork = StoreFetch | StoreSave | StoreCommit | StoreAbandon | RemoveImages
Work = TreeWork | StoreWork | LauncherRenew
Effect = Work | Cancel
