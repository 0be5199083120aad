"""Scenario files: sentences about what an account should get, run as checks.

    title: Who gets which Contoso Reader
    given: {catalog: ../contoso.yaml}
    cases:
      - case: Ada is in both flights, and the higher rank wins
        product: 9NCONTOSORDR
        account: ada@contoso.example
        device: windows-11
        expect: {source: canary, version: 2.1.0.0}

document.py is the shape, file.py reads it, state_sources.py gives the states, run.py decides and compares.
The project's own vectors are such files. Every verdict is made by `decide`, through State.
"""
