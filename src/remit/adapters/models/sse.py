"""Server-sent events read from a copy of a stream, in whatever pieces it comes, in bounded memory."""

LONGEST = 8 * 2**20
"""bytes of one event that are kept; after a longer one nothing more is read"""


class Events:
    """The data of the events in a stream. `lost` says that one was too long, and that the rest is not read."""

    def __init__(self, longest: int = LONGEST) -> None:
        self.lost = False
        self._longest = longest
        self._kept = 0
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._after_return = False
        self._begun = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of every event that ends within this piece."""
        if self._after_return and piece:
            self._after_return = False
            piece = piece.removeprefix(b"\n")
        found: list[bytes] = []
        for line in piece.splitlines(keepends=True):
            text = line.rstrip(b"\r\n")
            self._kept += len(text)
            if self.lost or self._kept > self._longest:
                self.lost = True
                self._line, self._data = [], []
                return found
            self._line.append(text)
            if len(text) < len(line):
                self._after_return = line.endswith(b"\r")
                self._ended(found)
        return found

    def _ended(self, found: list[bytes]) -> None:
        line = b"".join(self._line)
        self._line = []
        if not self._begun:
            self._begun, line = True, line.removeprefix(b"\xef\xbb\xbf")
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            if self._data:
                found.append(b"\n".join(self._data))
            self._data, self._kept = [], 0
