"""Pictures made by a generative model, filtered by the teacher. What they are used for is decided elsewhere."""
