"""The model store: which models are on this machine and where their files lie."""
