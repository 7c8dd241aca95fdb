"""Deciding what a sealed stage holds: every changed path, every commit, every moved ref, before anything is published."""

import posixpath

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decide import granted, numbers
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse
from remit.engine.gate import Gate, unanswerable
from remit.engine.hands import Hands
from remit.engine.lineage import after, counts, spent
from remit.errors import Broken
from remit.ports import Stage, Transaction
from remit.run.change import Change, ChangeSet, Commit, RefMove, Seen
from remit.run.event import ChangesJudged
from remit.run.state import Run


async def sealed_stage(hands: Hands, run: Run) -> Stage:
    """The sealed stage of the run's last attempt. Raises Broken when it is gone from the disk."""
    stage = await hands.workspace.reopen(hands.place(run.id, run.attempt))
    if stage is None:
        raise Broken(f"the sealed stage of attempt {run.attempt} of `{run.id}` is gone", hint="start the run again")
    return stage


async def judge(hands: Hands, gate: Gate, run: Run) -> None:
    """Decide the whole change set in one transaction; what must be asked is asked there too."""
    stage = await sealed_stage(hands, run)
    found = await stage.changes()
    async with gate.transaction() as transaction:
        bench = _Bench(gate, transaction, run)
        dropped = tuple(change.path for change in found.changes if not bench.path(change))
        allowed = {full_name(move): bench.ref(move) for move in found.refs}
        refs = [name for name, fine in allowed.items() if fine]
        odd = {full_name(move): stray(move, found, set(dropped)) for move in found.refs if move.head}
        bench.strays(found.refs, {name: path for name, path in odd.items() if path and allowed[name]})
        sound = {name for name in refs if not odd.get(name)}
        arriving = {commit.id for move in found.refs if full_name(move) in sound for commit in move.commits}
        withheld = list(dict.fromkeys(each for move in found.refs for each in bench.commits(move, arriving)))
        transaction.append(
            ChangesJudged(
                run=run.id, attempt=run.attempt, changes=found, dropped=dropped, withheld=tuple(withheld),
                refs=tuple(refs), held=tuple(bench.held),
            )
        )  # fmt: skip


def full_name(move: RefMove) -> str:
    """The ref as git names it."""
    if move.verb == "tag":
        return f"refs/tags/{move.object}"
    return "HEAD" if move.head and move.object == "HEAD" else f"refs/heads/{move.object}"


