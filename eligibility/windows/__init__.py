"""Facts about Windows: device families, OS versions, releases, package versions."""
