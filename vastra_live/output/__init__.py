"""Where pictures go: window, virtual camera, file."""

from vastra_live.output.open import OutputKind, OutputSpec, open_sink, parse_output, parse_outputs

__all__ = ["OutputKind", "OutputSpec", "open_sink", "parse_output", "parse_outputs"]
