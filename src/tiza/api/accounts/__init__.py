"""Accounts of the API: signing in, keys, tokens, invitations, and who may go where."""
