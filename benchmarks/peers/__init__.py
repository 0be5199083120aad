"""The same decision by existing engines. Each module runs in the peers' own environment."""
