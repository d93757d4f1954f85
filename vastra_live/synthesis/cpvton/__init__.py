"""CP-VTON (Wang et al., ECCV 2018, arXiv:1807.07688) and CP-VTON+ (Minar et al., CVPRW 2020).

Nothing here imports torch; :mod:`~vastra_live.synthesis.cpvton.networks` and ``path`` do, and are imported
by whoever opens the synthesizer.
"""
