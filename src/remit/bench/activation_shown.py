"""What was measured of activation, per size and mode: for programs, and as a table that says what it is and what it is not."""

from collections.abc import Iterator, Sequence
from math import sqrt
from random import Random
from typing import Any

import msgspec

from remit.bench.activation import LANES, MODES, RETRIES, Chained, Measured, mean
from remit.bench.rotting import LETTERS
from remit.plan.step import Mode
from remit.value import Value

SCHEMA = "remit.bench.activation/1"
DRAWS = 2000
Z = 1.959964
CITED = ((3, "95 %", "100 %"), (6, "50-70 %", "100 %"), (10**9, "30-50 %", "100 %"))
"""what the text on delegated execution claims of chains up to so many skills, standard and delegated; not measured here"""


class Summed(Value, frozen=True, kw_only=True):
    """All chains of one size and mode. Shares are 0 to 1, intervals 95 per cent; `(low, high)`.

    `activation` has a bootstrap interval over chains: skills of one chain are no independent draws. `whole` is the share of
    chains in which every skill was invoked or left out by consent, `validated` that in which validation ran: Wilson's.
    """

    size: int
    mode: Mode
    n: int
    activation: float
    activation_interval: tuple[float, float]
    accounted: float
    skipped: float
    made: float
    whole: float
    whole_interval: tuple[float, float]
    validated: float
    validated_interval: tuple[float, float]
    said_validated: float
    retries: float
    questions: float
    kept_per_step: float
    brief_per_step: float
    brief_most: int
    coordinator_total: float
    context_most: int
    context_total: float
    wall: float
    span: float
    at_once: int


def summed(found: Measured) -> list[Summed]:
    """One for each size and mode, in the order in which they were run."""
    sizes = dict.fromkeys(each.size for each in found.chains)
    groups = ([each for each in found.chains if (each.size, each.mode) == (size, mode)] for size in sizes for mode in MODES)
    return [_summed(group, found.seed) for group in groups if group]


