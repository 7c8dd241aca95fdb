"""`python -m remit.testing.models`: a scripted model server by itself, until it is ended."""

import argparse
from pathlib import Path

import anyio
import msgspec

from remit.testing.models.script import Script, Usage, scripts_of
from remit.testing.models.serving import serving


async def _run(given: argparse.Namespace, scripts: tuple[Script, ...]) -> None:
    usage = Usage(input=given.input, output=given.output, cached=given.cached)
    async with serving(scripts, fallback=given.fallback, usage=usage, port=given.port, unix=given.unix) as server:
        print(msgspec.json.encode({"url": server.url, "scripts": sorted(server.scripts)}).decode(), flush=True)  # noqa: T201 - whoever started it reads the address here
        await anyio.sleep_forever()


def main() -> None:
    """Start, print one JSON line with the address, and serve."""
    said = argparse.ArgumentParser(prog="python -m remit.testing.models", description="A scripted model server on loopback.")
    said.add_argument("--port", type=int, default=0, help="0 takes a free one (the default)")
    said.add_argument("--unix", type=Path, help="listen on this unix socket instead")
    said.add_argument("--scripts", type=Path, action="append", default=[], metavar="FILE", help="more scripts, as JSON")
    said.add_argument("--fallback", default="hello", metavar="NAME", help="the script of prompts that name none (hello)")
    said.add_argument("--input", type=int, default=1000, help="tokens read by each call (1000)")
    said.add_argument("--output", type=int, default=200, help="tokens written by each call (200)")
    said.add_argument("--cached", type=int, default=0, help="tokens of the input that came from a cache (0)")
    given = said.parse_args()
    try:
        scripts = tuple(script for path in given.scripts for script in scripts_of(path.read_bytes()))
    except (OSError, msgspec.DecodeError) as error:
        said.error(str(error))
    try:
        anyio.run(_run, given, scripts)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
