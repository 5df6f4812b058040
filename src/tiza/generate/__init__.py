"""Generate: lessons become training samples, with or without a teacher model. Knows no torch."""
