"""Spectra of weight matrices, one at a time and without data."""
