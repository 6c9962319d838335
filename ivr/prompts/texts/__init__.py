"""The texts of the prompts, one module a call.

Short sentences, one thought each, the key named after what it does ("洗澡按2"):
the listener is 85. At most four choices, then "more" on 8; no prompt longer
than 7 s. 0 for a person holds everywhere and is named only where it helps.
"""
