"""The figures of the benchmark, for people."""

from collections.abc import Mapping

_COLUMNS = ("store", "next_store", "restore")
_SIZES = ("first", "second", "replicas")


def table(found: Mapping[str, float], world: int) -> str:
    """One line for each contender, then what was measured of our store alone."""
    head = [f"{what} s" for what in ("store", "next", "restore")]
    head += [f"{what} MB" for what in ("first", "second", f"{world} ranks")]
    lines = [f"{'':<12}" + "".join(f"{text:>12}" for text in head)]
    for name in ("cp", "ergosphere", "restic", "borg"):
        prefix = "" if name == "ergosphere" else f"{name}_"
        cells = [f"{found[f'{prefix}{what}_s']:>12.2f}" for what in _COLUMNS]
        cells += [f"{found[f'{prefix}{what}_mb']:>12.1f}" for what in _SIZES if f"{prefix}{what}_mb" in found]
        lines.append(f"{name:<12}" + "".join(cells))
    lines.append(f"times as multiples of cp's: {_ratios(found)}")
    lines.append(f"pages kept over distinct pages: {found['stored_vs_floor']:.4f}")
    lines.append(
        f"memory for {found['large_gib']:.1f} GiB: {found['save_peak_mib']:.0f} MiB to store, "
        f"{found['fetch_peak_mib']:.0f} MiB to restore"
    )
    return "\n".join(lines)


def _ratios(found: Mapping[str, float]) -> str:
    return ", ".join(f"{what} {found[f'{what}_vs_cp']:.2f}" for what in _COLUMNS)
