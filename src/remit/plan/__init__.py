"""Who does what, in which order: skills and blueprints, steps and their graph, mode, prompts, reports and their judgement."""
