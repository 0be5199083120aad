"""The question and the answer: what an access query and a decision are, and their JSON."""
