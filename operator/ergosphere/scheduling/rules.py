"""The planner's constants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """How eager the planner is. Times are seconds, shares are fractions of 1."""

    min_run_s: float = 600.0
    """A job that was just placed is not moved again before, unless a higher tier's promise needs its GPUs."""
    lead_s: float = 30.0
    """A promise is acted upon this long, and the job's own restore time, before it would break."""
    same_tier_surplus: float = 0.05
    """A job yields to one of its own tier only with more than this above its promise: both keep it."""
    turn_factor: float = 2.0
    """A job without a promise yields to another one only if it is expected to occupy this many times the
    GPU time."""
    look_s: float = 60.0
    """How often room is looked for again for a job whose promise could not be kept."""
    fresh_s: float = 600.0
    """Run time that a job is expected to need at least, however short it has run."""
    moves: int = 16
    """At most this many jobs are moved together to make room for one gang."""
    searches: int = 16
    """At most so many gangs are defragmented for in one cycle."""
    patience_s: float = 300.0
    """A waiting gang is expected to wait at least this long if nothing is moved for it."""
