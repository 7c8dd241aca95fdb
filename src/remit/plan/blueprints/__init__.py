"""Blueprints as people wrote them: Markdown with chains, questions and manifests in code fences, read leniently."""
