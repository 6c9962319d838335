"""Tables, their legal moves, settings, clock, telephone numbers and the vocabulary. Imports nothing of ours."""
