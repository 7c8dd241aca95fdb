"""Trees in memory, judged as those on a disk are."""

from collections.abc import Mapping

from remit.plan.validating.tree import Entry


class Held:
    """Files by path; folders follow from them. What is no bytes is an entry of that type."""

    def __init__(self, files: Mapping[str, str | bytes | Entry]) -> None:
        self.files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        self.reads: list[str] = []
        self.entries: dict[str, Entry] = {}
        for path, data in self.files.items():
            parts = path.split("/")
            for count in range(1, len(parts)):
                self.entries["/".join(parts[:count])] = Entry(type="folder")
            self.entries[path] = data if isinstance(data, Entry) else Entry(type="file", size=len(data))

    def read(self, path: str, most: int) -> bytes | None:
        self.reads.append(path)
        data = self.files.get(path)
        return data[:most] if isinstance(data, bytes) else None
