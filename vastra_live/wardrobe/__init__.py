"""Garment photos: reading them, keeping them."""
