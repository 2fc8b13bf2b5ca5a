"""Running the tools that shape the network."""

import asyncio

from ergosphere.agent.errors import NetworkFailed

# A tool that never ended would keep a network locked, and whatever is to be done after it undone.
_SLOWEST_SECONDS = 60.0


async def run(*command: str, feed: str = "") -> bytes:
    """What the command writes to stdout, given `feed` on stdin. Raises NetworkFailed with its last words."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise NetworkFailed(f"{command[0]} cannot be run: {error}") from error
    try:
        async with asyncio.timeout(_SLOWEST_SECONDS):
            output, errors = await process.communicate(feed.encode())
    except TimeoutError:
        raise NetworkFailed(f"{' '.join(command)} did not end within {_SLOWEST_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise NetworkFailed(f"{' '.join(command)}: {errors.decode(errors='replace').strip()[-500:]}")
    return output
