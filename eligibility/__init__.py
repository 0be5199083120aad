"""What a member may get, and why: package flights and private audiences, decided and explained."""
