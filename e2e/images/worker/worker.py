"""A stand-in for a training program: it holds all that a move must carry, and notices what is missing.

Each step goes through a child process over pipes, changes its memory, adds a line to a file in the
container's writable layer, and prints a loss that depends on every step before it. At the end it checks
what it holds and prints `intact`, or says what is wrong and exits with status 70.
"""

import argparse
import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

_CHILD = """
import hashlib, sys
for line in sys.stdin:
    print(hashlib.sha256(line.strip().encode()).hexdigest(), flush=True)
"""
_CREDENTIALS = ("Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")


def credentials() -> str:
    """The program's own identity and capabilities, as the kernel tells them."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return " ".join(f"{name}={status[name].split()[0]}" for name in _CREDENTIALS)


class Worker:
    """The program's state: memory, a child, a thread, an open file, its directory and environment."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.memory = bytearray(os.urandom(1 << 20) * options.state_mib)
        self.digest = hashlib.sha256(self.memory).hexdigest()
        self.chain = "0" * 64
        self.file = Path("losses.txt").open("w+")  # noqa: SIM115 - it stays open on purpose
        self.surroundings = (Path.cwd(), dict(os.environ), os.getpid())
        self.ticks = 0
        self.child = subprocess.Popen(
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self.tick, daemon=True).start()

    def tick(self) -> None:
        """Count in a thread of its own."""
        while True:
            self.ticks += 1
            time.sleep(0.05)

    def step(self, number: int) -> None:
        """One step; the loss is a function of all steps so far."""
        self.child.stdin.write(f"{self.chain}{number}\n")
        self.child.stdin.flush()
        self.chain = self.child.stdout.readline().strip()
        loss = int(self.chain[:13], 16) / 2**52
        bits = struct.pack(">d", loss).hex()
        self.file.write(f"{bits}\n")
        self.file.flush()
        print(f"step={number} loss={loss:.9f} bits={bits}", flush=True)

    def faults(self) -> list[str]:
        """What is not as it should be."""
        self.file.seek(0)
        before = self.ticks
        time.sleep(0.2)
        checks = {
            "the file lost lines": len(self.file.readlines()) == self.options.steps,
            "the memory changed": hashlib.sha256(self.memory).hexdigest() == self.digest,
            "the thread stands still": self.ticks > before,
            "the child is gone": self.child.poll() is None,
            "the surroundings changed": self.surroundings == (Path.cwd(), dict(os.environ), os.getpid()),
        }
        return [fault for fault, fine in checks.items() if not fine]


def main() -> int:
    """Run the steps asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds a step")
    parser.add_argument("--state-mib", type=int, default=4)
    parser.add_argument("--exit-code", type=int, default=0, help="status at the end")
    parser.add_argument("--undumpable", action="store_true", help="hold a socket that CRIU cannot dump")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (print("SIGTERM", flush=True), os._exit(143)))
    held = [socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)] if options.undumpable else []
    worker = Worker(options)
    for number in range(options.steps):
        if number % 10 == 0:
            print(credentials(), flush=True)
        worker.step(number)
        time.sleep(options.pace)
    faults = worker.faults()
    print(", ".join(faults) or "intact", f"sockets={len(held)}", flush=True)
    return 70 if faults else options.exit_code


if __name__ == "__main__":
    sys.exit(main())
