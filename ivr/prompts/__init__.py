"""What the hotline says: the catalogue of prompts, the voice that renders it, the cache of utterances."""
