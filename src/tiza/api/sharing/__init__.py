"""One generation for many who ask the same: while it is written, and for a while after."""
