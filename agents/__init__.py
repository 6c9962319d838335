"""The agent's world without HTTP: what the board shows, tasks, screen pop."""
