"""What must outlive the agent's process: a file beside the launcher's socket, replaced as a whole.

The pod does not outlive its node, so the file need not survive a loss of power; nothing is synced.
"""

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ergosphere.agent.state import Cut, State


@dataclass(frozen=True)
class Journal:
    """The part of a State that cannot be asked of the launcher, the kernel or the store."""

    cut: Cut | None = None
    past: tuple[str, ...] = ()
    abandon: tuple[str, ...] = ()
    fetched: bool = False
    restored: bool = False
    strange: tuple[str, ...] = ()
    begun: bool = False

    @classmethod
    def of(cls, state: State) -> "Journal":
        """What to write down of a state."""
        restored = state.fetched and not state.restore
        begun = state.may_have_begun()
        return cls(state.cut, state.past, state.abandon, state.fetched, restored, state.strange, begun)

    def resume(self, fresh: State, now: float) -> State:
        """The state of a new process of the same agent. `now` is the monotonic clock in seconds."""
        cut = self.cut
        if cut and cut.lease_until > now + cut.lease_seconds:
            cut = replace(cut, lease_until=now + cut.lease_seconds)
        restore = "" if self.restored else fresh.restore
        known = replace(fresh, cut=cut, past=self.past, abandon=self.abandon, begun=self.begun)
        return replace(known, fetched=self.fetched, restore=restore, strange=self.strange)


_JOURNAL = TypeAdapter(Journal)

log = logging.getLogger(__name__)


class JournalFile:
    """The journal on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: Journal | None = None

    def read(self) -> Journal:
        """The last journal written; an empty one if there is none, or none that this version understands."""
        try:
            return _JOURNAL.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Journal()
        except ValidationError as error:
            log.error("the journal cannot be read", extra={"fields": {"error": str(error)}})
            return Journal()

    def write(self, journal: Journal) -> None:
        """Replace the journal, unless it says the same already.

        A disk that takes no more must not keep a cut from being undone, which is what frees it: the failure
        is logged, and a successor of this process knows less.
        """
        if journal == self._written:
            return
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(_JOURNAL.dump_json(journal))
            os.replace(fresh, self._path)
        except OSError as error:
            log.error("the journal cannot be written", extra={"fields": {"error": str(error)}})
            return
        self._written = journal
