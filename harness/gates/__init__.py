"""May this adapter be merged? Gates with wildcards to verdicts: pass, fail, cannot tell, or not comparable.

gates ─ checks ─▶ one rule, one system, one task ─ evidence ─▶ rows on the same samples ─ rules ─▶ findings ─▶ Judgement
"""
