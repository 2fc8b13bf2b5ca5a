"""Images of a running trainer: all ranks stopped at the same moment, dumped with CRIU, and let go on."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

TRAINER = Path(__file__).with_name("trainer.py")
_STEPS = 5


class Trainer:
    """`world` ranks of the trainer on this machine, each with fixed addresses as the launcher starts them."""

    def __init__(self, world: int, logs: Path) -> None:
        self._logs = [logs / f"rank-{rank}.log" for rank in range(world)]
        self._ranks = [self._start(rank, world) for rank in range(world)]

    def wait_for_steps(self, more: int) -> None:
        """Wait until every rank has done so many further steps."""
        wanted = [self._steps(rank) + more for rank in range(len(self._ranks))]
        while any(self._steps(rank) < steps for rank, steps in enumerate(wanted)):
            for process, log in zip(self._ranks, self._logs, strict=True):
                if process.poll() is not None:
                    raise SystemExit(f"the trainer ended:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)

    def dump(self, criu: str, targets: Sequence[Path]) -> None:
        """Write each rank's images into its target."""
        self._signal(signal.SIGSTOP)
        for process, target in zip(self._ranks, targets, strict=True):
            _dump(criu, process.pid, target)
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Kill all ranks."""
        self._signal(signal.SIGKILL)
        for process in self._ranks:
            process.wait()

    def _start(self, rank: int, world: int) -> "subprocess.Popen[bytes]":
        environment = {
            "PATH": os.environ["PATH"],
            "RANK": str(rank),
            "WORLD_SIZE": str(world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": "29400",
            "GLOO_SOCKET_IFNAME": "lo",
            "USE_LIBUV": "0",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
        }
        with self._logs[rank].open("wb") as log:
            return subprocess.Popen(
                ["setarch", "-R", "/usr/bin/python3", str(TRAINER)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _steps(self, rank: int) -> int:
        return self._logs[rank].read_text().count("step ")

    def _signal(self, number: signal.Signals) -> None:
        for process in self._ranks:
            process.send_signal(number)


def make_images(criu: str, world: int, root: Path) -> None:
    """Two cuts of one run below `root`, as `cut-1/rank-0` and so on."""
    root.mkdir(parents=True)
    trainer = Trainer(world, root)
    try:
        for cut in (1, 2):
            trainer.wait_for_steps(_STEPS)
            trainer.dump(criu, [root / f"cut-{cut}" / f"rank-{rank}" for rank in range(world)])
    finally:
        trainer.end()


def make_large_image(criu: str, gibibytes: int, target: Path) -> None:
    """The image of one process that holds so many GiB of random bytes."""
    code = (
        f"import os, time; held = [os.urandom(1 << 26) for _ in range({gibibytes * 16})]; "
        "print(flush=True); time.sleep(1 << 20)"
    )
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        if process.stdout:
            process.stdout.readline()
        _dump(criu, process.pid, target)
    finally:
        process.kill()
        process.wait()


def _dump(criu: str, pid: int, target: Path) -> None:
    target.mkdir(parents=True)
    command = [criu, "dump", "-t", str(pid), "-D", str(target), "-o", "dump.log", "--leave-running"]
    options = [
        "--tcp-established",
        "--network-lock",
        "skip",
        "--manage-cgroups=ignore",
        "--ghost-limit",
        "1G",
    ]
    if subprocess.run([*command, *options], check=False).returncode:
        raise SystemExit(f"CRIU failed:\n{(target / 'dump.log').read_text()[-2000:]}")
