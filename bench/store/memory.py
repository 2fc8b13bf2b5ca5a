"""Store or restore one directory in this process, and print how much memory that took at most, in MiB."""

import asyncio
import resource
import sys
from pathlib import Path

from ergosphere.checkpoints import Store

NAME = "bench/large/one"


async def main(what: str, images: Path, work: Path) -> None:
    """Do one of both below `work`."""
    store = Store.open(f"file://{work / 'kept'}")
    if what == "save":
        saved = await store.save(images, NAME, 0)
        await store.commit(NAME, [saved.digest], {})
    else:
        await store.fetch(NAME, 0, work / "back")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
