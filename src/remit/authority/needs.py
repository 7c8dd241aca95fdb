"""The words by which it is known what a task needs, as data: what justifies a heavier runtime, and what never does."""

from collections.abc import Mapping

from remit.authority.phrases import word_set
from remit.contract.heavy import NEEDS

_CHANGE = (
    "rename|renames|renaming|change|changes|changing|edit|edits|editing|update|updates|updating|replace|replaces|replacing|"
    "rewrite|rewriting|convert*|translate|translating|reformat*|migrate|migrating|port|porting|refactor*|restructur*|adapt|"
    "adapting|add|adds|adding|remove|removes|removing|delete|deletes|deleting|move|moves|moving|mend|mends|mending|fix|fixes|"
    "fixing|correct|corrects|correcting|implement*|touch|touches|touching"
)
_CHANGED = (
    "renamed|changed|edited|updated|replaced|rewritten|converted|translated|reformatted|migrated|ported|refactored|restructured|"
    "adapted|added|removed|deleted|moved|mended|fixed|corrected|implemented|touched|carries|carry|names|says|uses|use"
)
_ALL = "all|every|each|several|many|multiple|various"
_PARTS = "files|modules|pages|documents|chapters|packages|components|classes|templates|translations|folders|directories"
_PART = f"file|page|module|{_PARTS}"
_RUN = "run|runs|running|execute|executes|executing|start|starts|starting|launch|launches|rerun"
_PROGRAMS = (
    "test|tests|suite|build|builds|linter|linters|script|scripts|benchmark|benchmarks|migration|migrations|server|command|"
    "commands|program|programs|pytest|compiler|formatter"
)
_SITE = "site|sites|website|websites|portal|page|pages|web|url|form|forms"
_TRY = "try|trying|repeat|repeating|iterate|work|working|improve|improving|tune|tuning|keep|refine|refining|adjust|adjusting"

WORDS: Mapping[str, tuple[str, ...]] = {
    "multi-file": (
        f"{_CHANGE} … # {_PARTS}",
        f"{_CHANGE} … # other {_PARTS}",
        f"{_CHANGE} … {_ALL} … {_PART}",
        f"{_CHANGE} … across|throughout|everywhere",
        f"across|throughout … {_CHANGE}",
        "multi-file|multifile",
    ),
    "terminal": (
        f"{_RUN} … {_PROGRAMS}",
        "build|compile|install|reinstall … package|packages|project|dependencies|requirements|image|wheel|release|binary",
        "check|checking … tests|test|suite|build … pass|passes|green",
        "compile|recompile",
        "terminal|shell|bash",
        "command line|lines",
        "command-line",
    ),
    "browser": (
        "browser",
        f"browse|browsing|navigate|open|opening|visit … {_SITE}",
        "log|sign|signing|logging in|into",
        "fill|filling|complete … form|forms",
        f"click|clicking … button|link|menu|through|on|{_SITE}",
        f"screenshot|screenshots … {_SITE}",
    ),
    "iteration": (
        f"{_TRY} … until",
        "until … pass|passes|works|holds|green|succeeds|stable",
        "investigat*|diagnose|diagnosing|debug|debugging|troubleshoot|troubleshooting|bisect|bisecting",
        "find|work|figure out … why",
        "track|hunt down",
        "root cause",
        "why … fail|fails|failing|failed|crash*|hangs|hang|slow|flaky",
        "optimise|optimize|optimising|optimizing",
        "experiment|experiments|experimenting with",
    ),
}
"""phrases by need, in the order of the needs (ESC-01)"""

OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "multi-file": (
        f"# {_PARTS} … {_CHANGED}",
        f"{_ALL} … {_PART} … {_CHANGED}",
        f"{_CHANGED} … # {_PARTS}",
        f"{_CHANGED} … {_ALL} … {_PART}",
        f"{_CHANGED} … across|throughout|everywhere",
        f"across|throughout … {_CHANGED}",
    ),
    "terminal": ("tests|test|suite|build … pass|passes|green",),
}
"""what is to be true afterwards, as a goal says it; a sentence that only looks for such things does not count"""

LOOKING = word_set(
    "search find look read list show summarise summarize tell give get fetch view describe explain report count check send mail "
    "email forward post message notify remind ask answer reply print display open"
)
"""what a light agent does by itself: a sentence that begins so is work for it, unless its own words need more (ESC-06)"""

ASKING = word_set("what what's who who's whose when when's where where's which how is are was were does did has")
"""a sentence that begins so asks for something to be said, and never for work"""

FILLERS = word_set("please kindly then now next first and also just i we need want to you should must let's")
"""words a sentence may begin with before it says anything"""

assert tuple(WORDS) == NEEDS
