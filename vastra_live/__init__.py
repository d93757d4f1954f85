"""Real-time webcam AR try-on: any garment photo, live, at camera rate on a laptop CPU."""

__version__ = "0.1.0"
