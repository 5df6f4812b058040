"""Train: what is learned, kept, resumed and refused."""
