"""Models on servers with an API like OpenAI's: asked over HTTP, and believed only what a handshake proves.

address     http://HOST/v1#MODEL ─▶ where to ask, and for whom
client      one request: tries, pauses, the key, what was spent
calls       completions and chat: a question's JSON, and an answer's
flight      many requests at once, bounded
handshake   what a server does, and what it only accepts
answers     an open backend: prompts ─▶ generations and likelihoods
"""
