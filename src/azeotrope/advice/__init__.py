"""From runs and fitted laws to answers: verdicts, the boundary, what is needed, which run to make next. No torch."""
