"""Trackers that finished runs are shown to (`--track`): one file each, its name the key. None needs the network."""
