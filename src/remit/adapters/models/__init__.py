"""Model calls out of a box: four wire formats, one door, the provider behind it, and what models cost.

`door` serves connections; `routes` says which paths there are; `anthropic`, `responses`, `chat` and `gemini` each know one
wire format; `relay` carries one call to `upstream` and back while `reading` counts a copy of it.
"""
