"""Facts about Windows: device families, versions, releases, package versions."""
