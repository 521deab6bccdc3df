"""What `fit`, `boundary` and `report` share between stored runs and an answer. It needs no torch."""
