"""The synthesizer that needs no download and no GPU."""

from vastra_live.synthesis.embedded.synthesizer import EmbeddedSynthesizer

__all__ = ["EmbeddedSynthesizer"]
