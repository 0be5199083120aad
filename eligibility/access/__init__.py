"""The access query and the decision: their types, their JSON, and what may be hidden in them."""
