"""A launcher without a program."""

import asyncio
import json
from pathlib import Path


class FakeLauncher:
    """Keeps the launcher's word, and can be held or made to refuse as the real one cannot."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state, self.cut = "Waiting", ""
        self.heard: list[dict] = []
        self.refuse: dict[str, tuple[str, str]] = {}
        self.hold: set[str] = set()
        self._news = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "FakeLauncher":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()

    def event(self, **fields: object) -> None:
        self._writer.write(json.dumps(fields).encode() + b"\n")

    def ops(self) -> list[str]:
        return [line["op"] for line in self.heard if line["op"] != "status"]

    async def asked(self, op: str, times: int = 1) -> None:
        """Return once `op` was asked for so often."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: sum(line["op"] == op for line in self.heard) >= times)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._writers.append(writer)
        while raw := await reader.readline():
            line = json.loads(raw)
            async with self._news:
                self.heard.append(line)
                self._news.notify_all()
            if line["op"] in self.hold:
                continue
            reply = {"id": line["id"], **self._answer(line)}
            writer.write(json.dumps(reply).encode() + b"\n")

    def _answer(self, line: dict) -> dict:
        if refusal := self.refuse.get(line["op"]):
            return {"ok": False, "reason": refusal[0], "message": refusal[1]}
        return {"ok": True, **(getattr(self, line["op"])(line) or {})}

    def status(self, _: dict) -> dict:
        return {"state": self.state, "pid": 7, "cut": self.cut}

    def start(self, _: dict) -> None:
        self.state = "Running"

    def prepare(self, line: dict) -> None:
        assert line["cut"] in line["dir"]

    def freeze(self, line: dict) -> dict:
        self.state, self.cut = "Frozen", line["cut"]
        return {"freezeMs": 1.0}

    def dump(self, line: dict) -> dict:
        directory = self._directory(line)
        directory.mkdir(parents=True)
        (directory / "pages-1.img").write_bytes(bytes(range(256)) * 256)
        self.state, self.cut = "Frozen", line["cut"]
        return {"freezeMs": 1.0, "dumpMs": 2.0, "filesMs": 3.0, "bytes": 65536}

    def _directory(self, line: dict) -> Path:
        """The directory that a request names as the launcher's container has it."""
        return self.path.parent / Path(line["dir"]).relative_to("/ergosphere/run")

    def renew(self, _: dict) -> None:
        pass

    def thaw(self, _: dict) -> None:
        self.state, self.cut = "Running", ""

    def leave(self, _: dict) -> None:
        self.state = "Exited"

    def restore(self, line: dict) -> dict:
        assert (self._directory(line) / "pages-1.img").read_bytes() == bytes(range(256)) * 256
        self.state = "Restored"
        return {"filesMs": 1.0, "restoreMs": 2.0}
