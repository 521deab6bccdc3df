"""What makes pictures, one file a kind: `own` (trained here) and `pipeline` (diffusers, from a hub or a folder)."""
