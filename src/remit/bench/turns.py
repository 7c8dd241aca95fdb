"""Measuring contestants in turn, so that a busy machine slows all of them alike."""

import gc
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import perf_counter

import click

from remit.bench.row import HEADING, Row, line


def in_turn(contestants: Mapping[str, Callable[[], object]], *, rounds: int, warm: int = 0) -> dict[str, float]:
    """Median seconds of each, one call of each per round; the collector rests meanwhile."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        for _ in range(warm):
            run()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in contestants.items():
                before = perf_counter()
                run()
                times[name].append(perf_counter() - before)
    finally:
        gc.enable()
    return {name: statistics.median(taken) for name, taken in times.items()}


def medians(rounds: Iterable[tuple[float, ...]]) -> Iterator[float]:
    """The median of every column."""
    return (statistics.median(column) for column in zip(*rounds, strict=True))


def show(rows: Iterable[Row]) -> None:
    """Print rows as they come."""
    click.echo(HEADING)
    for row in rows:
        click.echo(line(row))
