"""What runs in the environments of the peers, and how they are configured."""
