"""Replayable views: their parameters from a counter on the host, their pixels on the device."""