class _Bench:
    """One sitting over one change set."""

    def __init__(self, gate: Gate, transaction: Transaction, run: Run) -> None:
        self._gate = gate
        self._transaction = transaction
        self._run = gate.fold(transaction, run.id)
        self._authorities: tuple[Authority, ...] = gate.lineage(transaction, self._run)
        self._granted = {
            (intent.action.verb, intent.action.object, intent.action.arguments.get("sha256"))
            for key, intent in self._run.intents.items()
            if key in self._run.settled
        }
        self._known: dict[str, bool] = {}
        self._counts = counts(self._authorities)
        self._spent = spent(self._run, transaction, gate.now(), self._authorities, metered=False)
        self.held: list[str] = []

    def path(self, change: Change) -> bool:
        """May this change of this path be published?"""
        action = path_action(change)
        decision = self._through_link(change, self._weigh(action))
        if isinstance(decision, Allow) and change.plant and not self._named(change):
            why = f"`{change.path}` is dangerous wherever it lands: {change.plant}"
            instead = f"name it: `may: - {change.verb}: {change.path}`"
            reason = Reason(code=Code.PLANT, rule=None, contract=self._authorities[-1].hash, why=why, instead=instead)
            decision = Refuse(reasons=(reason,), considered=decision.reasons)
        if isinstance(decision, Ask) and (action.verb, action.object, change.after.sha256) in self._granted:
            decision = Allow(reasons=decision.reasons)
        return self._settle(action, decision, at="publish")

    def _through_link(self, change: Change, decision: Decision) -> Decision:
        """A link never widens: what it leads to must be writable too, or a later write goes around the rules."""
        if not isinstance(decision, Allow) or change.after.type != "link" or change.plant:
            return decision
        target = posixpath.normpath(posixpath.join(posixpath.dirname(change.path), change.after.target))
        if isinstance(self._weigh(Action(verb="write", object=target)), Allow):
            return decision
        why = f"`{change.path}` is a link to `{target}`, which may not be written"
        reason = Reason(code=Code.AUTHORITY, rule=None, contract=self._authorities[-1].hash, why=why, instead="copy the file")
        return Refuse(reasons=(reason,), considered=decision.reasons)

    def ref(self, move: RefMove) -> bool:
        """May this ref move as it did?"""
        action = Action(
            verb=move.verb, object="HEAD" if move.verb == "commit" and move.head else move.object,
            arguments={"branch": move.object, "before": move.before, "after": move.after},
        )  # fmt: skip
        decision = self._weigh(action)
        if isinstance(decision, Allow) and not move.fast_forward:
            why = f"`{move.object}` was rewritten: {move.before[:12]} is no ancestor of {move.after[:12]}"
            reason = Reason(
                code=Code.AUTHORITY, rule=None, contract=self._authorities[-1].hash, why=why, instead="add commits on top"
            )
            decision = Refuse(reasons=(reason,), considered=decision.reasons)
        return self._settle(action, decision, at="git")

    def strays(self, moves: tuple[RefMove, ...], odd: dict[str, str]) -> None:
        """Say why commits whose last tree is not the one that the checks judge stay behind."""
        for move in moves:
            path = odd.get(full_name(move))
            if path:
                why = f"the last commit on `{move.object}` has another `{path}` than the tree that the checks judge"
                instead = "commit what you leave in the workspace"
                reason = Reason(code=Code.AUTHORITY, rule=None, contract=self._authorities[-1].hash, why=why, instead=instead)
                action = Action(
                    verb="commit", object="HEAD", arguments={"branch": move.object, "after": move.after, "path": path}
                )
                self._gate.note(self._transaction, self._run, action, Refuse(reasons=(reason,)), at="git")

    def commits(self, move: RefMove, arriving: set[str]) -> list[str]:
        """Ids that must not arrive: with a refused path, or after such a one, or on no ref that may move."""
        bad = {commit.id for commit in move.commits} - arriving
        for commit in sorted_parents_first(move.commits):
            if commit.id not in bad and (set(commit.parents) & bad or not self._commit_paths(commit)):
                bad.add(commit.id)
        return [commit.id for commit in move.commits if commit.id in bad]

    def _commit_paths(self, commit: Commit) -> bool:
        """Every path is decided, also after the first refused one: the account wants them all."""
        fine = [self._commit_path(commit, change) for change in commit.changes]
        return all(fine)

    def _commit_path(self, commit: Commit, change: Change) -> bool:
        action = path_action(change)
        digest = action.digest()
        if digest not in self._known:
            decision = self._through_link(change, self._weigh(action))
            if isinstance(decision, Allow) and change.plant and not self._named(change):
                decision = Refuse(reasons=decision.reasons)
            if isinstance(decision, Allow):
                self._known[digest] = True
            else:
                self._known[digest] = self._settle(action, decision, at="git")
        return self._known[digest]

    def _weigh(self, action: Action) -> Decision:
        return self._gate.weigh(self._transaction, self._run, self._authorities, action, unused=False, used=self._spent)

    def _named(self, change: Change) -> bool:
        """Whether a rule of the run's own contract, or one that its recovery unlocked, says this very path."""
        shelf = self._authorities[-1].shelves.get(change.verb)
        rules = [rule.rule for rule in shelf.rules] if shelf is not None else []
        return any(rule.effect == "may" and change.path in {name.lstrip("/") for name in rule.objects} for rule in rules)

    def _settle(self, action: Action, decision: Decision, *, at: str) -> bool:
        if isinstance(decision, Ask):
            if self._gate.put(self._transaction, self._run.id, action, decision, about="change") is None:
                decision = unanswerable(self._authorities, decision)
            else:
                self.held.append(action.digest())
        self._gate.note(self._transaction, self._run, action, decision, at=at)
        allowed = isinstance(decision, Allow)
        if allowed and self._counts and (action.verb, action.object, action.arguments.get("sha256")) not in self._granted:
            rules, numbered = granted(self._authorities, action, decision), numbers(self._authorities, action)
            self._spent = after(self._spent, action, rules, numbered, self._gate.now())
        self._known[action.digest()] = allowed
        return allowed


def stray(move: RefMove, found: ChangeSet, dropped: set[str]) -> str:
    """A path that the last commit of the checked-out branch leaves otherwise than the tree that would be published; empty: none.

    Else a run could commit one tree and show the checks another. Only the first-parent line counts: it is what HEAD will be.
    """
    by_id = {commit.id: commit for commit in move.commits}
    line: list[Commit] = []
    at = move.after
    while at in by_id:
        line.append(by_id[at])
        at = by_id[at].parents[0] if by_id[at].parents else ""
    first: dict[str, Seen] = {}
    last: dict[str, Seen] = {}
    for commit in reversed(line):
        for change in commit.changes:
            first.setdefault(change.path, change.before)
            last[change.path] = change.after
    kept = {change.path: change.after for change in found.changes if change.path not in dropped}
    for path, tip in last.items():
        shown = kept.get(path, first[path])
        if path not in dropped and (tip.type, tip.sha256, tip.target) != (shown.type, shown.sha256, shown.target):
            return path
    return ""


def path_action(change: Change) -> Action:
    """The action a change amounts to; a write is bound to the bytes it leaves behind."""
    if change.verb == "delete":
        return Action(verb="delete", object=change.path)
    arguments = {"sha256": change.after.sha256} if change.after.type == "file" else {"target": change.after.target}
    return Action(verb="write", object=change.path, arguments=arguments)


def sorted_parents_first(commits: tuple[Commit, ...]) -> list[Commit]:
    """Every commit after those of its parents that are among them."""
    left = {commit.id: commit for commit in commits}
    done: list[Commit] = []
    while left:
        ready = [commit for commit in left.values() if not set(commit.parents) & set(left)]
        done.extend(left.pop(commit.id) for commit in ready or list(left.values()))
    return done
