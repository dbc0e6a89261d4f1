"""Reconstruction of susceptibility maps, one module per step."""
