import json
import logging

from ergosphere.agent.logs import JsonFormatter


def line(message: str, **extra: object) -> dict:
    record = logging.LogRecord("agent", logging.WARNING, __file__, 1, message, None, None)
    record.__dict__.update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_record_is_one_line_with_its_fields():
    found = line("cut\nin two", fields={"cut": "c1", "bytes": 7})
    assert {key: found[key] for key in ("level", "logger", "message", "cut", "bytes")} == {
        "level": "warning",
        "logger": "agent",
        "message": "cut\nin two",
        "cut": "c1",
        "bytes": 7,
    }


def test_an_exception_is_part_of_its_line():
    try:
        raise ValueError("broken")
    except ValueError as error:
        found = line("bug", exc_info=(type(error), error, error.__traceback__))
    assert "ValueError: broken" in found["exception"]
