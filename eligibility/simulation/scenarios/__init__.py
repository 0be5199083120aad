"""Scenario files: sentences about what an account should get, run as checks.

    title: Who gets which Contoso Reader
    given: {catalog: ../contoso.yaml}
    cases:
      - case: Ada is in both flights, and the higher rank wins
        product: 9NCONTOSORDR
        account: ada@contoso.example
        device: windows-11
        expect: {source: canary, version: 2.1.0.0}

written.py is the shape, file.py reads it, worlds.py makes the states that are asked, run.py asks.
The project's own vectors are such files. Every verdict is `decide`'s, through State.
"""
