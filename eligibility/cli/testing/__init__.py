"""What the `test` command needs: scenario files, their watch, and recording of cases."""
