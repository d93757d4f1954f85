"""Synthesizers: a frame, a body and a garment in, a layer out."""
