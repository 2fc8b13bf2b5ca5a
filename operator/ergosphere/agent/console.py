"""Running the tools that shape the network."""

import asyncio

from ergosphere.agent.errors import NetworkFailed


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
    output, errors = await process.communicate(feed.encode())
    if process.returncode:
        raise NetworkFailed(f"{' '.join(command)}: {errors.decode(errors='replace').strip()[-500:]}")
    return output
