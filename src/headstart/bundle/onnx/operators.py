"""Which ONNX files are run: plain operators of known sets, all weights inside and of the size that they state.

A part of predict.py as well, word for word: nothing of Headstart and no package is needed.
"""

from __future__ import annotations

from math import prod

from headstart.bundle.onnx.reader import GraphFacts, TensorFacts

# --- code ---
LARGEST_SIZE = 2_147_483_648
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
OPSETS = (1, 30)
_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift
BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu CenterCropPad Clip Compress Concat Constant
ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu
Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid
HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual
Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul
Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
Relu Reshape Resize RotaryEmbedding Round ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice
Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose
Trilu Unsqueeze Upsample Where Xor
"""
OPERATORS = frozenset(_NAMES.split())
"""Steps that end, are the same each time and read nothing but their inputs: no loops, no chance, no files, no texts."""
TYPES = {1: ("float32", 4), 2: ("uint8", 1), 3: ("int8", 1), 4: ("uint16", 2), 5: ("int16", 2), 6: ("int32", 4),
         7: ("int64", 8), 9: ("bool", 1), 10: ("float16", 2), 11: ("float64", 8), 12: ("uint32", 4),
         13: ("uint64", 8), 16: ("bfloat16", 2)}  # fmt: skip
"""Names and bytes of ONNX's types of number."""


def explain_refusal(facts: GraphFacts) -> str:
    """Return why a graph is not run; empty where nothing speaks against it."""
    if facts.extras:
        return f"it has parts that Headstart never writes: {', '.join(sorted(facts.extras))}"
    used = {domain for domain, _ in facts.operators}  # Exporters also state sets that no step is taken from.
    odd = [f"{domain or 'ai.onnx'} {version}" for domain, version in sorted(facts.opsets.items())
           if (domain not in DOMAINS and domain in used)
           or (domain in DOMAINS and not OPSETS[0] <= version <= OPSETS[1])]  # fmt: skip
    if odd:
        return f"it wants sets of steps that are not known here: {_first_few(odd)}"
    steps = [f"{domain}.{name}".lstrip(".") for domain, name in sorted(facts.operators)
             if domain not in DOMAINS[:2] or name not in OPERATORS]  # fmt: skip
    if steps:
        return f"it wants steps that are not run here: {_first_few(steps)}"
    elsewhere = [tensor.name for tensor in facts.tensors if tensor.is_elsewhere]
    if elsewhere:
        return f"its weights lie in other files: {_first_few(elsewhere)}"
    wrong = [tensor.name for tensor in facts.tensors if not _is_whole(tensor)]
    return f"its weights are not of the size that it states: {_first_few(wrong)}" if wrong else ""


def _first_few(names: list[str]) -> str:
    """Return at most five names, short, and without characters that move the cursor."""
    plain = ["".join(mark if mark.isprintable() else "?" for mark in name[:60]) for name in names[:5]]
    return ", ".join(plain) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _is_whole(tensor: TensorFacts) -> bool:
    """Return whether a tensor holds a byte at least for each number that it states, so that no small file is large."""
    if tensor.type_number not in TYPES or any(not 0 <= size <= LARGEST_SIZE for size in tensor.sizes):
        return False
    return prod(tensor.sizes) <= tensor.content_bytes
