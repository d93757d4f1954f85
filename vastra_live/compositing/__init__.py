"""Layer over frame, fades, and what is drawn on top."""
