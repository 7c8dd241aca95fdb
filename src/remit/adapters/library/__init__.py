"""Skills and blueprints as they lie on this machine."""

from remit.adapters.library.places import places
from remit.adapters.library.reading import lint_library, read_library

__all__ = ["lint_library", "places", "read_library"]
