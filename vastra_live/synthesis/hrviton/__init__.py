"""HR-VITON (Lee et al., ECCV 2022, arXiv:2206.14180), written anew for inference.

Nothing here imports torch; :mod:`~vastra_live.synthesis.hrviton.networks`, ``path``, ``fast`` and
``accelerate`` do, and are imported by whoever opens the synthesizer. ``docs/decisions/0006-networks.md``
says why the parts are cut this way.
"""
