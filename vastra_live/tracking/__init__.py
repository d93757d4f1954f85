"""Body, motion and the propagation of a layer between keyframes."""
