"""A bundle run from `model.onnx` with onnxruntime and numpy."""
