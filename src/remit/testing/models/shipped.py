"""The scripts that are there from the start: a greeting, the release job of the example, and everything in `rogue`."""

import shlex

from remit.testing.models.rogue import ROGUE
from remit.testing.models.script import Edit, Final, Read, Script, Shell, Text

_ABOVE = "## [v2.3.0] - 2026-02-16\n"
_SECTION = """\
## [v2.4.0] - 2026-03-18

### Added

- Give up on a service after five seconds.
- List services by name.

### Fixed

- Count a redirect as an answer.

### Documentation

- Call the page by its title.
- Name what is really configured.
- Say who is called at night.

"""
_REQUIRES = "One file, `services.json`, next to the program. See [the requirements]({}#requirements) first.\n"
_LIMIT = "Green is up, red is down. A service that did not answer within [its limit](configuration.md#{}) is red too.\n"
_LEFT = """\
import subprocess, sys
left = subprocess.run([sys.executable, "tools/check_links.py", "docs"], capture_output=True, text=True)
if left.returncode:
    fence = chr(96) * 3
    open("broken-links.md", "w").write(f"# Broken links\\n\\n{fence}\\n{left.stdout}{fence}\\n")
    subprocess.run(["git", "add", "--", "broken-links.md"], check=True)
    words = ["git", "commit", "--quiet", "-m", "docs: list the links that cannot be mended", "--", "broken-links.md"]
    subprocess.run(words, check=True)
"""  # neither back quotes nor `$(`, which some runtimes take for something to be refused


def _commit(subject: str, path: str) -> Shell:
    return Shell(command=f'git add -- {path} && git commit --quiet -m "{subject}" -- {path}')


HELLO = Script(name="hello", steps=(Final(text="Hello. There is nothing to do."),))
RELEASE = Script(
    name="release",
    steps=(
        Text(text="I read what there is first."),
        Shell(command="git log --reverse --format=%s v2.3.0.. && python3 tools/check_links.py docs; true"),
        Read(path="CHANGELOG.md"),
        Edit(path="CHANGELOG.md", old=_ABOVE, new=_SECTION + _ABOVE),
        _commit("docs: write the changelog of v2.4.0", "CHANGELOG.md"),
        Read(path="docs/configuration.md"),
        Edit(path="docs/configuration.md", old=_REQUIRES.format("install.md"), new=_REQUIRES.format("installation.md")),
        _commit("docs: mend the link to installation.md#requirements in configuration.md", "docs/configuration.md"),
        Read(path="docs/reading.md"),
        Edit(path="docs/reading.md", old=_LIMIT.format("time-limits"), new=_LIMIT.format("timeouts-and-limits")),
        _commit("docs: mend the link to configuration.md#timeouts-and-limits in reading.md", "docs/reading.md"),
        Shell(command=shlex.join(["python3", "-c", _LEFT])),
        Final(text="The release is prepared and ready for review; nothing was pushed."),
    ),
)

SHIPPED: dict[str, Script] = {script.name: script for script in (HELLO, RELEASE, *ROGUE)}
