"""The overlay mounter: what runs between fork and exec, in a user and mount namespace of its own.

Overlayfs is given descriptors, so that no host path stands in the box's mount table and no name needs escaping.
Needs: overlayfs `userxattr`, kernel 5.11; user xattrs on tmpfs, kernel 6.6 (else the quota is only watched).
"""

# ruff: noqa: PTH101, PTH102

import os

from remit.adapters.sandboxes import kernel
from remit.value import Value

PLACE = "/sys"
"""covered by a private tmpfs: it always exists and is never shown in the box"""
MERGED = f"{PLACE}/merged"
FOLDER = os.O_PATH | os.O_DIRECTORY
GUARDED = kernel.MS_NOSUID | kernel.MS_NODEV


class Order(Value, frozen=True, kw_only=True):
    """What to mount: `lower` folders topmost first, `upper` and `work` or None, `quota` in bytes, and for whom."""

    kind: str
    lower: tuple[str, ...]
    upper: str | None = None
    work: str | None = None
    quota: int | None = None
    uid: int
    gid: int


class Mounted(Value, frozen=True, kw_only=True):
    """The merged folder, and the upper in memory that has to be settled afterwards (None: it is on disk)."""

    merged: int
    upper: int | None


class Folders(Value, frozen=True, kw_only=True):
    """The folders of an order as descriptors; `trees` are to be attached before they can be used."""

    lower: tuple[int, ...]
    upper: int | None
    work: int | None
    trees: tuple[int, ...] = ()


def carried(order: Order) -> Folders:
    """The folders for a user who may not walk to them: copied as mounts while we are still root.

    Upper and work must be seen through one and the same mount, so the folder above both is what is copied.
    """
    lower = [kernel.copied_tree(each) for each in order.lower]
    if order.upper is None or order.work is None:
        return Folders(lower=tuple(lower), upper=None, work=None, trees=tuple(lower))
    above = os.path.commonpath([order.upper, order.work])
    tree = kernel.copied_tree(above)
    upper, work = (os.open(os.path.relpath(each, above), FOLDER, dir_fd=tree) for each in (order.upper, order.work))
    return Folders(lower=tuple(lower), upper=upper, work=work, trees=(*lower, tree))


def opened(order: Order) -> Folders:
    """The folders opened by name. Only after unshare: overlayfs refuses what belongs to another mount namespace."""
    upper, work = (None if each is None else os.open(each, FOLDER) for each in (order.upper, order.work))
    return Folders(lower=tuple(os.open(each, FOLDER) for each in order.lower), upper=upper, work=work)


def assemble(order: Order, folders: Folders | None) -> Mounted:
    """Mount the workspace at MERGED, seen by nobody else. Raises OSError naming the step."""
    kernel.unshare(kernel.NEWUSER | kernel.NEWNS)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{order.uid} {order.uid} 1")
    _write("/proc/self/gid_map", f"{order.gid} {order.gid} 1")
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_SLAVE)
    held = folders or opened(order)
    kernel.mount("tmpfs", PLACE, "tmpfs", GUARDED, "size=64k,nr_inodes=32,mode=755")
    os.mkdir(MERGED)
    for number, tree in enumerate(held.trees):
        os.mkdir(f"{PLACE}/{number}")
        kernel.attach(tree, f"{PLACE}/{number}")
    if order.kind == "bind":
        kernel.mount(_shown(held.lower[0]), MERGED, "", kernel.MS_BIND | kernel.MS_REC)
        return Mounted(merged=os.open(MERGED, FOLDER), upper=None)
    return _overlay(order, held)


def _overlay(order: Order, held: Folders) -> Mounted:
    lower = [_shown(each) for each in held.lower]
    if held.upper is None and len(lower) == 1:
        os.mkdir(f"{PLACE}/empty")  # overlayfs wants two layers when none is writable
        lower.append(f"{PLACE}/empty")
    options = [f"lowerdir={':'.join(lower)}", "userxattr", "index=off", "metacopy=off"]
    memory: int | None = None
    if held.upper is not None and held.work is not None:
        memory = _in_memory(order.quota, held.upper) if order.quota else None
        disk = (_shown(held.upper), _shown(held.work))
        places = disk if memory is None else (f"{PLACE}/quota/upper", f"{PLACE}/quota/work")
        options += [f"upperdir={places[0]}", f"workdir={places[1]}"]
    kernel.mount("overlay", MERGED, "overlay", GUARDED, ",".join(options))
    return Mounted(merged=os.open(MERGED, FOLDER), upper=memory)


def _in_memory(quota: int, upper: int) -> int | None:
    """A tmpfs of exactly that size for the writes; None where tmpfs cannot carry the overlay's marks."""
    folder = f"{PLACE}/quota"
    os.mkdir(folder)
    inodes = max(1024, quota // 1024)
    kernel.mount("tmpfs", folder, "tmpfs", GUARDED, f"size={quota},nr_inodes={inodes},mode=755")
    os.mkdir(f"{folder}/upper")
    os.mkdir(f"{folder}/work")
    os.chmod(f"{folder}/upper", os.stat(upper).st_mode & 0o7777)
    try:
        os.setxattr(f"{folder}/upper", "user.overlay.probe", b"y")
        os.removexattr(f"{folder}/upper", "user.overlay.probe")
    except OSError:
        return None
    return os.open(f"{folder}/upper", os.O_RDONLY | os.O_DIRECTORY)


def _shown(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
