"""One file an export target; its name is the key (`azeotrope.exporting.target` is the contract)."""
