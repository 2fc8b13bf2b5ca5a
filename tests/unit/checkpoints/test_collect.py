"""Uploads, commits, deletions and collections, interleaved at every access to the store, killed anywhere."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ergosphere.checkpoints import catalog
from ergosphere.checkpoints.blobs import Data, Entry
from ergosphere.checkpoints.collect import UPLOAD_LIFE, collect
from ergosphere.checkpoints.commit import abandon, commit, delete
from ergosphere.checkpoints.errors import Missing, Refused, StoreError
from ergosphere.checkpoints.manifest import RankEntry
from ergosphere.checkpoints.names import CheckpointId
from ergosphere.checkpoints.notes import Condemned
from ergosphere.checkpoints.places import Domain, checkpoint_in
from ergosphere.checkpoints.upload import Begun, upload

DOMAIN = Domain("tenant")
CHECKPOINT = CheckpointId("tenant", "job", "first")
SECOND = CheckpointId("tenant", "job", "second")
THIRD = CheckpointId("tenant", "job", "third")


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Memory:
    """Objects in a dict, with a clock that only the test moves."""

    objects: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    now: float = 0.0
    volatile: set[str] = field(default_factory=set)

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        self.objects[key] = (b"".join(parts), self.now)
        if not durable:
            self.volatile.add(key)

    def create(self, key: str, data: bytes) -> bool:
        if key in self.objects:
            return False
        self.put(key, [data])
        return True

    def get(self, key: str) -> bytes:
        if key not in self.objects:
            raise Missing(key)
        return self.objects[key][0]

    def get_range(self, key: str, start: int, length: int) -> Data:
        return self.get(key)[start : start + length]

    def list(self, prefix: str) -> Iterator[Entry]:
        for key, (data, modified) in list(self.objects.items()):
            if key.startswith(prefix):
                yield Entry(key, len(data), modified)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


class Process:
    """An actor in a thread of its own that makes one access to the store each time it is stepped."""

    def __init__(self, memory: Memory, work: Callable[["Process"], object], priority: float) -> None:
        self._memory, self.priority = memory, priority
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._killed = False
        self.done = False
        self.failure: BaseException | None = None
        threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def step(self) -> None:
        if not self.done:
            self._go.release()
            self._stopped.acquire()

    def finish(self) -> None:
        while not self.done:
            self.step()

    def kill(self) -> None:
        self._killed = True
        self.finish()

    def _run(self, work: Callable[["Process"], object]) -> None:
        self._go.acquire()
        try:
            work(self)
        except (Crash, StoreError) as ended:
            self.failure = ended
        except BaseException as bug:
            self.failure = bug
        finally:
            self.done = True
            self._stopped.release()

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._memory, name)

        def access(*args: object, **how: object) -> object:
            if self._killed:
                raise Crash
            self._stopped.release()
            self._go.acquire()
            if self._killed:
                raise Crash
            result = method(*args, **how)
            return list(result) if name in ("list", "put") and result is not None else result

        return access


def upload_and_commit(checkpoint: CheckpointId, choice: random.Random) -> Callable[[Process], object]:
    def work(blobs: Process) -> object:
        def store(begun: Begun) -> RankEntry:
            token = begun.token
            reused = [name for name in sorted(begun.usable) if "recipe" not in name and choice.random() < 0.8]
            fresh = [f"{token}-{number}" for number in range(choice.randrange(6))]
            for name in [*fresh, f"{token}-recipe"]:
                blobs.put(DOMAIN.pack(name), [b"x"])
            return RankEntry(
                digest=(token * 2),
                recipe=f"{token}-recipe",
                recipe_bytes=1,
                bytes=1,
                new_bytes=1,
                packs=tuple(reused + fresh),
            )

        entry = upload(blobs, DOMAIN, checkpoint, 0, store)
        return commit(blobs, DOMAIN, checkpoint, (entry.digest,), {}, 0.0)

    return work


def named(memory: Memory) -> set[str]:
    """What manifests name."""
    manifests = catalog.manifests(memory, DOMAIN, DOMAIN.manifests)
    return {name for manifest in manifests for name in manifest.stored}


def dangling(memory: Memory) -> set[str]:
    """What manifests name and the store does not have."""
    return {name for name in named(memory) if DOMAIN.pack(name) not in memory.objects}


def unnamed(memory: Memory) -> set[str]:
    """What the store has and no manifest names."""
    return {entry.key for entry in memory.list(DOMAIN.packs)} - {DOMAIN.pack(name) for name in named(memory)}


def needless(memory: Memory) -> list[str]:
    """Lists of condemned packs of which no manifest names any."""
    kept = named(memory)
    lists = {entry.key: memory.get(entry.key) for entry in memory.list(DOMAIN.condemned)}
    return [k for k, note in lists.items() if kept.isdisjoint(Condemned.model_validate_json(note).packs)]


def actor(memory: Memory, choice: random.Random, number: int) -> Process:
    """A process of a random kind. Most go for the newest checkpoint, which is what uploads build on."""
    begun = [found for key in memory.objects if (found := checkpoint_in(key))]
    newest = next(iter(catalog.bases(memory, DOMAIN, CHECKPOINT)), None)
    target = choice.choice(begun) if begun else CHECKPOINT
    if newest and choice.random() < 0.7:
        target = CheckpointId.parse(newest.id)
    late = memory.now + choice.choice([0.0, 0.0, 2 * UPLOAD_LIFE])
    fresh = CheckpointId("tenant", "job", f"c{number}")
    works: dict[str, Callable[[Process], object]] = {
        "upload": upload_and_commit(fresh, choice),
        "again": upload_and_commit(target, choice),
        "delete": lambda blobs: delete(blobs, DOMAIN, target),
        "abandon": lambda blobs: abandon(blobs, DOMAIN, target),
        "collect": lambda blobs: list(collect(blobs, DOMAIN, late)),
    }
    return Process(memory, works[choice.choices(list(works), [5, 1, 4, 1, 4])[0]], choice.random())


def spoil(memory: Memory, choice: random.Random) -> None:
    """Make a list of condemned packs unreadable, if there is one."""
    if keys := sorted(entry.key for entry in memory.list(DOMAIN.condemned)):
        memory.put(choice.choice(keys), [b""])


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(2, 4), st.sampled_from([0.0, 0.02]))
@example(571610899, 4, 0.0)  # a pack is condemned, and then committed by the upload that had pinned it before
def test_no_manifest_ever_names_what_is_gone_and_nothing_unnamed_stays(
    seed: int, width: int, rot: float
) -> None:
    choice, damage = random.Random(seed), random.Random(seed)
    memory = Memory()
    running: list[Process] = []
    finished: list[Process] = []
    for number in range(500):
        memory.now += 1
        if len(running) < width:
            running.append(actor(memory, choice, number))
        one = max(running, key=lambda process: process.priority)
        one.step()
        event = choice.random()
        if event < 0.05:  # now and then someone falls asleep in the middle, or for good
            one.priority = choice.random() * 0.2
        elif event < 0.055:
            one.kill()
        if damage.random() < rot:
            spoil(memory, damage)
        if one.done:
            running.remove(one)
            finished.append(one)
        assert not dangling(memory)
    for one in running:
        one.kill()
    for one in [*running, *finished]:
        assert one.failure is None or isinstance(one.failure, Crash | StoreError), one.failure

    list(collect(memory, DOMAIN, 2 * UPLOAD_LIFE))

    assert not dangling(memory)
    assert not unnamed(memory)
    assert not list(memory.list(DOMAIN.uploads))
    assert not needless(memory)


@pytest.mark.parametrize("steps", range(25))
def test_the_base_of_an_upload_is_deleted_and_collected_at_any_moment_of_it(steps: int) -> None:
    memory = Memory()
    first = Process(memory, upload_and_commit(CHECKPOINT, random.Random(steps)), 0)
    first.finish()
    slow = Process(memory, upload_and_commit(CheckpointId("tenant", "job", "next"), random.Random(1)), 0)

    for _ in range(steps):
        slow.step()
    delete(memory, DOMAIN, CHECKPOINT)
    list(collect(memory, DOMAIN, 0.0))
    slow.finish()

    assert slow.failure is None
    assert not dangling(memory)


def test_an_upload_that_outlived_its_time_cannot_be_committed() -> None:
    memory = Memory()
    entry = upload(memory, DOMAIN, CHECKPOINT, 0, lambda begun: saved(memory, begun))
    list(collect(memory, DOMAIN, 2 * UPLOAD_LIFE))

    with pytest.raises(Refused):
        commit(memory, DOMAIN, CHECKPOINT, (entry.digest,), {}, 0.0)
    assert not unnamed(memory)


def saved(memory: Memory, begun: Begun) -> RankEntry:
    """A pack and a recipe that names it, and all packs that may be built upon."""
    token = begun.token
    for name in (f"{token}-0", f"{token}-recipe"):
        memory.put(DOMAIN.pack(name), [b"x"])
    reused = sorted(name for name in begun.usable if "recipe" not in name)
    return RankEntry(
        digest=token * 2,
        recipe=f"{token}-recipe",
        recipe_bytes=1,
        bytes=1,
        new_bytes=1,
        packs=(*reused, f"{token}-0"),
    )


def committed(memory: Memory, checkpoint: CheckpointId) -> RankEntry:
    """What the only rank of this checkpoint stored, and what it built upon."""
    entry = upload(memory, DOMAIN, checkpoint, 0, lambda begun: saved(memory, begun))
    commit(memory, DOMAIN, checkpoint, (entry.digest,), {}, 0.0)
    return entry


def condemn(memory: Memory, *packs: str) -> str:
    """Where the list is."""
    key = f"{DOMAIN.condemned}list"
    memory.put(key, [Condemned(packs=packs).model_dump_json().encode()])
    return key


def test_nothing_condemned_is_built_upon() -> None:
    memory = Memory()
    first = committed(memory, CHECKPOINT)
    assert first.packs[0] in committed(memory, SECOND).packs
    condemn(memory, *first.packs)

    assert first.packs[0] not in committed(memory, THIRD).packs


def test_what_is_condemned_survives_a_crash() -> None:
    memory = Memory()
    upload(memory, DOMAIN, CHECKPOINT, 0, lambda begun: saved(memory, begun))
    abandon(memory, DOMAIN, CHECKPOINT)
    assert list(collect(memory, DOMAIN, 0.0))
    assert not [key for key in memory.volatile if key.startswith(DOMAIN.condemned)]


@pytest.mark.parametrize("content", [b"", b"\xff", b'{"version": 2, "packs": []}'])
def test_a_list_that_cannot_be_read_stops_nobody(content: bytes) -> None:
    memory = Memory()
    first = committed(memory, CHECKPOINT)
    memory.put(condemn(memory), [content])

    second = committed(memory, SECOND)
    assert second.packs == (f"{second.token}-0",)  # anything else may be condemned

    delete(memory, DOMAIN, CHECKPOINT)
    assert {entry.key for entry in collect(memory, DOMAIN, 0.0)} == {
        DOMAIN.pack(name) for name in (first.recipe, *first.packs)
    }
    third = committed(memory, THIRD)
    assert third.packs == (f"{third.token}-0",)
    fourth = committed(memory, CheckpointId("tenant", "job", "fourth"))
    assert fourth.packs == (f"{third.token}-0", f"{fourth.token}-0")


@pytest.mark.parametrize("steps", range(25))
def test_a_list_becomes_unreadable_at_any_moment_of_a_collection(steps: int) -> None:
    memory = Memory()
    key = condemn(memory, *committed(memory, CHECKPOINT).packs)
    slow = Process(memory, lambda blobs: list(collect(blobs, DOMAIN, 0.0)), 0)

    for _ in range(steps):
        slow.step()
    memory.put(key, [b""])
    list(collect(memory, DOMAIN, 0.0))
    entry = upload(memory, DOMAIN, SECOND, 0, lambda begun: saved(memory, begun))
    delete(memory, DOMAIN, CHECKPOINT)
    slow.finish()
    commit(memory, DOMAIN, SECOND, (entry.digest,), {}, 0.0)

    assert slow.failure is None
    assert not dangling(memory)


@pytest.mark.parametrize("steps", range(25))
def test_an_unreadable_list_gives_way_at_any_moment_of_an_upload(steps: int) -> None:
    memory = Memory()
    first = committed(memory, CHECKPOINT)
    memory.put(condemn(memory), [b""])
    slow = Process(memory, upload_and_commit(SECOND, random.Random(1)), 0)

    for _ in range(steps):
        slow.step()
    list(collect(memory, DOMAIN, 0.0))
    slow.finish()

    assert slow.failure is None
    manifest = catalog.read_manifest(memory, DOMAIN, SECOND)
    assert manifest
    assert not manifest.stored & set(first.packs)
