"""What a change does to access: of groups, of products, between two states, over time."""
