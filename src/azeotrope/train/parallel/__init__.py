"""Several processes that train one student together, a share of every batch each."""
