"""The node as a process sees it: what must be the same, or better, wherever the process is restored.

Source for the feature names: Linux arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c.
"""

import hashlib
import platform
import re
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ergosphere.api.agent import Failure, Platform

# Features that a program in user space can have chosen its code by. The rest of /proc/cpuinfo (power
# management, virtualisation, mitigations) differs between microcodes and means nothing to a restored process.
_X86_USER_FEATURES = re.compile(
    r"(fpu|tsc|cx8|cx16|cmov|mmx|mmxext|fxsr|sse\w*|pni|ssse3|misalignsse|3dnow\w*|pclmulqdq|vpclmulqdq|fma|fma4|xop"
    r"|movbe|popcnt|aes|vaes|avx\w*|amx_\w*|f16c|rdrand|rdseed|lahf_lm|abm|lzcnt|fsgsbase|bmi[12]|tbm|erms|fsrm|adx"
    r"|sha_ni|sha512|sm[34]|gfni|xsave\w*|xgetbv1|clflush\w*|clwb|clzero|cldemote|rdtscp|rdpid|movdiri|movdir64b"
    r"|serialize|waitpkg|pku|ospke|rtm|hle|mwaitx|lwp|syscall|lm)"
)
_KUBERNETES_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


class NodePlatform(BaseModel):
    """A node's processor and kernel, as stored beside every image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    kernel: str
    cpu_flags: frozenset[str]

    @classmethod
    def here(cls, cpuinfo: Path = Path("/proc/cpuinfo")) -> "NodePlatform":
        """Describe this node. Raises OSError when /proc is not readable."""
        flags = user_features(cpuinfo.read_text(encoding="ascii", errors="replace"))
        machine = platform.machine()
        return cls(
            architecture=_KUBERNETES_NAMES.get(machine, machine), kernel=platform.release(), cpu_flags=flags
        )

    @cached_property
    def reported(self) -> Platform:
        """The digest of this platform that the operator compares."""
        text = " ".join(sorted(self.cpu_flags))
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Platform(architecture=self.architecture, kernel=self.kernel, cpu_flags=digest)


def user_features(cpuinfo: str) -> frozenset[str]:
    """The features, common to all processors of the text, that matter in user space."""
    lines = re.findall(r"^(flags|Features)\s*: *(.*)$", cpuinfo, re.MULTILINE)
    sets = [_features(key, value.split()) for key, value in lines]
    return frozenset.intersection(*sets) if sets else frozenset()


def _features(key: str, names: list[str]) -> frozenset[str]:
    if key == "Features":
        return frozenset(names)
    return frozenset(name for name in names if _X86_USER_FEATURES.fullmatch(name))


def incompatibility(there: NodePlatform, here: NodePlatform) -> Failure | None:
    """Why a process cut `there` cannot be restored `here`, or None."""
    if there.architecture != here.architecture:
        return _incompatible(f"it was cut on {there.architecture}, this node is {here.architecture}")
    if missing := sorted(there.cpu_flags - here.cpu_flags):
        return _incompatible(f"this node's processor lacks {', '.join(missing)}")
    if _kernel_version(there.kernel) > _kernel_version(here.kernel):
        return _incompatible(f"it was cut under Linux {there.kernel}, this node runs the older {here.kernel}")
    return None


def _incompatible(why: str) -> Failure:
    return Failure(
        reason="IncompatibleNode", message=f"The checkpoint cannot be restored here: {why}."[:2048]
    )


def _kernel_version(release: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)", release)
    return tuple(int(number) for number in match.groups()) if match else (0, 0)
