"""The telephone conversation: AGI line, turns, menus, speech, prompts."""
