"""Is it there and does it answer: cheap questions to each process, with a limit."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

Check = Callable[[], Awaitable[bool]]
# Whoever takes longer is not well (s).
PATIENCE_S = 2.0


async def _answer(host: str, port: int, question: bytes, enough: Callable[[bytes], bool]) -> bool:
    """Connect, send `question`, read; return whether what came is enough."""
    writer = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(question)
            await writer.drain()
            return enough(await reader.read(4096))
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def banner(host: str, port: int, expected: bytes) -> Check:
    """A server that greets with `expected`."""
    return lambda: _answer(host, port, b"", lambda data: data.startswith(expected))


def agi(host: str, port: int) -> Check:
    """The FastAGI server: an empty AGI environment is closed at once."""
    return lambda: _answer(host, port, b"\n", lambda data: data == b"")


def http(host: str, port: int, path: str) -> Check:
    """A web server that answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    return lambda: _answer(host, port, request, lambda data: data.split(b" ", 2)[1:2] == [b"200"])


def redis_socket(path: Path) -> Check:
    """The embedded Redis: PING on its socket."""

    async def check() -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(str(path))
                try:
                    writer.write(b"PING\r\n")
                    return (await reader.readline()).startswith(b"+PONG")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    return check


def fresh(path: str, within_s: float) -> Check:
    """A process that touches `path` while it is at work; longer than `within_s` without a touch, and it hangs."""

    async def check() -> bool:
        try:
            return time.time() - Path(path).stat().st_mtime < within_s
        except OSError:
            return False

    return check
