"""Shards: examples as ids, in files that are read by range."""
