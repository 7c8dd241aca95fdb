"""What the YAML scanner stumbled over, in words a person can act on."""

import re

from remit.value import Value


class Complaint(Value, frozen=True, kw_only=True):
    """A code, what is wrong, what to do."""

    code: str
    message: str
    hint: str = ""


_STARRED = re.compile(r"(?:(?<=: )|(?<=- )|(?<=\[)|(?<=, )) *(\*)")
_SECOND_COLON = re.compile(r"^\s*(?:- +)*[^:#'\"]+: +[^'\"\[{#]*:(?: |$)")
_STARTERS = {"`": "a back-quote", "@": "`@`", "%": "`%`", "\t": "a tab"}


def starred(line: str) -> list[int]:
    """Columns (from 0) where something begins with `*` and has no quotes around it."""
    bare = re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", lambda quoted: "q" * len(quoted.group()), line)
    bare = bare.split(" #")[0]
    return [hit.start(1) for hit in _STARRED.finditer(bare)]


def complaint_about(problem: str, context: str, line: str, column: int) -> Complaint:
    """The scanner's problem as a complaint. `line` is the source line, `column` counts from 0."""
    if "alias" in context:
        return _quotes("what begins with `*` needs quotes, else YAML takes it for a reference", 'write `"**"` or `"*.md"`')
    if "anchor" in context:
        return _quotes("what begins with `&` needs quotes, else YAML takes it for an anchor", 'write `"&…"`')
    if "tag" in context:
        return _quotes("what begins with `!` needs quotes, else YAML takes it for a tag", 'write `"!…"`')
    if "mapping values are not allowed" in problem:
        if _SECOND_COLON.match(line[: column + 1] + " "):
            return _quotes("a text that contains `: ` needs quotes", "put quotes around everything after the first `: `")
        return Complaint(
            code="INDENT", message="a key stands where none can be", hint="look at how this line and the one above are indented"
        )
    if "cannot start any token" in problem:
        letter = line[column : column + 1]
        if letter == "\t":
            return Complaint(code="TAB", message="a tab stands where blanks belong", hint="indent with blanks")
        return _quotes(f"what begins with {_STARTERS.get(letter, f'`{letter}`')} needs quotes", "put quotes around it")
    return _of_structure(problem, context)


def _of_structure(problem: str, context: str) -> Complaint:
    if "quoted scalar" in context:
        if "escape" in problem:
            return Complaint(
                code="ESCAPE", message="`\\` begins an escape inside double quotes", hint="use single quotes: '^v\\d+'"
            )
        return Complaint(code="OPEN-QUOTE", message="a quote that was opened is never closed", hint="close it, or take it out")
    if "flow sequence" in context:
        return Complaint(code="OPEN-LIST", message="a `[` is not closed, or a comma is missing", hint="close it with `]`")
    if "flow mapping" in context:
        return Complaint(code="OPEN-BRACE", message="a `{` is not closed, or a comma is missing", hint="close it with `}`")
    if "flow node" in context:
        return Complaint(code="OPEN-LIST", message="a `[` or `{` is not closed", hint="close it, or put the text in quotes")
    if "simple key" in context or "could not find expected ':'" in problem:
        return Complaint(code="NO-COLON", message="a `:` is missing after a key", hint="write `key: value`")
    if "block" in context:
        return Complaint(
            code="INDENT", message="this line does not line up with the ones above", hint="indent siblings alike, with blanks"
        )
    return Complaint(code="YAML", message=f"this is not YAML: {problem}", hint="put texts with special characters in quotes")


def _quotes(message: str, hint: str) -> Complaint:
    return Complaint(code="NEEDS-QUOTES", message=message, hint=hint)
