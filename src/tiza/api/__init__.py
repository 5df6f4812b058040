"""The HTTP service: routes, limits, streams. It knows the engine by its address only."""
