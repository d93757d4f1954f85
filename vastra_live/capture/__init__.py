"""Sources of frames: webcam, video file, picture, folder, demo."""
