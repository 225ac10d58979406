"""Manifests, features and batches: what a model learns from."""
