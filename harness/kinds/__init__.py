"""Task kinds: each a few pure functions over a backend's verbs."""
