"""The runs of `sweep`, of one task or several, and the adaptive rule between both halves."""
