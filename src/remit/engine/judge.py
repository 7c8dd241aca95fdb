"""Deciding what a sealed stage holds: every changed path, every commit, every moved ref, before anything is published."""

import posixpath

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.errors import Broken
from remit.ports import Stage, Transaction
from remit.run.change import Change, Commit, RefMove
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
        arriving = {commit.id for move in found.refs if allowed[full_name(move)] for commit in move.commits}
        withheld = list(dict.fromkeys(each for move in found.refs for each in bench.commits(move, arriving)))
        transaction.append(
            ChangesJudged(
                run=run.id, attempt=run.attempt, changes=found, dropped=dropped, withheld=tuple(withheld),
                refs=tuple(refs), held=tuple(bench.held),
            )
        )  # fmt: skip


def full_name(move: RefMove) -> str:
    """The ref as git names it."""
    return f"refs/tags/{move.object}" if move.verb == "tag" else f"refs/heads/{move.object}"


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
                in_commit = Action(verb=action.verb, object=action.object, arguments={**action.arguments, "commit": commit.id})
                self._known[digest] = self._settle(in_commit, decision, at="git")
        return self._known[digest]

    def _weigh(self, action: Action) -> Decision:
        return self._gate.weigh(self._transaction, self._run, self._authorities, action, unused=False)

    def _named(self, change: Change) -> bool:
        return any(
            rule.verb == change.verb and rule.effect == "may" and change.path in {name.lstrip("/") for name in rule.objects}
            for rule in self._run.contract.rules
        )

    def _settle(self, action: Action, decision: Decision, *, at: str) -> bool:
        self._gate.note(self._transaction, self._run, action, decision, at=at)
        if isinstance(decision, Ask):
            digest = action.digest()
            asked = any(known.question.digest == digest for known in self._run.questions.values())
            if not asked:
                self._gate.ask(self._transaction, self._run, action, decision, about="change")
            self.held.append(digest)
        self._known[action.digest()] = isinstance(decision, Allow)
        return isinstance(decision, Allow)


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
