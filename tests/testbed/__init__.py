"""The test bed: Debian hosts in namespaces, and a network of them in which a laptop connects to its enterprise.

It changes nothing on the machine that it runs on: hosts live in namespaces of their own, on throw-away
overlays, and go when the process that started them goes, however it goes.
"""
