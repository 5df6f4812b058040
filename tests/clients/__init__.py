"""Programs that people have, against the real service: each in an environment of its own."""
