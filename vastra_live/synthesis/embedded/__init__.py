"""The synthesizer that needs no download and no GPU."""
