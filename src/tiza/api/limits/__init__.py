"""How much of the service one caller may use: requests, tokens, and answers at the same time."""
