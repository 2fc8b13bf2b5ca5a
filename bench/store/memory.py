"""Store or restore one directory in this process as an agent does; print the most memory it took, in MiB."""

import asyncio
import importlib
import sys
from pathlib import Path

from ergosphere.checkpoints import Store

NAME = "bench/large/one"


async def main(what: str, images: Path, work: Path) -> None:
    """Do one of both below `work`. What else an agent has loaded is loaded too."""
    for module in ("ergosphere.agent.sidecar", "ergosphere.agent.server"):
        importlib.import_module(module)
    store = Store.open(f"file://{work / 'kept'}")
    if what == "save":
        # As one of two ranks: alone, a rank need not read its images twice and announce them.
        saved = await store.save(images, NAME, 0, world=2)
        other = work / "empty"
        other.mkdir()
        await store.commit(NAME, [saved.digest, (await store.save(other, NAME, 1, world=2)).digest], {})
    else:
        await store.fetch(NAME, 0, work / "back")
    print(_peak_kib() / 1024)


def _peak_kib() -> int:
    """This program's own peak; `getrusage` would count what the process was before it became this program."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