def _summed(chains: Sequence[Chained], seed: int) -> Summed:
    n, first = len(chains), chains[0]
    whole, validated = sum(each.accounted == each.size for each in chains), sum(each.validated for each in chains)
    shares = [each.activation for each in chains]
    return Summed(
        size=first.size, mode=first.mode, n=n, activation=mean(shares), activation_interval=bootstrap(shares, seed),
        accounted=mean([each.accounted / each.size for each in chains]),
        skipped=mean([each.skipped / each.size for each in chains]),
        made=mean([each.made / each.size for each in chains]),
        whole=whole / n, whole_interval=wilson(whole, n), validated=validated / n, validated_interval=wilson(validated, n),
        said_validated=mean([each.said_validated for each in chains]), retries=mean([each.retries for each in chains]),
        questions=mean([each.questions for each in chains]), kept_per_step=mean([each.kept for each in chains]),
        brief_per_step=mean([mean(each.briefs) for each in chains]), brief_most=max(max(each.briefs) for each in chains),
        coordinator_total=mean([each.kept * each.size + sum(each.briefs) for each in chains]),
        context_most=max(max(each.contexts) for each in chains), context_total=mean([sum(each.contexts) for each in chains]),
        wall=mean([each.wall for each in chains]), span=mean([each.span for each in chains]),
        at_once=max(each.at_once for each in chains),
    )  # fmt: skip


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 per cent interval of a share; all of it for no draw."""
    if not n:
        return (0.0, 1.0)
    share, z = hits / n, Z
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    wide = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (round(max(0.0, middle - wide), 9), round(min(1.0, middle + wide), 9))


def bootstrap(values: Sequence[float], seed: int) -> tuple[float, float]:
    """The middle 95 per cent of means of as many values drawn again; chains that all agree give no width."""
    chance = Random(seed)  # noqa: S311 - a drawing again that can be repeated, no secret
    means = sorted(mean(chance.choices(values, k=len(values))) for _ in range(DRAWS))
    return (means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS)])


def cited(size: int, mode: Mode) -> str:
    """What others claim of a chain of this size; never ours."""
    standard, delegated = next((low, high) for most, low, high in CITED if size <= most)
    return standard if mode == "standard" else delegated


def document(found: Measured) -> dict[str, Any]:
    """As programs read it: what was run with, and every summary. `cited` is what others claim, and was not measured."""
    return {
        "schema": SCHEMA, "seed": found.seed, "n": found.times, "retries": RETRIES, "lanes": LANES,
        "model": msgspec.to_builtins(found.habits), "tokens": f"len / {LETTERS}", "load": list(found.load),
        "rows": [{**msgspec.to_builtins(each), "cited": cited(each.size, each.mode)} for each in summed(found)],
        "chains": msgspec.to_builtins(found.chains),
    }  # fmt: skip


def table(found: Measured) -> Iterator[str]:
    """As a person reads it."""
    yield from opening(found)
    yield ""
    yield (
        f"{'skills':>6} {'mode':<9} {'activated':>9} {'95 %':<13} {'cited*':<8} {'skipped':>7} {'accounted':>9} {'made':>7} "
        f"{'validated':>9} {'said so':>7} {'retries':>7} {'asked':>5}"
    )
    rows = summed(found)
    for row in rows:
        yield (
            f"{row.size:>6} {row.mode:<9} {_share(row.activation):>9} {_between(row.activation_interval):<13} "
            f"{cited(row.size, row.mode):<8} {_share(row.skipped):>7} {_share(row.accounted):>9} {_share(row.made):>7} "
            f"{_share(row.validated):>9} {_share(row.said_validated):>7} {row.retries:>7.1f} {row.questions:>5.1f}"
        )
    yield ""
    yield (
        f"{'skills':>6} {'mode':<9} {'kept/step':>9} {'brief/step':>10} {'most':>6} {'in all':>7}  {'agent most':>10} "
        f"{'agents in all':>13}  {'wall':>8} {'in turn':>8} {'at once':>7}"
    )
    for row in rows:
        yield (
            f"{row.size:>6} {row.mode:<9} {row.kept_per_step:>9.1f} {row.brief_per_step:>10.0f} {row.brief_most:>6} "
            f"{row.coordinator_total:>7.0f}  {row.context_most:>10} {row.context_total:>13.0f}  {row.wall:>6.2f} s "
            f"{row.span:>6.2f} s {row.at_once:>7}"
        )
    yield ""
    yield from closing(found, rows)


def opening(found: Measured) -> Iterator[str]:
    """What agent this is, before any number."""
    own = found.habits
    yield "A model of an agent, and no measurement of any language model: `docs/know/rot.md` has every parameter."
    yield (
        f"It takes up the next skill with chance {own.keen:g}, halved by every {own.half} tokens beyond {own.steady}; having "
        f"left one out it ends there in {own.leaves:.0%}."
    )
    yield (
        f"A skill adds {own.work[0]} to {own.work[1]} tokens. Of those it takes up {own.fails:.0%} fail, {own.hangs:.0%} hang, "
        f"{own.lies:.0%} are lied about. It looks back in {own.validates:.0%}, before rot."
    )
    yield (
        f"n = {found.times} chains a row, seed {found.seed}; {RETRIES} retries a step, then the owner (scripted) skips it; "
        f"{LANES} lanes; tokens are len / {LETTERS}."
    )


def closing(found: Measured, rows: Sequence[Summed]) -> Iterator[str]:
    """How to read it, and what one row says of all chains that might be."""
    delegated = [row for row in rows if row.mode == "delegated"]
    if delegated:
        flat = [row.kept_per_step for row in delegated]
        briefs, most = [row.brief_per_step for row in delegated], max(row.brief_most for row in delegated)
        middle = (max(flat) + min(flat)) / 2
        yield (
            f"What the coordinator keeps of a step: {min(flat):.1f} to {max(flat):.1f} tokens from {delegated[0].size} to "
            f"{delegated[-1].size} skills, ±{(max(flat) - min(flat)) / 2 / middle:.1%}. "
            f"What it hands on: briefs of {min(briefs):.0f} to {max(briefs):.0f} tokens in the mean, {most} at most."
        )
        last = delegated[-1]
        yield (
            f"Every skill invoked or left out by consent: {_share(last.whole)} of {last.n} chains of {last.size}, delegated "
            f"(95 %: {_between(last.whole_interval)})."
        )
    yield "accounted: invoked, or left out by the owner's recorded consent. made: its file was left by a sub-agent."
    yield "validated: remit's own validation ran. said so: the agent's last words say that it looked; nobody checked that."
    yield "in turn: the sub-agents' spans, added up. at once: the most that worked at one moment, by the record."
    yield "* what a text on delegated execution claims for chains of that length. It is cited, and was not measured here."
    yield f"load {found.load[0]} to {found.load[1]}; times depend on it, activation does not."


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _between(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.0f} to {100 * interval[1]:.0f} %"
