"""The stories' world is the world of these tests, too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "stories"))
