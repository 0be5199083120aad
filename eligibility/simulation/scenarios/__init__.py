"""Scenario files: test cases of what accounts get on devices.

    title: Who gets which Contoso Reader
    given: {catalog: ../contoso.yaml}
    cases:
      - case: Ada is in both flights, and the higher rank wins
        product: 9NCONTOSORDR
        account: ada@contoso.example
        device: windows-11
        expect: {source: canary, version: 2.1.0.0}

document.py defines the format, file.py reads files, state_sources.py builds the states, and run.py
decides and compares. The vectors in tests/vectors are scenario files.
"""
