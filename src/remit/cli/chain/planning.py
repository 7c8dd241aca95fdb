"""From a wish to a plan, as the command line means it: the library is loaded, chain files are found, refusals name options."""

from collections.abc import Iterable, Sequence

from msgspec.structs import asdict

from remit.cli.chain.finding import chain_files, chosen, library, said, text_of
from remit.cli.chain.wish import Wish
from remit.plan import planning
from remit.plan.blueprint import Blueprint
from remit.plan.planning import ChainFile, Words, in_mode
from remit.plan.skill import Noted

__all__ = ["Planned", "in_mode", "planned"]
FLAGS = {"skills": "skill", "answers": "answer", "flags": "set"}


class Planned(planning.Planned, frozen=True, kw_only=True):
    """A plan that can be carried out, in the workspace of the wish."""

    wish: Wish


def planned(wish: Wish) -> Planned:
    """Raises BadInput where nothing is meant, a name is unresolved, or the plan cannot be carried out; with every reason."""
    known = library(wish.library, wish.workspace)
    files = chain_files(wish.library, wish.workspace)

    def pick(name: str) -> Blueprint | ChainFile:
        source = chosen(name, known, files)
        if isinstance(source, Blueprint):
            return source
        return ChainFile(file=str(source), shown=f"`{source}`", text=lambda: text_of(source))

    return Planned(**asdict(planning.planned(wish, known, pick, WORDS)))


def _options(wishes: Sequence[str]) -> str:
    return ", ".join(f"--{FLAGS.get(each, each)}" for each in wishes)


def _lines(noted: Iterable[Noted]) -> list[str]:
    return [f"  {each}" for each in said(noted)]


WORDS = Words(
    which="name a blueprint or a chain file, or say with --goal what it is for",
    purpose="say it in a sentence with --goal",
    nothing_fits="name a blueprint: `remit chain list`",
    mend="`--instead NAME=OTHER` takes another skill for a name, `--leave NAME` does without",
    call=_options,
    lines=_lines,
)
