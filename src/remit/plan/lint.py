"""SKILL.md by the letter of the Agent Skills specification, and by what its reference validator refuses."""

import re
import unicodedata
from typing import Any

import yaml

from remit.plan.front import read_front
from remit.plan.loading.skill_file import KEYS, MOST_DESCRIPTION, MOST_LINES
from remit.plan.loading.taking import text
from remit.plan.skill import Noted, Severity

MOST_NAME = 64
MOST_COMPATIBILITY = 500
MOST_TOKENS = 5000
_LETTERS_A_TOKEN = 4
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def lint(content: str, *, file: str, folder: str) -> tuple[Noted, ...]:
    """Everything that keeps a skill from being valid (`error`), and what the specification advises against (`warning`).

    `folder` is the path of its directory, whose last part its name must be. Never raises.
    """
    checking = _Checking(file)
    keys, body, noted = read_front(content, file=file)
    # What a lenient reader forgives, a validator does not.
    checking.found += [_as_error(each) for each in noted]
    if any(each.code == "FRONT-MISSING" for each in noted):
        return tuple(checking.found)
    checking.strict_yaml(content)
    checking.name(keys.get("name"), "name" in keys, folder.rstrip("/").rpartition("/")[2])
    checking.description(keys.get("description"), "description" in keys)
    checking.others(keys)
    checking.size(content, body)
    return tuple(checking.found)


def _as_error(noted: Noted) -> Noted:
    severity: Severity = "warning" if noted.code == "HIDDEN-CHARACTER" else "error"
    return Noted(code=noted.code, severity=severity, file=noted.file, message=noted.message, hint=noted.hint, line=noted.line)


class _Checking:
    """One file, and what was found in it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Noted] = []

    def say(self, code: str, message: str, hint: str = "", *, severity: Severity = "error", line: int = 1) -> None:
        self.found.append(Noted(code=code, severity=severity, file=self.file, message=message, hint=hint, line=line))

    def strict_yaml(self, content: str) -> None:
        """References, tags and `[a, b]` or `{a: b}` lists: YAML, but refused by the reference validator."""
        lines = re.split(r"\r\n|\r|\n", content.removeprefix("\ufeff"))
        end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), len(lines))
        depth = 0
        try:
            for event in yaml.parse("\n".join(lines[1:end]), Loader=_LOADER):
                line = event.start_mark.line + 2 if event.start_mark else 1
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                    self.say("REFERENCE", "references are not allowed here", "write the value out", line=line)
                elif getattr(event, "tag", None) is not None:
                    self.say("TAG", "tags are not allowed here", "leave it out", line=line)
                elif getattr(event, "flow_style", False):
                    self.say("FLOW", "lists and mappings in brackets are not allowed here", "one item a line", line=line)
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > 10 or len(self.found) > 50:
                    return
        except (yaml.YAMLError, ValueError, RecursionError):
            return  # the lenient reading has said so

    def name(self, value: Any, given: bool, directory: str) -> None:
        """1 to 64 lower-case letters, digits and single hyphens, and the directory is called so too."""
        name = unicodedata.normalize("NFKC", text(value))
        if not name or isinstance(value, dict | list):
            self.say("NAME-MISSING", "the name is empty" if given else "there is no `name`", f"write `name: {directory}`")
            return
        if len(name) > MOST_NAME:
            self.say("NAME-LONG", f"the name has {len(name)} characters; {MOST_NAME} is the most")
        if name != name.lower():
            self.say("NAME-CASE", f"`{name[:80]}` has capitals", f"write `{name.lower()[:80]}`")
        if name.startswith("-") or name.endswith("-") or "--" in name:
            self.say("NAME-HYPHEN", f"`{name[:80]}`: a hyphen stands between two words, and alone")
        if not all(letter.isalnum() or letter == "-" for letter in name):
            self.say("NAME-FORM", f"`{name[:80]}` has other characters than letters, digits and hyphens")
        if directory and name != unicodedata.normalize("NFKC", directory):
            self.say("NAME-DIFFERS", f"the name is `{name[:80]}`, the directory `{directory[:80]}`", "they are to be the same")

    def description(self, value: Any, given: bool) -> None:
        """1 to 1024 characters."""
        said = value if isinstance(value, str) else text(value)
        if not said.strip():
            self.say(
                "DESCRIPTION-MISSING", "the description is empty" if given else "there is no `description`", "say what, and when"
            )
        elif len(said) > MOST_DESCRIPTION:
            self.say("DESCRIPTION-LONG", f"the description has {len(said)} characters; {MOST_DESCRIPTION} is the most")

    def others(self, keys: dict[str, Any]) -> None:
        """The optional keys, and those that are none."""
        for key in keys:
            if key not in KEYS:
                self.say("EXTRA-KEY", f"`{key[:60]}` is not a key of the specification", "put it below `metadata:`")
        for key in ("license", "compatibility", "allowed-tools"):
            if key in keys and not (isinstance(keys[key], str) and keys[key].strip()):
                self.say("NOT-A-TEXT", f"`{key}` is to be one text", "write words with blanks between")
        compatibility = text(keys.get("compatibility"))
        if len(compatibility) > MOST_COMPATIBILITY:
            self.say("COMPATIBILITY-LONG", f"{len(compatibility)} characters; {MOST_COMPATIBILITY} is the most")
        metadata = keys.get("metadata", {})
        if not isinstance(metadata, dict) or any(isinstance(value, dict | list) for value in metadata.values()):
            self.say("METADATA", "`metadata` is to be keys with one text each")

    def size(self, content: str, body: str) -> None:
        """What is loaded whole is to stay short; more goes to `references/`."""
        lines = len(content.splitlines())
        if lines > MOST_LINES:
            self.say("BODY-LONG", f"{lines} lines; {MOST_LINES} is advised", "move details to `references/`", severity="warning")
        tokens = len(body) // _LETTERS_A_TOKEN
        if tokens > MOST_TOKENS:
            self.say("BODY-TOKENS", f"about {tokens} tokens; below {MOST_TOKENS} is advised", severity="warning")
        if not body.strip():
            self.say("BODY-EMPTY", "there is nothing below the front matter", severity="warning")
