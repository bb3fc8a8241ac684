"""Tiny language models of our own, and the text they are trained on."""
