"""What a try-on network is told about the person and the garment, besides the picture.

Stages, each on its own, each with a typed result that can be drawn (``drawing``) and read from a file of a
published data set instead (``dataset``):

    frame, body -> crop -> keypoints -> parsing, DensePose -> agnostic picture and parse
    garment -> cloth picture and mask

Nothing here imports torch, onnxruntime or detectron2 before a stage that needs it is opened.
"""
