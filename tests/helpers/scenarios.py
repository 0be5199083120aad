"""Scenario files: those of the sample, and the start of one."""

from eligibility.resources import config_dir

SAMPLE = config_dir() / "sample"

SCENARIOS = str(SAMPLE / "scenarios")

LIVE = str(SAMPLE / "scenarios-live")

GIVEN = """\
title: Reader
given:
  groups:
    beta: {name: Beta, emails: [ada@example.com]}
    canary: {name: Canary, emails: [grace@example.com]}
  products:
    APP:
      name: App
      submission:
        packages:
          - {file_name: 1.msix, version: 1.0.0.0, architectures: [x64], targets: {Windows.Desktop: 10.0.17763.0}}
      flights:
        - flight_id: beta
          name: Beta
          groups: [beta]
          packages:
            - {file_name: 2.msix, version: 2.0.0.0, architectures: [x64], targets: {Windows.Desktop: 10.0.17763.0}}
defaults: {product: APP, account: ada@example.com, device: Desktop/Windows 11 23H2/x64}
cases:
"""
