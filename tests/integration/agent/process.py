"""The agent as a process of its own."""

import asyncio
import os
import sys
from pathlib import Path

_MAIN = """
import os
import sys
from pathlib import Path
from ergosphere.agent.__main__ import main
sys.exit(main([], Path(sys.argv[1])))
"""


class Agent:
    """One agent's process, killed and started at will. `beside` is a process whose network it shares."""

    def __init__(self, root: Path, address: str, beside: int | None = None, **environment: str) -> None:
        self.root, self.address = root, address
        self.base = f"https://{address}:7600"
        self.log = root / "agent.log"
        # Held open: the agent outlives that process.
        self._network = os.open(f"/proc/{beside}/ns/net", os.O_RDONLY) if beside else None
        self._enter = ["nsenter", f"--net=/proc/self/fd/{self._network}", "--"] if beside else []
        self._environment = {
            "PATH": os.environ["PATH"],
            "ERGO_JOB": "ns/job",
            "ERGO_JOB_UID": "u-1",
            "ERGO_RANK": "0",
            "ERGO_WORLD": "1",
            "ERGO_INCARNATION": "1",
            "ERGO_POD_IP": address,
            **environment,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> "Agent":
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._enter, sys.executable, "-c", _MAIN, str(self.root)),
                env=self._environment,
                stderr=log,
                pass_fds=() if self._network is None else (self._network,),
            )
        return self

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Kill the process if it is there; pytest shows what it said when the test has failed."""
        if self.alive:
            await self.kill()
        if self._network is not None:
            os.close(self._network)
        print(self.base, self.log.read_text(), sep="\n")

    async def terminate(self) -> int:
        self._process.terminate()
        return await self._process.wait()

    async def ended(self) -> int:
        """The exit status, once there is one."""
        return await self._process.wait()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None
