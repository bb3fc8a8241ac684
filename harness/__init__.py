"""Which base model should I fine-tune, and did the adapter help?"""

__version__ = "0.1.0"
