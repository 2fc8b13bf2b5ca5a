"""Policies in pictures: who waits how long, and what they cost."""

import base64
import html
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ergosphere.simulation.result import Result
from ergosphere.simulation.table import cells, columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".html", ".png")


def check(path: Path) -> None:
    """Raises `ValueError` when the picture could not be written in the end."""
    if path.suffix not in FORMATS:
        raise ValueError(f"{path}: the picture must be one of {', '.join(FORMATS)}")
    # Of pathlib's questions some raise OSError, such as for a name that is too long.
    if not os.path.isdir(path.parent):
        raise ValueError(f"{path}: there is no folder {path.parent}")
    if os.path.isdir(path):
        raise ValueError(f"{path}: it is a folder")
    if not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
        raise ValueError(f"{path}: it cannot be written")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ValueError("pictures need matplotlib: install ergosphere[plots]") from None


def write(path: Path, title: str, results: Sequence[Result], times: Sequence[Sequence[float]]) -> None:
    """Draw the results; `times` holds the ascending job completion times of each. Raises `OSError`."""
    figure = _figure(title, results, times)
    if path.suffix == ".png":
        figure.savefig(path, dpi=120)
    else:
        path.write_text(_page(title, figure, results), encoding="utf-8")


def _figure(title: str, results: Sequence[Result], times: Sequence[Sequence[float]]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    figure.suptitle(title)
    ((spread, mean), (promises, moves)) = figure.subplots(2, 2)
    _distribution(spread, results, times)
    _bars(mean, "average JCT (hours)", results, [r.avg_jct_s / 3600 for r in results])
    _promises(promises, results)
    _bars(moves, "GPU-hours lost to moving", results, [r.gpu_hours_moving for r in results])
    return figure


def _distribution(axes: "Axes", results: Sequence[Result], times: Sequence[Sequence[float]]) -> None:
    for result, ascending in zip(results, times, strict=True):
        hours = [max(time, 1.0) / 3600 for time in ascending]
        axes.step(hours, [(i + 1) / len(hours) for i in range(len(hours))], label=result.policy)
    axes.set(xscale="log", xlabel="JCT (hours)", ylabel="share of jobs", title="jobs done within")
    axes.legend()


def _bars(axes: "Axes", title: str, results: Sequence[Result], heights: Sequence[float]) -> None:
    bars = axes.bar([r.policy for r in results], heights)
    axes.bar_label(bars, fmt="%.3g")
    axes.set(title=title)


def _promises(axes: "Axes", results: Sequence[Result]) -> None:
    tiers = list(results[0].promises_kept)
    width = 0.8 / len(tiers)
    for index, tier in enumerate(tiers):
        places = [i + index * width for i in range(len(results))]
        axes.bar(places, [r.promises_kept[tier] for r in results], width, label=tier)
    axes.set_xticks([i + 0.4 - width / 2 for i in range(len(results))], [r.policy for r in results])
    axes.set(title="share of job-hours that got what was promised", ylim=(0, 1.05))
    axes.legend(loc="lower right")


def _page(title: str, figure: "Figure", results: Sequence[Result]) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="svg")
    encoded = base64.b64encode(picture.getvalue()).decode()
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns(results))
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(result)) + "</tr>"
        for result in results
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title>"
        "<style>body{font-family:sans-serif}td,th{padding:.2em .6em;text-align:right}</style>"
        f'<h1>{html.escape(title)}</h1><img src="data:image/svg+xml;base64,{encoded}" alt="">'
        f"<table><tr>{head}</tr>{rows}</table>\n"
    )
