"""What a simulation is asked: accounts, devices, drafts."""
