"""Log lines as JSON objects on stderr, one a line."""

import json
import logging
import sys
import time

from ergosphere.agent.inputs import Commanded, Failed, Input, Succeeded
from ergosphere.agent.state import State


class JsonFormatter(logging.Formatter):
    """A record as a JSON object: time (UTC), level, logger, message, and `extra={"fields": {…}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure() -> None:
    """Send every record of level INFO and above to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def log_step(log: logging.Logger, before: State, received: Input, after: State) -> None:
    """Log what was heard, if it is a failure or if the report changed."""
    if isinstance(received, Failed) and not received.lost:
        fields = {"work": repr(received.work), **received.failure.model_dump()}
        log.warning("work failed", extra={"fields": fields})
    if after.version == before.version:
        return
    report = after.report()
    cut = report.cut.model_dump(include={"cut", "step", "released"}) if report.cut else {}
    log.info(_name(received), extra={"fields": {"phase": report.phase, **cut}})


def _name(received: Input) -> str:
    match received:
        case Commanded(command):
            return f"told {command.kind}"
        case Succeeded(work) | Failed(work):
            return f"{type(work).__name__} {type(received).__name__.lower()}"
    return type(received).__name__
