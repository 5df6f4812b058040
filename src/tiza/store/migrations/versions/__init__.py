"""The revisions, in the order of their numbers. They do not import the tables of today."""
