"""Train: samples become an adapter, or new weights. The only stage that imports torch."""
