"""The page of hardware needs, from public configurations alone."""
