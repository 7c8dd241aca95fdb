"""Releasing a sealed stage: all or nothing, by a journal, never through a link."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.copied import copy_bytes
from remit.adapters.workspaces.journal import Hook, Journal, Outcome, Plan, Step, nothing
from remit.adapters.workspaces.planning import conflict_text, copy_entry
from remit.adapters.workspaces.release import Release
from remit.adapters.workspaces.walk import Stat
from remit.errors import Broken, Busy, Conflict, Unavailable


@contextmanager
def alone(root: str) -> Iterator[int]:
    """The open workspace, held so that no two publishes interleave. Raises Busy when another one is at it."""
    try:
        with walk.folder(root) as fd:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(f"another run is publishing into `{root}`", hint="try again in a moment") from error
            yield fd
    except FileNotFoundError as error:
        raise Conflict(f"the workspace `{root}` is gone") from error
    except NotADirectoryError as error:
        raise Conflict(f"the workspace `{root}` is not the folder it was") from error


def forward(root: int, journal: Journal, plan: Plan, hook: Hook = nothing, *, release: Release | None = None) -> None:
    """Do every step that is not done yet; when one cannot be done, take all of them back.

    Raises Conflict or Broken after everything was put back, Unavailable when not even that could be done. Safe to call again
    after a crash at any moment.
    """
    try:
        if release is not None:
            release.forward(hook)
        emptied = frozenset(step.name for step in plan.steps if step.do == "rmdir")
        with walk.folder(plan.tree) as tree:
            for number, step in enumerate(plan.steps):
                hook(f"{step.do} {number}")
                if step.do not in ("unlink", "rmdir") or not _vanished(root, step.name, emptied):
                    _do(root, tree, plan, step, number)
        hook("sync")
        sync_parents(root, plan)
        finish(root, journal, plan)
    except (OSError, Conflict, Broken) as error:
        # A full disk of remit's own may not even take the mark; without it, a crash from here on is finished forward.
        with suppress(OSError, Broken):
            journal.write("back")
        try:
            back(root, journal, plan, hook, release=release)
            journal.drop()
        except (OSError, Broken) as again:
            raise Unavailable(
                f"publishing failed ({error}) and could not be taken back ({again})",
                hint="make the workspace writable again: `remit resume` then finishes one or the other",
            ) from error
        if isinstance(error, OSError):
            raise Broken(f"publishing failed and was taken back: {error.strerror or error}") from error
        raise


def finish(root: int, journal: Journal, plan: Plan) -> None:
    """Write down what now stands at every touched path, for undo."""
    after = tuple((step.path, walk.look(root, step.name)) for step in plan.steps)
    journal.write("outcome", Outcome(after=after))
    journal.write("done")


def _do(root: int, tree: int, plan: Plan, step: Step, number: int) -> None:
    above, name = walk.split(step.name)
    with walk.beneath(root, above) as at:
        now = walk.lstat(at, name)
        match step.do:
            case "unlink":
                if now is not None and now.kind != "directory":
                    _expect(step, now)
                    os.unlink(name, dir_fd=at)
            case "rmdir":
                if now is not None and now.kind == "directory":
                    _remove_folder(at, name, step)
            case "mkdir":
                _make_folder(at, name, step, now)
            case "mode":
                with walk.folder(name, at=at) as fd:
                    os.fchmod(fd, step.mode)
            case "write" | "link":
                _put(at, name, tree, plan, step, number, now)


def _vanished(root: int, path: str, emptied: frozenset[str]) -> bool:
    # Done before a crash: the folder this stood in was removed by a later step, and may be a file by now.
    above = walk.split(path)[0]
    if above not in emptied:
        return False
    state = walk.look(root, above)
    return state is None or state.kind != "directory"


def _expect(step: Step, now: Stat | None) -> None:
    if step.before is None or not step.before.same_content(now):
        raise Conflict(conflict_text([step.name]))


def _remove_folder(at: int, name: str, step: Step) -> None:
    try:
        os.rmdir(name, dir_fd=at)
    except OSError as error:
        raise Conflict(conflict_text([step.name])) from error


def _make_folder(at: int, name: str, step: Step, now: Stat | None) -> None:
    if now is not None and now.kind != "directory":
        raise Conflict(conflict_text([step.name]))
    if now is None:
        os.mkdir(name, 0o700, dir_fd=at)
    with walk.folder(name, at=at) as fd:
        _own(fd, step)
        os.fchmod(fd, step.mode)


def _own(fd: int, step: Step) -> None:
    if os.geteuid() == 0:
        os.fchown(fd, step.uid, step.gid)


def _put(at: int, name: str, tree: int, plan: Plan, step: Step, number: int, now: Stat | None) -> None:
    if _stands(at, name, step, now):
        return
    replaces = step.before is not None and step.before.kind in ("file", "link")
    if replaces:
        _expect(step, now)
    elif now is not None:
        raise Conflict(conflict_text([step.name]))
    half = f".remit-{plan.token}-{number}"
    _drop_half(at, half)
    try:
        _write_half(at, half, tree, step)
        if replaces:
            os.rename(half, name, src_dir_fd=at, dst_dir_fd=at)
        else:
            walk.rename_new(at, half, name)
    except FileExistsError as error:
        raise Conflict(conflict_text([step.name])) from error
    finally:
        _drop_half(at, half)


def _drop_half(at: int, half: str) -> None:
    # Looked for first: on a read-only disk even removing what is not there fails.
    if walk.lstat(at, half) is not None:
        os.unlink(half, dir_fd=at)


def _stands(at: int, name: str, step: Step, now: Stat | None) -> bool:
    # After a crash the new entry may already be there: it is told by its content, since nothing recorded its inode.
    if now is None:
        return False
    if step.do == "link":
        return now.kind == "link" and os.fsencode(walk.read_link(at, name)) == step.target
    return now.kind == "file" and now.bits == step.mode and walk.hash_file(at, name) == step.sha256


def _write_half(at: int, half: str, tree: int, step: Step) -> None:
    if step.do == "link":
        os.symlink(step.target, half, dir_fd=at)
        if os.geteuid() == 0:
            os.chown(half, step.uid, step.gid, dir_fd=at, follow_symlinks=False)
        return
    above, name = walk.split(step.name)
    with walk.beneath(tree, above) as inner:
        source = walk.open_file(inner, name, unlock=True)
    try:
        fd = os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)
        try:
            copy_bytes(source, fd)
            os.lseek(fd, 0, os.SEEK_SET)
            with os.fdopen(fd, "rb", closefd=False) as written:
                if hashlib.file_digest(written, "sha256").hexdigest() != step.sha256:
                    raise Broken(f"`{walk.shown(step.name)}` is not what was judged; the stage was touched after it was sealed")
            _own(fd, step)
            os.fchmod(fd, step.mode)
            walk.sync_file(fd)
        finally:
            os.close(fd)
    finally:
        os.close(source)


def sync_parents(root: int, plan: Plan) -> None:
    """Make every name that was added or removed durable."""
    for above in {walk.split(step.name)[0] for step in plan.steps}:
        try:
            with walk.beneath(root, above) as fd:
                walk.sync_file(fd)
        except Conflict:
            continue  # removed by this very publish; its own parent is in the set


def back(root: int, journal: Journal, plan: Plan, hook: Hook = nothing, *, release: Release | None = None) -> None:
    """Take every step back, last first; a path that is already as before is left alone."""
    with walk.folder(str(journal.pre)) as keep:
        for number in reversed(range(len(plan.steps))):
            step = plan.steps[number]
            hook(f"back {step.do} {number}")
            with suppress(Conflict, FileNotFoundError):
                above, name = walk.split(step.name)
                with walk.beneath(root, above) as at:
                    _take_back(at, name, keep, plan, step, number)
    restore_times(root, plan)
    if release is not None:
        release.back(hook)
    hook("back sync")
    sync_parents(root, plan)


def _take_back(at: int, name: str, keep: int, plan: Plan, step: Step, number: int) -> None:
    now = walk.lstat(at, name)
    match step.do:
        case "mkdir":
            if step.before is None or step.before.kind != "directory":
                with suppress(OSError):
                    os.rmdir(name, dir_fd=at)  # a stranger's file keeps the folder
        case "rmdir" | "mode":
            if step.before is not None:
                _restore_folder(at, name, step.before, now)
        case _:
            half = f".remit-{plan.token}-{number}"
            _drop_half(at, half)
            if step.pre >= 0 and step.before is not None:
                if now is None or (_stands(at, name, step, now) and not step.before.same_content(now)):
                    _restore_file(at, name, half, keep, str(step.pre), step.before)
            elif now is not None and step.pre < 0 and _stands(at, name, step, now):
                os.unlink(name, dir_fd=at)


def _restore_folder(at: int, name: str, before: Stat, now: Stat | None) -> None:
    if now is None:
        os.mkdir(name, 0o700, dir_fd=at)
    with walk.folder(name, at=at) as fd:
        if os.geteuid() == 0:
            os.fchown(fd, before.uid, before.gid)
        os.fchmod(fd, before.bits)


def _restore_file(at: int, name: str, half: str, keep: int, number: str, before: Stat) -> None:
    try:
        os.link(number, half, src_dir_fd=keep, dst_dir_fd=at, follow_symlinks=False)
    except OSError:
        copy_entry(keep, number, at, half, before)
    os.rename(half, name, src_dir_fd=at, dst_dir_fd=at)
    _drop_half(at, half)  # rename leaves both names when they are one inode already


def restore_times(root: int, plan: Plan) -> None:
    """Give the folders that were written into their old modification times."""
    for path, mtime in plan.folders:
        with suppress(Conflict, OSError), walk.beneath(root, path.decode("utf-8", "surrogateescape")) as fd:
            os.utime(fd, ns=(mtime, mtime))
